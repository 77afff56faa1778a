"""What each axis of the grid does by itself: main effects, with errors that allow for shared images. Pure."""

from collections.abc import Iterator, Sequence

import numpy as np

from sweep.axes import Axis
from sweep.metrics import with_unit
from sweep.report.cells import Cell, Column, Row, Table
from sweep.report.inference import Inference, Question, is_defined
from sweep.report.layout import cross
from sweep.report.methods import EFFECTS, warn_of_selection
from sweep.report.statistics.arrays import Floats
from sweep.report.statistics.best import Draws, compare_pairs
from sweep.report.statistics.errors import Errors
from sweep.report.study import Level, Study, average_levels
from sweep.report.tables.build import head_block, like, make_table


def make_effects(study: Study, inference: Inference) -> Iterator[Table]:
    """Yield the main effect of every axis: means of its levels, and the largest difference with bounds and p-value."""
    metric = study.metric
    unit, decimals = metric.difference_unit, metric.decimals + 1
    columns = (
        Column("axis", "axis"),
        head_block(study.layout),
        Column("means", with_unit("means of its levels", metric.unit)),
        Column("difference", with_unit("largest difference", unit), decimals, unit),
        Column("lower", "95 % from", decimals, unit),
        Column("upper", "to", decimals, unit),
        Column("p_value", "adjusted p", 5),
    )
    rows = tuple(_list_effects(study, inference.question))
    notes = (
        *warn_of_selection(study.select),
        f"Compared axes: means over the models of {study.frames.profile.mention('means')}; tuned ones: over all models "
        "at the last read-out of each. An axis that is not crossed with all others has no effect of its own. Bounds "
        "and p-values are for all pairs of an axis's levels together."
        if rows
        else "No axis has two levels that are finished for all models: there is no effect to estimate.",
    )
    title = f"Main effects of the axes on test {metric.title}"
    yield make_table(study.frames, "effects", title, columns, rows, notes=notes, methods=(EFFECTS,), keys=2)


def _list_effects(study: Study, question: Question) -> Iterator[Row]:
    """Yield the main effect of every axis that is crossed with all others; in a block, where all models are there."""
    blocks, layout = list(study.frames.blocks), study.layout
    whole = [block for block in blocks if question.list_complete(block) == study.list_models(block)]
    for axis in layout.of_models:
        for block in whole:
            yield from _compare_models(question, axis, block)
    for name, block in sorted(study.levels, key=lambda key: list(layout.axes).index(layout[key[0]])):
        yield from _compare_levels(question, layout[name], block, study.levels[name, block])
    if len(blocks) > 1 and whole == blocks and len({tuple(study.list_models(block)) for block in blocks}) == 1:
        yield from _compare_blocks(question, blocks)


def _compare_models(question: Question, axis: Axis, block: str) -> Iterator[Row]:
    models, layout = question.study.list_models(block), question.study.layout
    names = [axis.name, *(other.name for other in layout.of_models if other.varies)]  # the others follow from these
    groups = cross([{name: question.study.frames.models[model][name] for name in names} for model in models], axis)
    if groups:
        places = range(len(question.measure(models[0], block)))
        averages = [[_average(question, [models[at] for at in own], block, each) for own in groups] for each in places]
        yield from _compare_levels(question, axis, block, averages)


def _compare_blocks(question: Question, blocks: Sequence[str]) -> Iterator[Row]:
    """Compare blocks, whose repetitions are not paired: each divides the images anew."""
    models, layout = question.study.list_models(blocks[0]), question.study.layout
    counts = [len(question.measure(models[0], block)) for block in blocks]
    tested = [
        [question.test([_average(question, models, block, place)]) for place in range(count)]
        for block, count in zip(blocks, counts, strict=True)
    ]
    if len(set(counts)) == 1 and all(is_defined(own) for own in tested):
        designs = [question.describe_design(block) for block in blocks]
        errors = Errors.estimate_apart(list(zip(tested, designs, strict=True)))
        means = np.array([np.mean([each.values[0] for each in own]) for own in tested])
        yield from _judge(question, (layout.block_word, None), blocks, means, errors)


def _average(question: Question, models: Sequence[str], block: str, place: int) -> Level:
    """Average some models in one repetition, the `place`-th."""
    return average_levels([question.list_levels(model, block)[place] for model in models])


def _compare_levels(question: Question, axis: Axis, block: str, repeats: Sequence[Sequence[Level]]) -> Iterator[Row]:
    tested = [question.test(levels) for levels in repeats]
    errors = question.estimate_from(tested, block)
    if errors is not None:
        names = [question.study.layout.spell(axis.name, value) for value in axis.values]
        means = np.mean([each.values for each in tested], axis=0)
        yield from _judge(question, (axis.title, block), names, means, errors)


def _judge(
    question: Question, where: tuple[str, str | None], names: Sequence[str], means: Floats, errors: Errors
) -> Iterator[Row]:
    """Yield the row of an axis in a block (None: over all of them): the two levels that lie furthest apart."""
    if not errors.is_known:
        return
    pairs = compare_pairs(means, Draws.of(errors, question.metric.whole))
    *_, high = order = np.argsort(means, kind="stable")
    low = order[0]
    most = question.metric.whole or np.inf  # no two percentages differ by more
    bounds = (float(np.clip(each[high, low], -most, most)) for each in (pairs.lower, pairs.upper))
    title, block = where
    cells = [cell for (_, each), cell in question.study.cells.items() if block in (None, each)]
    behind = Cell(None, finished=sum(cell.finished for cell in cells), planned=sum(cell.planned for cell in cells))
    levels = (f"{name}: {mean:.{question.metric.decimals}f}" for name, mean in zip(names, means, strict=True))
    numbers = (float(pairs.differences[high, low]), *bounds, float(pairs.p_values[high, low]))
    yield Cell(title), Cell(block or "all"), Cell(", ".join(levels)), *(like(behind, number) for number in numbers)
