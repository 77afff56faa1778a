"""The figure of the answer: every model of a block against the best of the others. Pure."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from sweep.metrics import with_unit
from sweep.report.figures.estimates import Estimates
from sweep.report.figures.figure import BEST, Figure, FigureKind, tabulate_marks
from sweep.report.statistics.arrays import Floats


def make_best_figure(estimates: Estimates) -> Iterator[Figure]:
    """Draw what every model may lose against, or lead, the best of the others; nothing where there is no comparison."""
    answer, metric, inference = estimates.answer, estimates.metric, estimates.inference
    models = inference.standings[answer.block].models
    margin, shown = estimates.measure(inference.margin), estimates.say_left_out(len(models), estimates.most_named)
    left_out = sum(block == answer.block for _, block in estimates.study.cells) - len(models)
    choice = "the model to take" if answer.is_shown else "the best mean"
    yield from estimates.draw(
        FigureKind.BEST,
        BEST,
        f"Test {metric.title} at {answer.block}, against the best model",
        f"Every model at {answer.block} against the best of the others in test {metric.title}, the best mean first. "
        "Dots: difference of the means; bars: bounds of the true difference, that hold for all models at once in 95 of "
        "100 studies (Hsu 1981). A model whose bar ends at 0 is not the best; one whose bar begins within the margin "
        f"of {margin} loses no more than that.{shown}"
        + (f" Left out, not finished or not known: {left_out}." if left_out else ""),
        tabulate_marks(FigureKind.BEST, _list_models(estimates)),
        x_label=with_unit("Better than the best other model by", metric.difference_unit),
        note=f"Bars: 95 % bounds, for all models together.{f' Bold: {choice}.' if answer.model else ''}{shown}",
        reference=-inference.margin,
        reference_label=f"margin {margin}",
    )


def _list_models(estimates: Estimates) -> Iterator[tuple[Any, ...]]:
    standing, decimals = estimates.inference.standings[estimates.answer.block], estimates.metric.decimals + 1
    if standing.ranks is None:
        return
    leads, named = measure_leads(standing.means), estimates.ranking[: estimates.most_named]
    for place in np.argsort(-np.round(standing.means, 10), kind="stable"):
        name = standing.models[place]
        if name in named:
            verdict = standing.verdicts[name].value
            lower, lead, upper = (float(each[place]) for each in (standing.ranks.lower, leads, standing.ranks.upper))
            behind = f"{estimates.measure(abs(lead))} {'behind' if lead < 0 else 'ahead of'} the best other model"
            text = f"{name}: {behind} (95 % bounds {lower:.{decimals}f} to {upper:.{decimals}f}); {verdict}"
            yield name, verdict, lead, lower, upper, name == estimates.answer.model, text


def measure_leads(means: Floats) -> Floats:
    """Return by how much each of some means is above the best of the others, (models,); two models or more."""
    second, first = np.sort(means)[-2:]
    is_best = np.arange(len(means)) == means.argmax()
    return np.asarray(means - np.where(is_best, second, first))
