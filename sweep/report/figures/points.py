"""Painters of points with bars: against the best, cost, tuned values, differences. Needs matplotlib."""

from itertools import pairwise
from textwrap import shorten
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from sweep.report.figures.figure import BOUNDED, Figure
from sweep.report.figures.painting import (
    add_bar,
    add_legend,
    add_mark,
    label_axes,
    make_mark,
    name_rows,
    set_x_axis,
)
from sweep.report.figures.style import BLUE, GREEN, GRID, INK, MUTED, ORANGE, Look, choose_looks
from sweep.report.statistics.best import Verdict

PARETO = Look(MUTED, "o", "-", 6.0, is_hollow=True, is_ringed=True)
COST_MARGIN = 0.18  # natural logarithms
DODGE = 0.24  # of the distance between neighbouring values that the marks of one take
BEYOND = (
    1.25  # of what they take, that the axis goes on beyond the outermost values: their marks stay clear of the edge
)
SPREAD = 0.52  # of the height of a row that its marks take
PANEL_CHARACTERS = 70  # of its title, over the whole width
VERDICTS = {
    Verdict.MAY_BE_BEST: Look(BLUE, "*", size=11.0),
    Verdict.WITHIN: Look(GREEN, "s"),
    Verdict.WORSE: Look(ORANGE, "v", size=7.0),
    Verdict.CANNOT_TELL: Look(MUTED, "o", is_hollow=True),
}
MARGIN_OPACITY = 0.14
CHOSEN_OPACITY = 0.5
ROOM = 0.06  # of the width, beyond the outermost bar or mark

# -- against the best --------------------------------------------------------------------------------------------


def paint_best(canvas: Canvas, figure: Figure) -> None:
    """Paint a row for each model: mark and bounds, beside the best of the others at 0 and the margin."""
    frame, margin = figure.frame, figure.reference or 0.0
    axes = canvas.subplots()
    left, right = _find_limits(figure)
    name_rows(axes, list(frame["row"]))
    axes.set(xlim=(left, right), xlabel=figure.x_label)
    axes.axvspan(margin, 0, color=GREEN, alpha=MARGIN_OPACITY, linewidth=0, zorder=0)
    axes.axvline(margin, color=GREEN, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1)
    axes.axvline(0, color=INK, linewidth=1.2, zorder=1)
    top: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "size": 9}
    axes.annotate(f"{figure.reference_label} ", (margin, 1), (3, 3), ha="right", **top)
    axes.annotate("the best", (0, 1), (0, 3), ha="left" if right > -left / 3 else "center", **top)
    for place, (index, model) in enumerate(frame.iterrows()):
        look = VERDICTS[Verdict(model["series"])]
        if model["is_chosen"]:
            axes.axhspan(place - 0.5, place + 0.5, color=GRID, alpha=CHOSEN_OPACITY, linewidth=0, zorder=-1)
            axes.get_yticklabels()[place].set_fontweight("bold")
        ends = [float(np.clip(model[end], left, right)) for end in ("lower", "upper")]
        add_bar(axes, ends, [place, place], look.colour, width=2.2)
        add_mark(axes, index, (model["value"], place), look)
    shown = [verdict for verdict in Verdict if verdict in set(frame["series"])]
    add_legend(canvas, [make_mark(VERDICTS[verdict], label=verdict.value) for verdict in shown])


def _find_limits(figure: Figure) -> tuple[float, float]:
    """Return the ends of the axis: all known bounds and marks, the margin, and some room."""
    numbers = figure.frame[list(BOUNDED)].to_numpy(float)
    known = [0.0, 1.25 * (figure.reference or 0.0), *numbers[np.isfinite(numbers)]]
    room = ROOM * (max(known) - min(known))
    return min(known) - room, max(known) + room


# -- against cost ------------------------------------------------------------------------------------------------


def paint_cost(canvas: Canvas, figure: Figure) -> None:
    """Paint the panels: points with intervals, the Pareto set."""
    frame = figure.frame
    panels, series = (list(frame[name].unique()) for name in ("panel", "series"))
    looks = choose_looks(series)
    grid = canvas.subplots(len(panels), 1, sharex=True, sharey=True, squeeze=False)
    for axes, panel in zip(grid[:, 0], panels, strict=True):
        set_x_axis(axes, frame["x"], COST_MARGIN, is_log=True)
        axes.set_title(shorten(f"{figure.panels} {panel}", PANEL_CHARACTERS, placeholder=" …"))
        here = frame[frame["panel"] == panel]
        _paint_pareto_line(axes, here[here["is_pareto"]], frame["drawn_x"].max())
        for row, point in here.iterrows():
            look, is_whole = looks[point["series"]], point["finished"] == point["planned"]
            add_bar(axes, [point["drawn_x"]] * 2, [point["lower"], point["upper"]], look.colour)
            look = look._replace(is_hollow=not is_whole, is_ringed=is_whole and point["is_pareto"])
            add_mark(axes, row, (point["drawn_x"], point["value"]), look)
        axes.autoscale_view(scalex=False)
    label_axes(grid, figure)
    shown = {name: look._replace(line="none") for name, look in looks.items()} | {"Pareto set": PARETO}
    add_legend(canvas, [make_mark(look, label=name) for name, look in shown.items()])


def _paint_pareto_line(axes: Axes, points: pd.DataFrame, end: float) -> None:
    points = points.sort_values("drawn_x")
    if len(points):
        xs, ys = [*points["drawn_x"], end], [*points["value"], points["value"].iloc[-1]]
        axes.plot(xs, ys, color=MUTED, linewidth=1.2, drawstyle="steps-post", zorder=1.5)


# -- against a tuned value ---------------------------------------------------------------------------------------


def paint_sensitivity(canvas: Canvas, figure: Figure) -> None:
    """Paint a row of panels for each panel's name, validation and test beside each other."""
    frame = figure.frame
    panels, parts, series = (list(frame[name].unique()) for name in ("panel", "part", "series"))
    looks = choose_looks(series)
    turn, turn_back = (np.log, np.exp) if figure.has_log_x else (np.positive, np.positive)
    gap = min(high - low for low, high in pairwise(turn(sorted(frame["x"].unique()))))
    shifts = dict(zip(series, gap * DODGE * _spread(len(series)), strict=True))
    grid = canvas.subplots(len(panels), len(parts), sharex=True, sharey=True, squeeze=False)
    for (row, column), axes in np.ndenumerate(grid):
        set_x_axis(axes, frame["x"], gap * DODGE * BEYOND, is_log=figure.has_log_x)
        title = f"{parts[column]}, {panels[row]}".removesuffix(", ")
        axes.set_title(shorten(title, PANEL_CHARACTERS // len(parts), placeholder=" …"))
        here = frame[(frame["panel"] == panels[row]) & (frame["part"] == parts[column])]
        for name, points in here.groupby("series", sort=False):
            look, xs = looks[str(name)], turn_back(turn(points["x"]) + shifts[name])
            axes.plot(xs, points["value"], color=look.colour, linestyle=look.line, linewidth=1.2, zorder=3)
            for index, x in xs.items():
                lower, value, upper = points.loc[index, ["lower", "value", "upper"]]
                add_bar(axes, [x, x], [lower, upper], look.colour)
                add_mark(axes, index, (x, value), look)
    label_axes(grid, figure)
    if looks.keys() != {""}:
        add_legend(canvas, [make_mark(look, label=name) for name, look in looks.items()])


def _spread(count: int) -> NDArray[np.float64]:
    """Return evenly spaced places around 0, (count,), one apart from the first to the last."""
    return np.linspace(-0.5, 0.5, count) if count > 1 else np.zeros(1)


# -- beside published means --------------------------------------------------------------------------------------


def paint_differences(canvas: Canvas, figure: Figure) -> None:
    """Paint a line for each model, with a mark for each series, around zero."""
    frame = figure.frame
    rows, looks = list(frame["row"].unique()), choose_looks(list(frame["series"].unique()))
    axes = canvas.subplots()
    axes.set(xlabel=figure.x_label)
    name_rows(axes, rows)
    for border in range(1, len(rows)):
        axes.axhline(border - 0.5, color=GRID, linewidth=0.6, zorder=0)
    axes.axvline(0, color=INK, linewidth=1.0, zorder=1)
    shifts = dict(zip(looks, SPREAD * _spread(len(looks)), strict=True))
    for index, point in frame.iterrows():
        y = rows.index(point["row"]) + shifts[point["series"]]
        look = looks[point["series"]]
        add_bar(axes, [point["lower"], point["upper"]], [y, y], look.colour)
        add_mark(axes, index, (point["value"], y), look)
    axes.autoscale_view(scaley=False)
    add_legend(canvas, [make_mark(look._replace(line="none"), label=name) for name, look in looks.items()])
