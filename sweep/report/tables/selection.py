"""What choosing on the test images would have added. Pure."""

from collections.abc import Iterator, Mapping

import numpy as np

from sweep.metrics import with_blank, with_unit
from sweep.report.cells import Cell, Column, MeanCell, Row, Selection, Table
from sweep.report.choices import CellKey, make_mean_cells
from sweep.report.methods import OPTIMISM
from sweep.report.study import Study
from sweep.report.tables.build import make_table, rest_on


def make_selection(study: Study) -> Table:
    """Chosen on validation and scored on test beside best on test, and the optimism."""
    metric, trials = study.metric, study.frames.trials
    unit = metric.difference_unit
    honest, best = (
        study.cells if select is study.select else make_mean_cells(trials, metric, select) for select in Selection
    )
    columns = (
        Column("backbone", "backbone"),
        Column("split", "split"),
        Column("chosen_on_validation", with_unit("chosen on validation", metric.unit), metric.decimals, metric.unit),
        Column("chosen_configuration", "rate, steps"),
        Column("best_on_test", with_unit("best on test", metric.unit), metric.decimals, metric.unit),
        Column("best_configuration", "rate, steps"),
        Column("optimism", with_unit("optimism", unit), metric.decimals + 1, unit),
    )
    rows = tuple(_make_row(study, key, honest[key], best[key]) for key in study.cells)
    title = f"Selection: test {metric.label}, learning rate and steps chosen on validation or best on test"
    notes = tuple(_note_optimism(study, honest, rows))
    more = {"notes": notes, "methods": (OPTIMISM,), "keys": 2, "is_detail": True}
    return make_table(study.frames, "selection", title, columns, rows, **more)


def _make_row(study: Study, key: CellKey, honest: MeanCell, best: MeanCell) -> Row:
    optimism = None
    if honest.number is not None and best.number is not None:
        optimism = study.metric.direction.sign * (best.number - honest.number) + 0.0  # no negative zero
    return (
        Cell(key[0]),
        Cell(key[1]),
        honest,
        _show_configuration(honest),
        best,
        _show_configuration(best),
        rest_on(honest, optimism),
    )


def _show_configuration(cell: MeanCell) -> Cell:
    return rest_on(cell, f"{cell.learning_rate:g}, {cell.steps}" if cell.shuffles else None)


def _note_optimism(study: Study, honest: Mapping[CellKey, MeanCell], rows: tuple[Row, ...]) -> Iterator[str]:
    comparable = [cell.is_comparable for cell in honest.values()]
    known = [row[-1].number for row, is_in in zip(rows, comparable, strict=True) if is_in]
    optimism = np.array([number for number in known if number is not None])
    if not len(optimism):
        yield "Optimism of choosing on test: cannot tell, since no cell has a mean over all shuffles."
        return
    unit, decimals = study.metric.difference_unit, study.metric.decimals + 1
    yield (
        f"Optimism of choosing on test: {with_blank(f'{optimism.mean():.{decimals}f}', unit)} on average, "
        f"{optimism.max():.{decimals}f} at most; in {int((optimism == 0).sum())} of {len(optimism)} cells the choice "
        "on validation was as good as the best on test."
    )
    gaps = [
        study.metric.direction.sign * (cell.validation - cell.number)
        for cell in honest.values()
        if cell.is_comparable and cell.validation is not None and cell.number is not None
    ]
    if gaps:
        gap = float(np.mean(gaps))
        by = with_blank(f"{abs(gap):.{decimals}f}", unit)
        comparison = (
            "equal to its test mean" if gap == 0 else f"{'better' if gap > 0 else 'worse'} than its test mean by {by}"
        )
        yield (
            f"The validation mean of the chosen configuration, which it was chosen by, is {comparison} on average: it "
            "is no result to report."
        )
