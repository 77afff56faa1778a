"""A sweep looked at through one metric: the cells of Table 4, and the scores and curves behind each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweep.data.splits import Partition
from sweep.metrics import Metric
from sweep.outcome import Curve
from sweep.report.cells import MeanCell, Selection
from sweep.report.choices import CELL, CellKey, make_mean_cells
from sweep.report.frames import Status, SweepFrames
from sweep.report.published import PublishedMeans
from sweep.store.store import MEASURES, Store


@dataclass(frozen=True, slots=True)
class Readout:
    """One trial behind a cell, with its answers on the test images and its head's validation curve.

    value: the metric as computed, not scaled for print. images: (images,) positions in the data set; labels:
    (images,); scores: (images, classes) float32 logits.
    """

    trial_id: str
    shuffle: int
    value: float
    images: NDArray[np.int64]
    labels: NDArray[np.int64]
    scores: NDArray[np.float32]
    curve: Curve | None


@dataclass(frozen=True, slots=True)
class Level:
    """What one level of an axis scores in one shuffle, averaged over the models that have it.

    value: the mean metric as computed. images: (images,) positions of the test images. influences: (images,), what
    each of them adds, see `sweep.measures`; counts: (images,), whether it is one that the metric counts.
    """

    value: float
    images: NDArray[np.int64]
    influences: NDArray[np.float64]
    counts: NDArray[np.bool_]


def average_level(metric: Metric, readouts: Sequence[Readout]) -> Level:
    """Average some models that were tested on the same images."""
    influences = [metric.influence(each.scores, each.labels) for each in readouts]
    counts = [metric.count_images(each.scores, each.labels) for each in readouts]
    value = float(np.mean([each.value for each in readouts]))
    return Level(value, readouts[0].images, np.mean(influences, axis=0), np.any(counts, axis=0))


@dataclass(frozen=True, slots=True)
class Study:
    """All that a report says.

    cells: Table 4, one for every (backbone, split) of the plan. readouts: the trials behind each, in order of their
    shuffles; none where the store lacks the images. rates: by split, the mean over all backbones at the largest step
    budget, a readout-like `Level` for each learning rate and shuffle; nothing for splits where one is missing.
    published: figures to compare with.
    """

    frames: SweepFrames
    metric: Metric
    select: Selection
    cells: Mapping[CellKey, MeanCell]
    readouts: Mapping[CellKey, tuple[Readout, ...]]
    rates: Mapping[str, tuple[tuple[Level, ...], ...]]
    published: PublishedMeans | None = None


def read_study(
    store: Store, frames: SweepFrames, metric: Metric, select: Selection, published: PublishedMeans | None = None
) -> Study:
    """Choose the cells by a metric, and read what is behind them."""
    if f"test_{metric.name}" not in MEASURES:
        measured = pd.DataFrame.from_dict(
            dict(_measure_trials(store, frames, metric)),
            orient="index",
            columns=[f"validation_{metric.name}", f"test_{metric.name}"],
            dtype=float,
        )
        frames = replace(frames, trials=frames.trials.join(measured, on="trial_id"))
    columns = [f"{part}_{metric.name}" for part in ("validation", "test")]
    finite = frames.trials[columns].where(np.isfinite(frames.trials[columns].astype(float)))
    frames = replace(frames, trials=frames.trials.assign(**finite))
    cells = make_mean_cells(frames.trials, metric, select)
    readouts = _read_readouts(store, frames, metric, cells)
    return Study(frames, metric, select, cells, readouts, dict(_read_rates(store, frames, metric)), published)


def _read_rates(
    store: Store, frames: SweepFrames, metric: Metric
) -> Iterator[tuple[str, tuple[tuple[Level, ...], ...]]]:
    """Yield (split, levels of every shuffle) of the splits where no trial of the largest step budget is missing."""
    grid = frames.spec.grid
    if len(grid.learning_rate) < 2 or frames.images is None:
        return
    trials = frames.trials[frames.trials["steps"] == max(grid.steps)]
    for split in map(str, grid.split):
        own = trials[trials["split"] == split]
        if (own["status"] == Status.SUCCESS).all() and all((split, each) in frames.partitions for each in grid.shuffle):
            yield (
                split,
                tuple(
                    tuple(
                        _average_level(
                            store, frames, metric, own[(own["shuffle"] == shuffle) & (own["learning_rate"] == rate)]
                        )
                        for rate in grid.learning_rate
                    )
                    for shuffle in grid.shuffle
                ),
            )


def _average_level(store: Store, frames: SweepFrames, metric: Metric, trials: pd.DataFrame) -> Level:
    readouts = [each for trial in trials.to_dict("records") for each in _read_readout(store, frames, metric, trial)]
    return average_level(metric, readouts)


def _measure_trials(store: Store, frames: SweepFrames, metric: Metric) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yield every finished trial's id with its (validation, test) value of a metric that the store does not keep."""
    finished = frames.trials[frames.trials["status"] == Status.SUCCESS]
    for trial_id, split, shuffle in finished[["trial_id", "split", "shuffle"]].itertuples(index=False):
        partition = frames.partitions.get((split, shuffle))
        if partition is not None and frames.images is not None:
            scores = _load_scores(store, frames, trial_id, partition)
            labels = frames.images.labels[partition.validation], frames.images.labels[partition.test]
            yield trial_id, (metric.measure(scores[0], labels[0]), metric.measure(scores[1], labels[1]))


def _load_scores(
    store: Store, frames: SweepFrames, trial_id: str, partition: Partition
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a finished trial's (validation, test) logits, one row an image; anything else is a damaged store."""
    scores = store.load_scores(trial_id, len(frames.inputs.data.classes))
    if scores is None or tuple(map(len, scores)) != (len(partition.validation), len(partition.test)):
        raise store.damage(f"trial {trial_id} has not the scores of its images")
    return scores


def _read_readouts(
    store: Store, frames: SweepFrames, metric: Metric, cells: Mapping[CellKey, MeanCell]
) -> dict[CellKey, tuple[Readout, ...]]:
    behind = list_trials_behind(frames.trials, cells).sort_values("shuffle")
    readouts: dict[CellKey, tuple[Readout, ...]] = dict.fromkeys(cells, ())
    for trial in behind.to_dict("records"):
        readouts[trial["backbone"], trial["split"]] += tuple(_read_readout(store, frames, metric, trial))
    return readouts


def list_trials_behind(trials: pd.DataFrame, cells: Mapping[CellKey, MeanCell]) -> pd.DataFrame:
    """Return the rows of the finished trials that the cells are means of."""
    rows = [(*key, cell.learning_rate, cell.steps) for key, cell in cells.items() if cell.shuffles]
    if not rows:
        return trials.iloc[:0]
    chosen = pd.DataFrame(rows, columns=[*CELL, "learning_rate", "steps"])
    return trials[trials["status"] == Status.SUCCESS].merge(chosen, on=list(chosen.columns))


def _read_readout(store: Store, frames: SweepFrames, metric: Metric, trial: Mapping[Any, Any]) -> Iterator[Readout]:
    partition = frames.partitions.get((trial["split"], trial["shuffle"]))
    if partition is not None and frames.images is not None:
        _, scores = _load_scores(store, frames, trial["trial_id"], partition)
        labels = frames.images.labels[partition.test]
        curve = store.load_curve(trial["head_id"])
        value = trial[f"test_{metric.name}"] if np.isfinite(scores).all() else np.nan
        yield Readout(trial["trial_id"], trial["shuffle"], value, partition.test, labels, scores, curve)
