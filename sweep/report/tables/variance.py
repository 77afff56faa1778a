"""Where the variance comes from: how much of it goes with each axis of the grid. Pure."""

from dataclasses import dataclass
from typing import Self

import pandas as pd

from sweep.metrics import with_unit
from sweep.report.cells import Cell, Column, Mark, Row, Table
from sweep.report.frames import Status
from sweep.report.methods import VARIANCE
from sweep.report.statistics.variance import VarianceShares, variance_shares
from sweep.report.study import Study, list_trials_behind
from sweep.report.tables.build import make_table

FACTORS = {
    "split": "split",
    "shuffle": "shuffle (within its split)",
    "learning_rate": "learning rate",
    "steps": "steps",
    "family": "backbone",
    "alpha": "alpha",
    "resolution": "resolution",
}
NESTED = {"shuffle": "split"}
REST = "interactions and chance"
MOST_NAMED = 2  # factors in the finding


def make_variance(study: Study) -> Table:
    """Shares of the variation of the metric on the test images, over all trials and over those behind Table 4."""
    metric, trials = study.metric, study.frames.trials
    finished = trials[(trials["status"] == Status.SUCCESS) & trials[f"test_{metric.name}"].notna()]
    everywhere = _Shares.of(study, finished, len(trials))
    behind = _Shares.of(
        study,
        list_trials_behind(finished, study.cells),
        len(study.cells) * len(study.frames.spec.grid.shuffle),
    )
    factors = [name for name in FACTORS if name != "family" or len(study.frames.spec.grid.backbone) > 1]
    spread = with_unit("range of means", metric.difference_unit)
    columns = (
        Column("factor", "factor"),
        Column("levels", "levels", 0),
        Column("share_percent", "share, all trials (%)", 1, "%"),
        Column("range", spread, metric.decimals + 1, metric.difference_unit),
        Column("chosen_share_percent", "share, trials of Table 4 (%)", 1, "%"),
        Column("chosen_range", spread, metric.decimals + 1, metric.difference_unit),
    )
    rows: list[Row] = [
        (Cell(FACTORS[name]), Cell(trials[name].nunique()), *everywhere.show(name), *behind.show(name))
        for name in factors
    ]
    rows.append((Cell(REST), Cell(None), everywhere.show_rest(), Cell(None), behind.show_rest(), Cell(None)))
    title = f"Where the variance of test {metric.label} comes from"
    more = {"notes": (everywhere.describe(),), "methods": (VARIANCE,), "is_detail": True}
    return make_table(study.frames, "variance", title, columns, tuple(rows), **more)


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
            found = variance_shares(values, {name: trials[name].to_numpy() for name in FACTORS}, NESTED)
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

    def describe(self) -> str:
        """Name the largest shares."""
        if self.found is None or self.found.rest is None:
            return "Where the variance comes from: cannot tell."
        shares = {name: share for name, share in self.found.shares.items() if share is not None}
        largest = sorted(shares, key=lambda name: -shares[name])[:MOST_NAMED]
        named = ", ".join(f"{FACTORS[name]} {100 * shares[name]:.1f} %" for name in largest)
        rest = f"{REST} {100 * self.found.rest:.1f} %"
        return f"Largest shares of the variance over all trials: {named}; {rest}."

    def _make_cell(self, value: float | None) -> Cell:
        return Cell(value, () if value is not None else (Mark.CANNOT_TELL,), self.finished, self.planned)
