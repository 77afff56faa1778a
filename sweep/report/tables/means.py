"""Table 4 and the other metrics of its cells. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from sweep.metrics import METRICS, Metric
from sweep.planning.expand import list_backbones
from sweep.report.cells import BoundCell, Cell, Column, Mark, MeanCell, Row, Selection, Table
from sweep.report.choices import CellKey
from sweep.report.frames import Status
from sweep.report.inference import Inference, Question
from sweep.report.methods import describe_comparisons, describe_intervals
from sweep.report.statistics.best import Verdict
from sweep.report.statistics.intervals import Interval
from sweep.report.study import Readout, Study
from sweep.report.tables.build import make_table
from sweep.report.tables.comparison import summarise_published

# -- Table 4 -----------------------------------------------------------------------------------------------------


def make_table4(study: Study, inference: Inference) -> Table:
    """One metric of every backbone and split on the test images, at the learning rate and steps that were chosen."""
    frames, metric = study.frames, study.metric
    splits = [str(split) for split in frames.spec.grid.split]
    columns = (Column("backbone", "backbone"), *(Column(each, each, metric.decimals, metric.unit) for each in splits))
    rows = tuple(
        (Cell(str(backbone)), *(_make_cell(study, inference, (str(backbone), split)) for split in splits))
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
    return make_table(
        frames,
        "table4",
        title,
        columns,
        rows,
        notes=tuple(_note_means(study, inference)),
        methods=(describe_intervals(metric), *describe_comparisons(inference)),
        axis="split",
        mean_keys=(metric.mean_column, metric.std_column),
    )


def _make_cell(study: Study, inference: Inference, key: CellKey) -> MeanCell:
    """Put beside a mean its interval, its verdict and the published figure."""
    standing = inference.standings[key[1]]
    verdict = standing.verdicts.get(key[0]) if standing.ranks is not None else None
    return replace(
        study.cells[key],
        interval=inference.intervals[key],
        verdict=verdict,
        published=study.published.means.get(key) if study.published else None,
        marks=(Mark.BEST,) if verdict in (Verdict.MAY_BE_BEST, Verdict.CANNOT_TELL) else (),
    )


def _note_means(study: Study, inference: Inference) -> Iterator[str]:
    data, trials, metric = study.frames.inputs.data, study.frames.trials, study.metric
    margin = inference.describe_margin(metric)
    if any(standing.ranks is not None for standing in inference.standings.values()):
        yield (
            f"At 95 %, for all models of a split together: ★ may be the best, and is within {margin} of it; ≈ within "
            f"{margin} of the best, not the best; ↓ not the best, and not shown to be within {margin}; ? may be the "
            f"best, and may be more than {margin} behind. Bold (in plain text *): may be the best."
        )
    theirs = f" (…): as {study.published.name} gives it." if study.published else ""
    yield f"[…]: 95 % interval of the mean.{theirs} ±: how far shuffles of the same images scatter; no standard error."
    if study.published is not None:
        yield from summarise_published(study, inference, study.published)
    if metric.name == "accuracy":
        majority = max(zip(data.images_per_class, data.classes, strict=True))
        share = 100 * majority[0] / data.images
        yield f"Baseline: always answering {majority[1]} is right for {share:.1f} % of all images."
    if study.frames.is_partial:
        yield "(k/n): k of the n trials of this cell have finished; -: none has. Such means enter no comparison."
    failed = trials.loc[trials["status"] == Status.FAILURE, "reason"].value_counts()
    if len(failed):
        reason = " ".join(str(failed.index[0]).split())
        yield f"Failed trials, left out: {failed.sum():,}; most frequent reason ({failed.iloc[0]:,}): {reason}"


# -- what a diagnosis asks for -----------------------------------------------------------------------------------

DIAGNOSTIC = ("sensitivity", "specificity", "precision", "negative_predictive_value", "roc_auc")


def make_diagnostics(study: Study, inference: Inference, split: str, *, is_detail: bool) -> Table:
    """Sensitivity, specificity, predictive values and ROC AUC of every model of a split, with intervals."""
    frames = study.frames
    asked = {name: Question.ask(study, METRICS[name], inference.about) for name in DIAGNOSTIC}
    found = {name: question.bound_split(split) for name, question in asked.items()}
    rows = tuple(
        (
            Cell(str(backbone)),
            *(_bound(_average(study, key, METRICS[name]), found[name].get(key[0])) for name in DIAGNOSTIC),
        )
        for backbone in list_backbones(frames.spec)
        for key in [(str(backbone), split)]
    )
    columns = (Column("backbone", "backbone"), *(_make_column(METRICS[name]) for name in DIAGNOSTIC))
    classes = frames.inputs.data.classes
    of = f"positive class {classes[1]}" if len(classes) == 2 else "macro averages, each class against the rest"
    note = (
        "Answers are the class with the largest score; no threshold was tuned. Predictive values (precision is the "
        "positive one) hold for the shares of the classes among these images."
    )
    title = f"Sensitivity, specificity, predictive values and ROC AUC at {split}, {of}, with 95 % intervals"
    name = f"diagnostics_{split.replace('/', '-')}"
    methods = (describe_intervals(METRICS["sensitivity"]),)
    return make_table(
        frames, name, title, columns, rows, notes=(note,), methods=methods, axis="metric", is_detail=is_detail
    )


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
    more = {"keys": 2, "axis": "metric", "is_detail": True}
    return make_table(study.frames, "metrics", title, (*keys, *columns), rows, notes=(note,), **more)


def make_class_metrics(study: Study) -> Table:
    """Metrics of each class against the rest, of the cells of Table 4."""
    classes = study.frames.inputs.data.classes
    metrics = [metric for metric in METRICS.values() if metric.is_of_class]
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
    readouts: Sequence[Readout] = study.readouts[key]
    measured = [metric.measure_classes(readout.scores, readout.labels, classes) for readout in readouts]
    return [_make_mean(study.cells[key], metric, [values[index] for values in measured]) for index in classes]


def _make_mean(cell: MeanCell, metric: Metric, values: Sequence[float]) -> MeanCell:
    printed = np.array(values) * metric.scale
    is_known = len(printed) > 0 and bool(np.isfinite(printed).all())
    value = float(printed.mean()) if is_known else None
    std = float(printed.std(ddof=1)) if is_known and len(printed) > 1 else None
    return replace(cell, value=value, std=std, validation=None, marks=())
