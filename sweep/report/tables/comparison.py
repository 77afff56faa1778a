"""Our cells beside published ones. Pure."""

from collections.abc import Iterator

import numpy as np

from sweep.metrics import with_blank, with_unit
from sweep.report.cells import Cell, Column, Row, Table
from sweep.report.inference import Inference
from sweep.report.layout import CellKey
from sweep.report.methods import INSIDE, describe_intervals, warn_of_selection
from sweep.report.profiles import PROFILES
from sweep.report.published import PublishedMeans
from sweep.report.statistics.comparisons import rank_correlation
from sweep.report.study import Study
from sweep.report.tables.build import MODEL, head_block, like, make_table


def make_comparison(study: Study, inference: Inference) -> Iterator[Table]:
    """Yield ours, theirs, the difference, and whether theirs lies inside our interval, cell by cell."""
    metric, published = study.metric, study.published
    if published is None:
        return
    decimals, unit = metric.decimals, metric.unit
    columns = (
        MODEL,
        head_block(study.layout),
        Column("ours", with_unit("ours", unit), decimals, unit),
        Column("lower", "95 % from", decimals + 1, unit),
        Column("upper", "to", decimals + 1, unit),
        Column("theirs", "theirs", decimals, unit),
        Column("theirs_std", "±", decimals + 1, unit),
        Column("difference", "ours - theirs", decimals, unit),
        Column("inside", "in our interval"),
    )
    rows = tuple(_compare(study, inference, published, key) for key in study.cells)
    title = f"Against the figures of {published.name}: test {metric.label}"
    notes = (*warn_of_selection(study.select), *summarise_published(study, inference, published))
    more = {"notes": notes, "methods": (describe_intervals(metric), INSIDE), "keys": 2, "is_detail": True}
    yield make_table(study.frames, "against", title, columns, rows, **more)


def _compare(study: Study, inference: Inference, published: PublishedMeans, key: CellKey) -> Row:
    cell, interval, theirs = study.cells[key], inference.intervals[key], published.means.get(key)
    difference = None if theirs is None or cell.number is None else cell.number - theirs
    inside = None if interval is None else "yes" if theirs is not None and theirs in interval else "no"
    return (
        Cell(key[0]),
        Cell(key[1]),
        cell,
        like(cell, interval.lower if interval else None),
        like(cell, interval.upper if interval else None),
        Cell(theirs),
        Cell(published.stds.get(key)),
        Cell(difference, (), cell.finished, cell.planned),
        Cell(None) if difference is None else like(cell, inside),
    )


def summarise_published(study: Study, inference: Inference, published: PublishedMeans) -> Iterator[str]:
    """Say in a few sentences how our means lie to published ones."""
    pairs = _list_pairs(study, published)
    if not pairs:
        over = f"all {study.layout.repeats_word}"
        yield f"Against {published.name}: cannot tell, no mean over {over} has a figure of theirs beside it."
        return
    told = {key: interval for key in pairs if (interval := inference.intervals[key]) is not None}
    inside = sum(published.means[key] in interval for key, interval in told.items())
    values, decimals = np.array([ours - theirs for ours, theirs in pairs.values()]), study.metric.decimals + 1
    yield (
        f"Figures of {published.name} inside our 95 % interval: "
        + (f"{inside} of {len(told)}" if told else "cannot tell")
        + (f" ({len(pairs) - len(told)} more cannot be told)" if 0 < len(told) < len(pairs) else "")
        + f". Mean absolute difference {np.abs(values).mean():.{decimals}f}, mean difference (ours - theirs) "
        f"{values.mean():+.{decimals}f}, largest "
        f"{with_blank(f'{values[np.abs(values).argmax()]:+.{decimals}f}', study.metric.difference_unit)}."
    )
    if published.strangers:
        count, example = len(published.strangers), published.strangers[0]
        yield f"Figures of cells that this sweep does not have, left out: {count} ({example}, ...)."
    if published.name in PROFILES:
        yield f"{published.name}: {PROFILES[published.name].citation}."
    correlations = ", ".join(_correlate(study, published, block) for block in study.frames.blocks)
    yield f"Rank correlation of the models, ours with theirs (Spearman 1904): {correlations}."


def _list_pairs(study: Study, published: PublishedMeans) -> dict[CellKey, tuple[float, float]]:
    """Return ours and theirs of every cell whose mean is over all repetitions, where both are known."""
    return {
        key: (cell.number, published.means[key])
        for key, cell in study.cells.items()
        if key in published.means and cell.is_comparable and cell.number is not None
    }


def _correlate(study: Study, published: PublishedMeans, block: str) -> str:
    pairs = [pair for (_, where), pair in _list_pairs(study, published).items() if where == block]
    correlation = rank_correlation(*zip(*pairs, strict=True)) if pairs else None
    found = "cannot tell" if correlation is None else f"{correlation:.2f}"
    return f"{found} at {block} ({len(pairs)} models)"
