"""What a reviewer asks: which items of the checklists for studies of images a report answers. Pure."""

from collections.abc import Iterator

from sweep.report.cells import Cell, Column, Table
from sweep.report.inference import Inference
from sweep.report.study import Study
from sweep.report.tables.build import make_table

OPEN = "open"
ITEMS = {  # topics, and their items in TRIPOD+AI (2024), CLAIM (2024 update) and STARD-AI (2025), "-": none; answers
    "images": ("images and patients in each part", "20a, 21", "35, 36", "15b, 24, 25", OPEN),
    "exclusions": ("what was excluded", "6b, 20a", "8, 35", "7, 24", OPEN),
    "preprocessing": ("preprocessing", "7, 12b", "9", "14", "yes: Provenance"),
    "partitions": ("partitions and what is disjoint", "12a, 16", "19, 20", "15b", OPEN),
    "model": ("model and initial weights", "12c, 22", "22, 24", "15a", "yes: Provenance, Cost"),
    "training": ("training and class imbalance", "12c, 13", "25", "15b", "yes: Provenance"),
    "selection": ("how the model was selected", "12c", "26", "-", OPEN),
    "metrics": ("metrics", "12e", "28", "18", "yes: metrics.csv"),
    "results": ("performance on test images, with intervals", "23a", "29, 37, 38", "30, 31", OPEN),
    "calibration": ("calibration", "12e", "-", "-", "calibration error: metrics.csv; a curve: open"),
    "failures": ("which images are answered wrongly", "-", "39", "23", OPEN),
    "software": ("software and code", "18f", "23, 43", "13, 40a", "yes: Provenance"),
    "size": ("why this number of images", "10", "21", "22", OPEN),
    "source": ("source, setting, dates", "5a, 5b, 6a", "7, 13", "9, 11", OPEN),
    "reference": ("how the labels were made", "8a", "14, 16", "12, 16a", OPEN),
    "demographics": ("who the patients are; results by group", "20b, 23a", "36", "23, 25", OPEN),
    "external": ("images of another place", "16", "33", "28, 29", OPEN),
    "ethics": ("ethics, registration, protocol, funding", "17, 18a to 18d", "34, 42, 44", "6, 36 to 39", OPEN),
    "limits": ("intended use and limitations", "3b, 26", "3, 40, 41", "3, 33, 34", OPEN),
}


def make_reviewer(study: Study, inference: Inference) -> Iterator[Table]:
    """Tick the items that the store can answer, and list those that are the author's to answer."""
    columns = (
        Column("topic", "what a reviewer asks"),
        Column("tripod_ai", "TRIPOD+AI"),
        Column("claim", "CLAIM 2024"),
        Column("stard_ai", "STARD-AI"),
        Column("answer", "answered here"),
    )
    answers = dict(_answer(study, inference))
    rows = tuple((*map(Cell, item), Cell(answers.get(name, known))) for name, (*item, known) in ITEMS.items())
    note = (
        f'"{OPEN}": not in the store, yours to say. Numbers are of the items that come nearest (TRIPOD+AI, Collins et '
        "al. 2024; CLAIM, Tejani et al. 2024; STARD-AI, Sounderajah et al. 2025), as transcribed elsewhere: check them "
        "before you cite them."
    )
    yield make_table(study.frames, "reviewer", "What a reviewer asks", columns, rows, notes=(note,))


def _answer(study: Study, inference: Inference) -> Iterator[tuple[str, str]]:
    frames = study.frames
    knows = frames.images is not None and frames.images.knows_patients
    counted = frames.profile.mention("images")
    yield "images", f"yes: {counted}" if knows else f"images: {counted}; patients: not known"
    yield "exclusions", f"{frames.inputs.data.left_out:,} undecodable files; others: open"
    yield "partitions", "yes: by image, at random; patients are on both sides" if knows else "yes: by image, at random"
    yield "selection", "yes: Provenance" + ("; what it adds: selection.csv" if study.layout.tuned else "")
    if any(inference.intervals.values()):
        yield "results", f"yes: {frames.profile.mention('means')}, sensitivity and specificity"
