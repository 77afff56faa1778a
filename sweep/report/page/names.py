"""Short names of tables and figures for the contents list, and the order of the rows of the main tables."""

import re
from dataclasses import replace

from sweep.metrics import METRICS, Direction
from sweep.report.cells import MeanCell, Row, Table
from sweep.report.documents import Report

MEANS = "means"  # the content of the tables that the answer rests on
NAMES = {  # of tables by their content and of figures by their name, where that says too little
    "complexities": "Models",
    "diagnostics": "Diagnosis",
    "reviewer": "For a reviewer",
    "against": "Ours and published",
    "standing": "Against the best",
    "metrics": "All metrics",
    "selection": "Chosen configurations",
    "pairs": "All pairs",
    "roc": "ROC",
}


def shorten_title(name: str, title: str, content: str = "") -> str:
    """Name a table by its content, or a figure, in a few words: Table 4: means; against the best, 80/10/10."""
    number = re.match(r"Table \d+", title)
    part = re.sub(rf"^({re.escape(content)}|table\d+)", "", name) if content else ""
    words = re.sub(r"(?<=\d)-(?=\d)", "/", f"{content or name},{part}").replace("_", " ").replace("-", " ")
    short, _, which = (each.strip() for each in words.partition(","))
    short = NAMES.get(content or name, short[:1].upper() + short[1:])
    return (f"{number[0]}: {short.lower()}" if number else short) + (f", {which}" if which else "")


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
