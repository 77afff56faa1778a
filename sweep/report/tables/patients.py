"""What the test images of patients who also have training images do to the results. Pure."""

import numpy as np
from numpy.typing import NDArray

from sweep.metrics import with_unit
from sweep.report.cells import Cell, Column, Row, Table
from sweep.report.frames import SweepFrames
from sweep.report.methods import PATIENTS
from sweep.report.study import Readout, Study
from sweep.report.tables.build import make_table


def make_patients(study: Study) -> Table:
    """The metric on test images of patients known from training, and on those of others, split by split."""
    metric = study.metric
    shown = study.frames.inputs.data.classes[find_majority(study.frames)]
    columns = (
        Column("split", "split"),
        Column("known_images", "images of patients in training", 1),
        Column("known_majority_percent", f"{shown} (%)", 1, "%"),
        Column("known", metric.label, metric.decimals, metric.unit),
        Column("other_images", "images of other patients", 1),
        Column("other_majority_percent", f"{shown} (%)", 1, "%"),
        Column("other", metric.label, metric.decimals, metric.unit),
        Column("difference", with_unit("difference", metric.difference_unit), metric.decimals, metric.difference_unit),
    )
    rows = tuple(_make_row(study, str(split)) for split in study.frames.spec.grid.split)
    title = f"Patients on both sides of a split: test {metric.label}"
    more = {"finding": _describe(study, rows), "methods": (PATIENTS,)}
    return make_table(study.frames, "patients", title, columns, rows, **more)


def find_majority(frames: SweepFrames) -> int:
    """Return the class with the most images."""
    counts = frames.inputs.data.images_per_class
    return counts.index(max(counts))


def _make_row(study: Study, split: str) -> Row:
    cells = {key: cell for key, cell in study.cells.items() if key[1] == split}
    comparable = {key: cell for key, cell in cells.items() if cell.is_comparable}
    finished, planned = sum(cell.finished for cell in comparable.values()), sum(cell.planned for cell in cells.values())
    known = {shuffle: study.frames.find_known(split, shuffle) for shuffle in study.frames.spec.grid.shuffle}
    measured = [
        (*_measure(study, readout, known[readout.shuffle]), *_measure(study, readout, ~known[readout.shuffle]))
        for key in comparable
        for readout in study.readouts[key]
    ]
    values = np.array([each for each in measured if np.isfinite(each).all()])
    if not len(values):
        return (Cell(split), *(Cell(None, (), finished, planned) for _ in range(7)))
    means = values.mean(axis=0).tolist()
    return (Cell(split), *(Cell(mean, (), finished, planned) for mean in [*means, means[2] - means[5]]))


def _measure(study: Study, readout: Readout, mask: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Count some test images and the percentage of the majority class, and measure the metric as printed on them."""
    count, metric = int(mask.sum()), study.metric
    if not count:
        return 0, np.nan, np.nan
    labels = readout.labels[mask]
    share = 100 * float(np.mean(labels == find_majority(study.frames)))
    return count, share, metric.scale * metric.measure(readout.scores[mask], labels)


def _describe(study: Study, rows: tuple[Row, ...]) -> str:
    metric, shown = study.metric, study.frames.inputs.data.classes[find_majority(study.frames)]
    texts = []
    for row in rows:
        split, _, known_share, known, _, other_share, other, _ = (cell.value for cell in row)
        if isinstance(known, float) and isinstance(other, float):
            unit = f" {metric.unit}" if metric.unit else ""
            texts.append(
                f"{known:.{metric.decimals}f}{unit} ({known_share:.0f} % {shown}) and "
                f"{other:.{metric.decimals}f}{unit} ({other_share:.0f} %) at {split}"
            )
    start = f"Test {metric.title} on images of patients who are also in training, and of others"
    return f"{start}: {'; '.join(texts)}." if texts else ""
