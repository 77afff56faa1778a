"""Short names of tables and figures for the contents list, and the order of the rows of the main tables."""

import re
from dataclasses import replace

from sweep.metrics import METRICS, Direction
from sweep.report.cells import MeanCell, Row, Table
from sweep.report.documents import Report

MEANS = "means"  # the content of the tables that the answer rests on
NAMES = {  # by the content of a table, or what the name of a figure begins with
    "images": "Images",
    "complexities": "Models",
    MEANS: "Means",
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
    "sensitivity": "Sensitivity",
    "learning-curves": "Learning curves",
    "confusion-matrix": "Confusion matrix",
    "roc": "ROC",
}


def shorten_title(name: str, title: str, content: str = "") -> str:
    """Name a table by its content, or a figure, in a few words; one that is not known by its title up to a pause."""
    known = content or next((each for each in NAMES if name.startswith(each)), "")
    if known not in NAMES:
        return split_title(title)[0]
    number = re.match(r"Table \d+", title)
    rest = re.sub(rf"^({re.escape(known)}|table\d+)", "", name).strip("_-")
    rest = re.sub(r"(?<=\d)-(?=\d)", "/", rest).replace("-", " ")  # of a split or an axis
    return (f"{number[0]}: {NAMES[known].lower()}" if number else NAMES[known]) + (f", {rest}" if rest else "")


def split_title(title: str) -> tuple[str, str]:
    """Divide a title before the first pause: a semicolon, a colon, or a comma behind a unit."""
    found = re.search(r"(?<=\)), |[;:] ", title)
    return (title[: found.start()], title[found.start() :]) if found else (title, "")


def sort_rows(report: Report) -> tuple[Table, ...]:
    """Return the tables, the rows of the main ones in the order of the models' means at the block of the answer."""
    titles = {metric.title: metric.direction for metric in METRICS.values()}
    sign = titles.get(report.header.metric, Direction.HIGHER).sign
    cells = {
        cell.key[0]: cell
        for table in report.tables
        for row in table.rows
        for cell in row
        if table.content == MEANS and isinstance(cell, MeanCell) and cell.key and cell.key[1] == report.answer.block
    }
    order = {model: place for place, model in enumerate(sorted(cells, key=lambda model: _rank(cells[model], sign)))}

    def place_of(row: Row) -> int:
        models = {cell.key[0] for cell in row if isinstance(cell, MeanCell) and cell.key} or {str(row[0].value)}
        return order.get(models.pop(), len(order)) if len(models) == 1 else 0  # rows of several models stay

    return tuple(
        replace(table, rows=tuple(sorted(table.rows, key=place_of))) if number < report.main else table
        for number, table in enumerate(report.tables)
    )


def _rank(cell: MeanCell, sign: int) -> tuple[bool, bool, float]:
    """Sort means over all repetitions before those over fewer, and gaps last."""
    return cell.number is None, not cell.is_comparable, -sign * (cell.number or 0.0)
