"""From cells to text: the same numbers as Markdown, plain text, LaTeX, CSV or JSON."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from io import StringIO
from typing import Any

from sweep.axes import show_value
from sweep.errors import UserError, list_allowed
from sweep.report.cells import Cell, Header, MeanCell, Table
from sweep.report.documents import Drawing, Latex, Markdown, Report, Text, write_document, write_tables
from sweep.report.published import describe_task
from sweep.report.words import describe_header, with_stamp


class Format(StrEnum):
    """How a report is written."""

    MARKDOWN = "markdown"
    TEXT = "text"
    LATEX = "latex"
    CSV = "csv"
    JSON = "json"
    HTML = "html"


DOCUMENTS = {
    Format.MARKDOWN: ("report.md", Markdown()),
    Format.TEXT: ("report.txt", Text()),
    Format.LATEX: ("report.tex", Latex()),
}


def render_report(report: Report, fmt: Format, drawings: Sequence[Drawing] = ()) -> dict[str, str]:
    """Return file name -> text, the same for the same store however often it is asked; a page is made by `page`."""
    if fmt is Format.CSV:
        return {f"{table.name}.csv": _write_csv(report.header, table) for table in report.tables}
    if fmt is Format.JSON:
        return {"report.json": _write_json(report)}
    name, style = DOCUMENTS[fmt]
    return {name: write_document(report, style, drawings)}


def render_tables(report: Report, fmt: Format, names: Sequence[str]) -> str:
    """Return some tables of a report in the order they are asked for: all of a name, or of a content.

    Raises:
        UserError: there is no such table.
    """
    tables = [table for name in names for table in _find_tables(report, name)]
    if fmt is Format.CSV:
        return "\n".join(_write_csv(report.header, table) for table in tables)
    if fmt is Format.JSON:
        records = [_describe_table(table) for table in tables]
        return _dump(records[0] if len(records) == 1 else records)
    return write_tables(tables, DOCUMENTS[fmt][1])


def _find_tables(report: Report, name: str) -> list[Table]:
    found = [table for table in report.tables if name in (table.name, table.content)]
    if not found:
        raise UserError(f"table: {name!r} is unknown {list_allowed(name, [table.name for table in report.tables])}")
    return found


def _write_csv(header: Header, table: Table) -> str:
    facts = [f"{name}: {text}" for name, text in describe_header(header)]
    task = f"Task: {describe_task(header.data)}"
    comments = [
        f"Sweep: {header.sweep}",
        task,
        *facts,
        with_stamp(table.title, table.stamp),
        *table.notes,
        *table.methods,
    ]
    records = list_records(table)
    text = StringIO()
    text.writelines(f"# {' '.join(comment.split())}\n" for comment in comments)
    # Texts are quoted: a '#' in one would start a comment for pandas.
    fields = dict.fromkeys(field for record in records for field in record)
    writer = csv.DictWriter(
        text,
        list(fields) or [column.key for column in table.columns],
        quoting=csv.QUOTE_NONNUMERIC,
        lineterminator="\n",
    )
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def _write_json(report: Report) -> str:
    header = report.header
    about = {**asdict(header), "planned": header.planned}
    shown = [_describe_table(table) for table in report.tables]
    whole = {"header": about, "answer": asdict(report.answer), "warnings": report.warnings, "tables": shown}
    return _dump(whole)


def _describe_table(table: Table) -> dict[str, Any]:
    said = {name: getattr(table, name) for name in ("name", "content", "title", "stamp", "notes", "methods")}
    return {**said, "rows": list_records(table)}


def _dump(content: Any) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def list_records(table: Table) -> list[dict[str, Any]]:
    """One flat record a row; of a table whose columns are an axis, one a cell."""
    names = [column.key for column in table.columns[: table.keys]]
    if table.axis is None:
        marked = {
            column.key for row in table.rows for column, cell in zip(table.columns, row, strict=True) if cell.marks
        }
        return [_flatten_row(table, row, marked) for row in table.rows]
    return [
        {
            **dict(zip(names, (cell.value for cell in row), strict=False)),
            table.axis: column.key,
            **_flatten_mean(table, cell, names),
            "unit": column.unit,
        }
        for row in table.rows
        for column, cell in list(zip(table.columns, row, strict=True))[table.keys :]
    ]


def _flatten_row(table: Table, row: Sequence[Cell], marked: set[str]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for column, cell in zip(table.columns, row, strict=True):
        record[column.key] = cell.value
        if isinstance(cell, MeanCell):
            record[f"{column.key}_std"] = cell.std
        if table.is_partial and cell.planned:
            record |= {f"{column.key}_finished": cell.finished, f"{column.key}_planned": cell.planned}
        if column.key in marked:
            record[f"{column.key}_marks"] = _join_marks(cell)
    return record


def _flatten_mean(table: Table, cell: Cell, names: Sequence[str]) -> dict[str, Any]:
    """Spell a cell out; its model and block too, where the row is not one."""
    fields = asdict(cell)
    mean, std = table.mean_keys
    bounds = fields.pop("interval", None) or {"lower": None, "upper": None}
    key, choice = fields.pop("key", ("", "")), fields.pop("choice", {})
    fields.pop("place", None)
    named = {} if not any(key) or names[0] == "model" else {"model": key[0], "block": key[1]}
    chosen = {name: show_value(value) if isinstance(value, tuple) else value for name, value in choice.items()}
    value, deviation = fields.pop("value"), fields.pop("std", None)
    return {**named, mean: value, std: deviation, **bounds, **fields, **chosen, "marks": _join_marks(cell)}


def _join_marks(cell: Cell) -> str:
    return ", ".join(cell.marks)
