"""Tables of the page, as HTML and as the data that the page draws its dialogs from."""

import math
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from sweep.report.cells import Cell, Column, Explanation, Mark, Row, Table
from sweep.report.choices import CellKey
from sweep.report.words import count_trials, format_cell, stamp_title

EXPLAINED_TABLE = "table4"
KINDS = {True: "n", False: "t"}  # classes of columns: numbers, texts


def write_grid(table: Table, explained: Mapping[CellKey, int]) -> str:
    """Write a table in a box that scrolls; `explained` numbers the cells that have an explanation."""
    label = escape(stamp_title(table))
    numeric = _find_numeric(table)
    heads = "".join(
        f'<th scope="col" class="{KINDS[is_numeric]}">{escape(column.title)}</th>'
        for column, is_numeric in zip(table.columns, numeric, strict=True)
    )
    body = "\n".join(_write_row(table, row, numeric, explained) for row in table.rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">\n<table>\n<caption>{label}</caption>\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>"
    )


def _write_row(table: Table, row: Row, numeric: tuple[bool, ...], explained: Mapping[CellKey, int]) -> str:
    cells = "".join(
        _write_cell(table, index, row, _find_explanation(table, index, row, explained), is_numeric=numeric[index])
        for index in range(len(row))
    )
    return f"<tr>{cells}</tr>"


def _find_explanation(table: Table, index: int, row: Row, explained: Mapping[CellKey, int]) -> int | None:
    if table.name != EXPLAINED_TABLE or index < table.keys:
        return None
    return explained.get((str(row[0].value), table.columns[index].key))


def _write_cell(table: Table, index: int, row: Row, number: int | None, *, is_numeric: bool) -> str:
    cell = row[index]
    column = table.columns[index]
    raw = _find_raw(cell)
    attributes = ""
    if raw is not None or cell.value is None:
        attributes += f' data-value="{"" if raw is None else repr(raw)}"'
        attributes += "" if is_numeric else ' class="t"'
    if number is not None:
        attributes += f' data-explanation="{number}"'
    tag, scope = ("th", ' scope="row"') if index < table.keys else ("td", "")
    return f"<{tag}{scope}{attributes}>{_write_text(cell, column, table)}</{tag}>"


def _write_text(cell: Cell, column: Column, table: Table) -> str:
    main, sign, rest = escape(format_cell(cell, column)).partition(" ± ")
    text = main + (f'<span class="std">{sign}{rest}</span>' if sign else "")
    count = escape(count_trials(cell, table))
    return (f"<strong>{text}</strong>" if Mark.BEST in cell.marks else text) + (
        f'<span class="count">{count}</span>' if count else ""
    )


def _find_numeric(table: Table) -> tuple[bool, ...]:
    """Say of each column whether it holds numbers."""
    return tuple(any(_find_raw(row[index]) is not None for row in table.rows) for index in range(len(table.columns)))


def _find_raw(cell: Cell) -> float | None:
    """Return what a cell is sorted by; None for texts, gaps and what is not finite."""
    if cell.value is None or isinstance(cell.value, str) or not math.isfinite(cell.value):
        return None
    return float(cell.value)


def pack_explanation(explanation: Explanation) -> dict[str, Any]:
    """Return JSON values from which the page draws the dialog of a cell."""
    return {
        "title": explanation.title,
        "facts": [list(fact) for fact in explanation.facts],
        "tables": [_pack_table(table) for table in explanation.tables],
    }


def _pack_table(table: Table) -> dict[str, Any]:
    return {
        "title": table.title,
        "stamp": table.stamp,
        "keys": table.keys,
        "columns": [
            [column.title, int(is_numeric)]
            for column, is_numeric in zip(table.columns, _find_numeric(table), strict=True)
        ],
        "rows": [list(_pack_row(row, table)) for row in table.rows],
        "notes": list(table.notes),
    }


def _pack_row(row: Row, table: Table) -> Iterator[str | list[Any]]:
    """Yield texts alone; [text, number or None, whether it is the best] where a cell is no text."""
    for cell, column in zip(row, table.columns, strict=True):
        text = format_cell(cell, column) + count_trials(cell, table)
        if isinstance(cell.value, str):
            yield text
        elif Mark.BEST in cell.marks:
            yield [text, _find_raw(cell), 1]
        else:
            yield [text, _find_raw(cell)]
