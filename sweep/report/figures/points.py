"""Painters of points with bars: against cost, learning rates, differences. Needs matplotlib."""

import math
from collections.abc import Hashable
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from sweep.report.figures.figure import Figure
from sweep.report.figures.painting import (
    MarkStyle,
    add_bar,
    add_legend,
    add_mark,
    label_axes,
    set_log_axis,
)
from sweep.report.figures.style import GRID, INK, MUTED, Look, choose_looks

PUBLISHED = MarkStyle(MUTED, "D", is_hollow=True, size=4.5)
PUBLISHED_SHIFT = 1.045  # beside ours, at the same cost
DODGE = 0.24  # of the distance between neighbouring learning rates that the marks of one take
SPREAD = 0.52  # of the height of a row that its marks take


def paint_cost(canvas: Canvas, figure: Figure) -> None:
    """Paint a panel for each split: points with intervals, the Pareto set, published points."""
    frame = figure.frame
    own = frame[~frame["is_published"]]
    panels = list(own["panel"].unique())
    looks = choose_looks(list(own["series"].unique()))
    grid = canvas.subplots(len(panels), 1, sharex=True, sharey=True, squeeze=False)
    for axes, panel in zip(grid[:, 0], panels, strict=True):
        set_log_axis(axes, own["x"])
        axes.set_title(f"split {panel}")
        _paint_pareto_line(axes, own[own["is_pareto"] & (own["panel"] == panel)], own["x"].max())
        for row, point in frame[frame["panel"] == panel].iterrows():
            _paint_cost_point(axes, row, point, looks)
        axes.autoscale_view(scalex=False)
    label_axes(grid, figure)
    handles = [MarkStyle.of(look).make(label=name) for name, look in looks.items()]
    handles.append(
        Line2D(
            [],
            [],
            color=MUTED,
            linewidth=1.2,
            marker="o",
            markerfacecolor="none",
            markeredgecolor=INK,
            markeredgewidth=1.3,
            label="Pareto set",
        )
    )
    if frame["is_published"].any():
        handles.append(PUBLISHED.make(label="published"))
    add_legend(canvas, handles)


def _paint_pareto_line(axes: Axes, points: pd.DataFrame, end: float) -> None:
    points = points.sort_values("x")
    if len(points):
        xs, ys = [*points["x"], end], [*points["value"], points["value"].iloc[-1]]
        axes.plot(xs, ys, color=MUTED, linewidth=1.2, drawstyle="steps-post", zorder=1.5)


def _paint_cost_point(axes: Axes, row: Hashable, point: pd.Series, looks: dict[str, Look]) -> None:
    if point["is_published"]:
        add_mark(axes, row, (point["x"] * PUBLISHED_SHIFT, point["value"]), PUBLISHED)
        return
    look, place = looks[point["series"]], (point["x"], point["value"])
    is_whole = point["finished"] == point["planned"]
    add_bar(axes, [point["x"]] * 2, [point["lower"], point["upper"]], look.colour)
    add_mark(axes, row, place, MarkStyle.of(look, is_hollow=not is_whole, is_ringed=is_whole and point["is_pareto"]))


def paint_sensitivity(canvas: Canvas, figure: Figure) -> None:
    """Paint a row of panels for each split, validation and test beside each other."""
    frame = figure.frame
    panels, parts, series = (list(frame[name].unique()) for name in ("panel", "part", "series"))
    looks = choose_looks(series)
    shifts = dict(zip(series, _shift_marks(frame["x"], len(series)), strict=True))
    margin = max(shifts.values()) ** 2.5 if len(series) > 1 else 1.5
    grid = canvas.subplots(len(panels), len(parts), sharex=True, sharey=True, squeeze=False)
    for (row, column), axes in np.ndenumerate(grid):
        set_log_axis(axes, frame["x"], margin)
        axes.set_title(f"{parts[column]}, {panels[row]}")
        here = frame[(frame["panel"] == panels[row]) & (frame["part"] == parts[column])]
        for name, points in here.groupby("series", sort=False):
            look, xs = looks[str(name)], points["x"] * shifts[name]
            axes.plot(xs, points["value"], color=look.colour, linestyle=look.line, linewidth=1.2, zorder=3)
            for index, x in xs.items():
                lower, value, upper = points.loc[index, ["lower", "value", "upper"]]
                add_bar(axes, [x, x], [lower, upper], look.colour)
                add_mark(axes, index, (x, value), MarkStyle.of(look))
    label_axes(grid, figure)
    add_legend(canvas, [_make_line_handle(name, look) for name, look in looks.items()])


def _make_line_handle(name: str, look: Look) -> Line2D:
    handle = MarkStyle.of(look).make(label=name)
    handle.set(linestyle=look.line, linewidth=1.2, color=look.colour)
    return handle


def _shift_marks(rates: pd.Series, count: int) -> list[float]:
    """Return by which factor the marks of each series are moved aside."""
    known = sorted(rates.unique())
    # The marks of one rate take a fixed part of the way to the next.
    gap = min(math.log(high / low) for low, high in pairwise(known))
    return [math.exp(gap * DODGE * place) for place in np.linspace(-0.5, 0.5, count)] if count > 1 else [1.0]


def paint_differences(canvas: Canvas, figure: Figure) -> None:
    """Paint a line for each backbone, with a mark for each split, around zero."""
    frame = figure.frame
    rows, looks = list(frame["row"].unique()), choose_looks(list(frame["series"].unique()))
    axes = canvas.subplots()
    axes.set(ylim=(len(rows) - 0.5, -0.5), yticks=range(len(rows)), yticklabels=rows, xlabel=figure.x_label)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    for border in range(1, len(rows)):
        axes.axhline(border - 0.5, color=GRID, linewidth=0.6, zorder=0)
    axes.axvline(0, color=INK, linewidth=1.0, zorder=1)
    shifts = dict(
        zip(looks, np.linspace(-SPREAD / 2, SPREAD / 2, len(looks)) if len(looks) > 1 else [0.0], strict=True)
    )
    for index, point in frame.iterrows():
        y = rows.index(point["row"]) + shifts[point["series"]]
        look = looks[point["series"]]
        add_bar(axes, [point["lower"], point["upper"]], [y, y], look.colour)
        add_mark(axes, index, (point["value"], y), MarkStyle.of(look))
    axes.autoscale_view(scaley=False)
    add_legend(canvas, [MarkStyle.of(look).make(label=name) for name, look in looks.items()])
