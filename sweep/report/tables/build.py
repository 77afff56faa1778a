"""A table of a sweep: stamped with what its numbers are not. Pure."""

import math
from typing import Any

from sweep.report.cells import Cell, Column, Mark, Row, Table
from sweep.report.frames import SweepFrames
from sweep.report.header import make_stamp


def make_table(
    frames: SweepFrames, name: str, title: str, columns: tuple[Column, ...], rows: tuple[Row, ...], **more: Any
) -> Table:
    """Make a table; `more` are other fields of `Table`."""
    return Table(name, title, make_stamp(frames), columns, rows, is_partial=frames.is_partial, **more)


def rest_on(cell: Cell, value: float | str | None, *marks: Mark) -> Cell:
    """Make a cell of a value that rests on the same trials as another cell.

    Without a value, or with a bound that bounds nothing, they cannot tell.
    """
    if isinstance(value, float) and math.isinf(value):
        value = None
    unknown = (Mark.CANNOT_TELL,) if value is None and cell.finished else ()
    return Cell(value, (*marks, *unknown), cell.finished, cell.planned)
