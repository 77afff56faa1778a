"""What the axes of a grid do by themselves: their main effects, with errors that allow for shared images. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sweep.planning.expand import list_backbones
from sweep.report.inference import Question, is_defined
from sweep.report.statistics.arrays import Floats
from sweep.report.statistics.best import Draws, compare_pairs
from sweep.report.statistics.errors import About, Errors, Evidence
from sweep.report.study import Level, Study, average_level

NETWORK_AXES = {"backbone": "family", "alpha": "alpha", "resolution": "resolution"}  # and what a backbone calls them


@dataclass(frozen=True, slots=True)
class Effect:
    """An axis's main effect at a split (None: over all of them), as means of its levels in the printed unit.

    `difference` is that of the two levels that lie furthest apart, `high` less `low`, with bounds that hold for all
    pairs of levels at once in 95 % of studies, and its p-value adjusted likewise.
    """

    axis: str
    split: str | None
    levels: tuple[str, ...]
    means: tuple[float, ...]
    high: str
    low: str
    difference: float
    lower: float
    upper: float
    p_value: float


def list_effects(study: Study, about: About) -> tuple[Effect, ...]:
    """List the main effects of every axis with two levels or more; of a split, where all of its models are there."""
    question = Question.ask(study, study.metric, about)
    splits = [str(split) for split in study.frames.spec.grid.split]
    models = len(list_backbones(study.frames.spec))
    whole = [split for split in splits if len(question.list_complete(split)) == models]
    effects = [effect for axis in NETWORK_AXES for split in whole for effect in _find_network(question, axis, split)]
    effects += [effect for split in splits for effect in _find_rates(question, split)]
    if len(splits) > 1 and whole == splits:
        effects += _find_splits(question, splits)
    return tuple(effects)


def _find_network(question: Question, axis: str, split: str) -> Iterator[Effect]:
    spec = question.study.frames.spec
    levels: Sequence[Any] = getattr(spec.grid, axis)
    if len(levels) < 2:
        return
    backbones = list_backbones(spec)
    groups = [[str(each) for each in backbones if getattr(each, NETWORK_AXES[axis]) == level] for level in levels]
    names = [level if isinstance(level, str) else f"{level:g}" for level in levels]
    places = range(len(spec.grid.shuffle))
    shuffles = [[_average(question, group, split, place) for group in groups] for place in places]
    yield from _compare_levels(question, axis, split, names, shuffles)


def _find_rates(question: Question, split: str) -> Iterator[Effect]:
    shuffles = question.study.rates.get(split)
    if shuffles:
        names = [f"{rate:g}" for rate in question.study.frames.spec.grid.learning_rate]
        yield from _compare_levels(question, "learning rate", split, names, shuffles)


def _find_splits(question: Question, splits: Sequence[str]) -> Iterator[Effect]:
    """Compare splits, whose shuffles are not paired: each split divides the images anew."""
    places = range(len(question.study.frames.spec.grid.shuffle))
    models = question.list_complete(splits[0])
    tested = [[_test(question, [_average(question, models, split, place)]) for place in places] for split in splits]
    if all(is_defined(own) for own in tested):
        designs = [question.describe_design(split) for split in splits]
        errors = Errors.estimate_apart(list(zip(tested, designs, strict=True)))
        means = np.array([np.mean([each.values[0] for each in own]) for own in tested])
        yield from _judge(question, ("split", None), splits, means, errors)


def _average(question: Question, models: Sequence[str], split: str, place: int) -> Level:
    """Average some models in one shuffle, the `place`-th."""
    return average_level(question.metric, [question.study.readouts[name, split][place] for name in models])


def _compare_levels(
    question: Question, axis: str, split: str, names: Sequence[str], shuffles: Sequence[Sequence[Level]]
) -> Iterator[Effect]:
    tested = [_test(question, levels) for levels in shuffles]
    errors = question.estimate_from(tested, split)
    if errors is not None:
        means = np.mean([each.values for each in tested], axis=0)
        yield from _judge(question, (axis, split), names, means, errors)


def _test(question: Question, levels: Sequence[Level]) -> Evidence:
    images, scale = levels[0].images, question.metric.scale
    values = scale * np.array([level.value for level in levels])
    influences = scale * np.array([level.influences for level in levels])
    return Evidence(values, influences, question.patients[images], np.any([level.counts for level in levels], axis=0))


def _judge(
    question: Question, where: tuple[str, str | None], names: Sequence[str], means: Floats, errors: Errors
) -> Iterator[Effect]:
    if not errors.is_known:
        return
    pairs = compare_pairs(means, Draws.of(errors, question.metric.whole))
    *_, high = order = np.argsort(means, kind="stable")
    low = order[0]
    most = question.metric.whole or np.inf  # no two percentages differ by more
    lower, upper = (float(np.clip(each[high, low], -most, most)) for each in (pairs.lower, pairs.upper))
    found = float(pairs.differences[high, low]), lower, upper, float(pairs.p_values[high, low])
    yield Effect(*where, tuple(names), tuple(map(float, means)), names[high], names[low], *found)
