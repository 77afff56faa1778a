"""The means of a metric, in rows and columns of any compared axes. Pure."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from sweep.metrics import with_blank
from sweep.report.cells import MEANS, Cell, Column, Mark, MeanCell, Selection, Table
from sweep.report.frames import Status
from sweep.report.inference import Inference
from sweep.report.layout import CellKey
from sweep.report.methods import INSIDE, describe_comparisons, describe_intervals
from sweep.report.profiles import PROFILES
from sweep.report.published import PublishedMeans
from sweep.report.statistics.best import Verdict
from sweep.report.statistics.comparisons import rank_correlation
from sweep.report.study import Study
from sweep.report.tables.build import MODEL, make_table


def make_means(study: Study, inference: Inference) -> Iterator[Table]:
    """Yield one metric of every model and block on the test images, at what was chosen: a table for each panel."""
    frames, layout, metric = study.frames, study.layout, study.metric
    panels: dict[str, dict[str, dict[str, MeanCell]]] = {}
    columns: dict[str, None] = {}
    for key in study.cells:
        values = {**frames.models[key[0]], **frames.blocks[key[1]]}
        panel = layout.describe(values, [layout[name] for name in layout.panels])
        row, column = (layout.name(values, names) for names in (layout.rows, layout.columns))
        panels.setdefault(panel, {}).setdefault(row, {})[column] = _make_cell(study, inference, key)
        columns[column] = None
    heads = [Column(each or "mean", each or metric.label, metric.decimals, metric.unit) for each in columns]
    notes = tuple(_note_means(study, inference))
    inside = (INSIDE,) if study.published else ()
    methods = (describe_intervals(metric), *inside, *describe_comparisons(inference, layout))
    for number, (panel, rows) in enumerate(panels.items()):
        yield make_table(
            frames,
            MEANS,
            _make_title(study, panel),
            (_head_rows(study), *heads),
            tuple((Cell(row), *(cells.get(column, Cell(None)) for column in columns)) for row, cells in rows.items()),
            notes=() if number else notes,
            methods=methods,
            axis=layout.columns[0] if len(layout.columns) == 1 else "column",
            mean_keys=(metric.mean_column, metric.std_column),
            part=panel,
        )


def _head_rows(study: Study) -> Column:
    layout = study.layout
    if set(layout.rows) == {axis.name for axis in layout.of_models}:
        return MODEL
    return Column("_".join(layout.rows), ", ".join(layout[name].title for name in layout.rows))


def _make_title(study: Study, panel: str) -> str:
    layout, metric = study.layout, study.metric
    repeats = max((cell.repeats_planned for cell in study.cells.values()), default=1)
    is_even = all(cell.repeats == repeats for cell in study.cells.values())
    up_to = "" if is_even else "up to "
    parts = [f"Test {metric.label}", *([panel] if panel else [])]
    spread = f"mean ± standard deviation over {up_to}{layout.count_repeats(repeats)}"
    parts.append(spread if repeats > 1 else layout.count_repeats(1))
    chosen = {
        Selection.VALIDATION: f"; {layout.choice_words} chosen on validation {metric.title}",
        Selection.TEST: f"; {layout.choice_words} best on test, as papers often print; optimistic",
    }
    return ", ".join(parts) + (chosen[study.select] if layout.tuned else "")


def _make_cell(study: Study, inference: Inference, key: CellKey) -> MeanCell:
    """Put beside a mean its interval, its verdict and the published figure."""
    standing, published = inference.standings[key[1]], study.published
    verdict = standing.verdicts.get(key[0]) if standing.ranks is not None else None
    return replace(
        study.cells[key],
        interval=inference.intervals[key],
        verdict=verdict,
        published=published.means.get(key) if published else None,
        published_std=published.stds.get(key) if published else None,
        marks=(Mark.BEST,) if verdict in (Verdict.MAY_BE_BEST, Verdict.CANNOT_TELL) else (),
    )


def _note_means(study: Study, inference: Inference) -> Iterator[str]:
    data, trials, metric = study.frames.inputs.data, study.frames.trials, study.metric
    margin, layout = inference.describe_margin(metric), study.layout
    if any(standing.ranks is not None for standing in inference.standings.values()):
        where = f"a {layout.block_word}" if layout.of_blocks else "the sweep"
        yield (
            f"At 95 %, for all models of {where} together: ★ may be the best, and is within {margin} of "
            f"it; ≈ within {margin} of the best, not the best; ↓ not the best, and not shown to be within {margin}; ? "
            f"may be the best, and may be more than {margin} behind. Bold (in plain text *): may be the best."
        )
    theirs = f" (…): as {study.published.name} gives it." if study.published else ""
    yield (
        f"[…]: 95 % interval of the mean.{theirs} ±: how far {layout.repeats_word} of the same images scatter; no "
        "standard error."
    )
    if study.published is not None:
        yield from _summarise_published(study, inference, study.published)
    if metric.name == "accuracy":
        majority = max(zip(data.images_per_class, data.classes, strict=True))
        share = 100 * majority[0] / data.images
        yield f"Baseline: always answering {majority[1]} is right for {share:.1f} % of all images."
    short = [key for key, cell in study.cells.items() if cell.finished == cell.planned and not cell.is_finished]
    if short:
        said = [
            f"{' at '.join(key)} ({study.cells[key].repeats} of {study.cells[key].repeats_planned})" for key in short
        ]
        fewer = f"Means over fewer {layout.repeats_word} than others have, which enter no comparison"
        yield f"{fewer}: {'; '.join(said)}."
    if study.frames.is_partial:
        yield "(k/n): k of the n trials of this cell have finished; -: none has. Such means enter no comparison."
    failed = trials.loc[trials["status"] == Status.FAILURE, "reason"].value_counts()
    if len(failed):
        reason = " ".join(str(failed.index[0]).split())
        yield f"Failed trials, left out: {failed.sum():,}; most frequent reason ({failed.iloc[0]:,}): {reason}"


def _summarise_published(study: Study, inference: Inference, published: PublishedMeans) -> Iterator[str]:
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
