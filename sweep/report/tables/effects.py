"""What each axis of the grid does by itself. Pure."""

from collections.abc import Iterator

from sweep.metrics import with_unit
from sweep.report.cells import Cell, Column, Row, Table
from sweep.report.effects import Effect, list_effects
from sweep.report.inference import Inference
from sweep.report.methods import EFFECTS, warn_of_selection
from sweep.report.study import Study
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
    effects = list_effects(study, inference)
    rows = tuple(_make_row(study, effect) for effect in effects)
    notes = (
        *warn_of_selection(study.select),
        f"Compared axes: means over the models of {study.frames.profile.mention('means')}; tuned ones: over all models "
        "at the last read-out. An axis that is not crossed with all others has no effect of its own. Bounds and "
        "p-values are for all pairs of an axis's levels together."
        if effects
        else "No axis has two levels that are finished for all models: there is no effect to estimate.",
    )
    title = f"Main effects of the axes on test {metric.title}"
    yield make_table(study.frames, "effects", title, columns, rows, notes=notes, methods=(EFFECTS,), keys=2)


def _make_row(study: Study, effect: Effect) -> Row:
    levels = zip(effect.levels, effect.means, strict=True)
    cells = [cell for (_, block), cell in study.cells.items() if effect.block in (None, block)]
    behind = Cell(None, finished=sum(cell.finished for cell in cells), planned=sum(cell.planned for cell in cells))
    numbers = (effect.difference, effect.lower, effect.upper, effect.p_value)
    return (
        Cell(effect.axis),
        Cell(effect.block or "all"),
        Cell(", ".join(f"{name}: {mean:.{study.metric.decimals}f}" for name, mean in levels)),
        *(like(behind, number) for number in numbers),
    )
