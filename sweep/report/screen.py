"""The answer of a report on one screen of a terminal: colours, Table 4 best first, and where the rest lies."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from textwrap import shorten

from rich.box import Box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table as Grid
from rich.text import Text

from sweep.metrics import with_blank
from sweep.report.cells import Cell, Column, MeanCell, Row, Table
from sweep.report.report import Written
from sweep.report.statistics.best import Verdict
from sweep.report.words import VERDICTS, format_cell

NARROWEST, WIDEST = 40, 110  # columns; a line longer than that is hard to read
MODELS_SHOWN = 16
WARNINGS_SHOWN, WARNING_LINES = 3, 3
STAMP = "bold white on red"
STYLES = {Verdict.MAY_BE_BEST: "green", Verdict.WITHIN: "cyan", Verdict.CANNOT_TELL: "yellow", Verdict.WORSE: "dim"}
PARTIAL = " …"
RULED = Box("    \n    \n ── \n    \n    \n    \n    \n    \n")  # a line below the heads, and no other


@dataclass(frozen=True, slots=True)
class Layout:
    """What of Table 4 is shown: beside the answer's split, and of the other splits."""

    has_interval: bool = False
    has_published: bool = False
    has_others: bool = True
    has_deviations: bool = True  # of the other splits
    gap: int = 2


LAYOUTS = (  # the first that fits is taken
    Layout(has_interval=True, has_published=True),
    Layout(has_interval=True),
    Layout(),
    Layout(gap=1),
    Layout(has_deviations=False),
    Layout(has_deviations=False, gap=1),
    Layout(has_others=False),
)


def draw_screen(written: Written, width: int, *, is_terminal: bool = True) -> str:
    """Draw a written report for a terminal of some columns; colours as NO_COLOR and TERM allow."""
    width = min(max(width, NARROWEST), WIDEST)
    console = Console(
        file=(file := StringIO()), width=width, force_terminal=is_terminal, highlight=False, markup=False, emoji=False
    )
    report = written.report
    if report.header.stamp:
        console.print(Text(f" {report.header.stamp} ", STAMP))
        console.print()
    console.print(Text(report.answer.headline, "bold"))
    _print_list(console, report.answer.details)
    console.print()
    _print_means(console, written)
    if report.warnings:
        console.print()
        _print_warnings(console, report.warnings)
    console.print()
    for line in _say_where(written):
        console.print(Text(line))
    return file.getvalue()


# -- Table 4 -----------------------------------------------------------------------------------------------------


def _print_means(console: Console, written: Written) -> None:
    report = written.report
    table = next(table for table in report.tables if table.name == "table4")
    rows, left_out = _choose_rows(written, table)
    console.print(Text(f"{report.header.sweep}: {table.title}"))
    grids = [_make_grid(written, table, rows, layout) for layout in LAYOUTS]
    fitting = (grid for grid in grids if Measurement.get(console, console.options, grid).maximum <= console.width)
    grid = next(fitting, grids[-1])
    console.print(grid)
    if left_out:
        console.print(Text(f"... and {left_out:,} more: --full"))
    if grid is grids[-1] and len(table.columns) > len(table.columns[: table.keys]) + 1:
        console.print(Text("The other splits need a wider terminal, or --full."))
    for line in _pack(_make_legend(written, [cell for row in rows for cell in row]), console.width):
        console.print(line)


def _choose_rows(written: Written, table: Table) -> tuple[list[Row], int]:
    """Return the best rows at the answer's split, the answer's model among them, and how many are left out."""
    place, sign = _find_split(written, table), written.metric.direction.sign

    def rate(row: Row) -> tuple[bool, bool, float]:
        cell = row[place]
        is_whole = isinstance(cell, MeanCell) and cell.is_comparable
        return not is_whole, cell.number is None, -sign * (cell.number or 0.0)

    rows = sorted(table.rows, key=rate)
    if len(rows) <= MODELS_SHOWN:
        return rows, 0
    shown, rest = rows[: MODELS_SHOWN - 1], rows[MODELS_SHOWN - 1 :]
    taken = [row for row in rest if row[0].value == written.report.answer.model]
    return [*shown, *(taken or rest[:1])], len(rest) - 1


def _find_split(written: Written, table: Table) -> int:
    return [column.key for column in table.columns].index(written.report.answer.split)


def _make_grid(written: Written, table: Table, rows: Sequence[Row], layout: Layout) -> Grid:
    place, answer = _find_split(written, table), written.report.answer
    others = [other for other in range(table.keys, len(table.columns)) if other != place and layout.has_others]
    has_published = layout.has_published and any(_published(row[place]) is not None for row in rows)
    heads = [table.columns[place].title]
    heads += ["95 % interval"] if layout.has_interval else []
    heads += ["published"] if has_published else []
    grid = Grid(box=RULED, padding=(0, layout.gap, 0, 0), pad_edge=False, show_edge=False, header_style="bold")
    grid.add_column(table.columns[0].title, no_wrap=True)
    for head in [*heads, *(table.columns[other].title for other in others)]:
        grid.add_column(head, justify="right", no_wrap=True)
    for row in rows:
        column, cell = table.columns[place], row[place]
        texts = [Text(str(row[0].value)), _say_mean(cell, column)]
        texts += [Text(_say_interval(cell, column))] if layout.has_interval else []
        texts += [Text(_say_number(_published(cell), column))] if has_published else []
        texts += [_say_mean(row[other], table.columns[other], has_deviation=layout.has_deviations) for other in others]
        grid.add_row(*texts, style="bold" if row[0].value == answer.model else "")
    return grid


def _say_mean(cell: Cell, column: Column, *, has_deviation: bool = True) -> Text:
    """Print a mean with its deviation and the symbol of its verdict, in the verdict's colour."""
    if not isinstance(cell, MeanCell) or cell.value is None:
        return Text("-  ", "dim")
    std = cell.std if has_deviation else None
    text = format_cell(replace(cell, interval=None, published=None, verdict=None, marks=(), std=std), column)
    if not cell.is_finished:
        return Text(text + PARTIAL, "dim")
    return Text(text + "  ") if cell.verdict is None else Text(text + VERDICTS[cell.verdict], STYLES[cell.verdict])


def _say_interval(cell: Cell, column: Column) -> str:
    if not isinstance(cell, MeanCell) or cell.interval is None:
        return ""
    return f"{_say_number(cell.interval.lower, column)} to {_say_number(cell.interval.upper, column)}"


def _say_number(value: float | None, column: Column) -> str:
    return "" if value is None else format_cell(Cell(value), column)


def _published(cell: Cell) -> float | None:
    return cell.published if isinstance(cell, MeanCell) else None


def _make_legend(written: Written, cells: Iterable[Cell]) -> Iterator[Text]:
    """Yield what the symbols mean that are there."""
    means = [cell for cell in cells if isinstance(cell, MeanCell) and cell.value is not None]
    margin = with_blank(f"{written.margin:.{written.metric.decimals}f}", written.metric.difference_unit)
    meanings = {
        Verdict.MAY_BE_BEST: "may be the best",
        Verdict.WITHIN: f"within {margin} of the best",
        Verdict.CANNOT_TELL: f"may be the best, or over {margin} behind",
        Verdict.WORSE: "not the best",
    }
    found = {cell.verdict for cell in means if cell.is_finished}
    for verdict, meaning in meanings.items():
        if verdict in found:
            yield Text(f"{VERDICTS[verdict].strip()} {meaning}", STYLES[verdict])
    if not all(cell.is_finished for cell in means):
        yield Text(f"{PARTIAL.strip()} not finished", "dim")


def _pack(items: Iterable[Text], width: int) -> Iterator[Text]:
    """Put items beside each other on as few lines as hold them whole."""
    line = Text()
    for item in items:
        if line and line.cell_len + len(gap := "   ") + item.cell_len > width:
            yield line
            line = Text()
        line = line + gap + item if line else item
    if line:
        yield line


# -- texts -------------------------------------------------------------------------------------------------------


def _print_list(console: Console, texts: Iterable[str]) -> None:
    for text in texts:
        for number, line in enumerate(Text(text).wrap(console, console.width - 2)):
            line.rstrip()
            console.print(Text("  " if number else "- ") + line)


def _print_warnings(console: Console, warnings: Sequence[str]) -> None:
    console.print(Text("Warnings", "bold yellow"))
    length = WARNING_LINES * (console.width - 2) - 10  # some is lost where lines break
    _print_list(console, (shorten(text, length, placeholder=" ...") for text in warnings[:WARNINGS_SHOWN]))
    left_out = len(warnings) - WARNINGS_SHOWN
    if left_out > 0:
        console.print(Text(f"... and {left_out:,} more: --full"))


def _say_where(written: Written) -> Iterator[str]:
    """Say what was written, and how to see more."""
    first, *rest = written.files
    yield f"Written: {f'{len(written.files):,} files in {first.parent}' if rest else first}"
    if written.figures:
        yield f"Figures: {written.figures} in {first.parent / 'figures'}"
    ways = ["--full prints it all", "--table table4 one table"]
    ways += [] if first.suffix == ".html" else ["--format html writes a page with figures"]
    yield f"With the same command: {', '.join(ways)}."
