"""All figures of a study, as data. Pure."""

from collections.abc import Iterator, Mapping

from sweep.report.choices import CellKey
from sweep.report.figures.behaviour import (
    make_confusion_figure,
    make_curves_figure,
    make_roc_figure,
    make_sensitivity_figure,
)
from sweep.report.figures.figure import Figure, FigureKind
from sweep.report.figures.means import (
    Bounds,
    Estimates,
    make_cost_figure,
    make_difference_figure,
    make_heatmaps,
)
from sweep.report.header import make_stamp
from sweep.report.study import Study

__all__ = ["Figure", "FigureKind", "make_figures"]


def make_figures(study: Study, intervals: Mapping[CellKey, Bounds], costs: Mapping[str, float]) -> tuple[Figure, ...]:
    """Make every figure that the study has the numbers for; one without numbers is left out.

    Args:
        study: what is drawn.
        intervals: by (backbone, split), the 95 % bounds of the mean in the metric's printed unit; None or no entry
            where they cannot be told.
        costs: mult-adds of one forward pass by backbone, in millions.
    """
    return tuple(_list_figures(Estimates(study, intervals, costs, make_stamp(study.frames))))


def _list_figures(estimates: Estimates) -> Iterator[Figure]:
    study, stamp = estimates.study, estimates.stamp
    yield from _present(make_cost_figure(estimates))
    yield from make_heatmaps(estimates)
    yield from _present(make_difference_figure(estimates))
    for make in (make_sensitivity_figure, make_curves_figure, make_confusion_figure, make_roc_figure):
        yield from _present(make(study, stamp))


def _present(figure: Figure | None) -> tuple[Figure, ...]:
    return () if figure is None else (figure,)
