"""A small report for the tests of its page."""

from sweep.inputs import DataSummary, WeightsId
from sweep.networks.table import WeightsSource
from sweep.report.answer import Answer
from sweep.report.cells import Cell, Column, Explanation, Header, Mark, MeanCell, Selection, Table
from sweep.report.documents import Drawing, Report
from sweep.report.page.page import write_page
from sweep.report.statistics.best import Verdict
from sweep.report.statistics.intervals import Interval

STAMP = "DEMO IMAGES, RANDOM WEIGHTS"
SPLITS = ("80/10/10", "60/20/20")
ACCURACIES = {  # None: nothing finished
    "tiny-1-16": (97.26, 96.1),
    "tiny-0.5-8": (None, 95.0),
    "tiny-0.5-16": (9.5, 98.44),
    "tiny-0.25-16": (96.0, 91.2),
}
BEST_FIRST = ["tiny-1-16", "tiny-0.25-16", "tiny-0.5-16", "tiny-0.5-8"]  # at the first split
ANSWER = Answer(
    "Take tiny-1-16: it is the only one.",
    ("How sure: very.", "tiny-1-16: 97.3 %.", "Two models may be the best.", "It holds here."),
    SPLITS[0],
    "tiny-1-16",
    is_shown=True,
)
MARKS = ("tiny-1-16: 97.3 %", "tiny-0.5-16: 9.5 %", "tiny-0.25-16: 96.0 %")


def make_means_table(stamp="", name="table4"):
    columns = (Column("model", "model"), *(Column(split, split, 1) for split in SPLITS))
    rows = tuple(
        (Cell(model), *(make_mean(mean, (model, split)) for mean, split in zip(means, SPLITS, strict=True)))
        for model, means in ACCURACIES.items()
    )
    title = "Table 4. Test accuracy (%), mean ± standard deviation"
    return Table(name, "means", title, stamp, columns, rows, ("±: over shuffles.",), axis="split")


def make_mean(mean, key):
    """97 and more may be the best; nothing is known of what has no mean."""
    if mean is None:
        return MeanCell(None, key=key)
    is_best = mean > 97
    return MeanCell(
        mean,
        (Mark.BEST,) if is_best else (),
        interval=Interval(mean - 1, mean + 1),
        std=0.731,
        verdict=Verdict.MAY_BE_BEST if is_best else Verdict.WORSE,
        published=95.0 if is_best else None,
        key=key,
    )


def make_long_table(rows=48, columns=13, name="metrics"):
    heads = (
        Column("model", "model"),
        *(Column(f"m{index}", f"metric {index}", 2) for index in range(1, columns)),
    )
    cells = tuple((Cell(f"tiny-{row}"), *(Cell(row + index / 7) for index in range(1, columns))) for row in range(rows))
    return Table(name, name, "Every metric", "", heads, cells, is_detail=name == "trials")


def make_svg(name):
    marks = "".join(
        f'<g class="mark" tabindex="0" role="img" aria-label="{text}"><title>{text}</title>'
        f'<circle cx="{100 * index + 50}" cy="50" r="9"/></g>'
        for index, text in enumerate(MARKS)
    )
    return (
        f'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 100" role="img" '
        f'aria-labelledby="{name}-title"><title id="{name}-title">Accuracy</title>{marks}</svg>'
    )


def make_header(stamp="", sweep="example"):
    weights = {"tiny-1-16": WeightsId(WeightsSource.RANDOM, "0" * 64)}
    data = DataSummary("example", "1" * 64, ("NORMAL", "PNEUMONIA"), (26, 74), is_demo=bool(stamp))
    return Header(
        *(sweep, stamp, data, weights, ("sweep 0.1.0",), ("a machine",)),
        *(10, 1, 1, "accuracy", Selection.VALIDATION, "chosen on validation", None),
    )


def make_explanations(text="0.1", rows=3):
    columns = (Column("learning_rate", "learning rate"), Column("test", "test accuracy (%)", 1))
    cells = tuple((Cell(text), Cell(90 + index / 10)) for index in range(rows))
    tables = (
        Table("readouts", "readouts", "Read-outs", "", columns, (*cells, (Cell("none"), Cell(None))), ("A note.",)),
    )
    return {
        (model, split): Explanation(f"{model}, split {split}", (("Chosen", text),), tables)
        for model in ACCURACIES
        for split in SPLITS
        if (model, split) != ("tiny-0.5-8", "80/10/10")
    }


def make_report(*tables, stamp="", warnings=(), answer=ANSWER):
    """The first table is the main one."""
    return Report(make_header(stamp), answer, tables, 1, warnings)


def make_drawings(*names):
    return [Drawing(name, f"Figure {name}", "A caption.", make_svg(name)) for name in names]


def make_page(stamp="", explanations=None):
    tables = (make_means_table(stamp), make_long_table(), make_long_table(400, 3, "trials"))
    report = make_report(*tables, stamp=stamp, warnings=("The images are drawn.",))
    return write_page(report, make_drawings("best", "costs", "curves"), explanations or make_explanations())
