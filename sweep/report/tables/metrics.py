"""All metrics of the cells, from the stored scores. Pure."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from sweep.metrics import METRICS, Metric
from sweep.report.cells import Cell, Column, MeanCell, Table
from sweep.report.inference import Inference
from sweep.report.layout import CellKey
from sweep.report.methods import describe_intervals
from sweep.report.study import Study
from sweep.report.tables.build import MODEL, head_block, make_table

DIAGNOSTIC = ("sensitivity", "specificity", "precision", "negative_predictive_value", "roc_auc")
ALL_CLASSES = "all classes"


def make_diagnostics(study: Study, inference: Inference) -> Iterator[Table]:
    """Yield sensitivity, specificity, predictive values and ROC AUC of every model, a table for each block."""
    metrics, classes = [METRICS[name] for name in DIAGNOSTIC], study.frames.inputs.data.classes
    columns = (MODEL, *map(_make_column, metrics))
    of = f"positive class {classes[1]}" if len(classes) == 2 else "macro averages, each class against the rest"
    note = (
        "Answers are the class with the largest score; no threshold was tuned. Predictive values (precision is the "
        "positive one) hold for the shares of the classes among these images."
    )
    more = {"notes": (note,), "methods": (describe_intervals(METRICS["sensitivity"]),), "axis": "metric"}
    for number, block in enumerate(study.list_blocks()):
        bounds = [inference.ask(metric).bound_block(block) for metric in metrics]
        rows = tuple(
            (
                Cell(model),
                *(
                    replace(_average(study, (model, block), metric), std=None, interval=intervals.get(model))
                    for metric, intervals in zip(metrics, bounds, strict=True)
                ),
            )
            for model in study.list_models(block)
        )
        title = f"Sensitivity, specificity, predictive values and ROC AUC at {block}, {of}, with 95 % intervals"
        which = {"is_detail": number > 0, "part": block}
        yield make_table(study.frames, "diagnostics", title, columns, rows, **more, **which)


def make_metrics(study: Study, _: Inference) -> Iterator[Table]:
    """Yield every metric of the cells; of more than two classes, a row for each class against the rest too."""
    classes = study.frames.inputs.data.classes
    has_classes = len(classes) > 2
    keys = (MODEL, head_block(study.layout), *([Column("class", "class")] if has_classes else []))
    of_classes = [([ALL_CLASSES], None), *(([name], place) for place, name in enumerate(classes))]
    rows = tuple(
        (*map(Cell, (*key, *name)), *(_average(study, key, metric, place) for metric in METRICS.values()))
        for key in study.cells
        for name, place in (of_classes if has_classes else [([], None)])
    )
    averaged = (
        f"Of {ALL_CLASSES}, sensitivity, specificity, precision, F1, ROC AUC and average precision are macro averages; "
        "of one, it is held against the rest."
        if has_classes
        else f"Positive class: {classes[1]}."
    )
    note = (
        f"The configurations are those of {study.frames.profile.mention('means')}. {averaged} Sensitivity is also "
        "called recall. ROC AUC and average precision rank by the log odds of the class. Calibration error is the "
        "expected one (Guo et al. 2017) over 15 equal bins; Cohen's kappa: Cohen 1960."
    )
    columns = (*keys, *(_make_column(metric) for metric in METRICS.values()))
    title = f"Metrics on the test images, mean ± standard deviation over the {study.layout.repeats_word}"
    more = {"notes": (note,), "keys": len(keys), "axis": "metric", "is_detail": True}
    yield make_table(study.frames, "metrics", title, columns, rows, **more)


def _make_column(metric: Metric) -> Column:
    return Column(metric.name, metric.label, metric.decimals, metric.unit)


def _average(study: Study, key: CellKey, metric: Metric, which: int | None = None) -> MeanCell:
    """Average a metric over the repetitions, of a single class or of all; no number where it is of no class."""
    of_class = metric.is_of_class or which is None
    answers = [(readout.scores, readout.labels) for readout in study.readouts[key] if of_class]
    values = [metric.measure(*each) if which is None else metric.measure_classes(*each, [which])[0] for each in answers]
    printed = np.array(values) * metric.scale
    is_known = len(printed) > 0 and bool(np.isfinite(printed).all())
    value = float(printed.mean()) if is_known else None
    std = float(printed.std(ddof=1)) if is_known and len(printed) > 1 else None
    return replace(study.cells[key], value=value, std=std, validation=None, marks=())
