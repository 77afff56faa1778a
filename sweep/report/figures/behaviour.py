"""Figures of how heads learn and answer: curves, sensitivity, confusion and ROC. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweep.measures import count_answers, log_odds
from sweep.metrics import Metric
from sweep.report.answer import Answer
from sweep.report.figures.figure import (
    Figure,
    FigureKind,
    capitalise,
    format_range,
    format_value,
    replace_unprintable,
)
from sweep.report.frames import Status
from sweep.report.study import Readout, Study

MOST_MARKS = 24  # on one line: more cannot be told apart, nor walked through with a keyboard
MARKS_TOGETHER = 144  # on the lines of a figure
PARTS = ("validation", "test")


def thin_marks(points: int, lines: int) -> NDArray[np.bool_]:
    """Say which points of one of the lines carry a mark: the first, the last and evenly spaced ones; (points,)."""
    chosen = np.zeros(points, bool)
    most = min(points, MOST_MARKS, max(2, MARKS_TOGETHER // lines))
    chosen[np.linspace(0, points - 1, most).round().astype(int)] = True
    return chosen


@dataclass(frozen=True, slots=True)
class Selected:
    """The chosen configuration of the model of the answer."""

    backbone: str
    split: str
    steps: int | None
    readouts: tuple[Readout, ...]

    @property
    def name(self) -> str:
        """How titles call it."""
        return f"{self.backbone} at {self.split}"


def list_classes(study: Study) -> list[str]:
    """Return how the classes are called, in the order of their scores."""
    return [replace_unprintable(name) for name in study.frames.inputs.data.classes]


def select_model(study: Study, answer: Answer) -> Selected | None:
    """Return the model of the answer where the store has its scores."""
    key = answer.key
    readouts = study.readouts.get(key, ()) if key else ()
    return Selected(*key, study.cells[key].steps, readouts) if key and readouts else None


# -- learning curves ---------------------------------------------------------------------------------------------


def make_curves_figure(study: Study, model: Selected, stamp: str) -> Figure | None:
    """Draw a model's validation curve, over all shuffles and for each."""
    curves = _read_curves(model.readouts, study.metric)
    if not curves:
        return None
    title, scale, unit, decimals = _name_curve(study.metric)
    several = len(curves) > 1
    return Figure(
        name="learning-curves",
        kind=FigureKind.CURVES,
        title=f"Learning curves of {model.name}",
        stamp=stamp,
        caption=(
            f"{capitalise(title)} on the validation images against training steps of {model.backbone}, split "
            f"{model.split}, the model of the answer"
            + (
                "; thick line: mean over the shuffles, band: from the lowest to the highest shuffle, thin lines: each."
                if several
                else "; one shuffle."
            )
            + (f" Vertical dashed line: the {model.steps:,} steps chosen." if model.steps else "")
            + " Only validation curves are stored, none of the training images."
        ),
        frame=pd.concat(_tabulate_curves(curves, scale, f"{{:.{decimals}f}} {unit}".rstrip()), ignore_index=True),
        x_label="Training steps",
        y_label=f"Validation {title} ({unit})",
        note=f"Dashed: the {model.steps:,} steps chosen." if model.steps else "",
        reference=model.steps,
        decimals=decimals,
    )


def _name_curve(metric: Metric) -> tuple[str, float, str, int]:
    """Return title, scale, unit and decimals of the stored curve that belongs to a metric."""
    return ("log loss", 1.0, "nats", 3) if metric.name == "log_loss" else ("accuracy", 100.0, "%", 1)


def _read_curves(readouts: Sequence[Readout], metric: Metric) -> dict[str, pd.Series]:
    measure = "log_loss" if metric.name == "log_loss" else "accuracy"
    return {
        f"shuffle {readout.shuffle}": pd.Series(getattr(readout.curve, measure), readout.curve.steps, dtype=float)
        for readout in readouts
        if readout.curve is not None and len(readout.curve.steps)
    }


def _tabulate_curves(curves: dict[str, pd.Series], scale: float, form: str) -> Iterator[pd.DataFrame]:
    lines = len(curves) + (len(curves) > 1)
    for name, curve in curves.items():
        yield _tabulate_curve(name, curve * scale, form, lines)
    together = pd.concat(curves, axis=1, join="inner").sort_index() * scale
    if len(curves) > 1 and len(together):
        mean = _tabulate_curve("mean", together.mean(axis=1), form, 1)
        lower, upper = together.min(axis=1).to_numpy(), together.max(axis=1).to_numpy()
        ranges = [
            f"{text} (shuffles {form.format(low)} to {form.format(high)})" if text else ""
            for text, low, high in zip(mean["text"], lower, upper, strict=True)
        ]
        yield mean.assign(lower=lower, upper=upper, text=ranges)


def _tabulate_curve(name: str, curve: pd.Series, form: str, lines: int) -> pd.DataFrame:
    rows = zip(curve.items(), thin_marks(len(curve), lines), strict=True)
    return pd.DataFrame(
        {
            "series": name,
            "x": curve.index.to_numpy(),
            "value": curve.to_numpy(),
            "lower": np.nan,
            "upper": np.nan,
            "text": [f"{name}, {steps:,} steps: {form.format(value)}" if has else "" for (steps, value), has in rows],
        }
    )


# -- sensitivity to the learning rate ----------------------------------------------------------------------------


def make_sensitivity_figure(study: Study, stamp: str) -> Figure | None:
    """Draw the metric against the learning rate, averaged over all backbones and shuffles."""
    frame = pd.DataFrame(_list_rates(study))
    if frame.empty or frame["x"].nunique() < 2:
        return None
    metric = study.metric
    return Figure(
        name="learning-rate-sensitivity",
        kind=FigureKind.SENSITIVITY,
        title=f"Sensitivity of {metric.title} to the learning rate",
        stamp=stamp,
        caption=(
            f"{capitalise(metric.title)} on validation and test images against the learning rate, a row for each "
            "split, a line for each step budget. Marks: mean over all backbones of the mean over the shuffles; bars: "
            "from the lowest backbone to the highest. Marks of one learning rate are set beside each other."
        ),
        frame=frame,
        x_label="Learning rate (log scale)",
        y_label=capitalise(metric.label),
        note="Marks: mean over all backbones; bars: from the lowest backbone to the highest.",
        decimals=metric.decimals,
    )


def _list_rates(study: Study) -> Iterator[dict[str, Any]]:
    metric, trials = study.metric, study.frames.trials
    finished = trials[trials["status"] == Status.SUCCESS]
    splits = list(dict.fromkeys(trials["split"]))
    for split in splits:
        for part in PARTS:
            column = f"{part}_{metric.name}"
            chosen = finished[finished["split"] == split].dropna(subset=[column])
            means = chosen.groupby(["steps", "learning_rate", "backbone"])[column].mean() * metric.scale
            spread = means.groupby(level=["steps", "learning_rate"]).agg(["mean", "min", "max", "size"])
            for (steps, rate), row in spread.iterrows():
                numbers = f"{format_value(metric, row['mean'])} ({format_range(metric, row['min'], row['max'])}"
                over = f"over {row['size']:.0f} backbone{'s' if row['size'] > 1 else ''})"
                yield {
                    "panel": split,
                    "part": part,
                    "series": f"{steps:,} steps",
                    "x": rate,
                    "value": row["mean"],
                    "lower": row["min"],
                    "upper": row["max"],
                    "text": f"{part}, {split}, learning rate {rate:g}, {steps:,} steps: {numbers} {over}",
                }


# -- confusion matrix --------------------------------------------------------------------------------------------


def make_confusion_figure(study: Study, model: Selected, stamp: str) -> Figure:
    """Draw how often each class is predicted for each true one, summed over the shuffles."""
    counts = np.sum([count_answers(readout.scores, readout.labels) for readout in model.readouts], axis=0)
    shuffles = len(model.readouts)
    summed = f"Sum of {shuffles} shuffles; an image in several test parts counts each time." if shuffles > 1 else ""
    return Figure(
        name="confusion-matrix",
        kind=FigureKind.CONFUSION,
        title=f"Confusion matrix of {model.name}",
        stamp=stamp,
        caption=(
            f"Classes that {model.backbone}, split {model.split}, the model of the answer, predicts for the test "
            f"images: counts and, as shade, shares of each true class. {summed or 'One shuffle.'}"
        ),
        frame=pd.DataFrame(_list_answers(counts, list_classes(study))),
        x_label="Predicted class",
        y_label="True class",
        note=summed or "One shuffle.",
        limits=(0.0, 100.0),
    )


def _list_answers(counts: NDArray[np.int64], classes: Sequence[str]) -> Iterator[dict[str, Any]]:
    for true, row in zip(classes, counts, strict=True):
        images = int(row.sum())
        for predicted, count in zip(classes, row, strict=True):
            share = 100 * count / images if images else np.nan
            said = f" ({share:.1f} % of all {true})" if images else ""
            yield {
                "row": true,
                "column": predicted,
                "value": share,
                "count": int(count),
                "text": f"true {true}, predicted {predicted}: {count:,} of {images:,} images{said}",
            }


# -- ROC ---------------------------------------------------------------------------------------------------------


def make_roc_figure(study: Study, model: Selected, stamp: str) -> Figure | None:
    """Draw the ROC curves of a model: of two classes one for each shuffle, of more one for each class."""
    classes = list_classes(study)
    is_binary = len(classes) == 2
    pieces = _trace_shuffles(model, classes[1]) if is_binary else _trace_classes(model, classes)
    frames = list(pieces)
    if not frames:
        return None
    positive = (
        f"{classes[1]} against {classes[0]}, a curve for each shuffle" if is_binary else "each class against the rest"
    )
    is_averaged = not is_binary and len(model.readouts) > 1
    averaged = ", averaged over the shuffles at equal false-positive rates" if is_averaged else ""
    return Figure(
        name="roc",
        kind=FigureKind.ROC,
        title=f"ROC of {model.name}",
        stamp=stamp,
        caption=(
            f"Receiver operating characteristic of {model.backbone}, split {model.split}, the model of the answer, on "
            f"the test images: {positive}{averaged}. AUC: area under the curve. "
            "Dotted: an answer by chance."
        ),
        frame=pd.concat(frames, ignore_index=True),
        x_label="False-positive rate (%)",
        y_label=f"True-positive rate, {classes[1]} (%)" if is_binary else "True-positive rate (%)",
    )


@dataclass(frozen=True, slots=True)
class _Roc:
    """One ROC curve; false_positives, true_positives: (points,) fractions."""

    false_positives: NDArray[np.float64]
    true_positives: NDArray[np.float64]
    area: float


def _trace_roc(readout: Readout, positive: int) -> _Roc | None:
    """Trace a class against the rest; None where only one of the two is among the test images."""
    from sklearn.metrics import auc, roc_curve

    truth = readout.labels == positive
    if truth.all() or not truth.any():
        return None
    false_positives, true_positives, _ = roc_curve(truth, log_odds(readout.scores, positive))
    return _Roc(false_positives, true_positives, float(auc(false_positives, true_positives)))


def _trace_shuffles(model: Selected, positive: str) -> Iterator[pd.DataFrame]:
    for readout in model.readouts:
        roc = _trace_roc(readout, 1)
        if roc is not None:
            yield _tabulate_roc(f"shuffle {readout.shuffle}", roc, positive, len(model.readouts))


def _trace_classes(model: Selected, classes: Sequence[str]) -> Iterator[pd.DataFrame]:
    """Yield the mean curve of every class: the scores of different heads have no common scale to be pooled on."""
    grid = np.linspace(0, 1, 101)
    for index, name in enumerate(classes):
        curves = [roc for readout in model.readouts if (roc := _trace_roc(readout, index)) is not None]
        if curves:
            heights = [np.interp(grid, roc.false_positives, roc.true_positives) for roc in curves]
            mean = np.mean(heights, axis=0)
            rates, heights_from_zero = np.concatenate([[0.0], grid]), np.concatenate([[0.0], mean])
            area = float(np.mean([roc.area for roc in curves]))
            yield _tabulate_roc(f"class {name}", _Roc(rates, heights_from_zero, area), name, len(classes))


def _tabulate_roc(name: str, roc: _Roc, positive: str, lines: int) -> pd.DataFrame:
    rows = zip(roc.false_positives, roc.true_positives, thin_marks(len(roc.true_positives), lines), strict=True)
    return pd.DataFrame(
        {
            "series": f"{name}, AUC {100 * roc.area:.2f} %",
            "x": 100 * roc.false_positives,
            "value": 100 * roc.true_positives,
            "area": 100 * roc.area,
            "text": [
                f"{name}: {100 * high:.1f} % of {positive} found at {100 * low:.1f} % false positives" if has else ""
                for low, high, has in rows
            ],
        }
    )
