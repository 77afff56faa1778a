"""What all painters share: marks that can be found again, ticks, legends. Needs matplotlib."""

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
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
NARROW = 5  # a range that may hold no more than one of 1, 2, 5, 10
LEGEND_CHARACTERS = 66  # that fit beside each other
LABEL_CHARACTERS = 22  # that fit beside a panel
HANDLE_CHARACTERS = 7  # what a handle and the space beside it take


@dataclass(frozen=True, slots=True)
class MarkStyle:
    """How one mark looks."""

    colour: str
    marker: str
    is_hollow: bool = False
    is_ringed: bool = False
    size: float = 6.5

    @classmethod
    def of(cls, look: Look, *, is_hollow: bool = False, is_ringed: bool = False) -> "MarkStyle":
        """Take colour and marker of a series."""
        return cls(look.colour, look.marker, is_hollow, is_ringed)

    def make(self, x: float | None = None, y: float | None = None, label: str = "") -> Line2D:
        """Make the mark, or with no place its handle for a legend."""
        edge = INK if self.is_ringed else self.colour if self.is_hollow else SURFACE
        return Line2D(
            [] if x is None else [x],
            [] if y is None else [y],
            linestyle="none",
            marker=self.marker,
            markersize=self.size,
            markerfacecolor=SURFACE if self.is_hollow else self.colour,
            markeredgecolor=edge,
            markeredgewidth=1.3 if self.is_ringed or self.is_hollow else 0.7,
            label=label,
        )


def add_mark(axes: Axes, row: Hashable, place: tuple[float, float], style: MarkStyle) -> None:
    """Paint the mark of a row of the frame."""
    mark = style.make(*place)
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


def set_log_axis(axes: Axes, values: Iterable[float], margin: float = 1.2) -> None:
    """Make x logarithmic, with ticks at the values where these are few and far apart, at 1, 2, 5, or at both ends.

    margin: the factor by which the axis goes on beyond the first and the last value.
    """
    known = sorted(set(values))
    axes.set_xscale("log")
    is_sparse = len(known) <= MOST_FIXED_TICKS and all(high / low > 1.6 for low, high in pairwise(known))
    if is_sparse:
        axes.xaxis.set_major_locator(FixedLocator(known))
    elif known[-1] / known[0] > NARROW:
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    else:
        axes.xaxis.set_major_locator(FixedLocator([known[0], known[-1]]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: format_tick(value)))
    axes.set_xlim(known[0] / margin, known[-1] * margin)


def format_tick(value: float) -> str:
    """Print a value with three significant digits at most, and without an exponent where it can be read."""
    return f"{float(f'{value:.3g}'):,.10g}"


def add_legend(canvas: Canvas, handles: Sequence[Line2D | Patch]) -> None:
    """Put a legend below everything, in as many columns as fit."""
    longest = max(len(str(handle.get_label())) for handle in handles)
    fitting = max(1, LEGEND_CHARACTERS // (longest + HANDLE_CHARACTERS))
    lines = math.ceil(len(handles) / fitting)
    canvas.legend(handles=list(handles), loc="outside lower center", ncols=math.ceil(len(handles) / lines))


def label_axes(grid: NDArray[np.object_], figure: Figure) -> None:
    """Name what the panels show: x below the lowest, y beside the first of each row."""
    for axes in grid[-1]:
        axes.set_xlabel(figure.x_label)
    for axes in grid[:, 0]:
        axes.set_ylabel(fill(figure.y_label, LABEL_CHARACTERS))
