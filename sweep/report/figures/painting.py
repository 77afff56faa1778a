"""What all painters share: marks that can be found again, ticks, names, legends. Needs matplotlib."""

import math
from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator
from numpy.typing import NDArray

from sweep.report.figures.figure import Figure
from sweep.report.figures.style import INK, SURFACE, Look
from sweep.report.figures.svg import MARK

MOST_FIXED_TICKS = 6
APART = 1.6  # the least ratio of neighbouring values that are all ticks of a logarithmic axis
APART_LINEAR = 0.12  # of the axis: the least distance of those of a linear one
NARROW = 5  # a range that may hold no more than one of 1, 2, 5, 10
LEGEND_CHARACTERS = 66  # that fit beside each other
LABEL_CHARACTERS = 22  # that fit beside a panel
HANDLE_CHARACTERS = 7  # what a handle and the space beside it take
LEGEND_LINE_IN, LEGEND_LINES = 0.2, 2  # lines that every figure has room for
NAME_CHARACTERS = 22  # of the names of rows that are printed on one line
WRAPPED_CHARACTERS, WRAPPED_LINES, WRAPPED_PT = 30, 5, 8.0  # of longer ones
WRAPPED_LINE_IN = 0.14


def make_mark(look: Look, x: float | None = None, y: float | None = None, label: str = "") -> Line2D:
    """Make a mark, or with no place its handle for a legend, with the line of its series."""
    edge = INK if look.is_ringed else look.colour if look.is_hollow else SURFACE
    return Line2D(
        [] if x is None else [x],
        [] if y is None else [y],
        linestyle=look.line,
        linewidth=1.2,
        color=look.colour,
        marker=look.marker,
        markersize=look.size,
        markerfacecolor=SURFACE if look.is_hollow else look.colour,
        markeredgecolor=edge,
        markeredgewidth=1.3 if look.is_ringed or look.is_hollow else 0.7,
        label=label,
    )


def add_mark(axes: Axes, row: Hashable, place: tuple[float, float], look: Look) -> None:
    """Paint the mark of a row of the frame."""
    mark = make_mark(look._replace(line="none"), *place)
    mark.set(gid=f"{MARK}{row}", zorder=4, clip_on=False)
    axes.add_line(mark)


def add_target(axes: Axes, row: Hashable, place: tuple[float, float]) -> None:
    """Add an unseen mark on a line, for pointer and keyboard."""
    (target,) = axes.plot(
        *([value] for value in place), linestyle="none", marker="o", markersize=9, color=(0.5, 0.5, 0.5, 0.0), zorder=5
    )
    target.set(gid=f"{MARK}{row}", clip_on=False)


def add_bar(axes: Axes, xs: Sequence[float], ys: Sequence[float], colour: str, width: float = 1.3) -> None:
    """Paint an error bar, unless its ends are not known."""
    if np.isfinite([*xs, *ys]).all():
        axes.add_line(Line2D(xs, ys, color=colour, linewidth=width, alpha=0.85, zorder=2, solid_capstyle="butt"))


def set_x_axis(axes: Axes, values: Iterable[float], margin: float, *, is_log: bool) -> None:
    """Put ticks at the values where these are few and far apart; else, on a logarithmic axis, at 1, 2, 5 or both ends.

    margin: how far the axis goes on beyond the first and the last value, on a logarithmic one in natural logarithms.
    """
    known = sorted(set(values))
    extent = known[-1] - known[0]
    is_sparse = len(known) <= MOST_FIXED_TICKS and all(
        high / low > APART if is_log else high - low >= APART_LINEAR * extent for low, high in pairwise(known)
    )
    if is_log:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    if is_sparse:
        axes.xaxis.set_major_locator(FixedLocator(known))
    elif is_log:
        is_wide = known[-1] / known[0] > NARROW
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)) if is_wide else FixedLocator([known[0], known[-1]]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: format_tick(value)))
    factor = math.exp(margin)
    axes.set_xlim(*((known[0] / factor, known[-1] * factor) if is_log else (known[0] - margin, known[-1] + margin)))


def format_tick(value: float) -> str:
    """Print a value with three significant digits at most, and without an exponent where it can be read."""
    return f"{float(f'{value:.3g}'):,.10g}"


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Make a row for each name, from above, long names on several lines."""
    is_wrapped = count_lines(names) > 1
    axes.set_yticks(range(len(names)), [_wrap_name(name) for name in names] if is_wrapped else names)
    axes.set(ylim=(len(names) - 0.5, -0.5))
    axes.tick_params(axis="y", length=0)
    if is_wrapped:  # they leave less width to the axis
        axes.tick_params(axis="y", labelsize=WRAPPED_PT)
        axes.locator_params(axis="x", nbins=5)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)


def _wrap_name(name: str) -> str:
    """Break a long name, behind commas where it can be."""
    whole = name.replace(" ", "\xa0").replace(",\xa0", ", ")
    return fill(whole, WRAPPED_CHARACTERS, max_lines=WRAPPED_LINES, placeholder=" …", break_on_hyphens=False)


def count_lines(names: Iterable[str]) -> int:
    """Return how many lines the names of rows take."""
    known = list(names)
    return max(_wrap_name(name).count("\n") for name in known) + 1 if max(map(len, known)) > NAME_CHARACTERS else 1


def measure_rows(figure: Figure, one_line_in: float) -> float:
    """Return the height in inches of all rows."""
    names = figure.frame["row"].unique()
    lines = count_lines(names)
    return len(names) * (one_line_in if lines == 1 else max(one_line_in, WRAPPED_LINE_IN * lines + 0.06))


def add_legend(canvas: Canvas, handles: Sequence[Line2D | Patch]) -> None:
    """Put a legend below everything, in as many columns as fit, long names on several lines."""
    for handle in handles:
        handle.set_label(fill(str(handle.get_label()), LEGEND_CHARACTERS - HANDLE_CHARACTERS, break_on_hyphens=False))
    lines = _count_legend_lines([str(handle.get_label()) for handle in handles])
    canvas.legend(handles=list(handles), loc="outside lower center", ncols=math.ceil(len(handles) / lines))


def measure_legend(figure: Figure) -> float:
    """Return the height in inches of the lines of a legend of all series that no figure has room for yet."""
    return LEGEND_LINE_IN * max(0, _count_legend_lines(list(figure.frame["series"].unique())) - LEGEND_LINES)


def _count_legend_lines(names: Sequence[str]) -> int:
    longest = min(max(map(len, names)), LEGEND_CHARACTERS - HANDLE_CHARACTERS)
    return math.ceil(len(names) / (LEGEND_CHARACTERS // (longest + HANDLE_CHARACTERS)))


def label_axes(grid: NDArray[np.object_], figure: Figure) -> None:
    """Name what the panels show: x below the lowest, y beside the first of each row."""
    for axes in grid[-1]:
        axes.set_xlabel(figure.x_label)
    for axes in grid[:, 0]:
        axes.set_ylabel(fill(figure.y_label, LABEL_CHARACTERS))
