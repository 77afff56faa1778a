"""Table 4 and the other metrics of its cells. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from sweep.metrics import METRICS, Direction, Metric
from sweep.planning.expand import list_backbones
from sweep.report.cells import Cell, Column, MeanCell, Row, Selection, Table
from sweep.report.choices import CellKey
from sweep.report.frames import Status
from sweep.report.study import Readout, Study
from sweep.report.tables.build import make_table

BEST = {Direction.HIGHER: "highest", Direction.LOWER: "lowest"}


# -- Table 4 -----------------------------------------------------------------------------------------------------


def make_table4(study: Study) -> Table:
    """One metric of every backbone and split on the test images, at the learning rate and steps that were chosen."""
    frames, metric = study.frames, study.metric
    splits = [str(split) for split in frames.spec.grid.split]
    columns = (Column("backbone", "backbone"), *(Column(each, each, metric.decimals, metric.unit) for each in splits))
    rows = tuple(
        (Cell(str(backbone)), *(study.cells[str(backbone), split] for split in splits))
        for backbone in list_backbones(frames.spec)
    )
    shuffles = len(frames.spec.grid.shuffle)
    up_to = "up to " if frames.is_partial else ""
    over = f"mean ± standard deviation over {up_to}{shuffles} shuffles" if shuffles > 1 else "one shuffle"
    chosen = {
        Selection.VALIDATION: f"learning rate and steps chosen on validation {metric.title}",
        Selection.TEST: "learning rate and steps best on test, as papers often print; optimistic",
    }[study.select]
    title = f"Table 4. Test {metric.label}, {over}; {chosen}"
    notes = tuple(_note_means(study))
    means = (metric.mean_column, metric.std_column)
    return make_table(frames, "table4", title, columns, rows, notes=notes, axis="split", mean_keys=means)


def _note_means(study: Study) -> Iterator[str]:
    data, trials = study.frames.inputs.data, study.frames.trials
    if study.metric.name == "accuracy":
        majority = max(zip(data.images_per_class, data.classes, strict=True))
        share = 100 * majority[0] / data.images
        yield f"Baseline: always answering {majority[1]} is right for {share:.1f} % of all images."
    yield (
        f"Best (bold, in plain text *): the {BEST[study.metric.direction]} mean of each split. ±: sample standard "
        f"deviation (n - 1) in {study.metric.difference_unit or 'the same unit'} over shuffles of the same images; no "
        "confidence interval. n/a: a single shuffle has none."
    )
    if study.frames.spec.published and study.published is None:
        yield f"{study.frames.spec.published} prints no {study.metric.title}: not compared."
    if study.frames.is_partial:
        yield (
            "(k/n): k of the n trials of this cell have finished; -: none has. Beside its learning rate and steps "
            "stands the number of shuffles, n, that its mean is over; means over fewer are not comparable with others."
        )
    failed = trials.loc[trials["status"] == Status.FAILURE, "reason"].value_counts()
    if len(failed):
        reason = " ".join(str(failed.index[0]).split())
        yield f"Failed trials, left out: {failed.sum():,}; most frequent reason ({failed.iloc[0]:,}): {reason}"


# -- all metrics -------------------------------------------------------------------------------------------------


def make_metrics(study: Study) -> Table:
    """Every metric of the cells of Table 4, from the stored scores."""
    classes = study.frames.inputs.data.classes
    keys = (Column("backbone", "backbone"), Column("split", "split"))
    columns = tuple(_make_column(metric) for metric in METRICS.values())
    rows = tuple(
        (Cell(key[0]), Cell(key[1]), *(_average(study, key, metric) for metric in METRICS.values()))
        for key in study.cells
    )
    averaged = (
        f"Positive class: {classes[1]}."
        if len(classes) == 2
        else "Sensitivity, specificity, precision, F1, ROC AUC and average precision are macro averages."
    )
    note = (
        f"The configurations are those of Table 4. {averaged} Sensitivity is also called recall. ROC AUC and average "
        "precision rank by the log odds of the class. Calibration error is the expected one (Guo et al. 2017) over 15 "
        "equal bins; Cohen's kappa: Cohen 1960."
    )
    title = "Metrics on the test images, mean ± standard deviation over the shuffles"
    return make_table(study.frames, "metrics", title, (*keys, *columns), rows, notes=(note,), keys=2, axis="metric")


def make_class_metrics(study: Study) -> Table:
    """Metrics of each class against the rest, of the cells of Table 4."""
    classes = study.frames.inputs.data.classes
    metrics = [metric for metric in METRICS.values() if metric.measure_class is not None]
    keys = (Column("backbone", "backbone"), Column("split", "split"), Column("class", "class"))
    rows: list[Row] = []
    for key in study.cells:
        measured = [_average_classes(study, key, metric) for metric in metrics]
        rows += [
            (Cell(key[0]), Cell(key[1]), Cell(name), *(cells[index] for cells in measured))
            for index, name in enumerate(classes)
        ]
    columns = (*keys, *(_make_column(metric) for metric in metrics))
    title = "Metrics of each class against the rest, mean ± standard deviation over the shuffles"
    return make_table(study.frames, "class_metrics", title, columns, tuple(rows), keys=3, axis="metric")


def _make_column(metric: Metric) -> Column:
    return Column(metric.name, metric.label, metric.decimals, metric.unit)


def _average(study: Study, key: CellKey, metric: Metric) -> MeanCell:
    values = [metric.measure(readout.scores, readout.labels) for readout in study.readouts[key]]
    return _make_mean(study.cells[key], metric, values)


def _average_classes(study: Study, key: CellKey, metric: Metric) -> list[MeanCell]:
    classes = range(len(study.frames.inputs.data.classes))
    readouts: Sequence[Readout] = study.readouts[key]
    measured = [metric.measure_classes(readout.scores, readout.labels, classes) for readout in readouts]
    return [_make_mean(study.cells[key], metric, [values[index] for values in measured]) for index in classes]


def _make_mean(cell: MeanCell, metric: Metric, values: Sequence[float]) -> MeanCell:
    printed = np.array(values) * metric.scale
    is_known = len(printed) > 0 and bool(np.isfinite(printed).all())
    value = float(printed.mean()) if is_known else None
    std = float(printed.std(ddof=1)) if is_known and len(printed) > 1 else None
    return replace(cell, value=value, std=std, validation=None, marks=())
