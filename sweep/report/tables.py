"""The tables of a report, from frames to cells. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from sweep.catalogue import WeightsSource
from sweep.metrics import METRICS
from sweep.planning.expand import list_backbones
from sweep.report.cells import Cell, Column, Header, MeanCell, Row, Selection, Table
from sweep.report.choices import make_mean_cells
from sweep.report.complexities import list_complexity_columns, list_complexity_rows, note_complexities
from sweep.report.frames import PARTS, Status, SweepFrames


def make_header(frames: SweepFrames, select: Selection = Selection.VALIDATION) -> Header:
    """Say what a report is about: data, weights, code, machines, completeness."""
    status = frames.trials["status"].value_counts()
    finished_at = frames.trials["finished_at"].dropna()
    return Header(
        sweep=frames.spec.name,
        stamp=_make_stamp(frames),
        data=frames.inputs.data,
        weights={str(backbone): weights for backbone, weights in frames.inputs.weights.items()},
        code=_list_distinct(_describe_code(run) for run in frames.runs),
        machines=_list_distinct(_describe_machine(run) for run in frames.runs),
        succeeded=int(status.get(Status.SUCCESS, 0)),
        failed=int(status.get(Status.FAILURE, 0)),
        missing=int(status.get(Status.MISSING, 0)),
        select=select,
        made_at=str(finished_at.max()) if len(finished_at) else None,
    )


def make_table1(frames: SweepFrames) -> Table:
    """Images of each part per split, and the share of each class among the test images."""
    classes = frames.inputs.data.classes
    columns = (
        Column("split", "split"),
        *(Column(part, part, 0) for part in PARTS),
        *(Column(f"{name}_percent_of_test", f"{name} in test (%)", 1) for name in classes),
    )
    means = frames.partitions.groupby("split", sort=False).mean()
    rows = tuple(
        (
            Cell(str(split)),
            *(Cell(int(row[part])) for part in PARTS),
            *(Cell(_or_none(100 * row[f"test_{name}"] / row["test"])) for name in classes),
        )
        for split, row in means.iterrows()
    )
    notes = (_describe_classes(frames), _describe_copies(frames), _describe_shared_patients(frames, means))
    return Table("table1", "Table 1. Images per split", _make_stamp(frames), columns, rows, notes)


def make_table3(frames: SweepFrames) -> Table:
    """Mult-adds and parameters (millions) of every backbone, counted in the model, beside the published ones."""
    rows = tuple(list_complexity_rows(frames))
    columns = list_complexity_columns(frames)
    if frames.spec.published is None:
        kept = [index for index, column in enumerate(columns) if not column.key.endswith("published_m")]
        columns = tuple(columns[index] for index in kept)
        rows = tuple(tuple(row[index] for index in kept) for row in rows)
    title = "Table 3. Mult-adds and parameters, in millions"
    return Table("table3", title, _make_stamp(frames), columns, rows, tuple(note_complexities(frames, rows)))


def make_table4(frames: SweepFrames, select: Selection) -> Table:
    """Test accuracy of every backbone and split at the learning rate and step budget that `select` chooses."""
    cells = make_mean_cells(frames.trials, select)
    splits = [str(split) for split in frames.spec.grid.split]
    decimals = METRICS["accuracy"].decimals
    columns = (Column("backbone", "backbone"), *(Column(split, split, decimals) for split in splits))
    rows = tuple(
        (Cell(str(backbone)), *(cells[str(backbone), split] for split in splits))
        for backbone in list_backbones(frames.spec)
    )
    shuffles = len(frames.spec.grid.shuffle)
    up_to = "up to " if any(cell.finished < cell.planned for cell in cells.values()) else ""
    over = f"mean ± standard deviation over {up_to}{shuffles} shuffles" if shuffles > 1 else "one shuffle"
    chosen = {
        Selection.VALIDATION: "learning rate and steps chosen on validation accuracy",
        Selection.TEST: "learning rate and steps best on test, as papers often print; optimistic",
    }[select]
    title = f"Table 4. Test accuracy (%), {over}; {chosen}"
    notes = tuple(_note_accuracies(frames, rows))
    return Table("table4", title, _make_stamp(frames), columns, rows, notes, axis="split")


def _make_stamp(frames: SweepFrames) -> str:
    """Name what these numbers are not: nothing for a whole sweep of real images and weights."""
    random = [weights.source is WeightsSource.RANDOM for weights in frames.inputs.weights.values()]
    stamps = {
        "demo images": frames.inputs.data.is_demo,
        "random weights": all(random),
        "some weights random": any(random) and not all(random),
        "partial sweep": bool((frames.trials["status"] != Status.SUCCESS).any()),
    }
    return ", ".join(stamp.upper() for stamp, applies in stamps.items() if applies)


def _list_distinct(texts: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _describe_code(run: Mapping[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in sorted(run.get("packages", {}).items()))
    return f"sweep {run.get('sweep', 'unknown')}, Python {run.get('python', 'unknown')}, {packages or 'no packages'}"


def _describe_machine(run: Mapping[str, Any]) -> str:
    machine = run.get("machine", {})
    return (
        f"{machine.get('cpu', 'unknown CPU')}, {machine.get('cores', '?')} cores, "
        f"{machine.get('memory_gib', '?')} GiB, {machine.get('gpu') or 'no GPU'}, "
        f"{machine.get('platform', 'unknown platform')}; {run.get('executor', '?')} executor, workers: "
        f"{run.get('workers', '?')}"
    )


def _or_none(value: float) -> float | None:
    return None if pd.isna(value) else float(value)


# -- Table 1 -----------------------------------------------------------------------------------------------------


def _describe_classes(frames: SweepFrames) -> str:
    data = frames.inputs.data
    shares = (
        f"{name} {count:,} ({100 * count / data.images:.1f} %)"
        for name, count in zip(data.classes, data.images_per_class, strict=True)
    )
    return f"All {data.images:,} images: {', '.join(shares)}."


def _describe_copies(frames: SweepFrames) -> str:
    if frames.images is None:
        return "How many files are copies of another is not known: the store has no list of the images."
    return (
        f"Files that are byte-identical copies of another: {frames.images.copies:,} of {frames.inputs.data.images:,}."
    )


def _describe_shared_patients(frames: SweepFrames, means: pd.DataFrame) -> str:
    """Say how far the split by image lets patients cross it. means: a row per split, averaged over the shuffles."""
    known = means.dropna(subset=["shared_test_images"])
    if frames.images is None or known.empty:
        return "How many test images show a patient who also has training images is not known yet."
    shares = (f"{row['shared_test_images']:,.1f} of {row['test']:,.0f} ({split})" for split, row in known.iterrows())
    return (
        "Images are split, not patients. Test images of a patient who also has training images, on average over the "
        f"shuffles: {', '.join(shares)}."
    )


# -- Table 4 -----------------------------------------------------------------------------------------------------


def _note_accuracies(frames: SweepFrames, rows: tuple[Row, ...]) -> Iterator[str]:
    data, trials = frames.inputs.data, frames.trials
    majority = max(zip(data.images_per_class, data.classes, strict=True))
    share = 100 * majority[0] / data.images
    yield f"Baseline: always answering {majority[1]} is right for {share:.1f} % of all images."
    yield (
        "Best (bold): the highest mean of each split. ±: sample standard deviation (n - 1) in points over shuffles of "
        "the same images; no confidence interval. n/a: a single shuffle has none."
    )
    cells = [cell for row in rows for cell in row if isinstance(cell, MeanCell)]
    if any(cell.finished < cell.planned for cell in cells):
        yield (
            "(k/n): only k of the n trials of this cell have finished; -: none has. Beside its learning rate and steps "
            "stands the number of shuffles, n, that its mean is over; means over fewer are not comparable with others."
        )
    failed = trials.loc[trials["status"] == Status.FAILURE, "reason"].value_counts()
    if len(failed):
        reason = " ".join(str(failed.index[0]).split())
        yield f"Failed trials, left out: {failed.sum():,}; most frequent reason ({failed.iloc[0]:,}): {reason}"
