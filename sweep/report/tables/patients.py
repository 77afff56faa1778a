"""What the test images of patients who also have training images do to the results. Pure."""

import numpy as np

from sweep.metrics import with_blank, with_unit
from sweep.report.cells import Cell, Column, Row, Table
from sweep.report.frames import SweepFrames
from sweep.report.study import Readout, Study
from sweep.report.tables.build import make_table

METHOD = (
    "Patients: the metric over the test images of patients who also have training images, and over the others, each "
    "the mean over all models of Table 4 and their shuffles. The two groups may differ in more than that, such as the "
    "share of each class; so the difference hints at how much lower results on new patients may be, and does not "
    "measure it."
)


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
    more = {"finding": _describe(study, rows), "methods": (METHOD,)}
    return make_table(study.frames, "patients", title, columns, rows, **more)


def _make_row(study: Study, split: str) -> Row:
    cells = [cell for key, cell in study.cells.items() if key[1] == split]
    counts = sum(cell.finished for cell in cells), sum(cell.planned for cell in cells)
    readouts = [readout for key, group in study.readouts.items() if key[1] == split for readout in group]
    measured = np.array([_measure(study, split, readout) for readout in readouts]).reshape(-1, 4)
    measured[:, [1, 3]] *= study.metric.scale
    is_defined = np.isfinite(measured).all(axis=1)
    if not is_defined.any():
        return (Cell(split), *(Cell(None, (), *counts) for _ in range(5)))
    means = measured[is_defined].mean(axis=0).tolist()
    return (Cell(split), *(Cell(mean, (), *counts) for mean in [*means, means[1] - means[3]]))


def _measure(study: Study, split: str, readout: Readout) -> tuple[float, float, float, float]:
    """Return images and metric of the patients in training, and of the others."""
    is_known = _find_known(study.frames, split, readout)
    parts = (
        (readout.scores[mask] for mask in (is_known, ~is_known)),
        (readout.labels[is_known], readout.labels[~is_known]),
    )
    values = [
        study.metric.measure(scores, labels) if len(labels) else np.nan for scores, labels in zip(*parts, strict=True)
    ]
    return float(is_known.sum()), values[0], float((~is_known).sum()), values[1]


def _find_known(frames: SweepFrames, split: str, readout: Readout) -> np.ndarray:
    patients = np.array(frames.images.patients if frames.images else ())
    return np.isin(patients[readout.images], patients[frames.partitions[split, readout.shuffle].training])


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
