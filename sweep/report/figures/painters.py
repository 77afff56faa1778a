"""Which painter and how much room each kind of figure gets. Needs matplotlib."""

from collections.abc import Callable

from matplotlib.figure import Figure as Canvas

from sweep.report.figures.figure import Figure, FigureKind
from sweep.report.figures.grids import paint_confusion, paint_heatmap
from sweep.report.figures.lines import paint_curves, paint_roc
from sweep.report.figures.painting import LEGEND_LINE_IN, count_legend_lines, measure_rows
from sweep.report.figures.points import paint_best, paint_cost, paint_differences, paint_sensitivity
from sweep.report.figures.style import LOOKS

PAINTERS: dict[FigureKind, Callable[[Canvas, Figure], None]] = {
    FigureKind.BEST: paint_best,
    FigureKind.COST: paint_cost,
    FigureKind.HEATMAP: paint_heatmap,
    FigureKind.CURVES: paint_curves,
    FigureKind.SENSITIVITY: paint_sensitivity,
    FigureKind.CONFUSION: paint_confusion,
    FigureKind.ROC: paint_roc,
    FigureKind.DIFFERENCE: paint_differences,
}

LOWEST_IN = 2.4
LARGE_CLASSES = 4  # whose cells hold two lines of text with room to spare
LEGEND_LINES = 2  # that every height has room for


def measure_height(figure: Figure) -> float:
    """Return the height in inches that a figure needs below its title."""
    frame = figure.frame
    match figure.kind:
        case FigureKind.BEST:
            height = 1.3 + measure_rows(list(frame["row"]), 0.22)
        case FigureKind.COST:
            height = 0.9 + 2.1 * frame["panel"].nunique() + _measure_legend(figure)
        case FigureKind.SENSITIVITY:
            height = 0.9 + 1.8 * frame["panel"].nunique() + _measure_legend(figure)
        case FigureKind.HEATMAP:
            height = 0.8 + 0.6 * frame["row"].nunique()
        case FigureKind.DIFFERENCE:
            height = 0.9 + measure_rows(list(frame["row"].unique()), 0.4) + _measure_legend(figure)
        case FigureKind.CONFUSION:
            classes = frame["row"].nunique()
            height = 0.9 + 0.9 * min(classes, LARGE_CLASSES) + 0.25 * max(0, classes - LARGE_CLASSES)
        case FigureKind.CURVES:
            height = 3.6
        case FigureKind.ROC:
            curves = frame["series"].nunique()
            height = 4.8 + 0.2 * (curves if curves <= len(LOOKS) else 1)
    return max(LOWEST_IN, height)


def _measure_legend(figure: Figure) -> float:
    """Return the height of the lines of a legend of all series that no height has room for yet."""
    lines = count_legend_lines([str(name) for name in figure.frame["series"].unique()])
    return LEGEND_LINE_IN * max(0, lines - LEGEND_LINES)
