"""Short names of tables and figures for the contents list, and the order of the rows of the main tables."""

import re
from dataclasses import replace

from sweep.metrics import METRICS, Direction
from sweep.report.cells import Cell, MeanCell, Row, Table
from sweep.report.documents import Report

MEANS = "table4"  # the table that the answer rests on
NAMES = {
    "table1": "Table 1: images",
    "table3": "Table 3: models",
    MEANS: "Table 4: means",
    "diagnostics": "Diagnosis",
    "effects": "Effects",
    "cost": "Cost",
    "reviewer": "For a reviewer",
    "against": "Ours and published",
    "standing": "Against the best",
    "metrics": "All metrics",
    "class_metrics": "Metrics by class",
    "selection": "Chosen configurations",
    "variance": "Variance",
    "budgets_mult_adds": "Budgets: mult-adds",
    "budgets_parameters": "Budgets: parameters",
    "pairs": "All pairs",
    "heatmap": "Heat map",
    "difference-to-published": "Ours less published",
    "learning-rate-sensitivity": "Learning rates",
    "learning-curves": "Learning curves",
    "confusion-matrix": "Confusion matrix",
    "roc": "ROC",
}
SPLIT = re.compile(r"[_-]([\d._]+-[\d._]+-[\d._]+)$")  # at the end of a name


def shorten_title(name: str, title: str) -> str:
    """Name a table or figure in a few words; one that is not known by its title up to the first pause."""
    found = SPLIT.search(name)
    stem = name[: found.start()] if found else name
    short = NAMES.get(stem) or split_title(title)[0]
    return f"{short}, {found[1].replace('-', '/').replace('_', '.')}" if found and stem in NAMES else short


def split_title(title: str) -> tuple[str, str]:
    """Divide a title before the first pause: a semicolon, a colon, or a comma behind a unit."""
    found = re.search(r"(?<=\)), |[;:] ", title)
    return (title[: found.start()], title[found.start() :]) if found else (title, "")


def sort_rows(report: Report) -> tuple[Table, ...]:
    """Return the tables, the rows of the main ones in the order of their means at the split of the answer."""
    sign = _find_sign(report)
    order = {}
    for table in report.tables:
        for index, column in enumerate(table.columns):
            if (table.name, column.key) == (MEANS, report.answer.split):
                rows = sorted(table.rows, key=lambda row: _rank(row[index], sign))
                order = {row[0].value: place for place, row in enumerate(rows)}

    def place_of(row: Row) -> int:
        return order.get(row[0].value, len(order))

    return tuple(
        replace(table, rows=tuple(sorted(table.rows, key=place_of))) if number < report.main else table
        for number, table in enumerate(report.tables)
    )


def _find_sign(report: Report) -> int:
    titles = {metric.title: metric.direction for metric in METRICS.values()}
    return titles.get(report.header.metric, Direction.HIGHER).sign


def _rank(cell: Cell, sign: int) -> tuple[bool, bool, float]:
    """Sort means over all shuffles before those over fewer, and gaps last."""
    is_partial = isinstance(cell, MeanCell) and not cell.is_comparable
    return cell.number is None, is_partial, -sign * (cell.number or 0.0)
