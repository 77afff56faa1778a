"""A sweep looked at through one metric: a cell for each model and block, and the scores and curves behind each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweep.axes import Axis, Layer
from sweep.metrics import Metric
from sweep.outcome import TEST, VALIDATION, Series
from sweep.report.cells import MeanCell, Selection
from sweep.report.choices import make_mean_cells
from sweep.report.frames import Status, SweepFrames
from sweep.report.layout import CellKey, Layout, cross
from sweep.report.published import PublishedMeans
from sweep.store.store import Store


@dataclass(frozen=True, slots=True)
class Readout:
    """One trial behind a cell, with its answers on the test images and its fit's curves on the validation images.

    value: the metric as computed, not scaled for print. images: (images,) positions in the data set; labels:
    (images,); scores: (images, classes) float32 logits. curves: by measure, such as accuracy.
    """

    trial_id: str
    repeat: int
    partition_id: str
    value: float
    images: NDArray[np.int64]
    labels: NDArray[np.int64]
    scores: NDArray[np.float32]
    curves: Mapping[str, Series] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Level:
    """What one level of an axis scores in one repetition, averaged over the models that have it.

    value: the mean metric as computed. images: (images,) positions of the test images. influences: (images,), what
    each of them adds, see `sweep.measures`; counts: (images,), whether it is one that the metric counts.
    """

    value: float
    images: NDArray[np.int64]
    influences: NDArray[np.float64]
    counts: NDArray[np.bool_]


def measure_level(metric: Metric, readout: Readout, value: float | None = None) -> Level:
    """Measure a single model, whose value may be known."""
    scored = readout.scores, readout.labels
    known = metric.measure(*scored) if value is None else value
    return Level(known, readout.images, metric.influence(*scored), metric.count_images(*scored))


def average_levels(levels: Sequence[Level]) -> Level:
    """Average some models that were tested on the same images."""
    influences, counts = (np.array([getattr(each, name) for each in levels]) for name in ("influences", "counts"))
    value = float(np.mean([each.value for each in levels]))
    return Level(value, levels[0].images, influences.mean(axis=0), np.asarray(counts.any(axis=0)))


@dataclass(frozen=True, slots=True)
class Study:
    """What a report says of one metric.

    cells: one for every model and block of the plan. readouts: the trials behind each, in order of their repetitions;
    none where the store lacks the images. levels: by tuned axis and block, for every repetition a `Level` for each
    value of the axis, the mean over all models at each fit's last read-out; nothing for blocks where one is missing.
    published: figures to compare with.
    """

    frames: SweepFrames
    metric: Metric
    select: Selection
    cells: Mapping[CellKey, MeanCell]
    readouts: Mapping[CellKey, tuple[Readout, ...]]
    levels: Mapping[tuple[str, str], tuple[tuple[Level, ...], ...]]
    published: PublishedMeans | None = None

    @property
    def layout(self) -> Layout:
        """What the axes are for."""
        return self.frames.layout

    def list_blocks(self) -> list[str]:
        """List the blocks, those with the most training images first, as far as the store knows."""
        known = {block: self.frames.list_partitions(block) for block in self.frames.blocks}
        return sorted(known, key=lambda block: -len(known[block][-1].training) if known[block] else 0)

    def list_models(self, block: str) -> list[str]:
        """List the models of a block, in the order of the plan."""
        return [model for model, where in self.cells if where == block]


def read_study(
    store: Store, frames: SweepFrames, metric: Metric, select: Selection, published: PublishedMeans | None = None
) -> Study:
    """Choose the cells by a metric, and read what is behind them."""
    columns = [f"{part}_{metric.name}" for part in (VALIDATION, TEST)]
    reader = _Reader(store, frames, metric)
    if columns[-1] not in frames.trials:
        measured = pd.DataFrame.from_dict(dict(reader.measure_trials()), orient="index", columns=columns, dtype=float)
        frames = replace(frames, trials=frames.trials.join(measured, on="trial_id"))
    finite = frames.trials[columns].where(np.isfinite(frames.trials[columns].astype(float)))
    frames = replace(frames, trials=frames.trials.assign(**finite))
    reader = replace(reader, frames=frames)
    cells = make_mean_cells(frames, metric, select)
    readouts: dict[CellKey, tuple[Readout, ...]] = dict.fromkeys(cells, ())
    for trial in list_trials_behind(frames.trials, cells).sort_values("repeat").to_dict("records"):
        readouts[trial["model"], trial["block"]] += tuple(reader.read([trial]))
    return Study(frames, metric, select, cells, readouts, dict(reader.read_levels()), published)


def list_trials_behind(trials: pd.DataFrame, cells: Mapping[CellKey, MeanCell]) -> pd.DataFrame:
    """Return the rows of the finished trials that the cells are means of."""
    rows = [(*key, cell.place) for key, cell in cells.items() if cell.place is not None]
    chosen = pd.DataFrame(rows, columns=["model", "block", "choice"]).astype({"choice": np.intp})
    return trials[trials["status"] == Status.SUCCESS].merge(chosen, on=list(chosen.columns))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads what trials answered."""

    store: Store
    frames: SweepFrames
    metric: Metric

    def measure_trials(self) -> Iterator[tuple[str, list[float]]]:
        """Yield every finished trial's id and (validation, test) value of a metric that the store does not keep."""
        trials, labels = self.frames.trials, self._labels
        for trial in trials[trials["status"] == Status.SUCCESS][["trial_id", "partition_id"]].to_dict("records"):
            partition = self.frames.partitions.get(trial["partition_id"])
            if partition is not None and labels is not None:
                parts = {VALIDATION: partition.validation, TEST: partition.test}
                scores = {part: self._load_scores(trial["trial_id"], part, len(own)) for part, own in parts.items()}
                yield trial["trial_id"], [self.metric.measure(scores[part], labels[own]) for part, own in parts.items()]

    def read(self, trials: Iterable[Mapping[Any, Any]], *, with_curves: bool = True) -> Iterator[Readout]:
        """Yield what finished trials answered, as far as their images are known."""
        labels = self._labels
        for trial in trials:
            partition = self.frames.partitions.get(trial["partition_id"])
            if partition is not None and labels is not None:
                scores = self._load_scores(trial["trial_id"], TEST, len(partition.test))
                series = self.store.load_series(trial["fit_id"]) if with_curves else []
                yield Readout(
                    trial_id=trial["trial_id"],
                    repeat=trial["repeat"],
                    partition_id=trial["partition_id"],
                    value=trial[f"{TEST}_{self.metric.name}"] if np.isfinite(scores).all() else np.nan,
                    images=partition.test,
                    labels=labels[partition.test],
                    scores=scores,
                    curves={each.measure: each for each in series if each.part == VALIDATION},
                )

    @property
    def _labels(self) -> NDArray[np.int64] | None:
        return None if self.frames.images is None else self.frames.images.labels

    def _load_scores(self, trial_id: str, part: str, images: int) -> NDArray[np.float32]:
        """Return a finished trial's logits, (images, classes); anything else is a damaged store."""
        scores = self.store.load_scores(trial_id, part, len(self.frames.inputs.data.classes))
        if scores is None or len(scores) != images:
            raise self.store.damage(f"trial {trial_id} has not the scores of its images")
        return scores

    def read_levels(self) -> Iterator[tuple[tuple[str, str], tuple[tuple[Level, ...], ...]]]:
        """Yield the levels of every tuned axis of the fits, in the blocks where no trial is missing.

        Only where each of its values goes with the same models and other values: else they cannot be compared.
        """
        layout, trials = self.frames.layout, self.frames.trials
        axes = [axis for axis in layout.tuned if axis.layer is not Layer.READOUT]
        readouts = [axis for axis in layout.tuned if axis.layer is Layer.READOUT]
        for axis in readouts:
            trials = trials[trials[axis.name] == trials.groupby(["fit_id", "model"])[axis.name].transform("max")]
        for block, own in trials.groupby("block", sort=False) if axes else ():
            is_whole = (own["status"] == Status.SUCCESS).all() and self.frames.partitions.keys() >= {
                *own["partition_id"]
            }
            if is_whole and self.frames.images is not None:
                repeats = [repeat.to_dict("records") for _, repeat in own.groupby("repeat")]
                yield from self._read_block(str(block), axes, readouts, repeats)

    def _read_block(
        self,
        block: str,
        axes: Sequence[Axis],
        readouts: Sequence[Axis],
        repeats: Sequence[Sequence[Mapping[Any, Any]]],
    ) -> Iterator[tuple[tuple[str, str], tuple[tuple[Level, ...], ...]]]:
        """Yield the levels of every axis; repeats: the trials of each repetition, the same configurations in order.

        Values that were read out at different steps cannot be compared either.
        """
        names = ["model", *(axis.name for axis in (*axes, *readouts))]
        points = [[{name: trial[name] for name in names} for trial in trials] for trials in repeats]
        groups = {axis.name: cross(points[0], axis) for axis in axes}
        if any(each != points[0] for each in points) or not any(groups.values()):
            return
        found = [
            [measure_level(self.metric, each, each.value) for each in self.read(trials, with_curves=False)]
            for trials in repeats
        ]
        for name, places in groups.items():
            if places:
                averages = (tuple(average_levels([levels[at] for at in group]) for group in places) for levels in found)
                yield (name, block), tuple(averages)
