"""How many images each block gives to each part. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import fields

import numpy as np

from sweep.data.dataset import describe_unknown_patients
from sweep.data.splits import Partition
from sweep.report.cells import Cell, Column, Table
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
    measured = {block: measure_parts(frames, block) for block in frames.blocks}
    rows = tuple(
        (
            Cell(block),
            *(Cell(means.get(part)) for part in PARTS),
            *(Cell(100 * means[of] / means["test"] if (of := f"test_{name}") in means else None) for name in classes),
        )
        for block, means in measured.items()
    )
    notes = (_describe_classes(frames), _describe_copies(frames), _describe_shared_patients(frames, measured))
    title = f"Images per {frames.layout.block_word or 'part'}"
    yield make_table(frames, "images", title, columns, rows, notes=notes)


def measure_parts(frames: SweepFrames, block: str) -> dict[str, float]:
    """Return means over the repetitions of a block; nothing that the store does not know.

    Images of each part; `test_<class>`: test images of a class; `shared_test_images`: test images of a patient who is
    known to have training images.
    """
    rows = [_count(frames, partition) for partition in frames.list_partitions(block)]
    return {name: float(np.mean([row[name] for row in rows])) for name in (rows[0] if rows else ())}


def _count(frames: SweepFrames, partition: Partition) -> dict[str, int]:
    counts = {name: len(part) for name, part in partition.parts.items()}
    if frames.images is None:
        return counts
    classes = frames.inputs.data.classes
    labels = np.bincount(frames.images.labels[partition.test], minlength=len(classes)).tolist()
    counts |= {f"test_{name}": label for name, label in zip(classes, labels, strict=True)}
    return {**counts, "shared_test_images": int(frames.find_known(partition).sum())}


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


def _describe_shared_patients(frames: SweepFrames, measured: Mapping[str, Mapping[str, float]]) -> str:
    """Say how far splits by image let patients cross it. measured: by block."""
    images, known = frames.images, {block: means for block, means in measured.items() if means}
    if images is None or not known:
        return "How many test images show a patient who also has training images is not known yet."
    doubt = ""
    if not images.knows_patients:
        unknown = describe_unknown_patients(images)
        doubt = f"{unknown[:1].upper()}{unknown[1:]}. Intervals count an image of an unknown patient as one of its own."
    if not images.images_of_known_patients:
        return doubt
    least = "" if images.knows_patients else "at least "
    shares = (
        f"{least}{means['shared_test_images']:,.1f} of {means['test']:,.0f} ({block})" for block, means in known.items()
    )
    return (
        f"{doubt} Images are split, not patients. Test images of a patient who also has training images, on average "
        f"over the {frames.layout.repeats_word}: {', '.join(shares)}."
    ).strip()
