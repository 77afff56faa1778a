"""All metrics of the cells, from the stored scores. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from sweep.metrics import METRICS, Metric
from sweep.report.cells import BoundCell, Cell, Column, MeanCell, Row, Table
from sweep.report.inference import Inference
from sweep.report.layout import CellKey
from sweep.report.methods import describe_intervals
from sweep.report.statistics.intervals import Interval
from sweep.report.study import Study
from sweep.report.tables.build import MODEL, head_block, make_table

DIAGNOSTIC = ("sensitivity", "specificity", "precision", "negative_predictive_value", "roc_auc")


def make_diagnostics(study: Study, inference: Inference) -> Iterator[Table]:
    """Yield sensitivity, specificity, predictive values and ROC AUC of every model, a table for each block."""
    for number, block in enumerate(study.list_blocks()):
        found = {name: inference.ask(METRICS[name]).bound_block(block) for name in DIAGNOSTIC}
        yield _tabulate_diagnostics(study, block, found, is_detail=number > 0)


def _tabulate_diagnostics(
    study: Study, block: str, found: Mapping[str, Mapping[str, Interval]], *, is_detail: bool
) -> Table:
    frames = study.frames
    rows = tuple(
        (
            Cell(model),
            *(_bound(_average(study, (model, block), METRICS[name]), found[name].get(model)) for name in DIAGNOSTIC),
        )
        for model in study.list_models(block)
    )
    columns = (MODEL, *(_make_column(METRICS[name]) for name in DIAGNOSTIC))
    classes = frames.inputs.data.classes
    of = f"positive class {classes[1]}" if len(classes) == 2 else "macro averages, each class against the rest"
    note = (
        "Answers are the class with the largest score; no threshold was tuned. Predictive values (precision is the "
        "positive one) hold for the shares of the classes among these images."
    )
    title = f"Sensitivity, specificity, predictive values and ROC AUC at {block}, {of}, with 95 % intervals"
    methods = (describe_intervals(METRICS["sensitivity"]),)
    more = {"notes": (note,), "methods": methods, "axis": "metric", "is_detail": is_detail, "part": block}
    return make_table(frames, "diagnostics", title, columns, rows, **more)


def make_metrics(study: Study, _: Inference) -> Iterator[Table]:
    """Yield every metric of the cells; of more than two classes, each class's own too."""
    classes = study.frames.inputs.data.classes
    keys = (MODEL, head_block(study.layout))
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
        f"The configurations are those of {study.frames.profile.mention('means')}. {averaged} Sensitivity is also "
        "called recall. ROC AUC and average precision rank by the log odds of the class. Calibration error is the "
        "expected one (Guo et al. 2017) over 15 equal bins; Cohen's kappa: Cohen 1960."
    )
    spread = f"mean ± standard deviation over the {study.layout.repeats_word}"
    more = {"notes": (note,), "keys": 2, "axis": "metric", "is_detail": True}
    yield make_table(study.frames, "metrics", f"Metrics on the test images, {spread}", keys + columns, rows, **more)
    if len(classes) > 2:
        yield _tabulate_classes(study, f"Metrics of each class against the rest, {spread}")


def _tabulate_classes(study: Study, title: str) -> Table:
    classes = study.frames.inputs.data.classes
    metrics = [metric for metric in METRICS.values() if metric.is_of_class]
    rows: list[Row] = []
    for key in study.cells:
        measured = [_average_classes(study, key, metric) for metric in metrics]
        rows += [
            (Cell(key[0]), Cell(key[1]), Cell(name), *(cells[index] for cells in measured))
            for index, name in enumerate(classes)
        ]
    columns = (MODEL, head_block(study.layout), Column("class", "class"), *(_make_column(metric) for metric in metrics))
    more = {"keys": 3, "axis": "metric", "is_detail": True}
    return make_table(study.frames, "class_metrics", title, columns, tuple(rows), **more)


def _bound(cell: MeanCell, interval: Interval | None) -> BoundCell:
    return BoundCell(cell.value, (), cell.finished, cell.planned, interval)


def _make_column(metric: Metric) -> Column:
    return Column(metric.name, metric.label, metric.decimals, metric.unit)


def _average(study: Study, key: CellKey, metric: Metric) -> MeanCell:
    values = [metric.measure(readout.scores, readout.labels) for readout in study.readouts[key]]
    return _make_mean(study.cells[key], metric, values)


def _average_classes(study: Study, key: CellKey, metric: Metric) -> list[MeanCell]:
    classes = range(len(study.frames.inputs.data.classes))
    measured = [metric.measure_classes(readout.scores, readout.labels, classes) for readout in study.readouts[key]]
    return [_make_mean(study.cells[key], metric, [values[index] for values in measured]) for index in classes]


def _make_mean(cell: MeanCell, metric: Metric, values: Sequence[float]) -> MeanCell:
    printed = np.array(values) * metric.scale
    is_known = len(printed) > 0 and bool(np.isfinite(printed).all())
    value = float(printed.mean()) if is_known else None
    std = float(printed.std(ddof=1)) if is_known and len(printed) > 1 else None
    return replace(cell, value=value, std=std, validation=None, marks=())
