"""How many images each block gives to each part. Pure."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from sweep.data.dataset import describe_unknown_patients
from sweep.data.splits import Partition
from sweep.report.cells import Cell, Column, Table
from sweep.report.choices import none_if_nan
from sweep.report.frames import SweepFrames
from sweep.report.inference import Inference
from sweep.report.study import Study
from sweep.report.tables.build import head_block, make_table

PARTS = tuple(part.name for part in fields(Partition))


def make_images(study: Study, _: Inference) -> Iterator[Table]:
    """Yield the images of each part, and the share of each class among the test images."""
    frames = study.frames
    classes = frames.inputs.data.classes
    columns = (
        head_block(frames.layout),
        *(Column(part, part, 0) for part in PARTS),
        *(Column(f"{name}_percent_of_test", f"{name} in test (%)", 1) for name in classes),
    )
    means = measure_partitions(frames).groupby("block", sort=False).mean()
    rows = tuple(
        (
            Cell(str(block)),
            *(Cell(none_if_nan(row[part])) for part in PARTS),
            *(Cell(none_if_nan(100 * row[f"test_{name}"] / row["test"])) for name in classes),
        )
        for block, row in means.iterrows()
    )
    notes = (_describe_classes(frames), _describe_copies(frames), _describe_shared_patients(frames, means))
    title = f"Images per {frames.layout.block_word or 'part'}"
    yield make_table(frames, "images", title, columns, rows, notes=notes)


def measure_partitions(frames: SweepFrames) -> pd.DataFrame:
    """Return a row per block and repetition.

    Columns: images of each part, `shared_test_images` (test images of a patient who is known to have training images)
    and `test_<class>` (test images of a class), NaN where the store does not know.
    """
    names = (*PARTS, "shared_test_images", *(f"test_{name}" for name in frames.inputs.data.classes))
    known = frames.trials[["block", "repeat", "partition_id"]].drop_duplicates()
    rows = [{**dict.fromkeys(names, np.nan), **_measure(frames, partition_id)} for partition_id in known.partition_id]
    return known[["block", "repeat"]].reset_index(drop=True).join(pd.DataFrame(rows, columns=names))


def _measure(frames: SweepFrames, partition_id: str) -> dict[str, Any]:
    partition, images, classes = frames.partitions.get(partition_id), frames.images, frames.inputs.data.classes
    row: dict[str, Any] = {}
    if partition is not None:
        row |= {name: float(len(part)) for name, part in partition.parts.items()}
    if partition is not None and images is not None:
        row["shared_test_images"] = float(frames.find_known(partition_id).sum())
        labels = np.bincount(images.labels[partition.test], minlength=len(classes))
        row |= {f"test_{name}": float(count) for name, count in zip(classes, labels, strict=True)}
    return row


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
    """Say how far splits by image let patients cross it. means: a row per block."""
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
        f"{least}{row['shared_test_images']:,.1f} of {row['test']:,.0f} ({block})" for block, row in measured.iterrows()
    )
    return (
        f"{doubt} Images are split, not patients. Test images of a patient who also has training images, on average "
        f"over the {frames.layout.repeats_word}: {', '.join(shares)}."
    ).strip()
