"""How many images and patients each block gives to each part. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from sweep.data.dataset import Images, describe_unknown_patients
from sweep.data.splits import Partition
from sweep.report.cells import Cell, Column, Row, Table
from sweep.report.frames import SweepFrames
from sweep.report.inference import Inference
from sweep.report.methods import PATIENTS
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
    rows = [_count_images(frames, partition) for partition in frames.list_partitions(block)]
    return {name: float(np.mean([row[name] for row in rows])) for name in (rows[0] if rows else ())}


def _count_images(frames: SweepFrames, partition: Partition) -> dict[str, int]:
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


# -- patients ----------------------------------------------------------------------------------------------------


def make_patients(study: Study, _: Inference) -> Iterator[Table]:
    """Yield patients of each class and part, and the images and patients that are also in training.

    Nothing where the patient of any image is unknown: then patients cannot be counted.
    """
    frames, images = study.frames, study.frames.images
    if images is None or not images.knows_patients:
        return
    columns = (
        head_block(frames.layout),
        Column("part", "part"),
        *(Column(f"{name}_patients", f"{name} patients", 1) for name in frames.inputs.data.classes),
        Column("patients", "patients", 1),
        Column("shared_patients", "also in training", 1),
        Column("images", "images", 1),
        Column("shared_images", "of patients in training", 1),
    )
    patients = np.unique(np.array(images.patients, str), return_inverse=True)[1]
    rows = tuple(row for block in frames.blocks for row in _make_patient_rows(frames, images, patients, block))
    more = {"notes": (_describe_patients(frames, images, patients),), "methods": (PATIENTS,)}
    yield make_table(frames, "patients", "Patients per class and part", columns, rows, keys=2, **more)


def _make_patient_rows(frames: SweepFrames, images: Images, patients: NDArray[np.int64], block: str) -> Iterator[Row]:
    """Yield a row for each part: means over the repetitions whose partition the store knows."""
    classes = len(frames.inputs.data.classes)
    for part in PARTS:
        counts = []
        for partition in frames.list_partitions(block):
            own = partition.parts[part]
            shared = own[np.isin(patients[own], patients[partition.training])]
            of_classes = _count_patients(patients[own], images.labels[own], classes)
            counts.append([*of_classes, len(np.unique(patients[shared])), len(own), len(shared)])
        means = np.mean(counts, axis=0).tolist() if counts else [None] * (classes + 4)
        if part == "training":  # all of them are in training
            means[classes + 1] = means[classes + 3] = None
        yield (Cell(block), Cell(part), *(Cell(mean) for mean in means))


def _count_patients(patients: NDArray[np.int64], labels: NDArray[np.int64], classes: int) -> list[int]:
    """Count the patients of some images: of each class, and all."""
    return [len(np.unique(patients[labels == label])) for label in range(classes)] + [len(np.unique(patients))]


def _describe_patients(frames: SweepFrames, images: Images, patients: NDArray[np.int64]) -> str:
    classes = frames.inputs.data.classes
    *counts, total = _count_patients(patients, images.labels, len(classes))
    of_class = ", ".join(f"{name} {count:,}" for name, count in zip(classes, counts, strict=True))
    several = " A patient with images of several classes counts in each." if sum(counts) > total else ""
    over = f"The table's numbers are means over the {frames.layout.repeats_word}."
    return f"All {total:,} patients: {of_class}.{several} {over}"
