"""A table of a sweep: stamped with what its numbers are not. Pure."""

import math
from typing import Any

from sweep.report.cells import Cell, Column, Mark, Row, Table
from sweep.report.frames import SweepFrames
from sweep.report.header import make_stamp
from sweep.report.layout import Layout, slug

MODEL = Column("model", "model")


def make_table(
    frames: SweepFrames, content: str, title: str, columns: tuple[Column, ...], rows: tuple[Row, ...], **more: Any
) -> Table:
    """Make a table of some content; `more` are other fields of `Table`, and `part`: which of several tables it is."""
    part = more.pop("part", "")
    name = frames.profile.name_table(content) + (f"_{slug(part)}" if part else "")
    title = frames.profile.title(content, title)
    return Table(name, content, title, make_stamp(frames), columns, rows, is_partial=frames.is_partial, **more)


def head_block(layout: Layout) -> Column:
    """Make the column of the blocks, called as their axis where there is one."""
    axes = layout.of_blocks
    return Column(axes[0].name if len(axes) == 1 else "block", layout.block_word or "images")


def like(cell: Cell, value: float | str | None, *marks: Mark) -> Cell:
    """Make a cell of a value that rests on the same trials as another cell.

    Without a value, or with a bound that bounds nothing, they cannot tell.
    """
    if isinstance(value, float) and math.isinf(value):
        value = None
    unknown = (Mark.CANNOT_TELL,) if value is None and cell.finished else ()
    return Cell(value, (*marks, *unknown), cell.finished, cell.planned)
