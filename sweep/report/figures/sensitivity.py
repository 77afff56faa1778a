"""Figures of tuned values: how much the metric depends on each. Pure."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from sweep.axes import Axis
from sweep.outcome import TEST, VALIDATION
from sweep.report.figures.estimates import Estimates, label_axis, list_numbers, spell_level
from sweep.report.figures.figure import Figure, FigureKind, capitalise, format_range, format_value
from sweep.report.frames import Status
from sweep.report.layout import join_words

WIDE = 8  # values that span such a factor stand on a logarithmic axis


def make_sensitivity_figures(estimates: Estimates) -> Iterator[Figure]:
    """Draw the metric against every tuned number, averaged over all models and repetitions.

    Lines: the values of the next tuned axis.
    """
    tuned, metric = estimates.layout.tuned, estimates.metric
    for place, axis in enumerate(tuned):
        numbers = list_numbers(axis.values)
        lines = tuned[(place + 1) % len(tuned)] if len(tuned) > 1 else None
        frame = pd.DataFrame(_list_levels(estimates, axis, lines))
        if len(numbers) < 2 or frame.empty or frame["x"].nunique() < 2:
            continue
        is_log = min(numbers) > 0 and max(numbers) >= WIDE * min(numbers)
        averaged = [each.title for each in tuned if each not in (axis, lines)]
        note = "Marks: mean over all models; bars: from the lowest model to the highest."
        yield from estimates.draw(
            FigureKind.SENSITIVITY,
            f"sensitivity-{axis.name.replace('_', '-')}",
            f"Sensitivity of {metric.title} to {'the ' if axis.name == 'learning_rate' else ''}{axis.title}",
            f"{capitalise(metric.title)} on validation and test images against {axis.title}, a row for each "
            f"{estimates.layout.block_word or 'block'}{f', a line for each value of {lines.title}' if lines else ''}. "
            f"{note[:-1]}. A model's own mean is{estimates.over or ' its only value'}"
            f"{f' and all values of {join_words(averaged)}' if averaged else ''}. Marks of one value are set beside "
            "each other.",
            frame,
            x_label=label_axis(axis, is_log=is_log),
            y_label=capitalise(metric.label),
            note=note,
            has_log_x=is_log,
        )


def _list_levels(estimates: Estimates, axis: Axis, lines: Axis | None) -> Iterator[dict[str, Any]]:
    metric, layout, trials = estimates.metric, estimates.layout, estimates.study.frames.trials
    finished = trials[(trials["status"] == Status.SUCCESS) & trials[axis.name].isin(list_numbers(axis.values))]
    by = [*([lines.name] if lines else []), axis.name]
    for block in estimates.blocks:
        for part in (VALIDATION, TEST):
            column = f"{part}_{metric.name}"
            chosen = finished[finished["block"] == block].dropna(subset=[column])
            means = chosen.groupby([*by, "model"], dropna=False)[column].mean() * metric.scale
            spread = means.groupby(level=by, dropna=False).agg(["mean", "min", "max", "size"]).reset_index()
            for row in spread.to_dict("records"):
                level = _spell_line(estimates, lines, row)
                numbers = f"{format_value(metric, row['mean'])} ({format_range(metric, row['min'], row['max'])}"
                over = f"over {row['size']:,} model{'s' if row['size'] > 1 else ''})"
                where = ", ".join(text for text in (spell_level(layout, axis, row[axis.name]), level) if text)
                yield {
                    "panel": block,
                    "part": part,
                    "series": level,
                    "x": float(row[axis.name]),
                    "value": row["mean"],
                    "lower": row["min"],
                    "upper": row["max"],
                    "text": f"{part}, {block}, {where}: {numbers} {over}",
                }


def _spell_line(estimates: Estimates, lines: Axis | None, row: dict[Any, Any]) -> str:
    if lines is None:
        return ""
    value = row[lines.name]
    is_missing = not isinstance(value, tuple) and pd.isna(value)
    return f"no {lines.title}" if is_missing else spell_level(estimates.layout, lines, value)
