"""The figure of the answer: every model of a split against the best of the others. Pure."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from sweep.metrics import Metric, with_blank, with_unit
from sweep.report.answer import Answer
from sweep.report.figures.figure import BEST, Figure, FigureKind
from sweep.report.inference import Inference, Standing
from sweep.report.statistics.arrays import Floats
from sweep.report.statistics.best import Verdict
from sweep.report.study import Study


def make_best_figure(study: Study, inference: Inference, answer: Answer, stamp: str) -> Figure | None:
    """Draw what every model may lose against, or lead, the best of the others; None where there is no comparison."""
    standing, metric = inference.standings[answer.split], study.metric
    if standing.ranks is None:
        return None
    frame = pd.DataFrame(_list_models(standing, metric, answer))
    margin = _measure(metric, inference.margin)
    left_out = sum(split == answer.split for _, split in study.cells) - len(standing.models)
    return Figure(
        name=BEST,
        kind=FigureKind.BEST,
        title=f"Test {metric.title} at {answer.split}, against the best model",
        stamp=stamp,
        caption=(
            f"Every model at {answer.split} against the best of the others in test {metric.title}, the best mean "
            "first. Dots: difference of the means; bars: bounds of the true difference, that hold for all models at "
            "once in 95 of 100 studies (Hsu 1981). A model whose bar ends at 0 is not the best; one whose bar begins "
            f"within the margin of {margin} loses no more than that."
            + (f" Left out, not finished or not known: {left_out}." if left_out else "")
        ),
        frame=frame,
        x_label=with_unit("Better than the best other model by", metric.difference_unit),
        y_label="",
        note=(
            "Bars: 95 % bounds, for all models together."
            + (f" Bold: {_describe_choice(answer)}." if answer.model else "")
        ),
        reference=-inference.margin,
        reference_label=f"margin {margin}",
        decimals=metric.decimals,
    )


def _describe_choice(answer: Answer) -> str:
    return "the model to take" if answer.is_shown else "the best mean"


def _list_models(standing: Standing, metric: Metric, answer: Answer) -> Iterator[dict[str, Any]]:
    leads = measure_leads(standing.means)
    assert standing.ranks is not None  # noqa: S101 - asked only where there is a comparison
    for place in np.argsort(-np.round(standing.means, 10), kind="stable"):
        name = standing.models[place]
        verdict = standing.verdicts[name]
        lower, value, upper = (float(each[place]) for each in (standing.ranks.lower, leads, standing.ranks.upper))
        yield {
            "row": name,
            "series": verdict.value,
            "value": value,
            "lower": lower,
            "upper": upper,
            "is_chosen": name == answer.model,
            "text": _describe_model(name, metric, value, (lower, upper), verdict),
        }


def measure_leads(means: Floats) -> Floats:
    """Return by how much each of some means is above the best of the others, (models,); two models or more."""
    second, first = np.sort(means)[-2:]
    is_best = np.arange(len(means)) == means.argmax()
    return np.asarray(means - np.where(is_best, second, first))


def _describe_model(name: str, metric: Metric, value: float, bounds: tuple[float, float], verdict: Verdict) -> str:
    place = f"{_measure(metric, abs(value))} {'behind' if value < 0 else 'ahead of'} the best other model"
    decimals = metric.decimals + 1
    return f"{name}: {place} (95 % bounds {bounds[0]:.{decimals}f} to {bounds[1]:.{decimals}f}); {verdict.value}"


def _measure(metric: Metric, value: float) -> str:
    return with_blank(f"{value:.{metric.decimals}f}", metric.difference_unit)
