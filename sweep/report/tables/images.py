"""Table 1: how many images each split gives to each part. Pure."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from sweep.data.dataset import describe_unknown_patients
from sweep.data.splits import count_parts
from sweep.report.cells import Cell, Column, Table
from sweep.report.choices import known
from sweep.report.frames import SweepFrames
from sweep.report.tables.build import make_table

PARTS = ("training", "validation", "test")


def make_table1(frames: SweepFrames) -> Table:
    """Images of each part per split, and the share of each class among the test images."""
    classes = frames.inputs.data.classes
    columns = (
        Column("split", "split"),
        *(Column(part, part, 0) for part in PARTS),
        *(Column(f"{name}_percent_of_test", f"{name} in test (%)", 1) for name in classes),
    )
    means = measure_partitions(frames).groupby("split", sort=False).mean()
    rows = tuple(
        (
            Cell(str(split)),
            *(Cell(int(row[part])) for part in PARTS),
            *(Cell(known(100 * row[f"test_{name}"] / row["test"])) for name in classes),
        )
        for split, row in means.iterrows()
    )
    notes = (_describe_classes(frames), _describe_copies(frames), _describe_shared_patients(frames, means))
    return make_table(frames, "table1", "Table 1. Images per split", columns, rows, notes=notes)


def measure_partitions(frames: SweepFrames) -> pd.DataFrame:
    """Return a row per split and shuffle.

    Columns: images of each part, `shared_test_images` (test images of a patient who is known to have training images)
    and `test_<class>` (test images of a class), NaN where the store does not know.
    """
    return pd.DataFrame(_measure_partitions(frames))


def _measure_partitions(frames: SweepFrames) -> Iterator[dict[str, Any]]:
    data, grid, images = frames.inputs.data, frames.spec.grid, frames.images
    for split in grid.split:
        counts = dict(zip(PARTS, count_parts(data.images, split), strict=True))
        for shuffle in grid.shuffle:
            row: dict[str, Any] = {"split": str(split), "shuffle": shuffle, **counts}
            row |= dict.fromkeys(("shared_test_images", *(f"test_{name}" for name in data.classes)), np.nan)
            partition = frames.partitions.get((str(split), shuffle))
            if partition is not None and images is not None:
                row["shared_test_images"] = float(frames.find_known(str(split), shuffle).sum())
                labels = np.bincount(images.labels[partition.test], minlength=len(data.classes))
                row |= {f"test_{name}": float(count) for name, count in zip(data.classes, labels, strict=True)}
            yield row


def _describe_classes(frames: SweepFrames) -> str:
    data = frames.inputs.data
    shares = (
        f"{name} {count:,} ({100 * count / data.images:.1f} %)"
        for name, count in zip(data.classes, data.images_per_class, strict=True)
    )
    return f"All {data.images:,} images: {', '.join(shares)}."


def _describe_copies(frames: SweepFrames) -> str:
    images = frames.images
    if images is None:
        return "How many files are copies of another is not known: the store has no list of the images."
    copies = f"Files that are byte-identical copies of another: {images.copies:,} of {frames.inputs.data.images:,}"
    if images.contradictions is None:
        return f"{copies}; of another class: not counted yet."
    return f"{copies}; files byte-identical to one of another class (contradictory labels): {images.contradictions:,}."


def _describe_shared_patients(frames: SweepFrames, means: pd.DataFrame) -> str:
    """Say how far the split by image lets patients cross it. means: a row per split, averaged over the shuffles."""
    images, measured = frames.images, means.dropna(subset=["shared_test_images"])
    if images is None or measured.empty:
        return "How many test images show a patient who also has training images is not known yet."
    doubt = ""
    if not images.knows_patients:
        unknown = describe_unknown_patients(images)
        doubt = f"{unknown[:1].upper()}{unknown[1:]}. Intervals count an image of an unknown patient as one of its own."
    if not images.images_of_known_patients:
        return doubt
    least = "" if images.knows_patients else "at least "
    shares = (
        f"{least}{row['shared_test_images']:,.1f} of {row['test']:,.0f} ({split})" for split, row in measured.iterrows()
    )
    return (
        f"{doubt} Images are split, not patients. Test images of a patient who also has training images, on average "
        f"over the shuffles: {', '.join(shares)}."
    ).strip()
