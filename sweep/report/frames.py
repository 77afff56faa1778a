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
from sweep.data.splits import Partition
from sweep.planning.expand import Plan
from sweep.planning.inputs import Inputs
from sweep.planning.trial import partition_identity
from sweep.planning.units import ExtractShard, UnitKind
from sweep.spec.schema import Spec
from sweep.store.store import MEASURES, Store
from sweep.store.stored_plan import load_plan

Origin = tuple[str, Mapping[str, Any], Mapping[str, Any] | None]


class Status(StrEnum):
    """What became of a trial."""

    SUCCESS = "success"
    FAILURE = "failure"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class SweepFrames:
    """All that a report says, read from one store.

    trials: a row per trial of the plan; accuracies are fractions, log losses nats, NaN where there is none.
    partitions: which image went where, by (split, shuffle), as far as the store knows.
    complexities: counted in the built models, without a classifier for pooled features.
    seconds: by backbone and kind of work unit, as measured on one worker; nothing where arrays came from the cache.
    runs: provenance of every run, in order.
    origins: a feature set, the provenance of a run that fitted heads on it, and that of the features (None: not known);
    nothing where the store does not say.
    """

    spec: Spec
    inputs: Inputs
    trials: pd.DataFrame
    partitions: Mapping[tuple[str, int], Partition]
    complexities: Mapping[Backbone, Complexity]
    seconds: Mapping[Backbone, Mapping[str, float]]
    runs: tuple[Mapping[str, Any], ...]
    images: Images | None
    origins: tuple[Origin, ...] = ()

    @property
    def is_partial(self) -> bool:
        """Whether a trial of the plan has failed or is missing."""
        return bool((self.trials["status"] != Status.SUCCESS).any())

    def find_known(self, split: str, shuffle: int) -> NDArray[np.bool_]:
        """Whether a test image is of a patient who is known to have training images too, (test images,).

        Empty where the images or the partition are not known. Images of unknown patients are of none known.
        """
        partition = self.partitions.get((split, shuffle))
        if partition is None or self.images is None:
            return np.zeros(0, bool)
        patients = np.array(self.images.clusters)
        return np.isin(patients[partition.test], patients[partition.training])


def read_sweep(store: Store) -> SweepFrames:
    """Read a store, finished or not.

    Raises:
        UserError: nothing was ever run in it.
    """
    plan = load_plan(store)
    return SweepFrames(
        spec=plan.spec,
        inputs=plan.inputs,
        trials=_join_results(store, plan),
        partitions=dict(_load_partitions(store, plan)),
        complexities=dict(_load_complexities(store, plan)),
        seconds=_sum_seconds(store, plan),
        runs=tuple(provenance for _, _, provenance in store.load_runs()),
        images=store.load_images(plan.inputs.data.fingerprint),
        origins=tuple(_load_origins(store, plan)),
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


def _load_partitions(store: Store, plan: Plan) -> Iterator[tuple[tuple[str, int], Partition]]:
    for split, shuffle in product(plan.spec.grid.split, plan.spec.grid.shuffle):
        partition = store.load_partition(plan.inputs.data.fingerprint, partition_identity(split, shuffle))
        if partition is not None:
            yield (str(split), shuffle), partition


def _load_complexities(store: Store, plan: Plan) -> Iterator[tuple[Backbone, Complexity]]:
    folders = {unit.backbone: unit.output.folder for unit in plan.units if isinstance(unit, ExtractShard)}
    for backbone, folder in folders.items():
        complexity = store.load_complexity(folder)
        if complexity is not None:
            yield backbone, complexity


def _load_origins(store: Store, plan: Plan) -> Iterator[Origin]:
    folders = {unit.output.folder for unit in plan.units if isinstance(unit, ExtractShard)}
    yield from (origin for origin in store.load_origins() if origin[0] in folders)


def _sum_seconds(store: Store, plan: Plan) -> dict[Backbone, dict[str, float]]:
    """Sum the seconds of extracting and fitting, each unit's when it last succeeded, however often it was computed.

    A unit's key ends with its feature set or with a head.
    """
    owners: dict[str, Backbone] = {trial.head_id: trial.backbone for trial in plan.trials}
    owners |= {unit.output.folder: unit.backbone for unit in plan.units if isinstance(unit, ExtractShard)}
    seconds: dict[Backbone, dict[str, float]] = {}
    for unit, kind, duration_s in store.load_durations():
        backbone = owners.get(unit.split("/")[1])
        if backbone is not None and kind != UnitKind.DECODE:
            spent = seconds.setdefault(backbone, {})
            spent[kind] = spent.get(kind, 0.0) + duration_s
    return seconds
