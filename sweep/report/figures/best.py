"""The figure of the answer: every model of a block against the best of the others. Pure."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from sweep.metrics import with_unit
from sweep.report.figures.estimates import Estimates
from sweep.report.figures.figure import BEST, Figure, FigureKind
from sweep.report.inference import Standing
from sweep.report.statistics.arrays import Floats
from sweep.report.statistics.best import Verdict


def make_best_figure(estimates: Estimates) -> Iterator[Figure]:
    """Draw what every model may lose against, or lead, the best of the others; nothing where there is no comparison."""
    answer, metric, inference = estimates.answer, estimates.metric, estimates.inference
    standing = inference.standings[answer.block]
    if standing.ranks is None:
        return
    margin = estimates.measure(inference.margin)
    left_out = sum(block == answer.block for _, block in estimates.study.cells) - len(standing.models)
    choice = "the model to take" if answer.is_shown else "the best mean"
    shown = estimates.say_left_out(len(standing.models))
    yield from estimates.draw(
        FigureKind.BEST,
        BEST,
        f"Test {metric.title} at {answer.block}, against the best model",
        f"Every model at {answer.block} against the best of the others in test {metric.title}, the best mean first. "
        "Dots: difference of the means; bars: bounds of the true difference, that hold for all models at once in 95 of "
        "100 studies (Hsu 1981). A model whose bar ends at 0 is not the best; one whose bar begins within the margin "
        f"of {margin} loses no more than that.{shown}"
        + (f" Left out, not finished or not known: {left_out}." if left_out else ""),
        pd.DataFrame(_list_models(estimates, standing)),
        x_label=with_unit("Better than the best other model by", metric.difference_unit),
        note=f"Bars: 95 % bounds, for all models together.{f' Bold: {choice}.' if answer.model else ''}{shown}",
        reference=-inference.margin,
        reference_label=f"margin {margin}",
    )


def _list_models(estimates: Estimates, standing: Standing) -> Iterator[dict[str, Any]]:
    leads = measure_leads(standing.means)
    assert standing.ranks is not None  # noqa: S101 - asked only where there is a comparison
    for place in np.argsort(-np.round(standing.means, 10), kind="stable"):
        name = standing.models[place]
        if name in estimates.best:
            verdict = standing.verdicts[name]
            lower, value, upper = (float(each[place]) for each in (standing.ranks.lower, leads, standing.ranks.upper))
            yield {
                "row": name,
                "series": verdict.value,
                "value": value,
                "lower": lower,
                "upper": upper,
                "is_chosen": name == estimates.answer.model,
                "text": _describe_model(estimates, name, value, (lower, upper), verdict),
            }


def measure_leads(means: Floats) -> Floats:
    """Return by how much each of some means is above the best of the others, (models,); two models or more."""
    second, first = np.sort(means)[-2:]
    is_best = np.arange(len(means)) == means.argmax()
    return np.asarray(means - np.where(is_best, second, first))


def _describe_model(
    estimates: Estimates, name: str, value: float, bounds: tuple[float, float], verdict: Verdict
) -> str:
    place = f"{estimates.measure(abs(value))} {'behind' if value < 0 else 'ahead of'} the best other model"
    decimals = estimates.metric.decimals + 1
    return f"{name}: {place} (95 % bounds {bounds[0]:.{decimals}f} to {bounds[1]:.{decimals}f}); {verdict.value}"
