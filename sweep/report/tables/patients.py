"""What the test images of patients who also have training images do to the results. Pure."""

import numpy as np
from numpy.typing import NDArray

from sweep.metrics import with_blank, with_unit
from sweep.report.cells import Cell, Column, Row, Table
from sweep.report.methods import PATIENTS
from sweep.report.study import Readout, Study
from sweep.report.tables.build import make_table


def make_patients(study: Study) -> Table:
    """The metric on test images of patients known from training, and on those of others, split by split."""
    metric = study.metric
    columns = (
        Column("split", "split"),
        Column("known_images", "images of patients in training", 1),
        Column("known", metric.label, metric.decimals, metric.unit),
        Column("other_images", "images of other patients", 1),
        Column("other", metric.label, metric.decimals, metric.unit),
        Column("difference", with_unit("difference", metric.difference_unit), metric.decimals, metric.difference_unit),
    )
    rows = tuple(_make_row(study, str(split)) for split in study.frames.spec.grid.split)
    title = f"Patients on both sides of a split: test {metric.label}"
    more = {"finding": _describe(study, rows), "methods": (PATIENTS,)}
    return make_table(study.frames, "patients", title, columns, rows, **more)


def _make_row(study: Study, split: str) -> Row:
    cells = {key: cell for key, cell in study.cells.items() if key[1] == split}
    finished, planned = (sum(getattr(cell, count) for cell in cells.values()) for count in ("finished", "planned"))
    known = {shuffle: study.frames.find_known(split, shuffle) for shuffle in study.frames.spec.grid.shuffle}
    readouts = [readout for key in cells for readout in study.readouts[key]]
    measured = [
        (*_measure(study, readout, known[readout.shuffle]), *_measure(study, readout, ~known[readout.shuffle]))
        for readout in readouts
    ]
    values = np.array([each for each in measured if np.isfinite(each).all()])
    if not len(values):
        return (Cell(split), *(Cell(None, (), finished, planned) for _ in range(5)))
    means = values.mean(axis=0).tolist()
    return (Cell(split), *(Cell(mean, (), finished, planned) for mean in [*means, means[1] - means[3]]))


def _measure(study: Study, readout: Readout, mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Count some test images, and measure the metric on them, as printed; mask: (images,)."""
    count, metric = int(mask.sum()), study.metric
    return count, metric.scale * metric.measure(readout.scores[mask], readout.labels[mask]) if count else np.nan


def _describe(study: Study, rows: tuple[Row, ...]) -> str:
    metric = study.metric
    told = [row for row in rows if row[2].number is not None and row[4].number is not None]
    if not told:
        return ""
    texts = (
        f"{row[2].number:.{metric.decimals}f} and {with_blank(f'{row[4].number:.{metric.decimals}f}', metric.unit)} "
        f"({row[0].value})"
        for row in told
    )
    return f"Test {metric.title} on images of patients who are also in training, and of others: {', '.join(texts)}."
