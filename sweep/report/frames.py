"""From a store to tidy frames: one row for every trial of the plan, whether it was run or not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweep.catalogue import Backbone, Complexity
from sweep.data.dataset import Images
from sweep.data.splits import count_parts
from sweep.planning.expand import Plan
from sweep.planning.inputs import Inputs
from sweep.planning.units import ExtractShard
from sweep.spec.schema import Spec
from sweep.store.store import MEASURES, Store
from sweep.store.stored_plan import load_plan

PARTS = ("training", "validation", "test")


class Status(StrEnum):
    """What became of a trial."""

    SUCCESS = "success"
    FAILURE = "failure"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class SweepFrames:
    """All that a report says, read from one store.

    trials: a row per trial of the plan; accuracies are fractions, log losses nats, NaN where there is none.
    partitions: a row per split and shuffle: images of each part, `shared_test_images` (test images of a patient who
    also has training images) and `test_<class>` (test images of a class), NaN where the store does not know.
    complexities: counted in the built models, without a classifier for pooled features.
    runs: provenance of every run, in order.
    """

    spec: Spec
    inputs: Inputs
    trials: pd.DataFrame
    partitions: pd.DataFrame
    complexities: Mapping[Backbone, Complexity]
    runs: tuple[Mapping[str, Any], ...]
    images: Images | None


def read_sweep(store: Store) -> SweepFrames:
    """Read a store, finished or not.

    Raises:
        UserError: nothing was ever run in it.
    """
    plan = load_plan(store)
    images = store.load_images(plan.inputs.data.fingerprint)
    return SweepFrames(
        spec=plan.spec,
        inputs=plan.inputs,
        trials=_join_results(store, plan),
        partitions=pd.DataFrame(_measure_partitions(store, plan, images)),
        complexities=dict(_load_complexities(store, plan)),
        runs=tuple(provenance for _, _, provenance in store.load_runs()),
        images=images,
    )


def trials_frame(store: Store) -> pd.DataFrame:
    """One row per trial of the plan, with its configuration, status and measures; see `SweepFrames.trials`."""
    return _join_results(store, load_plan(store))


def _join_results(store: Store, plan: Plan) -> pd.DataFrame:
    results = pd.read_sql_query(
        f"SELECT trial_id, status, reason, {', '.join(MEASURES)}, finished_at FROM results ORDER BY rowid",  # noqa: S608 - own names
        store.connection,
    )
    # "failure" sorts before "success": a success is the last row of its trial, whenever it came.
    latest = results.sort_values("status", kind="stable").drop_duplicates("trial_id", keep="last")
    trials = _tabulate_trials(plan).join(latest.set_index("trial_id"), on="trial_id")
    trials["status"] = trials["status"].fillna(Status.MISSING.value)
    return trials


def _tabulate_trials(plan: Plan) -> pd.DataFrame:
    trials, data = plan.trials, plan.inputs.data
    names = {backbone: str(backbone) for backbone in plan.inputs.weights}
    sources = {backbone: weights.source.value for backbone, weights in plan.inputs.weights.items()}
    splits = {id(split): str(split) for split in plan.spec.grid.split}  # by identity: fractions are slow to hash
    return pd.DataFrame(
        {
            "trial_id": [trial.id for trial in trials],
            "head_id": [trial.head_id for trial in trials],
            "backbone": [names[trial.backbone] for trial in trials],
            "family": [trial.backbone.family for trial in trials],
            "alpha": [trial.backbone.alpha for trial in trials],
            "resolution": [trial.backbone.resolution for trial in trials],
            "split": [splits[id(trial.split)] for trial in trials],
            "learning_rate": [trial.learning_rate for trial in trials],
            "shuffle": [trial.shuffle for trial in trials],
            "steps": [trial.steps for trial in trials],
            "data": data.name,
            "is_demo": data.is_demo,
            "weights": [sources[trial.backbone] for trial in trials],
        }
    )


def _measure_partitions(store: Store, plan: Plan, images: Images | None) -> Iterator[dict[str, Any]]:
    data, grid = plan.inputs.data, plan.spec.grid
    for split, shuffle in product(grid.split, grid.shuffle):
        row: dict[str, Any] = {"split": str(split), "shuffle": shuffle}
        row |= zip(PARTS, count_parts(data.images, split), strict=True)
        row |= dict.fromkeys(("shared_test_images", *(f"test_{name}" for name in data.classes)), np.nan)
        partition = store.load_partition(data.fingerprint, str(split), shuffle)
        if partition is not None:
            row |= {part: len(getattr(partition, part)) for part in PARTS}
        if partition is not None and images is not None:
            row |= _count_test_images(partition.training, partition.test, images, data.classes)
        yield row


def _count_test_images(
    training: NDArray[np.int64], test: NDArray[np.int64], images: Images, classes: tuple[str, ...]
) -> dict[str, float]:
    """Count the test images of each class, and those of patients in training. training, test: (images,) positions."""
    patients = np.array(images.patients)
    shared = np.isin(patients[test], patients[training])
    labels = np.bincount(images.labels[test], minlength=len(classes))
    counts = {f"test_{name}": float(count) for name, count in zip(classes, labels, strict=True)}
    return {"shared_test_images": float(shared.sum()), **counts}


def _load_complexities(store: Store, plan: Plan) -> Iterator[tuple[Backbone, Complexity]]:
    folders = {unit.backbone: unit.output.folder for unit in plan.units if isinstance(unit, ExtractShard)}
    for backbone, folder in folders.items():
        complexity = store.load_complexity(folder)
        if complexity is not None:
            yield backbone, complexity
