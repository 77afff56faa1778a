"""What can be told apart: the models of a split ranked, with intervals and groups. Pure."""

from collections.abc import Iterator, Mapping

import numpy as np

from sweep.metrics import with_blank, with_unit
from sweep.planning.expand import list_backbones
from sweep.report.cells import Cell, Column, MeanCell, Row, Table
from sweep.report.inference import Inference, Ranking
from sweep.report.methods import (
    CLASSIFIERS,
    SMALLEST_DIFFERENCE,
    describe_comparisons,
    describe_intervals,
    warn_of_selection,
)
from sweep.report.study import Study
from sweep.report.tables.build import make_table, rest_on
from sweep.report.tables.complexities import MILLION, count_costs
from sweep.report.words import format_mean


def make_ranking(study: Study, inference: Inference, split: str) -> Table:
    """Rank the models of a split; letters say which of them cannot be told apart."""
    metric, ranking = study.metric, inference.rankings[split]
    columns = (
        Column("rank", "rank", 0),
        Column("backbone", "backbone"),
        Column("mean", metric.label, metric.decimals, metric.unit),
        Column("lower", "95 % from", metric.decimals, metric.unit),
        Column("upper", "to", metric.decimals, metric.unit),
        Column("groups", "groups"),
    )
    ranks = _rank_models(study, split)
    return make_table(
        study.frames,
        f"ranking_{split.replace('/', '-')}",
        f"What can be told apart at {split}: models ranked by test {metric.label}",
        columns,
        tuple(_make_row(inference, (name, split), study.cells[name, split], rank) for name, rank in ranks.items()),
        finding=_describe_ties(study, ranking, split, ranks),
        notes=tuple(_note_ranking(study, ranking)),
        methods=(describe_intervals(metric), describe_comparisons(metric), SMALLEST_DIFFERENCE, CLASSIFIERS),
        keys=2,
    )


def make_pairs(study: Study, inference: Inference) -> Table:
    """Every pair of models of every split: the difference of their means, its standard error, adjusted p-values."""
    metric = study.metric
    unit, decimals = metric.difference_unit, metric.decimals + 1
    columns = (
        Column("split", "split"),
        Column("first", "first"),
        Column("second", "second"),
        Column("difference", with_unit("first - second", unit), decimals, unit),
        Column("standard_error", "standard error", decimals, unit),
        Column("p_value", "adjusted p", 4),
        Column("distinct", "told apart"),
        Column("classifier_p_value", "adjusted p as classifiers", 4),
    )
    rows = tuple(row for split, ranking in inference.rankings.items() for row in _list_pairs(study, split, ranking))
    methods = (describe_comparisons(metric), CLASSIFIERS)
    title = f"Paired comparisons of test {metric.label}"
    return make_table(study.frames, "pairs", title, columns, rows, methods=methods, keys=3, is_detail=True)


def _rank_models(study: Study, split: str) -> dict[str, int | None]:
    """Return the models of a split with their ranks, the best first; those without all shuffles last and without."""
    cells = {str(backbone): study.cells[str(backbone), split] for backbone in list_backbones(study.frames.spec)}
    scores = {name: study.metric.direction.sign * (cell.number or 0.0) for name, cell in cells.items()}
    comparable = [name for name, cell in cells.items() if cell.is_comparable]
    ranks: dict[str, int | None] = {
        name: 1 + sum(scores[other] > scores[name] for other in comparable)
        for name in sorted(comparable, key=lambda name: -scores[name])
    }
    return ranks | {name: None for name in cells if name not in ranks}


def _make_row(inference: Inference, key: tuple[str, str], cell: MeanCell, rank: int | None) -> Row:
    interval, letters = inference.intervals[key], inference.rankings[key[1]].letters
    return (
        rest_on(cell, rank),
        Cell(key[0]),
        cell,
        rest_on(cell, interval.lower if interval else None),
        rest_on(cell, interval.upper if interval else None),
        rest_on(cell, letters.get(key[0])),
    )


def _describe_ties(study: Study, ranking: Ranking, split: str, ranks: Mapping[str, int | None]) -> str:
    """Say which models cannot be told from the best, and which of these is cheapest."""
    if ranking.comparisons is None:
        shuffles = len(study.frames.spec.grid.shuffle)
        return (
            f"What can be told apart at {split}: cannot tell. It takes two or more models with all of two or more "
            f"shuffles finished; shuffles of the sweep: {shuffles}, models with all of them: {len(ranking.backbones)}."
        )
    best = [name for name, rank in ranks.items() if rank == 1]
    distinct = ranking.comparisons.is_distinct[ranking.backbones.index(best[0])]
    tied = [name for name, is_distinct in zip(ranking.backbones, distinct, strict=True) if not is_distinct]
    mean = format_mean(study.cells[best[0], split], study.metric)
    models = f"{split}, {len(ranking.backbones)} models: the best mean is {mean}, of {', '.join(best)}"
    others, alike = len(ranking.backbones) - 1, len(tied) - 1
    if not alike:
        return f"{models}; it can be told apart from all others."
    costs = {str(backbone): cost.mult_adds / MILLION for backbone, cost in count_costs(study.frames).items()}
    cheapest = min((name for name in tied if name != best[0]), key=costs.__getitem__)
    told = "none" if alike == others else str(others - alike)
    return (
        f"{models}; {told} of the {others} others can be told apart from it. The cheapest model that cannot: "
        f"{cheapest} ({costs[cheapest]:.2f} M mult-adds)."
    )


def _note_ranking(study: Study, ranking: Ranking) -> Iterator[str]:
    yield from warn_of_selection(study.select)
    left_out = len(list_backbones(study.frames.spec)) - len(ranking.backbones)
    if left_out:
        yield f"Models left without rank and comparison, since not all of their shuffles have finished: {left_out}."
    if ranking.comparisons is None or ranking.classifiers is None:
        return
    metric, shuffles = study.metric, len(study.frames.spec.grid.shuffle)
    smallest = "cannot tell"
    if ranking.detectable is not None:
        smallest = with_blank(f"about {ranking.detectable:.{metric.decimals}f}", metric.difference_unit)
    yield f"Smallest difference that {shuffles} shuffles can show: {smallest}."
    told, as_classifiers = (found.is_distinct.sum() // 2 for found in (ranking.comparisons, ranking.classifiers))
    pairs = len(ranking.backbones) * (len(ranking.backbones) - 1) // 2
    yield f"Pairs told apart: {told} of {pairs}; as classifiers: {as_classifiers} of {pairs}."
    yield "The best of several means is too high on average, since it is picked by the same images."


def _list_pairs(study: Study, split: str, ranking: Ranking) -> Iterator[Row]:
    found, classifiers = ranking.comparisons, ranking.classifiers
    if found is None or classifiers is None:
        return
    for first, second in zip(*np.triu_indices(len(ranking.backbones), 1), strict=True):
        names = ranking.backbones[first], ranking.backbones[second]
        cells = [study.cells[name, split] for name in names]
        both = Cell(None, finished=sum(c.finished for c in cells), planned=sum(c.planned for c in cells))
        error = float(found.standard_errors[first, second])
        yield (
            Cell(split),
            *map(Cell, names),
            rest_on(both, float(found.differences[first, second])),
            rest_on(both, error if np.isfinite(error) else None),
            rest_on(both, float(found.p_values[first, second])),
            rest_on(both, "yes" if found.is_distinct[first, second] else "no"),
            rest_on(both, float(classifiers.p_values[first, second])),
        )
