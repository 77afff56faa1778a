"""All figures of a study, as data. Pure."""

from collections.abc import Iterator, Mapping

from sweep.report.answer import Answer
from sweep.report.figures.behaviour import (
    make_confusion_figure,
    make_curves_figure,
    make_roc_figure,
    make_sensitivity_figure,
    select_model,
)
from sweep.report.figures.best import make_best_figure
from sweep.report.figures.figure import Figure, FigureKind
from sweep.report.figures.means import Estimates, make_cost_figure, make_difference_figure, make_heatmaps
from sweep.report.header import make_stamp
from sweep.report.inference import Inference
from sweep.report.study import Study

__all__ = ["Figure", "FigureKind", "make_figures"]


def make_figures(study: Study, inference: Inference, answer: Answer, costs: Mapping[str, float]) -> tuple[Figure, ...]:
    """Make every figure that the study has the numbers for, that of the answer first; one without is left out.

    Args:
        study: what is drawn.
        inference: its intervals, and how the models stand to the best.
        answer: the split of the first figure, and the model that curves, confusion matrix and ROC are of.
        costs: mult-adds of one forward pass by backbone, in millions.
    """
    return tuple(_list_figures(Estimates(study, inference, costs, make_stamp(study.frames)), answer))


def _list_figures(estimates: Estimates, answer: Answer) -> Iterator[Figure]:
    study, stamp = estimates.study, estimates.stamp
    yield from _present(make_best_figure(study, estimates.inference, answer, stamp))
    yield from _present(make_cost_figure(estimates))
    yield from make_heatmaps(estimates)
    yield from _present(make_difference_figure(estimates))
    yield from _present(make_sensitivity_figure(study, stamp))
    model = select_model(study, answer)
    if model is not None:
        for make in (make_curves_figure, make_confusion_figure, make_roc_figure):
            yield from _present(make(study, model, stamp))


def _present(figure: Figure | None) -> tuple[Figure, ...]:
    return () if figure is None else (figure,)
