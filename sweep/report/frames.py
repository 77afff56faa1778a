"""From a store to tidy frames: one row for every trial of the stored plan, whether it was run or not."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweep.axes import Axis, Point, Value
from sweep.data.dataset import Images
from sweep.data.splits import Partition
from sweep.errors import UserError
from sweep.inputs import Inputs
from sweep.networks.table import Complexity
from sweep.outcome import TEST, VALIDATION
from sweep.planning.trial import Trial
from sweep.report.layout import Layout, Values, is_plain, narrow, restrict
from sweep.report.profiles import PROFILES, Profile
from sweep.store.plans import StoredPlan
from sweep.store.store import Store

FIT = "fit"  # the kind of work that trials come from, and that more repetitions add
COUNTED = tuple(each.name for each in fields(Complexity))
MARGIN = 1.0  # of specs from before it could be said
MEASURED = tuple(f"{part}_{metric}" for metric in ("accuracy", "log_loss") for part in (VALIDATION, TEST))

Origin = tuple[str, Mapping[str, Any], Mapping[str, Any] | None]


class Status(StrEnum):
    """What became of a trial."""

    SUCCESS = "success"
    FAILURE = "failure"
    MISSING = "missing"


class Asked(NamedTuple):
    """What of a plan is looked at, and how: axes by name, values by their text."""

    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    where: Mapping[str, Sequence[str]] = {}


@dataclass(frozen=True, slots=True)
class SweepFrames:
    """What a store says of a sweep, whatever the metric.

    trials: a row per trial of the plan: ids, a column per axis, names of its `model` and `block`, places of its
    `choice` and `repeat`, status; measures are fractions and nats, NaN where there is none.
    models, blocks: the values that each name stands for, in the order of the plan. choices: points on the tuned axes,
    those first that ties go to; repeats: on the repeated ones.
    partitions: by id, as far as the store knows. complexities: counted in the built networks, without a classifier for
    pooled features, by network id. seconds: by network id and kind of work unit, as measured on one worker; nothing
    where arrays came from the cache.
    runs: provenance of every run, in order. origins: a network's id, the provenance of a run that stood on its
    features, and that of the features (None: not known); nothing where the store does not say.
    engines: what networks were run by, where it is said.
    restriction: to which values the sweep is restricted here, in words; restricted: the axes of these.
    """

    name: str
    method: str
    margin: float
    profile: Profile
    inputs: Inputs
    layout: Layout
    trials: pd.DataFrame
    models: Mapping[str, Values]
    blocks: Mapping[str, Values]
    choices: tuple[Values, ...]
    repeats: tuple[Values, ...]
    partitions: Mapping[str, Partition]
    complexities: Mapping[str, Complexity]
    seconds: Mapping[str, Mapping[str, float]]
    runs: tuple[Mapping[str, Any], ...]
    images: Images | None
    origins: tuple[Origin, ...] = ()
    engines: tuple[str, ...] = ()
    restriction: str = ""
    restricted: tuple[str, ...] = ()

    @property
    def is_partial(self) -> bool:
        """Whether a trial of the plan has failed or is missing."""
        return bool((self.trials["status"] != Status.SUCCESS).any())

    def count_repeats(self, block: str) -> int:
        """Return how many repetitions the plan has of a block."""
        return int(self.trials.loc[self.trials["block"] == block, "repeat"].nunique())

    def list_partitions(self, block: str) -> list[Partition]:
        """List the partitions of a block's repetitions, as far as the store knows them."""
        ids = self.trials.loc[self.trials["block"] == block, "partition_id"].unique()
        return [self.partitions[each] for each in ids if each in self.partitions]

    def find_known(self, partition: Partition) -> NDArray[np.bool_]:
        """Whether a test image is of a patient who is known to have training images too, (test images,).

        Empty where the images are not known. Images of unknown patients are of none known.
        """
        patients = np.array(self.images.clusters if self.images else ())
        return np.isin(patients[partition.test], patients[partition.training]) if len(patients) else np.zeros(0, bool)


def read_sweep(store: Store, asked: Asked = Asked()) -> SweepFrames:  # noqa: B008 - it cannot be changed
    """Read a store, finished or not.

    Raises:
        UserError: nothing was ever run in it, or it has not the axes and values that are asked for.
    """
    plan = store.load_plan()
    if plan is None:
        raise UserError(f"{store.where}: holds no plan yet; run the sweep first")
    trials = _keep(plan, restrict(plan.axes, asked.where))
    layout = Layout.of(narrow(plan.axes, list(zip(*(each.point for each in trials), strict=True))), *asked[:2])
    inputs = Inputs.from_json(plan.inputs)
    frame, points = _tabulate(trials, layout)
    networks = set(frame["network_id"])
    facts = _read_facts(store, networks)
    parts = {each: store.load_partition(inputs.data.fingerprint, each) for each in frame["partition_id"].unique()}
    return SweepFrames(
        name=plan.spec["name"],
        method=plan.method,
        margin=plan.spec.get("margin", MARGIN),
        profile=PROFILES.get(str(plan.spec.get("published")), Profile()),
        inputs=inputs,
        layout=layout,
        trials=_join_results(store, frame.assign(data=inputs.data.name, is_demo=inputs.data.is_demo)),
        **points,
        partitions={each: Partition(**found) for each, found in parts.items() if found is not None},
        complexities={
            subject: Complexity(*(own[name] for name in COUNTED))
            for subject, own in facts.items()
            if own.keys() >= set(COUNTED)
        },
        seconds=_sum_seconds(store, frame),
        runs=tuple(provenance for _, _, provenance in store.load_runs()),
        images=store.load_images(inputs.data.fingerprint),
        origins=tuple(origin for origin in store.load_origins() if origin[0] in networks),
        engines=tuple(dict.fromkeys(own["engine"] for own in facts.values() if "engine" in own)),
        restriction="; ".join(f"{name} {' or '.join(values)}" for name, values in asked.where.items()),
        restricted=tuple(asked.where),
    )


def trials_frame(store: Store) -> pd.DataFrame:
    """One row per trial of the plan, with its point, status and measures; lists of widths and the like are texts."""
    frames = read_sweep(store)
    shown = {
        axis.name: frames.trials[axis.name].map(lambda value, axis=axis: frames.layout.spell(axis.name, value))
        for axis in frames.layout.axes
        if not is_plain(axis)
    }
    return frames.trials.drop(columns=["choice", "repeat"]).assign(**shown)


def _keep(plan: StoredPlan, where: Mapping[str, set[Value]]) -> Sequence[Trial]:
    """Return the trials of some values. Raises UserError where there are none."""
    wanted = [(place, where[axis.name]) for place, axis in enumerate(plan.axes) if axis.name in where]
    if not wanted:
        return plan.trials
    kept = [trial for trial in plan.trials if all(trial.point[place] in values for place, values in wanted)]
    if not kept:
        raise UserError("where: no trial has all of these values; leave one out")
    return kept


def _tabulate(trials: Sequence[Trial], layout: Layout) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return a row for each trial, and `models`, `blocks`, `choices` and `repeats` of `SweepFrames`."""
    points = [trial.point for trial in trials]
    models, of_model = _number(points, layout, layout.of_models)
    blocks, of_block = _number(points, layout, layout.of_blocks)
    choices, of_choice = _number(points, layout, layout.tuned)
    repeats, of_repeat = _number(points, layout, layout.repeated)
    order = sorted(range(len(choices)), key=lambda place: layout.rank(choices[place]))
    names = [[layout.name_model(each) for each in models], [layout.name_block(each) for each in blocks]]
    columns: dict[str, Any] = {
        "trial_id": [trial.id for trial in trials],
        "fit_id": [trial.fit_id for trial in trials],
        "network_id": [trial.network_id for trial in trials],
        "partition_id": [trial.partition_id for trial in trials],
        **{axis.name: _make_column(axis, points, place) for place, axis in enumerate(layout.axes)},
        "model": np.array(names[0], object)[of_model],
        "block": np.array(names[1], object)[of_block],
        "choice": np.argsort(order)[of_choice],
        "repeat": of_repeat,
    }
    named = [dict(zip(own, values, strict=True)) for own, values in zip(names, (models, blocks), strict=True)]
    of_axes = (*named, tuple(choices[place] for place in order), tuple(repeats))
    return pd.DataFrame(columns), dict(zip(("models", "blocks", "choices", "repeats"), of_axes, strict=True))


def _number(points: Sequence[Point], layout: Layout, axes: Iterable[Axis]) -> tuple[list[Values], NDArray[np.intp]]:
    """Number the points on some of the axes as they come: the values of each, and which each trial has."""
    wanted = set(axes)
    places = [place for place, axis in enumerate(layout.axes) if axis in wanted]
    found: dict[Point, int] = {}
    numbers = [found.setdefault(tuple([point[place] for place in places]), len(found)) for point in points]
    values: list[Values] = [
        {layout.axes[place].name: value for place, value in zip(places, own, strict=True)} for own in found
    ]
    return values, np.array(numbers, np.intp)


def _make_column(axis: Axis, points: Sequence[Point], place: int) -> Any:
    """Keep numbers as numbers; of an axis that does not apply everywhere, or has tuples, the values as they are."""
    values = [point[place] for point in points]
    return values if is_plain(axis) else pd.Series(values, dtype=object)


def _join_results(store: Store, trials: pd.DataFrame) -> pd.DataFrame:
    columns = ["trial_id", "status", "reason", "finished_at"]
    rows = [(trial_id, status, reason, at) for trial_id, _, status, reason, at in store.load_results()]
    measures: dict[str, dict[str, float]] = {name: {} for name in MEASURED}
    for trial_id, part, metric, value in store.load_measures():
        measures.setdefault(f"{part}_{metric}", {})[trial_id] = value
    joined = trials.join(pd.DataFrame(rows, columns=columns).set_index("trial_id"), on="trial_id")
    joined["status"] = joined["status"].fillna(Status.MISSING.value)
    return joined.assign(**{name: trials["trial_id"].map(values).astype(float) for name, values in measures.items()})


def _read_facts(store: Store, networks: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Return what is known of each network: of its features, which name the built network, and of that one."""
    facts = store.load_facts()
    return {
        each: {**facts.get(facts.get(each, {}).get("converted", ""), {}), **facts.get(each, {})} for each in networks
    }


def _sum_seconds(store: Store, trials: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Sum the seconds of each network by kind of work, each unit's when it last succeeded.

    A fit does each time what was missing then: all of its times count. Fits of another plan, which are named by their
    first fit, are left out.
    """
    networks, fits = set(trials["network_id"]), set(trials["fit_id"])
    seconds: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    last: dict[str, float] = {}
    for unit, kind, subject, duration_s in store.load_durations():
        if subject in networks and (kind != FIT or unit.split("/")[1] in fits):
            seconds[subject][kind] += duration_s - (0.0 if kind == FIT else last.get(unit, 0.0))
            last[unit] = duration_s
    return {subject: dict(kinds) for subject, kinds in seconds.items()}
