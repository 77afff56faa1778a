"""Where the variance comes from: how much of it goes with each axis of the grid. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import pandas as pd

from sweep.axes import Layer
from sweep.metrics import with_unit
from sweep.report.cells import Cell, Column, Mark, Row, Table
from sweep.report.frames import Status
from sweep.report.inference import Inference
from sweep.report.layout import Layout
from sweep.report.methods import describe_variance
from sweep.report.statistics.variance import VarianceShares, variance_shares
from sweep.report.study import Study, list_trials_behind
from sweep.report.tables.build import make_table

REST = "interactions and chance"
MOST_NAMED = 2  # factors in the finding


def make_variance(study: Study, _: Inference) -> Iterator[Table]:
    """Yield shares of the variation of the test metric, over all trials and over those behind the means."""
    metric, trials, layout = study.metric, study.frames.trials, study.layout
    finished = trials[(trials["status"] == Status.SUCCESS) & trials[f"test_{metric.name}"].notna()]
    everywhere = _Shares.of(study, finished, len(trials))
    behind = list_trials_behind(finished, study.cells)
    chosen = _Shares.of(study, behind, sum(cell.repeats_planned for cell in study.cells.values()))
    spread = with_unit("range of means", metric.difference_unit)
    columns = (
        Column("factor", "factor"),
        Column("levels", "levels", 0),
        Column("share_percent", "share, all trials (%)", 1, "%"),
        Column("range", spread, metric.decimals + 1, metric.difference_unit),
        Column("chosen_share_percent", f"share, trials of {study.frames.profile.mention('means')} (%)", 1, "%"),
        Column("chosen_range", spread, metric.decimals + 1, metric.difference_unit),
    )
    rows: list[Row] = [
        (Cell(title), Cell(len(layout[name].values)), *everywhere.show(name), *chosen.show(name))
        for name, title in _name_factors(layout).items()
    ]
    rows.append((Cell(REST), Cell(None), everywhere.show_rest(), Cell(None), chosen.show_rest(), Cell(None)))
    title = f"Where the variance of test {metric.label} comes from"
    more = {"notes": (everywhere.describe(layout),), "methods": (describe_variance(layout),), "is_detail": True}
    yield make_table(study.frames, "variance", title, columns, tuple(rows), **more)


def _name_factors(layout: Layout) -> dict[str, str]:
    """Return the axes that vary, by name, in words: those of the partition first."""
    blocks = [axis for axis in layout.compared if axis.layer is Layer.PARTITION]
    nested = f" (within its {layout.block_word})" if blocks else ""
    titles = {axis.name: axis.title for axis in (*blocks, *layout.repeated, *layout.tuned, *layout.compared)}
    return titles | {axis.name: axis.title + nested for axis in layout.repeated}


@dataclass(frozen=True, slots=True)
class _Shares:
    """Shares of variance over some trials; None below two."""

    found: VarianceShares | None
    finished: int
    planned: int

    @classmethod
    def of(cls, study: Study, trials: pd.DataFrame, planned: int) -> Self:
        found = None
        if len(trials) > 1:
            values = study.metric.scale * trials[f"test_{study.metric.name}"].to_numpy(float)
            factors = {name: pd.factorize(trials[name])[0] for name in _name_factors(study.layout)}
            parents = tuple(axis.name for axis in study.layout.compared if axis.layer is Layer.PARTITION)
            nested = {axis.name: parents for axis in study.layout.repeated} | _find_parents(trials[[*factors]])
            found = variance_shares(values, factors, nested)
        return cls(found, len(trials), planned)

    def show(self, factor: str) -> tuple[Cell, Cell]:
        """Return the cells of a factor's share and range."""
        if self.found is None:
            return self._make_cell(None), self._make_cell(None)
        share = self.found.shares[factor]
        return self._make_cell(None if share is None else 100 * share), self._make_cell(self.found.ranges[factor])

    def show_rest(self) -> Cell:
        """Return the cell of what no factor tells."""
        return self._make_cell(100 * self.found.rest if self.found and self.found.rest is not None else None)

    def describe(self, layout: Layout) -> str:
        """Name the largest shares."""
        if self.found is None or self.found.rest is None:
            return "Where the variance comes from: cannot tell."
        titles = _name_factors(layout)
        shares = {name: share for name, share in self.found.shares.items() if share is not None}
        largest = sorted(shares, key=lambda name: -shares[name])[:MOST_NAMED]
        named = ", ".join(f"{titles[name]} {100 * shares[name]:.1f} %" for name in largest)
        rest = f"{REST} {100 * self.found.rest:.1f} %"
        return f"Largest shares of the variance over all trials: {named}; {rest}."

    def _make_cell(self, value: float | None) -> Cell:
        return Cell(value, () if value is not None else (Mark.CANNOT_TELL,), self.finished, self.planned)


def _find_parents(values: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Name the factors that say where a factor applies: momentum is nested in the optimizer."""
    is_none = values.isna()
    partly = [name for name in values if is_none[name].any() and not is_none[name].all()]
    return {
        str(name): tuple(
            str(other)
            for other in values
            if other not in partly and is_none[name].groupby(values[other]).nunique().max() == 1
        )
        for name in partly
    }
