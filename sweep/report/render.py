"""From cells to text: the same numbers as Markdown, LaTeX, CSV or JSON."""

import csv
import json
from collections.abc import Iterable
from dataclasses import asdict
from enum import StrEnum
from io import StringIO
from typing import Any

from sweep.report.cells import Cell, Header, Table
from sweep.report.documents import write_latex, write_markdown
from sweep.report.words import SELECTIONS, describe_header, stamp_title


class Format(StrEnum):
    """How a report is written."""

    MARKDOWN = "markdown"
    LATEX = "latex"
    CSV = "csv"
    JSON = "json"


def render_report(header: Header, tables: list[Table], fmt: Format) -> dict[str, str]:
    """Return file name -> text, the same for the same store however often it is asked."""
    match fmt:
        case Format.MARKDOWN:
            return {"report.md": write_markdown(header, tables)}
        case Format.LATEX:
            return {"report.tex": write_latex(header, tables)}
        case Format.CSV:
            return {f"{table.name}.csv": _write_csv(header, table) for table in tables}
        case Format.JSON:
            return {"report.json": _write_json(header, tables)}


def _write_csv(header: Header, table: Table) -> str:
    facts = [f"{name}: {text}" for name, text in describe_header(header)]
    comments = [f"Sweep: {header.sweep}", *facts, stamp_title(table), *table.notes]
    records = _list_records(table)
    text = StringIO()
    text.writelines(f"# {' '.join(comment.split())}\n" for comment in comments)
    # Texts are quoted: a '#' in one would start a comment for pandas.
    writer = csv.DictWriter(text, list(records[0]), quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def _write_json(header: Header, tables: Iterable[Table]) -> str:
    about = {**asdict(header), "planned": header.planned, "selection": SELECTIONS[header.select]}
    shown = [
        {"name": table.name, "title": table.title, "stamp": table.stamp, "notes": table.notes, "rows": records}
        for table in tables
        for records in [_list_records(table)]
    ]
    return json.dumps({"header": about, "tables": shown}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _list_records(table: Table) -> list[dict[str, Any]]:
    """One flat record a row; of a table whose columns are an axis, one a cell."""
    keys = [column.key for column in table.columns]
    if table.axis is not None:
        return [
            {keys[0]: row[0].value, table.axis: key, **_list_fields(cell)}
            for row in table.rows
            for key, cell in zip(keys[1:], row[1:], strict=True)
        ]
    marked = {key for row in table.rows for key, cell in zip(keys, row, strict=True) if cell.marks}
    records = []
    for row in table.rows:
        record: dict[str, Any] = {}
        for key, cell in zip(keys, row, strict=True):
            record[key] = cell.value
            if key in marked:
                record[f"{key}_marks"] = _join_marks(cell)
        records.append(record)
    return records


def _list_fields(cell: Cell) -> dict[str, Any]:
    fields = asdict(cell)
    means = {"mean_percent": fields.pop("value"), "std_points": fields.pop("std")}
    return {**means, **fields, "marks": _join_marks(cell)}


def _join_marks(cell: Cell) -> str:
    return ", ".join(cell.marks)
