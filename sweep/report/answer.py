"""Which model to take: the answer of a report, how sure it is, what it costs, and what would sharpen it. Pure."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sweep.metrics import Metric, with_blank
from sweep.planning.units import UnitKind
from sweep.report.cells import Selection
from sweep.report.choices import CellKey
from sweep.report.inference import Inference, Standing
from sweep.report.projection import Projection
from sweep.report.statistics.best import Verdict
from sweep.report.statistics.errors import About
from sweep.report.study import Study
from sweep.report.tables.complexities import count_mult_adds

SHOWN = (Verdict.MAY_BE_BEST, Verdict.WITHIN)
ABOUT = {
    About.POOL: "It holds for heads trained on this pool of images, for new patients, splits and seeds like these; not "
    "for another pool of images, nor another hospital.",
    About.PROCEDURE: "It holds for heads trained on any pool of images drawn like this one, if training adds at least "
    "as much to the error as the pool does; not for another hospital.",
}
ONE_SHUFFLE = (
    "It holds for these very heads on new images of new patients: one shuffle does not show what training again, or "
    "another split, would change."
)
SHARED_PATIENTS = (
    "As here, some of a new patient's other images may be among those trained on: images were split, not patients."
)
UNKNOWN_PATIENTS = (
    "Patients are not known for every image; such an image counts as a patient, and the error may be too small."
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a report says first.

    `headline` is one sentence and `details` are the others. `model` is the one to take at `split`; it `is_shown` to
    be within the margin of the best, or merely has the best mean. None where nothing can be told.
    """

    headline: str
    details: tuple[str, ...]
    split: str
    model: str | None = None
    is_shown: bool = False

    @property
    def key(self) -> CellKey | None:
        """The cell that the answer is about."""
        return None if self.model is None else (self.model, self.split)


def make_answer(study: Study, inference: Inference) -> Answer:
    """Answer at the split with the most training images, and say where the others differ."""
    splits = sorted(study.frames.spec.grid.split, key=lambda split: -split.training)
    first, *others = (_answer_split(study, inference, str(split)) for split in splits)
    details = [*first.details, *(other.headline for other in others)]
    if first.model is not None:
        details += _describe_reach(study, inference)
    return replace(first, details=tuple(details))


def _answer_split(study: Study, inference: Inference, split: str) -> Answer:
    standing, metric = inference.standings[split], study.metric
    margin, among = inference.describe_margin(metric), _describe_gaps(study, standing, split)
    if standing.ranks is None or standing.errors is None:
        return _answer_without_comparison(study, split, standing, inference.about)
    costs = count_mult_adds(study.frames)
    shown = [name for name in standing.models if standing.verdicts[name] in SHOWN]
    if not shown:
        best = _list_best(standing)
        text = f"No model is shown to be within {margin} of the best{among} at {split} by {_count_shuffles(standing)}."
        mean = _say(metric, study.cells[best[0], split].number)
        headline = f"{text} The best mean is {mean}, of {_join(best)}."
        return Answer(headline, tuple(_detail_open(study, inference, split, best[0])), split, best[0])
    model = min(shown, key=lambda name: (costs[name], -standing.means[standing.models.index(name)]))
    what = "the only" if len(shown) == 1 else "the cheapest"
    headline = f"Take {model}: {what} model shown to be within {margin} of the best{among} at {split}."
    return Answer(headline, tuple(_detail_shown(study, inference, split, model)), split, model, is_shown=True)


def _answer_without_comparison(study: Study, split: str, standing: Standing, about: About) -> Answer:
    """Say why nothing can be told: which of the needs of a comparison is not met."""
    finished = [name for (name, where), cell in study.cells.items() if where == split and cell.is_finished]
    if study.frames.images is None:
        reason = "the store has no list of the images"
    elif not finished:
        reason = "no model has finished all of its shuffles"
    elif not any(study.readouts[name, split] for name in finished):
        reason = "the store does not say which images were tested (it lacks partitions)"
    elif not standing.models:
        reason = f"the {study.metric.title} is not defined for the answers of any finished model"
    elif about is About.PROCEDURE and len(study.frames.spec.grid.shuffle) == 1:
        reason = "one shuffle does not say what another pool of images would change"
    elif len(standing.models) == 1:
        reason = f"only {standing.models[0]} can be judged, and there is none to compare it with"
    else:
        reason = "the error of the means is not known: it takes test images of two patients or more in every shuffle"
    return Answer(f"Which model to take at {split}: cannot tell, since {reason}.", (), split)


def _detail_shown(study: Study, inference: Inference, split: str, model: str) -> Iterator[str]:
    standing, metric = inference.standings[split], study.metric
    assert standing.ranks is not None  # noqa: S101 - an answer stands on it
    place = standing.models.index(model)
    loss, gain = -float(standing.ranks.lower[place]), float(standing.ranks.upper[place])
    lost = f"loses at most {_say(metric, _round_up(loss, metric.decimals), difference=True)} against the best"
    place_of = (
        f"{lost} and {'may itself be the best' if gain else 'is not the best itself'}"
        if loss
        else "is the best of all that can be judged"
    )
    yield f"How sure: it {place_of}; all such bounds hold at once in 95 of 100 studies."
    yield _describe_cell(study, inference, (model, split))
    yield _describe_candidates(standing, split)
    yield from _describe_smaller(study, inference, split, model)


def _detail_open(study: Study, inference: Inference, split: str, best: str) -> Iterator[str]:
    standing = inference.standings[split]
    yield _describe_cell(study, inference, (best, split))
    yield _describe_candidates(standing, split)
    projection = Projection.of(study, standing, inference.margin)
    if projection is None:
        yield "How many shuffles would show one is not known: a single one does not say what training adds."
        return
    reached = [(more, name) for name in standing.models if (more := projection.find_shuffles(name))]
    if reached:
        more, name = min(reached)
        yield f"{projection.describe(more)} would show one, {name}, if the means stay as they are."
    else:
        yield "More shuffles would not show one, if the means stay as they are: it takes more images or a wider margin."


def _describe_cell(study: Study, inference: Inference, key: CellKey) -> str:
    metric, cell, interval = study.metric, study.cells[key], inference.intervals[key]
    bounds = (
        f", 95 % interval {interval.lower:.{metric.decimals}f} to {interval.upper:.{metric.decimals}f}"
        if interval
        else ""
    )
    cost = f"{count_mult_adds(study.frames)[key[0]]:,.2f} M mult-adds an image"
    seconds = study.frames.seconds.get(next(each for each in study.frames.inputs.weights if str(each) == key[0]), {})
    if UnitKind.EXTRACT in seconds:
        cost += f", {1000 * seconds[UnitKind.EXTRACT] / study.frames.inputs.data.images:.1f} ms on one core as measured"
    return f"{key[0]}: test {metric.title} {_say(metric, cell.number)}{bounds}; {cost}."


def _describe_candidates(standing: Standing, split: str) -> str:
    assert standing.ranks is not None  # noqa: S101 - an answer stands on it
    names = [name for name, upper in zip(standing.models, standing.ranks.upper, strict=True) if upper > 0]
    if len(names) == 1:
        return f"The best of the {len(standing.models)} models at {split} is {names[0]}."
    return f"{len(names)} of the {len(standing.models)} models may be the best at {split}: {_join(names)}."


def _describe_smaller(study: Study, inference: Inference, split: str, model: str) -> Iterator[str]:
    """Say what it takes to show a cheaper model: the cheapest that more shuffles can be expected to show."""
    costs, standing = count_mult_adds(study.frames), inference.standings[split]
    cheaper = sorted((name for name in standing.models if costs[name] < costs[model]), key=costs.__getitem__)
    projection = Projection.of(study, standing, inference.margin)
    if not cheaper or projection is None:
        return
    for name in cheaper:
        more = projection.find_shuffles(name)
        if more:
            found = f"a cheaper one, {name} ({costs[name]:,.2f} M mult-adds)"
            yield f"{projection.describe(more)} would show {found}, if the means stay as they are."
            return
    yield "More shuffles would not show a cheaper one, if the means stay as they are."


def _describe_reach(study: Study, inference: Inference) -> Iterator[str]:
    yield ONE_SHUFFLE if len(study.frames.spec.grid.shuffle) == 1 else ABOUT[inference.about]
    if study.frames.images is not None and not study.frames.images.knows_patients:
        yield UNKNOWN_PATIENTS
    elif any(study.frames.find_known(split, shuffle).any() for split, shuffle in study.frames.partitions):
        yield SHARED_PATIENTS
    if study.select is Selection.TEST:
        yield "Learning rate and steps were chosen on test images: the means are too high, and no bound allows for it."


def _list_best(standing: Standing) -> list[str]:
    """List the models that share the best mean."""
    means = np.round(standing.means, 10)
    return [name for name, mean in zip(standing.models, means, strict=True) if mean == means.max()]


def _describe_gaps(study: Study, standing: Standing, split: str) -> str:
    """Say how many of a split's models are compared, where it is not all of them."""
    models = sum(where == split for _, where in study.cells)
    return (
        ""
        if len(standing.models) == models
        else f" of the {len(standing.models)} of {models} models that can be judged"
    )


def _round_up(value: float, decimals: int) -> float:
    """Round a loss so that what is printed is not less than it."""
    return float(math.ceil(round(value * 10**decimals, 6)) / 10**decimals)


def _count_shuffles(standing: Standing) -> str:
    assert standing.errors is not None  # noqa: S101 - asked only where there is a comparison
    count = standing.errors.shuffles
    return "one shuffle" if count == 1 else f"{count} shuffles"


def _say(metric: Metric, value: float | None, *, difference: bool = False) -> str:
    unit = metric.difference_unit if difference else metric.unit
    return with_blank(f"{value or 0.0:.{metric.decimals}f}", unit)


def _join(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
