"""Painters of cells: heat maps and confusion matrices. Needs matplotlib."""

from textwrap import fill

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_hex
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from sweep.report.figures.figure import Figure
from sweep.report.figures.style import BLUE, DARK_ON_CELL, GRID, HEAT_SHADES, INK, LIGHT_ON_CELL, MUTED, SURFACE
from sweep.report.figures.svg import MARK

SCALE_SHADES = 48  # of a colour scale: each is an element
MOST_CHARACTERS = 40  # of all names below the columns, else they are turned
NAME_CHARACTERS = 14  # of a class on one line
GRID_WIDTH_PT = 260  # of all cells of a row
CHARACTER_EM = 0.64  # width of a digit in DejaVu Sans
DEEPEST = 0.55  # opacity of the one colour
LIGHT_UP_TO = 0.49  # of the colour map: where light and dark text are as easy to read
LARGEST_PT, SMALLEST_PT = 11.0, 5.0  # what would be smaller is left to the words of the mark


def paint_heatmap(canvas: Canvas, figure: Figure) -> None:
    """Paint a cell for every two values, with its mean."""
    texts = [_print_mean(cell, figure.decimals) for _, cell in figure.frame.iterrows()]
    axes = _paint_cells(canvas, figure, texts, HEAT_SHADES)
    axes.set_xlabel(figure.x_label)
    shades = ScalarMappable(_scale(figure), mpl.colormaps[HEAT_SHADES].resampled(SCALE_SHADES))
    bar = canvas.colorbar(shades, ax=axes, label=figure.y_label, fraction=0.05, pad=0.03, ticks=MaxNLocator(5))
    bar.outline.set_visible(False)
    if bar.solids is not None:
        bar.solids.set_edgecolor("face")  # else a viewer shows seams


def paint_confusion(canvas: Canvas, figure: Figure) -> None:
    """Paint a cell for every true and predicted class, with count and share."""
    axes = _paint_cells(canvas, figure, [_print_count(cell) for _, cell in figure.frame.iterrows()])
    axes.set(xlabel=figure.x_label, ylabel=figure.y_label)


def _print_mean(cell: pd.Series, decimals: int) -> str:
    if np.isnan(cell["value"]):
        return "-"
    gaps = "" if cell["finished"] == cell["planned"] else f"\n{cell['finished']}/{cell['planned']}"
    return f"{cell['value']:.{decimals}f}{gaps}"


def _print_count(cell: pd.Series) -> str:
    return f"{cell['count']:,}" + ("" if np.isnan(cell["value"]) else f"\n{cell['value']:.1f} %")


def _paint_cells(canvas: Canvas, figure: Figure, texts: list[str], colours: str = "") -> Axes:
    """Paint cells in shades of a colour map, or without one in one colour, the deeper the larger the value.

    Ink is legible on the one colour in light and in dark, as deep as it gets.
    """
    frame, norm, axes = figure.frame, _scale(figure), canvas.subplots()
    rows, columns = ({name: place for place, name in enumerate(frame[each].unique())} for each in ("row", "column"))
    _name_cells(axes, list(rows), list(columns))
    size = _fit_text(texts, len(columns))
    for (row, cell), text in zip(frame.iterrows(), texts, strict=True):
        x, y = columns[cell["column"]], rows[cell["row"]]
        patch, ink = Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor="none", edgecolor=GRID, linewidth=1), MUTED
        if not np.isnan(cell["value"]):
            share = float(norm(cell["value"]))
            face = (to_hex(mpl.colormaps[colours](share)), 1.0) if colours else (BLUE, DEEPEST * share)
            patch.set(facecolor=face[0], alpha=face[1], edgecolor=SURFACE, linewidth=2)
            ink = choose_ink(share) if colours else INK
        patch.set(gid=f"{MARK}{row}", clip_on=False)
        axes.add_patch(patch)
        if size >= SMALLEST_PT:
            axes.text(x, y, text, color=ink, size=size, ha="center", va="center", linespacing=1.35)
    return axes


def _name_cells(axes: Axes, rows: list[str], columns: list[str]) -> None:
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    is_crowded = max(map(len, columns)) * len(columns) > MOST_CHARACTERS
    axes.set_xticks(range(len(columns)), [fill(name, NAME_CHARACTERS) for name in columns], rotation=90 * is_crowded)
    axes.set_yticks(range(len(rows)), [fill(name, NAME_CHARACTERS) for name in rows])


def choose_ink(share: float) -> str:
    """Return the text colour of the higher contrast on a shade of the colour map, which brightens evenly."""
    return LIGHT_ON_CELL if share < LIGHT_UP_TO else DARK_ON_CELL


def _fit_text(texts: list[str], columns: int) -> float:
    longest = max(len(line) for text in texts for line in text.split("\n"))
    return min(LARGEST_PT, GRID_WIDTH_PT / columns / (longest + 1) / CHARACTER_EM)


def _scale(figure: Figure) -> Normalize:
    low, high = figure.limits or (0.0, 1.0)
    return Normalize(low, high) if high > low else Normalize(low - 0.5, high + 0.5)
