"""How the models of a block stand to the best of them, and to each other. Pure."""

from collections.abc import Iterator

import numpy as np

from sweep.metrics import with_unit
from sweep.report.cells import Cell, Column, Row, Table
from sweep.report.inference import Inference, Standing
from sweep.report.layout import CellKey
from sweep.report.methods import describe_comparisons, warn_of_selection
from sweep.report.study import Study
from sweep.report.tables.build import MODEL, head_block, like, make_table


def make_standing(study: Study, inference: Inference) -> Iterator[Table]:
    """Yield every model with what it may lose against, or lead, the best of the others; a table for each block."""
    metric = study.metric
    unit, decimals = metric.difference_unit, metric.decimals + 1
    columns = (
        Column("rank", "rank", 0),
        MODEL,
        Column("mean", metric.label, metric.decimals, metric.unit),
        Column("lower", with_unit("less the best of the others, from", unit), decimals, unit),
        Column("upper", "to", decimals, unit),
        Column("verdict", "verdict"),
    )
    for block, standing in inference.standings.items():
        names, ranks = study.list_models(block), _rank_models(standing)
        ordered = sorted(names, key=lambda name: ranks.get(name, len(names) + 1))
        rows = tuple(_make_row(study, standing, (name, block), ranks.get(name)) for name in ordered)
        more = {"notes": tuple(_note_standing(study, inference, block)), "part": block, "keys": 2, "is_detail": True}
        methods = describe_comparisons(inference, study.layout)
        title = f"Against the best at {block}: test {metric.title}"
        yield make_table(study.frames, "standing", title, columns, rows, methods=methods, **more)


def make_pairs(study: Study, inference: Inference) -> Iterator[Table]:
    """Yield every pair of models of a block: the difference of their means, its bounds and adjusted p-value."""
    metric = study.metric
    unit, decimals = metric.difference_unit, metric.decimals + 1
    columns = (
        head_block(study.layout),
        Column("first", "first"),
        Column("second", "second"),
        Column("difference", with_unit("first - second", unit), decimals, unit),
        Column("lower", "95 % from", decimals, unit),
        Column("upper", "to", decimals, unit),
        Column("standard_error", "standard error", decimals, unit),
        Column("p_value", "adjusted p", 5),
        Column("distinct", "told apart"),
    )
    rows = tuple(row for block, standing in inference.standings.items() for row in _list_pairs(study, block, standing))
    title = f"All pairs of models: differences of test {metric.title}"
    methods = describe_comparisons(inference, study.layout)
    yield make_table(study.frames, "pairs", title, columns, rows, methods=methods, keys=3, is_detail=True)


def _rank_models(standing: Standing) -> dict[str, int]:
    """Rank the models that can be compared; equal means share a rank."""
    means = np.round(standing.means, 10)
    if not len(means):
        return {}
    return {name: 1 + int((means > mean).sum()) for name, mean in zip(standing.models, means, strict=True)}


def _make_row(study: Study, standing: Standing, key: CellKey, rank: int | None) -> Row:
    name, cell, lower, upper = key[0], study.cells[key], None, None
    if standing.ranks is not None and name in standing.models:
        place = standing.models.index(name)
        lower, upper = float(standing.ranks.lower[place]), float(standing.ranks.upper[place])
    verdict = standing.verdicts.get(name)
    return (
        like(cell, rank),
        Cell(name),
        cell,
        like(cell, lower),
        like(cell, upper),
        like(cell, None if standing.ranks is None or verdict is None else verdict.value),
    )


def _note_standing(study: Study, inference: Inference, block: str) -> Iterator[str]:
    yield from warn_of_selection(study.select)
    standing, metric = inference.standings[block], study.metric
    cells = [study.cells[model, block] for model in study.list_models(block)]
    unfinished = sum(not cell.is_finished for cell in cells)
    if unfinished:
        over = f"all {study.layout.repeats_word} of the others"
        yield f"Models left out, since they have not finished {over}: {unfinished}."
    undefined = len(cells) - unfinished - len(standing.models)
    if undefined:
        yield f"Models left out, since the {metric.title} is not defined for their answers, or not known: {undefined}."
    if standing.pairs is not None:
        told, models = int(standing.pairs.is_distinct.sum()) // 2, len(standing.models)
        pairs = f"Pairs of models told apart: {told} of {models * (models - 1) // 2}."
        yield f"The margin is {inference.describe_margin(metric)}. {pairs}"


def _list_pairs(study: Study, block: str, standing: Standing) -> Iterator[Row]:
    found = standing.pairs
    if found is None:
        return
    for first, second in zip(*np.triu_indices(len(standing.models), 1), strict=True):
        names = standing.models[first], standing.models[second]
        cells = [study.cells[name, block] for name in names]
        both = Cell(None, finished=sum(c.finished for c in cells), planned=sum(c.planned for c in cells))
        numbers = (found.differences, found.lower, found.upper, found.standard_errors, found.p_values)
        values = [float(each[first, second]) for each in numbers]
        yield (
            Cell(block),
            *map(Cell, names),
            *(like(both, value) for value in values),
            like(both, "yes" if found.is_distinct[first, second] else "no"),
        )
