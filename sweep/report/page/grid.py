"""Tables of the page as HTML."""

import math
from collections.abc import Mapping
from html import escape

from sweep.report.cells import MEANS, Cell, Column, Mark, MeanCell, Table
from sweep.report.layout import CellKey
from sweep.report.words import Printed, count_trials, print_cell, with_stamp

LONG_NAME = 30  # characters that stand on one line
KINDS = {True: "n", False: "t"}  # classes of columns: numbers, texts


def write_grid(table: Table, explained: Mapping[CellKey, int]) -> str:
    """Write a table in a box that scrolls; `explained` numbers the means that have an explanation."""
    label = escape(with_stamp(table.title, table.stamp))
    numeric = _find_numeric(table)
    heads = "".join(
        f'<th scope="col" class="{KINDS[is_numeric]}">{escape(column.title)}</th>'
        for column, is_numeric in zip(table.columns, numeric, strict=True)
    )
    numbers = explained if table.content == MEANS else {}
    rows = [
        [_write_cell(table, index, cell, numbers, is_numeric=numeric[index]) for index, cell in enumerate(row)]
        for row in table.rows
    ]
    body = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">\n<table>\n<caption>{label}</caption>\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>"
    )


def _write_cell(table: Table, index: int, cell: Cell, numbers: Mapping[CellKey, int], *, is_numeric: bool) -> str:
    raw, is_key = _find_raw(cell), index < table.keys
    is_long = is_key and isinstance(cell.value, str) and len(cell.value) > LONG_NAME
    has_number = raw is not None or cell.value is None
    attributes = {
        "scope": "row" if is_key else None,
        "class": "wordy" if is_long else "t" if has_number and not is_numeric else None,
        "data-value": ("" if raw is None else f"{raw:.10g}") if has_number else None,
        "data-explanation": numbers.get(cell.key) if isinstance(cell, MeanCell) else None,
    }
    written = "".join(f' {name}="{value}"' for name, value in attributes.items() if value is not None)
    tag = "th" if is_key else "td"
    return f"<{tag}{written}>{_write_text(cell, table.columns[index], table)}</{tag}>"


def _write_text(cell: Cell, column: Column, table: Table) -> str:
    """Write what is printed, its parts apart; of trials only how many are missing."""
    printed = Printed(*map(escape, print_cell(cell, column)))
    count = escape(count_trials(cell, table)) if cell.finished < cell.planned else ""
    counted = f'<span class="count">{count}</span>' if count else ""
    value = f"<strong>{printed.value}</strong>" if Mark.BEST in cell.marks else printed.value
    if not isinstance(cell, MeanCell) or cell.value is None:
        return value + printed.signs + counted
    std = f'<span class="std">{printed.std}</span>' if printed.std else ""
    bounds = f'<span class="bounds">{printed.bounds}</span>' if printed.bounds else ""
    signs = printed.signs
    if cell.verdict is not None:
        signs = f'<span class="sign {cell.verdict.name.lower()}" title="{cell.verdict.value}">{signs}</span>'
    return f'<span class="mean"><span>{value}{std}{counted}</span>{bounds}{signs}</span>'


def _find_numeric(table: Table) -> tuple[bool, ...]:
    """Say of each column whether it holds numbers."""
    return tuple(any(_find_raw(row[index]) is not None for row in table.rows) for index in range(len(table.columns)))


def _find_raw(cell: Cell) -> float | None:
    """Return what a cell is sorted by; None for texts, gaps and what is not finite."""
    if cell.value is None or isinstance(cell.value, str) or not math.isfinite(cell.value):
        return None
    return float(cell.value)
