"""All figures of a study, as data. Pure."""

from collections.abc import Mapping

from sweep.report.answer import Answer
from sweep.report.figures.behaviour import make_model_figures
from sweep.report.figures.estimates import Estimates
from sweep.report.figures.figure import Figure
from sweep.report.figures.means import make_best_figure, make_cost_figure, make_difference_figure, make_heatmaps
from sweep.report.figures.sensitivity import make_sensitivity_figures
from sweep.report.inference import Inference
from sweep.report.study import Study

MAKERS = (
    *(make_best_figure, make_cost_figure, make_heatmaps, make_difference_figure),
    *(make_sensitivity_figures, make_model_figures),
)


def make_figures(study: Study, inference: Inference, answer: Answer, costs: Mapping[str, float]) -> tuple[Figure, ...]:
    """Make every figure that the study has the numbers for, that of the answer first; one without is left out.

    Args:
        study: what is drawn.
        inference: its intervals, and how the models stand to the best.
        answer: the block of the first figure, and the model that curves, confusion matrix and ROC are of.
        costs: mult-adds of one forward pass by model, in millions.
    """
    estimates = Estimates(study, inference, answer, costs)
    return tuple(figure for make in MAKERS for figure in make(estimates))
