"""Painters of curves: learning and ROC. Needs matplotlib."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from sweep.report.figures.figure import Figure
from sweep.report.figures.painting import add_legend, add_target
from sweep.report.figures.style import INK, LOOKS, MUTED, SURFACE, Look, choose_looks

MEAN = Look(INK, "o", "-")
EACH = Look(MUTED, "o", "-")
BAND_OPACITY = 0.18
FAINT = 0.4  # opacity of lines that are too many to be told apart
CORNER = 20  # percent: the part of both axes that is enlarged where curves hug the upper left corner
CORNER_TEXT_PT = 9.5
HUGGING = 5  # percent: how near to the left border such curves rise
CORNER_PLACE = (0.4, 0.16, 0.55, 0.55)  # x, y, width and height within the axes


def paint_curves(canvas: Canvas, figure: Figure) -> None:
    """Paint the mean with its band, and every repetition as a thin line."""
    groups = {str(name): points for name, points in figure.frame.groupby("series", sort=False)}
    mean = groups.get("mean")
    looks, shown = _tell_apart([name for name in groups if name != "mean"], figure.repeats)
    axes = canvas.subplots()
    axes.set(xlabel=figure.x_label, ylabel=figure.y_label)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    for name, look in looks.items():
        _paint_line(axes, groups[name], look, 1.0 if len(looks) > 1 else 2.2)
    if mean is not None:
        _paint_line(axes, mean, MEAN, 2.2)
        axes.fill_between(mean["x"], mean["lower"], mean["upper"], color=MUTED, alpha=BAND_OPACITY, linewidth=0)
        band = Patch(color=MUTED, alpha=BAND_OPACITY, linewidth=0, label="range")
        add_legend(canvas, [*_make_handles(shown | {"mean": MEAN}), band])
    if figure.reference is not None:
        axes.axvline(figure.reference, color=MUTED, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
    axes.margins(x=0.02)


def paint_roc(canvas: Canvas, figure: Figure) -> None:
    """Paint the curves in a square, with the diagonal of chance."""
    frame = figure.frame
    groups = {str(name): points for name, points in frame.groupby("series", sort=False)}
    looks, shown = _tell_apart(list(groups), f"curves, AUC {frame['area'].min():.2f} to {frame['area'].max():.2f} %")
    axes = canvas.subplots()
    axes.set(xlabel=figure.x_label, ylabel=figure.y_label, xlim=(-2, 102), ylim=(-2, 102), aspect="equal")
    axes.plot([0, 100], [0, 100], color=MUTED, linewidth=1.0, linestyle=(0, (1, 2)), zorder=1)
    corner = _add_corner(axes) if _is_in_corner(frame).all() else None
    for name, look in looks.items():
        _paint_line(axes, groups[name], look, 1.0 if look == EACH else 1.6, corner)
    add_legend(canvas, _make_handles(shown))


def _tell_apart(names: list[str], words: str) -> tuple[dict[str, Look], dict[str, Look]]:
    """Return the looks of curves and what a legend shows of them: where looks are too few, how many there are."""
    if len(names) <= len(LOOKS):
        return choose_looks(names), choose_looks(names)
    return dict.fromkeys(names, EACH), {f"{len(names)} {words}": EACH}


def _is_in_corner(frame: pd.DataFrame) -> pd.Series:
    """Say which points lie so far left or so high that the rest of the square shows nothing."""
    return (frame["x"] <= HUGGING) | (frame["value"] >= 100 - CORNER)


def _add_corner(axes: Axes) -> Axes:
    """Enlarge the upper left corner within the empty part of the square."""
    corner = axes.inset_axes(CORNER_PLACE, facecolor=SURFACE, zorder=3)
    corner.set(xlim=(-0.4, CORNER), ylim=(100 - CORNER, 100.4), aspect="equal")
    title = corner.set_title("the framed corner, enlarged", size=CORNER_TEXT_PT)
    title.set_bbox({"facecolor": SURFACE, "edgecolor": "none", "pad": 1.5})
    corner.tick_params(labelsize=CORNER_TEXT_PT)
    corner.locator_params(nbins=4)
    corner.spines[:].set_visible(True)
    axes.indicate_inset((-1, 100 - CORNER, CORNER + 1, CORNER + 1), edgecolor=MUTED, linewidth=0.8, alpha=1.0)
    return corner


def _paint_line(axes: Axes, points: pd.DataFrame, look: Look, width: float, corner: Axes | None = None) -> None:
    """Paint a line with its marks; a mark that is in the enlarged corner is there alone."""
    alpha = FAINT if look == EACH else 1.0
    for place in (axes, *([corner] if corner else [])):
        place.plot(
            points["x"], points["value"], color=look.colour, linestyle=look.line, linewidth=width, zorder=3, alpha=alpha
        )
    for row, x, value in points.loc[points["text"] != "", ["x", "value"]].itertuples():
        is_enlarged = corner is not None and x <= CORNER and value >= 100 - CORNER
        add_target(corner if corner is not None and is_enlarged else axes, row, (x, value))


def _make_handles(looks: dict[str, Look]) -> list[Line2D]:
    return [
        Line2D([], [], color=look.colour, linestyle=look.line, linewidth=2.2 if name == "mean" else 1.6, label=name)
        for name, look in looks.items()
    ]
