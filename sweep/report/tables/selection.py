"""What choosing on the test images would have added. Pure."""

from collections.abc import Iterator, Mapping

import numpy as np

from sweep.metrics import with_blank, with_unit
from sweep.report.cells import Cell, Column, MeanCell, Row, Selection, Table
from sweep.report.choices import make_mean_cells
from sweep.report.inference import Inference
from sweep.report.layout import CellKey
from sweep.report.methods import OPTIMISM
from sweep.report.study import Study
from sweep.report.tables.build import MODEL, head_block, like, make_table


def make_selection(study: Study, _: Inference) -> Iterator[Table]:
    """Yield what was chosen on validation beside the best on test, and the optimism; nothing where nothing is tuned."""
    metric, layout, unit = study.metric, study.layout, study.metric.difference_unit
    if not layout.tuned:
        return
    honest, best = (
        study.cells if select is study.select else make_mean_cells(study.frames, metric, select) for select in Selection
    )
    columns = (
        MODEL,
        head_block(layout),
        Column("chosen_on_validation", with_unit("chosen on validation", metric.unit), metric.decimals, metric.unit),
        Column("chosen_configuration", layout.choice_words),
        Column("best_on_test", with_unit("best on test", metric.unit), metric.decimals, metric.unit),
        Column("best_configuration", layout.choice_words),
        Column("optimism", with_unit("optimism", unit), metric.decimals + 1, unit),
    )
    rows = tuple(_make_row(study, key, honest[key], best[key]) for key in study.cells)
    title = f"Selection: test {metric.label}, {layout.choice_words} chosen on validation or best on test"
    notes = tuple(_note_optimism(study, honest, rows))
    more = {"notes": notes, "methods": (OPTIMISM,), "keys": 2, "is_detail": True}
    yield make_table(study.frames, "selection", title, columns, rows, **more)


def _make_row(study: Study, key: CellKey, honest: MeanCell, best: MeanCell) -> Row:
    optimism = None
    if honest.number is not None and best.number is not None:
        optimism = study.metric.direction.sign * (best.number - honest.number) + 0.0  # no negative zero
    return (
        Cell(key[0]),
        Cell(key[1]),
        honest,
        _show_configuration(study, honest),
        best,
        _show_configuration(study, best),
        like(honest, optimism),
    )


def _show_configuration(study: Study, cell: MeanCell) -> Cell:
    return like(cell, ", ".join(study.layout.spell(name, value) for name, value in cell.choice.items()) or None)


def _note_optimism(study: Study, honest: Mapping[CellKey, MeanCell], rows: tuple[Row, ...]) -> Iterator[str]:
    comparable = [cell.is_comparable for cell in honest.values()]
    known = [row[-1].number for row, is_in in zip(rows, comparable, strict=True) if is_in]
    optimism = np.array([number for number in known if number is not None])
    if not len(optimism):
        over = f"all {study.layout.repeats_word}"
        yield f"Optimism of choosing on test: cannot tell, since no cell has a mean over {over}."
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
