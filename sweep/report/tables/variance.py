"""Where the variance comes from: how much of it goes with each axis of the grid. Pure."""

from collections.abc import Iterator

import pandas as pd

from sweep.axes import Axis, Layer
from sweep.metrics import with_unit
from sweep.report.cells import Cell, Column, Row, Table
from sweep.report.frames import Status
from sweep.report.inference import Inference
from sweep.report.layout import Layout
from sweep.report.methods import describe_variance
from sweep.report.statistics.variance import VarianceShares, variance_shares
from sweep.report.study import Study
from sweep.report.tables.build import like, make_table

REST = "interactions and chance"
WHOLE_PERCENT = 100.05  # as printed
MOST_NAMED = 2  # factors in the finding


def make_variance(study: Study, _: Inference) -> Iterator[Table]:
    """Yield shares of the variation of the test metric over all finished trials."""
    metric, trials, layout = study.metric, study.frames.trials, study.layout
    finished = trials[(trials["status"] == Status.SUCCESS) & trials[f"test_{metric.name}"].notna()]
    titles, found = _name_factors(layout), _share(study, finished)
    behind = Cell(None, finished=len(finished), planned=len(trials))
    spread = with_unit("range of means", metric.difference_unit)
    columns = (
        Column("factor", "factor"),
        Column("levels", "levels", 0),
        Column("share_percent", "share (%)", 1, "%"),
        Column("range", spread, metric.decimals + 1, metric.difference_unit),
    )
    shares = {name: None if share is None else 100 * share for name, share in found.shares.items()}
    rows: list[Row] = [
        (Cell(title), Cell(len(layout[name].values)), like(behind, shares[name]), like(behind, found.ranges[name]))
        for name, title in titles.items()
    ]
    rest = None if found.rest is None else 100 * found.rest
    rows.append((Cell(REST), Cell(None), like(behind, rest), Cell(None)))
    if rest is None:
        note = "Where the variance comes from: cannot tell."
    elif rest + sum(share or 0.0 for share in shares.values()) > WHOLE_PERCENT:
        note = "The shares overlap, as the grid is not complete: they cannot be ranked."
    else:
        known = [(share, name) for name, share in shares.items() if share is not None]
        largest = sorted(known, key=lambda each: -each[0])[:MOST_NAMED]
        named = ", ".join(f"{titles[name]} {share:.1f} %" for share, name in largest)
        note = f"Largest shares of the variance over all trials: {named}; {REST} {rest:.1f} %."
    title = f"Where the variance of test {metric.label} comes from"
    more = {"notes": (note,), "methods": (describe_variance(layout),), "is_detail": True}
    yield make_table(study.frames, "variance", title, columns, tuple(rows), **more)


def _name_factors(layout: Layout) -> dict[str, str]:
    """Return the axes that vary, by name, in words: those of the partition first."""
    blocks = _list_dividing(layout)
    nested = f" (within its {layout.block_word})" if blocks else ""
    titles = {axis.name: axis.title for axis in (*blocks, *layout.repeated, *layout.tuned, *layout.compared)}
    return titles | {axis.name: axis.title + nested for axis in layout.repeated}


def _share(study: Study, trials: pd.DataFrame) -> VarianceShares:
    values = study.metric.scale * trials[f"test_{study.metric.name}"].to_numpy(float)
    factors = {name: pd.factorize(trials[name])[0] for name in _name_factors(study.layout)}
    parents = tuple(axis.name for axis in _list_dividing(study.layout))
    nested = {axis.name: parents for axis in study.layout.repeated} | _find_parents(trials[[*factors]])
    return variance_shares(values, factors, nested)


def _list_dividing(layout: Layout) -> list[Axis]:
    """List the compared axes of the partition: a repetition of one of their values is none of another."""
    return [axis for axis in layout.compared if axis.layer is Layer.PARTITION]


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
