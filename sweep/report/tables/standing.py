"""How the models of a split stand to the best of them, and to each other. Pure."""

from collections.abc import Iterator

import numpy as np

from sweep.metrics import with_unit
from sweep.planning.expand import list_backbones
from sweep.report.cells import Cell, Column, Row, Table
from sweep.report.inference import Inference, Standing
from sweep.report.methods import describe_comparisons, warn_of_selection
from sweep.report.study import Study
from sweep.report.tables.build import make_table, rest_on


def make_standing(study: Study, inference: Inference, split: str) -> Table:
    """Every model of a split with what it may lose against, or lead, the best of the others; the best first."""
    metric, standing = study.metric, inference.standings[split]
    unit, decimals = metric.difference_unit, metric.decimals + 1
    columns = (
        Column("rank", "rank", 0),
        Column("backbone", "backbone"),
        Column("mean", metric.label, metric.decimals, metric.unit),
        Column("lower", with_unit("less the best of the others, from", unit), decimals, unit),
        Column("upper", "to", decimals, unit),
        Column("verdict", "verdict"),
    )
    names = [str(backbone) for backbone in list_backbones(study.frames.spec)]
    ranks = _rank_models(standing)
    ordered = sorted(names, key=lambda name: (ranks.get(name, len(names) + 1), names.index(name)))
    rows = tuple(_make_row(study, standing, split, name, ranks.get(name)) for name in ordered)
    return make_table(
        study.frames,
        f"standing_{split.replace('/', '-')}",
        f"Against the best at {split}: test {metric.title}",
        columns,
        rows,
        notes=tuple(_note_standing(study, inference, split)),
        methods=describe_comparisons(inference),
        keys=2,
        is_detail=True,
    )


def make_pairs(study: Study, inference: Inference) -> Table:
    """Every pair of models of every split: the difference of their means, its bounds and adjusted p-value."""
    metric = study.metric
    unit, decimals = metric.difference_unit, metric.decimals + 1
    columns = (
        Column("split", "split"),
        Column("first", "first"),
        Column("second", "second"),
        Column("difference", with_unit("first - second", unit), decimals, unit),
        Column("lower", "95 % from", decimals, unit),
        Column("upper", "to", decimals, unit),
        Column("standard_error", "standard error", decimals, unit),
        Column("p_value", "adjusted p", 5),
        Column("distinct", "told apart"),
    )
    rows = tuple(row for split, standing in inference.standings.items() for row in _list_pairs(study, split, standing))
    title = f"All pairs of models: differences of test {metric.title}"
    methods = describe_comparisons(inference)
    return make_table(study.frames, "pairs", title, columns, rows, methods=methods, keys=3, is_detail=True)


def count_pairs(standing: Standing) -> tuple[int, int] | None:
    """Return how many pairs are told apart, and of how many; None where there is no comparison."""
    if standing.pairs is None:
        return None
    models = len(standing.models)
    return int(standing.pairs.is_distinct.sum()) // 2, models * (models - 1) // 2


def _rank_models(standing: Standing) -> dict[str, int]:
    """Rank the models that can be compared; equal means share a rank."""
    means = np.round(standing.means, 10)
    if not len(means):
        return {}
    return {name: 1 + int((means > mean).sum()) for name, mean in zip(standing.models, means, strict=True)}


def _make_row(study: Study, standing: Standing, split: str, name: str, rank: int | None) -> Row:
    cell, lower, upper = study.cells[name, split], None, None
    if standing.ranks is not None and name in standing.models:
        place = standing.models.index(name)
        lower, upper = float(standing.ranks.lower[place]), float(standing.ranks.upper[place])
    verdict = standing.verdicts.get(name)
    return (
        rest_on(cell, rank),
        Cell(name),
        cell,
        rest_on(cell, lower),
        rest_on(cell, upper),
        rest_on(cell, None if standing.ranks is None or verdict is None else verdict.value),
    )


def _note_standing(study: Study, inference: Inference, split: str) -> Iterator[str]:
    yield from warn_of_selection(study.select)
    standing, metric = inference.standings[split], study.metric
    cells = [cell for (_, where), cell in study.cells.items() if where == split]
    unfinished = sum(not cell.is_finished for cell in cells)
    if unfinished:
        yield f"Models left out, since not all of their shuffles have finished: {unfinished}."
    undefined = len(cells) - unfinished - len(standing.models)
    if undefined:
        yield f"Models left out, since the {metric.title} is not defined for their answers, or not known: {undefined}."
    told = count_pairs(standing)
    if told is not None:
        yield f"The margin is {inference.describe_margin(metric)}. Pairs of models told apart: {told[0]} of {told[1]}."


def _list_pairs(study: Study, split: str, standing: Standing) -> Iterator[Row]:
    found = standing.pairs
    if found is None:
        return
    for first, second in zip(*np.triu_indices(len(standing.models), 1), strict=True):
        names = standing.models[first], standing.models[second]
        cells = [study.cells[name, split] for name in names]
        both = Cell(None, finished=sum(c.finished for c in cells), planned=sum(c.planned for c in cells))
        numbers = (found.differences, found.lower, found.upper, found.standard_errors, found.p_values)
        values = [float(each[first, second]) for each in numbers]
        yield (
            Cell(split),
            *map(Cell, names),
            *(rest_on(both, value) for value in values),
            rest_on(both, "yes" if found.is_distinct[first, second] else "no"),
        )
