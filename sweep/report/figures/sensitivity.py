"""Figures of tuned numbers: how much the metric depends on each. Pure."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from sweep.axes import Axis
from sweep.outcome import TEST, VALIDATION
from sweep.report.figures.estimates import Estimates, label_axis, list_numbers, spell_level
from sweep.report.figures.figure import Figure, FigureKind, capitalise, tabulate_marks
from sweep.report.frames import Status
from sweep.report.layout import join_words

WIDE = 8  # values that span such a factor stand on a logarithmic axis
NOTE = "Marks: mean over all models; bars: from the lowest model to the highest."


def make_sensitivity_figures(estimates: Estimates) -> Iterator[Figure]:
    """Draw the metric against every tuned number that varies, a line for each value of the next tuned axis."""
    metric = estimates.metric
    tuned = estimates.layout.tuned
    for axis, following in zip(tuned, [*tuned[1:], *tuned[:1]], strict=True):
        lines = None if following == axis else following
        frame = tabulate_marks(FigureKind.SENSITIVITY, _list_levels(estimates, axis, lines))
        numbers, rest = frame["x"].unique(), [each.title for each in tuned if each not in (axis, lines)]
        if len(numbers) > 1:
            is_log = numbers.min() > 0 and numbers.max() >= WIDE * numbers.min()
            over = join_words(
                [estimates.layout.repeats_word] * bool(estimates.over) + [f"values of {each}" for each in rest]
            )
            yield from estimates.draw(
                FigureKind.SENSITIVITY,
                f"sensitivity-{axis.name.replace('_', '-')}",
                f"Sensitivity of {metric.title} to {axis.title}",
                f"{capitalise(metric.title)} on validation and test images against {axis.title}, a row for "
                f"{estimates.each_block}{f', a line for each value of {lines.title}' if lines else ''}. Marks: mean "
                f"over all models{f' of the mean over the {over}' if over else ''}; bars: from the lowest model to the "
                "highest. Marks of one value are set beside each other.",
                frame,
                x_label=label_axis(axis, is_log=is_log),
                y_label=capitalise(metric.label),
                note=NOTE,
                has_log_x=is_log,
            )


def _list_levels(estimates: Estimates, axis: Axis, lines: Axis | None) -> Iterator[tuple[Any, ...]]:
    metric, layout, trials = estimates.metric, estimates.layout, estimates.study.frames.trials
    finished = trials[(trials["status"] == Status.SUCCESS) & trials[axis.name].isin(list_numbers(axis.values))]
    for block, part in product(estimates.blocks, (VALIDATION, TEST)):
        column = f"{part}_{metric.name}"
        chosen = finished[finished["block"] == block].dropna(subset=[column])
        for value in lines.values if lines else (None,):
            own = chosen[np.array([each == value for each in chosen[lines.name]], bool)] if lines else chosen
            level = "" if lines is None else f"no {lines.title}" if value is None else spell_level(layout, lines, value)
            means = own.groupby([axis.name, "model"])[column].mean() * metric.scale
            for number in means.index.unique(axis.name):
                of_models = means[number]
                mean, low, high, size = of_models.mean(), of_models.min(), of_models.max(), len(of_models)
                where = ", ".join(each for each in (part, block, spell_level(layout, axis, number), level) if each)
                over = f"over {size:,} model{'s' if size > 1 else ''}"
                text = f"{where}: {metric.say(mean)} ({metric.say_range(low, high)} {over})"
                yield block, part, level, float(number), mean, low, high, text
