"""Painter of the models against the best of the others. Needs matplotlib."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from sweep.report.figures.figure import Figure
from sweep.report.figures.painting import MarkStyle, add_bar, add_legend, add_mark
from sweep.report.figures.style import BLUE, GREEN, GRID, INK, MUTED, ORANGE
from sweep.report.statistics.best import Verdict

STYLES = {
    Verdict.MAY_BE_BEST: MarkStyle(BLUE, "*", size=11.0),
    Verdict.WITHIN: MarkStyle(GREEN, "s"),
    Verdict.WORSE: MarkStyle(ORANGE, "v", size=7.0),
    Verdict.CANNOT_TELL: MarkStyle(MUTED, "o", is_hollow=True),
}
MARGIN_OPACITY = 0.14
CHOSEN_OPACITY = 0.5
ROOM = 0.06  # of the width, beyond the outermost bar or mark


def paint_best(canvas: Canvas, figure: Figure) -> None:
    """Paint a row for each model: mark and bounds, beside the best of the others at 0 and the margin."""
    frame, margin = figure.frame, figure.reference or 0.0
    axes = canvas.subplots()
    left, right = _find_limits(figure)
    axes.set(xlim=(left, right), ylim=(len(frame) - 0.5, -0.5), xlabel=figure.x_label)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.axvspan(margin, 0, color=GREEN, alpha=MARGIN_OPACITY, linewidth=0, zorder=0)
    axes.axvline(margin, color=GREEN, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1)
    axes.axvline(0, color=INK, linewidth=1.2, zorder=1)
    top: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "size": 9}
    axes.annotate(f"{figure.reference_label} ", (margin, 1), (3, 3), ha="right", **top)
    axes.annotate("the best", (0, 1), (0, 3), ha="left" if right > -left / 3 else "center", **top)
    for place, (index, model) in enumerate(frame.iterrows()):
        style = STYLES[Verdict(model["series"])]
        if model["is_chosen"]:
            axes.axhspan(place - 0.5, place + 0.5, color=GRID, alpha=CHOSEN_OPACITY, linewidth=0, zorder=-1)
        ends = [float(np.clip(model[end], left, right)) for end in ("lower", "upper")]
        add_bar(axes, ends, [place, place], style.colour, width=2.2)
        add_mark(axes, index, (model["value"], place), style)
    _name_rows(axes, figure)
    shown = [verdict for verdict in Verdict if verdict in set(frame["series"])]
    add_legend(canvas, [STYLES[verdict].make(label=verdict.value) for verdict in shown])


def _find_limits(figure: Figure) -> tuple[float, float]:
    """Return the ends of the axis: all known bounds and marks, the margin, and some room."""
    numbers = figure.frame[["value", "lower", "upper"]].to_numpy(float)
    known = [0.0, 1.25 * (figure.reference or 0.0), *numbers[np.isfinite(numbers)]]
    room = ROOM * (max(known) - min(known))
    return min(known) - room, max(known) + room


def _name_rows(axes: Axes, figure: Figure) -> None:
    frame = figure.frame
    axes.set_yticks(range(len(frame)), list(frame["row"]))
    axes.tick_params(axis="y", length=0)
    for label, is_chosen in zip(axes.get_yticklabels(), frame["is_chosen"], strict=True):
        label.set_fontweight("bold" if is_chosen else "normal")
