"""Which model to take: the answer of a report, how sure it is, what it costs, and what would sharpen it. Pure."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from sweep.report.cells import Selection
from sweep.report.costs import FORWARD, MILLION, Cost, count_costs
from sweep.report.inference import Inference, Standing
from sweep.report.layout import CellKey, join_words
from sweep.report.projection import Projection
from sweep.report.statistics.best import Verdict
from sweep.report.statistics.errors import About
from sweep.report.study import Study

SHOWN = (Verdict.MAY_BE_BEST, Verdict.WITHIN)
ABOUT = {
    About.POOL: "It holds for heads trained on this pool of images, for new patients and {repeats} like these; not for "
    "another pool of images, nor another hospital.",
    About.PROCEDURE: "It holds for heads trained on any pool of images drawn like this one, if training adds at least "
    "as much to the error as the pool does; not for another hospital.",
}
ONE_REPEAT = (
    "It holds for these very heads on new images of new patients: {repeats} does not show what training again, or "
    "on other images, would change."
)
SHARED_PATIENTS = (
    "As here, some of a new patient's other images may be among those trained on: images were split, not patients."
)
UNKNOWN_PATIENTS = (
    "Patients are not known for every image; such an image counts as a patient, and the error may be too small."
)

Costs = Mapping[str, Cost]  # by model
MOST_NAMED = 6  # models in one sentence


@dataclass(frozen=True, slots=True)
class Answer:
    """What a report says first.

    `headline` is one sentence and `details` are the others. `model` is the one to take in `block`; it `is_shown` to
    be within the margin of the best, or merely has the best mean. None where nothing can be told.
    """

    headline: str
    details: tuple[str, ...]
    block: str
    model: str | None = None
    is_shown: bool = False

    @property
    def key(self) -> CellKey | None:
        """The cell that the answer is about."""
        return None if self.model is None else (self.model, self.block)


def make_answer(study: Study, inference: Inference) -> Answer:
    """Answer at the block with the most training images, and say where the others differ."""
    costs = count_costs(study.frames)
    first, *others = (_answer_block(study, inference, block, costs) for block in study.list_blocks())
    details = [*first.details, *(other.headline for other in others)]
    if first.model is not None:
        details += _describe_reach(study, inference, first.block)
    return replace(first, details=tuple(details))


def _answer_block(study: Study, inference: Inference, block: str, costs: Costs) -> Answer:
    standing, metric = inference.standings[block], study.metric
    margin, among = inference.describe_margin(metric), _describe_gaps(study, standing, block)
    if standing.ranks is None or standing.errors is None:
        return _answer_without_comparison(study, block, standing, inference.question.about)
    shown = [name for name in standing.models if standing.verdicts[name] in SHOWN]
    if not shown:
        means = np.round(standing.means, 10)
        best = [name for name, each in zip(standing.models, means, strict=True) if each == means.max()]
        over = study.layout.count_repeats(standing.errors.repeats)
        text = f"No model is shown to be within {margin} of the best{among} at {block} by {over}."
        mean = metric.say(study.cells[best[0], block].number or 0.0)
        headline = f"{text} The best mean is {mean}, of {join_words(best)}."
        return Answer(headline, tuple(_detail_open(study, inference, (best[0], block), costs)), block, best[0])
    model = min(shown, key=lambda name: (costs[name].own.mult_adds, -standing.means[standing.models.index(name)]))
    what = "the only" if len(shown) == 1 else "the cheapest"
    headline = f"Take {model}: {what} model shown to be within {margin} of the best{among} at {block}."
    details = tuple(_detail_shown(study, inference, (model, block), costs))
    return Answer(headline, details, block, model, is_shown=True)


def _answer_without_comparison(study: Study, block: str, standing: Standing, about: About) -> Answer:
    """Say why nothing can be told: which of the needs of a comparison is not met."""
    layout, finished = study.layout, [name for name in study.list_models(block) if study.cells[name, block].is_finished]
    if study.frames.images is None:
        reason = "the store has no list of the images"
    elif not finished:
        reason = f"no model has finished all of its {layout.repeats_word}"
    elif not any(study.readouts[name, block] for name in finished):
        reason = "the store does not say which images were tested (it lacks partitions)"
    elif not standing.models:
        reason = f"the {study.metric.title} is not defined for the answers of any finished model"
    elif about is About.PROCEDURE and study.frames.count_repeats(block) == 1:
        reason = f"{layout.count_repeats(1)} does not say what another pool of images would change"
    elif len(standing.models) == 1:
        reason = f"only {standing.models[0]} can be judged, and there is none to compare it with"
    else:
        reason = (
            "the error of the means is not known: it takes test images of two patients or more in every "
            f"{layout.repeat_word}"
        )
    return Answer(f"Which model to take at {block}: cannot tell, since {reason}.", (), block)


def _detail_shown(study: Study, inference: Inference, key: CellKey, costs: Costs) -> Iterator[str]:
    model, block = key
    standing, metric = inference.standings[block], study.metric
    assert standing.ranks is not None  # noqa: S101 - an answer stands on it
    place = standing.models.index(model)
    loss, gain = -float(standing.ranks.lower[place]), float(standing.ranks.upper[place])
    lost = f"loses at most {metric.say_difference(_round_up(loss, metric.decimals))} against the best"
    place_of = (
        f"{lost} and {'may itself be the best' if gain else 'is not the best itself'}"
        if loss
        else "is the best of all that can be judged"
    )
    yield f"How sure: it {place_of}; all such bounds hold at once in 95 of 100 studies."
    yield _describe_cell(study, inference, key, costs[model])
    yield _describe_candidates(standing, block)
    yield from _describe_smaller(study, inference, key, costs)


def _detail_open(study: Study, inference: Inference, key: CellKey, costs: Costs) -> Iterator[str]:
    standing, layout = inference.standings[key[1]], study.layout
    yield _describe_cell(study, inference, key, costs[key[0]])
    yield _describe_candidates(standing, key[1])
    projection = Projection.of(study, standing, inference.margin)
    if projection is None:
        one = "a single one does not say what training adds"
        yield f"How many {layout.repeats_word} would show one is not known: {one}."
        return
    reached = [(more, name) for name in standing.models if (more := projection.find_repeats(name))]
    if reached:
        more, name = min(reached)
        yield f"{projection.describe(more)} would show one, {name}, if the means stay as they are."
    else:
        yield (
            f"More {layout.repeats_word} would not show one, if the means stay as they are: it takes more images or a "
            "wider margin."
        )


def _describe_cell(study: Study, inference: Inference, key: CellKey, of_model: Cost) -> str:
    metric, cell, interval = study.metric, study.cells[key], inference.intervals[key]
    bounds = f", 95 % interval {metric.say_range(interval.lower, interval.upper)}" if interval else ""
    cost = f"{of_model.own.mult_adds / MILLION:,.2f} M mult-adds an image"
    seconds = study.frames.seconds.get(of_model.network_id, {})
    if FORWARD in seconds:
        cost += f", {1000 * seconds[FORWARD] / study.frames.inputs.data.images:.1f} ms on one core as measured"
    return f"{key[0]}: test {metric.title} {metric.say(cell.number or 0.0)}{bounds}; {cost}."


def _describe_candidates(standing: Standing, block: str) -> str:
    assert standing.ranks is not None  # noqa: S101 - an answer stands on it
    names = [name for name, upper in zip(standing.models, standing.ranks.upper, strict=True) if upper > 0]
    if len(names) == 1:
        return f"The best of the {len(standing.models)} models at {block} is {names[0]}."
    if len(names) == len(standing.models):
        return f"Any of the {len(names)} models may be the best at {block}."
    more = len(names) - MOST_NAMED
    named = [*names[:MOST_NAMED], f"{more} more"] if more > 1 else names
    return f"{len(names)} of the {len(standing.models)} models may be the best at {block}: {join_words(named)}."


def _describe_smaller(study: Study, inference: Inference, key: CellKey, costs: Costs) -> Iterator[str]:
    """Say what it takes to show a cheaper model: the cheapest that more repetitions can be expected to show."""
    standing, spent = inference.standings[key[1]], {name: cost.own.mult_adds for name, cost in costs.items()}
    cheaper = sorted((name for name in standing.models if spent[name] < spent[key[0]]), key=spent.__getitem__)
    projection = Projection.of(study, standing, inference.margin)
    if not cheaper or projection is None:
        return
    for name in cheaper:
        more = projection.find_repeats(name)
        if more:
            found = f"a cheaper one, {name} ({spent[name] / MILLION:,.2f} M mult-adds)"
            yield f"{projection.describe(more)} would show {found}, if the means stay as they are."
            return
    yield f"More {study.layout.repeats_word} would not show a cheaper one, if the means stay as they are."


def _describe_reach(study: Study, inference: Inference, block: str) -> Iterator[str]:
    layout, once = study.layout, [each for each in study.list_blocks() if study.frames.count_repeats(each) == 1]
    if block in once:
        yield ONE_REPEAT.format(repeats=layout.count_repeats(1))
    else:
        yield ABOUT[inference.question.about].format(repeats=layout.repeats_word)
    others = [each for each in study.list_blocks() if (each in once) is not (block in once)]
    if others and block in once:
        yield f"At {join_words(others)}: {ABOUT[inference.question.about].format(repeats=layout.repeats_word)}"
    elif others:
        yield f"At {join_words(others)}: {ONE_REPEAT.format(repeats=layout.count_repeats(1))}"
    if study.frames.images is not None and not study.frames.images.knows_patients:
        yield UNKNOWN_PATIENTS
    elif any(study.frames.find_known(partition).any() for partition in study.frames.partitions.values()):
        yield SHARED_PATIENTS
    if study.select is Selection.TEST and layout.tuned:
        yield (
            f"What was chosen ({layout.choice_words}) was chosen on test images: the means are too high, and no bound "
            "allows for it."
        )


def _describe_gaps(study: Study, standing: Standing, block: str) -> str:
    """Say how many of a block's models are compared, where it is not all of them."""
    models = len(study.list_models(block))
    return (
        ""
        if len(standing.models) == models
        else f" of the {len(standing.models)} of {models} models that can be judged"
    )


def _round_up(value: float, decimals: int) -> float:
    """Round a loss so that what is printed is not less than it."""
    return float(math.ceil(round(value * 10**decimals, 6)) / 10**decimals)
