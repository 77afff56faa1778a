"""How many patients each class and part has, and how many are in training and test alike. Pure."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sweep.data.dataset import Images
from sweep.data.splits import Partition
from sweep.report.cells import Cell, Column, Row, Table
from sweep.report.frames import SweepFrames
from sweep.report.inference import Inference
from sweep.report.methods import PATIENTS
from sweep.report.study import Study
from sweep.report.tables.build import head_block, make_table
from sweep.report.tables.images import PARTS


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
    rows = tuple(row for block in frames.blocks for row in _make_rows(frames, images, patients, block))
    more = {"notes": (_describe_all(frames, images, patients),), "methods": (PATIENTS,)}
    yield make_table(frames, "patients", "Patients per class and part", columns, rows, keys=2, **more)


def _make_rows(frames: SweepFrames, images: Images, patients: NDArray[np.int64], block: str) -> Iterator[Row]:
    """Yield a row for each part: means over the repetitions whose partition the store knows."""
    known, classes = frames.list_partitions(block), len(frames.inputs.data.classes)
    for part in PARTS:
        counts = [_count(partition.parts[part], partition, images.labels, patients, classes) for partition in known]
        means = np.mean(counts, axis=0).tolist() if counts else [None] * (classes + 4)
        if part == "training":  # all of them are in training
            means[classes + 1] = means[classes + 3] = None
        yield (Cell(block), Cell(part), *(Cell(mean) for mean in means))


def _count(
    part: NDArray[np.int64],
    partition: Partition,
    labels: NDArray[np.int64],
    patients: NDArray[np.int64],
    classes: int,
) -> list[int]:
    """Count a part's patients by class, all, and those in training too; its images, and those of the latter."""
    is_shared = np.isin(patients[part], patients[partition.training])
    return [
        *(len(np.unique(patients[part][labels[part] == label])) for label in range(classes)),
        len(np.unique(patients[part])),
        len(np.unique(patients[part][is_shared])),
        len(part),
        int(is_shared.sum()),
    ]


def _describe_all(frames: SweepFrames, images: Images, patients: NDArray[np.int64]) -> str:
    total = len(np.unique(patients))
    counts = [len(np.unique(patients[images.labels == label])) for label in range(len(frames.inputs.data.classes))]
    of_class = ", ".join(f"{name} {count:,}" for name, count in zip(frames.inputs.data.classes, counts, strict=True))
    several = " A patient with images of several classes counts in each." if sum(counts) > total else ""
    over = f"The table's numbers are means over the {frames.layout.repeats_word}."
    return f"All {total:,} patients: {of_class}.{several} {over}"
