"""Figures of how the model of the answer learns and answers: curves, confusion matrix and ROC. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweep.axes import Layer
from sweep.measures import count_answers, log_odds
from sweep.report.figures.estimates import Estimates, spell_level
from sweep.report.figures.figure import Figure, FigureKind, capitalise, tabulate_marks
from sweep.report.study import Readout

MOST_MARKS = 24  # on one line: more cannot be told apart, nor walked through with a keyboard
MARKS_TOGETHER = 144  # on the lines of a figure
GRID = np.linspace(0, 1, 101)  # false-positive rates at which ROC curves are averaged


def make_model_figures(estimates: Estimates) -> Iterator[Figure]:
    """Draw the model of the answer where the store has its scores."""
    key = estimates.answer.key
    if key is not None and estimates.study.readouts.get(key):
        yield from _make_curves_figure(estimates, *key)
        yield from _make_confusion_figure(estimates, *key)
        yield from _make_roc_figure(estimates, *key)


def thin_marks(texts: Sequence[str], lines: int) -> list[str]:
    """Keep the texts of the points of one of the lines that carry a mark: the first, the last, evenly spaced ones."""
    most = min(len(texts), MOST_MARKS, max(2, MARKS_TOGETHER // lines))
    kept = set(np.linspace(0, len(texts) - 1, most).round().astype(int))
    return [text if place in kept else "" for place, text in enumerate(texts)]


def _name_repeat(estimates: Estimates, readout: Readout) -> str:
    layout = estimates.layout
    return layout.describe(estimates.study.frames.repeats[readout.repeat], layout.repeated) or layout.count_repeats(1)


def _list_classes(estimates: Estimates) -> list[str]:
    """Name the classes in the order of their scores, with ? for what neither fonts nor XML can hold."""
    classes = estimates.study.frames.inputs.data.classes
    return ["".join(each if each.isprintable() else "?" for each in name) for name in classes]


# -- learning curves ---------------------------------------------------------------------------------------------


def _make_curves_figure(estimates: Estimates, model: str, block: str) -> Iterator[Figure]:
    """Draw the validation curve, over all repetitions and for each."""
    is_loss, layout = estimates.metric.name == "log_loss", estimates.layout
    title, scale, unit, decimals = ("log loss", 1.0, "nats", 3) if is_loss else ("accuracy", 100.0, "%", 1)
    curves = {
        _name_repeat(estimates, readout): pd.Series(found.values, found.steps, dtype=float) * scale
        for readout in estimates.study.readouts[model, block]
        if (found := readout.curves.get(title.replace(" ", "_"))) is not None and len(found.steps)
    }
    axis = next(each for each in layout.axes if each.layer is Layer.READOUT)
    choice = estimates.study.cells[model, block].choice
    steps = {axis.name: next(iter(axis.values)), **estimates.study.frames.models[model], **choice}[axis.name]
    chosen = f"{spell_level(layout, axis, steps)}{' chosen' if axis.name in choice else ''}"
    each = f"thick line: mean{estimates.over}, band: from the lowest to the highest, thin lines: each"
    yield from estimates.draw(
        FigureKind.CURVES,
        "learning-curves",
        f"Learning curves of {model} at {block}",
        f"{capitalise(title)} on the validation images against training {axis.title} of {model}, "
        f"{estimates.at(block)}, the model of the answer; {each if len(curves) > 1 else layout.count_repeats(1)}. "
        f"Vertical dashed line: the {chosen}. Only validation curves are stored, none of the training images.",
        tabulate_marks(
            FigureKind.CURVES, _list_points(curves, axis.title, f"{{:.{decimals}f}} {unit}", layout.repeats_word)
        ),
        x_label=f"Training {axis.title}",
        y_label=f"Validation {title} ({unit})",
        note=f"Dashed: the {chosen}.",
        reference=steps,
        decimals=decimals,
        repeats=layout.repeats_word,
    )


def _list_points(curves: dict[str, pd.Series], title: str, form: str, repeats: str) -> Iterator[tuple[Any, ...]]:
    for name, curve in curves.items():
        texts = [f"{name}, {steps:,} {title}: {form.format(value)}" for steps, value in curve.items()]
        for (steps, value), text in zip(curve.items(), thin_marks(texts, len(curves)), strict=True):
            yield name, steps, value, np.nan, np.nan, text
    if len(curves) > 1:
        together = pd.concat(curves, axis=1, join="inner").sort_index()
        rows = list(together.agg(["mean", "min", "max"], axis=1).itertuples())
        texts = [
            f"mean, {steps:,} {title}: {form.format(mean)} ({repeats} {form.format(low)} to {form.format(high)})"
            for steps, mean, low, high in rows
        ]
        yield from (("mean", *row, text) for row, text in zip(rows, thin_marks(texts, 1), strict=True))


# -- confusion matrix --------------------------------------------------------------------------------------------


def _make_confusion_figure(estimates: Estimates, model: str, block: str) -> Iterator[Figure]:
    """Draw how often each class is predicted for each true one, summed over the repetitions."""
    readouts = estimates.study.readouts[model, block]
    counts = np.sum([count_answers(readout.scores, readout.labels) for readout in readouts], axis=0)
    over = capitalise(estimates.layout.count_repeats(len(readouts)))
    summed = f"Sum of {over}; an image in several test parts counts each time." if len(readouts) > 1 else f"{over}."
    yield from estimates.draw(
        FigureKind.CONFUSION,
        "confusion-matrix",
        f"Confusion matrix of {model} at {block}",
        f"Classes that {model}, {estimates.at(block)}, the model of the answer, predicts for the test images: counts "
        f"and, as shade, shares of each true class. {summed}",
        tabulate_marks(FigureKind.CONFUSION, _list_answers(counts, _list_classes(estimates))),
        x_label="Predicted class",
        y_label="True class",
        note=summed,
        limits=(0.0, 100.0),
    )


def _list_answers(counts: NDArray[np.int64], classes: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    for true, row in zip(classes, counts, strict=True):
        images = int(row.sum())
        for predicted, count in zip(classes, row, strict=True):
            share = 100 * count / images if images else np.nan
            said = f" ({share:.1f} % of all {true})" if images else ""
            text = f"true {true}, predicted {predicted}: {count:,} of {images:,} images{said}"
            yield true, predicted, share, int(count), text


# -- ROC ---------------------------------------------------------------------------------------------------------

Roc = tuple[NDArray[np.float64], NDArray[np.float64], float]  # false and true positives, (points,) fractions; area


def _make_roc_figure(estimates: Estimates, model: str, block: str) -> Iterator[Figure]:
    """Draw the ROC curves: of two classes one for each repetition, of more one for each class."""
    classes, readouts = _list_classes(estimates), estimates.study.readouts[model, block]
    of_two = len(classes) == 2
    if of_two:
        found = [(_name_repeat(estimates, each), classes[1], _trace_roc(each, 1)) for each in readouts]
        what = f"{classes[1]} against {classes[0]}, a curve for each {estimates.layout.repeat_word}"
    else:
        found = [(f"class {name}", name, _average_roc(readouts, place)) for place, name in enumerate(classes)]
        averaged = f", averaged{estimates.over} at equal false-positive rates" if len(readouts) > 1 else ""
        what = f"each class against the rest{averaged}"
    yield from estimates.draw(
        FigureKind.ROC,
        "roc",
        f"ROC of {model} at {block}",
        f"Receiver operating characteristic of {model}, {estimates.at(block)}, the model of the answer, on the test "
        f"images: {what}. AUC: area under the curve. Dotted: an answer by chance.",
        tabulate_marks(FigureKind.ROC, _list_rates(found)),
        x_label="False-positive rate (%)",
        y_label=f"True-positive rate, {classes[1]} (%)" if of_two else "True-positive rate (%)",
    )


def _trace_roc(readout: Readout, positive: int) -> Roc | None:
    """Trace a class against the rest; None where only one of the two is among the test images."""
    from sklearn.metrics import auc, roc_curve

    truth = readout.labels == positive
    if truth.all() or not truth.any():
        return None
    false_positives, true_positives, _ = roc_curve(truth, log_odds(readout.scores, positive))
    return false_positives, true_positives, float(auc(false_positives, true_positives))


def _average_roc(readouts: Sequence[Readout], positive: int) -> Roc | None:
    """Average the curves of a class: the scores of different fits have no common scale to be pooled on."""
    curves = [roc for readout in readouts if (roc := _trace_roc(readout, positive)) is not None]
    if not curves:
        return None
    heights = np.mean([np.interp(GRID, wrong, right) for wrong, right, _ in curves], axis=0)
    return np.append(0.0, GRID), np.append(0.0, heights), float(np.mean([area for _, _, area in curves]))


def _list_rates(found: Sequence[tuple[str, str, Roc | None]]) -> Iterator[tuple[Any, ...]]:
    """Yield the points of curves that have a name and a positive class."""
    for name, positive, roc in found:
        if roc is not None:
            rates, area = 100 * np.transpose(roc[:2]), 100 * roc[2]
            texts = [f"{name}: {high:.1f} % of {positive} found at {low:.1f} % false positives" for low, high in rates]
            for (low, high), text in zip(rates, thin_marks(texts, len(found)), strict=True):
                yield f"{name}, AUC {area:.2f} %", low, high, area, text
