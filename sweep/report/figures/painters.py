"""Which painter each kind of figure gets, and how many inches in height below its title. Needs matplotlib."""

from collections.abc import Callable

from matplotlib.figure import Figure as Canvas

from sweep.report.figures.figure import Figure, FigureKind
from sweep.report.figures.grids import paint_confusion, paint_heatmap
from sweep.report.figures.lines import paint_curves, paint_roc
from sweep.report.figures.painting import measure_legend, measure_rows
from sweep.report.figures.points import paint_best, paint_cost, paint_differences, paint_sensitivity
from sweep.report.figures.style import LOOKS

LOWEST_IN = 2.4
LARGE_CLASSES = 4  # whose cells hold two lines of text with room to spare


def _measure_panels(figure: Figure, panel_in: float) -> float:
    return 0.9 + panel_in * figure.frame["panel"].nunique() + measure_legend(figure)


def _measure_confusion(figure: Figure) -> float:
    classes = figure.frame["row"].nunique()
    return max(LOWEST_IN, 0.9 + 0.9 * min(classes, LARGE_CLASSES) + 0.25 * max(0, classes - LARGE_CLASSES))


def _measure_roc(figure: Figure) -> float:
    curves = figure.frame["series"].nunique()
    return 4.8 + 0.2 * (curves if curves <= len(LOOKS) else 1)


PAINTERS: dict[FigureKind, tuple[Callable[[Canvas, Figure], None], Callable[[Figure], float]]] = {
    FigureKind.BEST: (paint_best, lambda figure: max(LOWEST_IN, 1.3 + measure_rows(figure, 0.22))),
    FigureKind.COST: (paint_cost, lambda figure: _measure_panels(figure, 2.1)),
    FigureKind.HEATMAP: (paint_heatmap, lambda figure: max(LOWEST_IN, 0.8 + 0.6 * figure.frame["row"].nunique())),
    FigureKind.CURVES: (paint_curves, lambda _: 3.6),
    FigureKind.SENSITIVITY: (paint_sensitivity, lambda figure: _measure_panels(figure, 1.8)),
    FigureKind.CONFUSION: (paint_confusion, _measure_confusion),
    FigureKind.ROC: (paint_roc, _measure_roc),
    FigureKind.DIFFERENCE: (
        paint_differences,
        lambda figure: max(LOWEST_IN, 0.9 + measure_rows(figure, 0.4) + measure_legend(figure)),
    ),
}
