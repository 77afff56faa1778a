"""The answer of a report on one screen of a terminal: colours, the means best first, and where the rest lies."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from textwrap import shorten

from rich.box import Box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table as Grid
from rich.text import Text

from sweep.report.cells import MEANS, Cell, Column, MeanCell, Row, Selection, Table, list_means
from sweep.report.documents import Report, sort_rows
from sweep.report.report import Written
from sweep.report.statistics.best import Verdict
from sweep.report.words import VERDICTS, print_cell, print_number

NARROWEST, WIDEST = 40, 110  # columns; a line longer than that is hard to read
MODELS_SHOWN = 16
NAME_SHARE = 0.4  # of a line that names take before they are broken
NAME_LEAST = 24  # columns
WARNINGS_SHOWN = 3
SLACK = 8  # columns of a line that are lost where it breaks
DENSITIES = ((3, True), (2, True), (1, True), (1, False))  # lines of a warning, blank lines; the first that fits
STAMP = "bold white on red"
STYLES = {Verdict.MAY_BE_BEST: "green", Verdict.WITHIN: "cyan", Verdict.CANNOT_TELL: "yellow", Verdict.WORSE: "dim"}
PARTIAL = " …"
RULED = Box("    \n    \n ── \n    \n    \n    \n    \n    \n")  # a line below the heads, and no other


@dataclass(frozen=True, slots=True)
class Extent:
    """What of the means is shown: beside the answer's block, and of the other blocks."""

    has_interval: bool = False
    has_published: bool = False
    has_others: bool = True
    has_deviations: bool = True  # of the other blocks


EXTENTS = (  # the first that fits is taken
    Extent(has_interval=True, has_published=True),
    Extent(has_interval=True),
    Extent(),
    Extent(has_deviations=False),
    Extent(has_others=False),
)


def draw_screen(written: Written, width: int, height: int, *, is_terminal: bool = True) -> str:
    """Draw a written report for a terminal of some columns and lines; colours as NO_COLOR and TERM allow.

    What is too high even at its tightest scrolls: nothing else is left out for the height.
    """
    width = min(max(width, NARROWEST), WIDEST)
    console = Console(
        file=StringIO(),
        width=width,
        height=height,  # without, a dumb terminal is taken to be 80 columns wide
        force_terminal=is_terminal,
        highlight=False,
        markup=False,
        emoji=False,
    )
    for warning_lines, has_blanks in DENSITIES:
        with console.capture() as drawn:
            _print_screen(console, written, warning_lines)
        text = "".join(line for line in drawn.get().splitlines(keepends=True) if has_blanks or line.strip())
        if text.count("\n") < height:  # the prompt takes a line
            break
    return text


def _print_screen(console: Console, written: Written, warning_lines: int) -> None:
    report = written.report
    if report.header.stamp:
        console.print(Text(f" {report.header.stamp} ", STAMP))
        console.print()
    _print_text(console, Text(report.answer.headline, "bold"))
    for text in report.answer.details:
        _print_text(console, Text(text), Text("- "))
    console.print()
    _print_means(console, written)
    if report.warnings:
        console.print()
        _print_warnings(console, report.warnings, warning_lines)
    console.print()
    for line in _say_where(written):
        _print_text(console, Text(line))


# -- means -------------------------------------------------------------------------------------------------------


def _print_means(console: Console, written: Written) -> None:
    report = written.report
    tables = [table for table in sort_rows(report) if table.content == MEANS]
    table = next((table for table in tables if any(_is_answer(row, report) for row in table.rows)), tables[0])
    known = [row for row in table.rows if any(cell.value is not None for cell in list_means(row))]
    rows = _choose_rows(known, report)
    is_usual = report.header.select is Selection.VALIDATION
    title = table.title.partition(";")[0] if is_usual else table.title  # behind it stands what was chosen on
    _print_text(console, Text(f"{report.header.sweep}: {title}"))
    if rows:
        grid, extent = _fit_grid(console, report, table, rows)
        console.print(grid)
        if not extent.has_others and len(table.columns) > table.keys + 1:
            _print_text(console, Text("The other columns need a wider terminal, or --full."))
    if len(known) > len(rows):
        _print_text(console, Text(f"... and {len(known) - len(rows):,} more: --full"))
    if len(tables) > 1:
        _print_text(console, Text(f"... and {len(tables) - 1:,} more such table{'s' * (len(tables) > 2)}: --full"))
    empty = [str(row[0].value) for row in table.rows if row not in known]
    if empty:
        more = f" and {len(empty) - MODELS_SHOWN:,} more" if len(empty) > MODELS_SHOWN else ""
        _print_text(console, Text(f"No result yet: {', '.join(empty[:MODELS_SHOWN])}{more}", "dim"))
    shown = [cell for row in rows for cell in list_means(row) if cell.value is not None]
    for line in _pack(_make_legend(shown, written.margin), console.width):
        _print_text(console, line)


def _fit_grid(console: Console, report: Report, table: Table, rows: Sequence[Row]) -> tuple[Grid, Extent]:
    """Lay the table out as richly as the console is wide."""
    boundless = console.options.update(max_width=10_000)
    for extent in EXTENTS:
        grid = _make_grid(report, table, rows, extent, int(max(NAME_LEAST, NAME_SHARE * console.width)))
        if Measurement.get(console, boundless, grid).maximum <= console.width:
            break
    return grid, extent


def _is_answer(row: Row, report: Report) -> bool:
    return any(cell.key == report.answer.key for cell in list_means(row))


def _choose_rows(rows: Sequence[Row], report: Report) -> Sequence[Row]:
    """Return the first rows, and of the others that of the answer."""
    if len(rows) <= MODELS_SHOWN:
        return rows
    shown, rest = rows[: MODELS_SHOWN - 1], rows[MODELS_SHOWN - 1 :]
    return [*shown, next((row for row in rest if _is_answer(row, report)), rest[0])]


def _find_place(table: Table, block: str) -> int | None:
    """Return the column of a block; None where a row has several models there."""
    keys = [[cell.key if isinstance(cell, MeanCell) else ("", "") for cell in row] for row in table.rows]
    places = {place for row in keys for place, (_, where) in enumerate(row) if where == block}
    return places.pop() if len(places) == 1 else None


def _make_grid(report: Report, table: Table, rows: Sequence[Row], extent: Extent, name_width: int) -> Grid:
    place = _find_place(table, report.answer.block)
    others = [other for other in range(table.keys, len(table.columns)) if other != place]
    if not extent.has_others:
        others = others[:1] if place is None else []
    shown = [] if place is None else list(_list_answer_columns(table, rows, place, extent))
    for other in others:
        column = table.columns[other]
        cells = [_say_mean(row[other], column, has_deviation=extent.has_deviations) for row in rows]
        shown.append((column.title, cells))
    grid = Grid(box=RULED, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="bold")
    longest = max(len(str(row[0].value)) for row in rows)
    grid.add_column(table.columns[0].title, max_width=name_width, no_wrap=longest <= name_width)
    for head, _ in shown:
        grid.add_column(head, justify="right", no_wrap=True)
    for row, *texts in zip(rows, *(texts for _, texts in shown), strict=True):
        is_bold = place is not None and _is_answer(row, report)
        grid.add_row(Text(str(row[0].value)), *texts, style="bold" if is_bold else "")
    return grid


def _list_answer_columns(
    table: Table, rows: Sequence[Row], place: int, extent: Extent
) -> Iterator[tuple[str, list[Text]]]:
    """Yield heads and cells of the means at the answer's block, and of what stands beside them."""
    column, cells = table.columns[place], [row[place] for row in rows]
    yield column.title, [_say_mean(cell, column) for cell in cells]
    decimals = column.decimals or 0
    means = [cell if isinstance(cell, MeanCell) else MeanCell(None) for cell in cells]
    if extent.has_interval:
        ends = [(cell.interval.lower, cell.interval.upper) if cell.interval else () for cell in means]
        yield "95 % interval", [Text(" to ".join(print_number(end, decimals) for end in pair)) for pair in ends]
    published = [cell.published for cell in means]
    if extent.has_published and any(each is not None for each in published):
        yield "published", [Text("" if each is None else print_number(each, decimals)) for each in published]


def _say_mean(cell: Cell, column: Column, *, has_deviation: bool = True) -> Text:
    """Print a mean with its deviation and the symbol of its verdict, in the verdict's colour."""
    if not isinstance(cell, MeanCell) or cell.value is None:
        return Text("-  ", "dim")
    printed = print_cell(cell, column)
    text = printed.value + (printed.std if has_deviation else "")
    if not cell.is_finished:
        return Text(text + PARTIAL, "dim")
    return Text(text + "  ") if cell.verdict is None else Text(text + VERDICTS[cell.verdict], STYLES[cell.verdict])


def _make_legend(means: Sequence[MeanCell], margin: str) -> Iterator[Text]:
    """Yield what the symbols mean that are there."""
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


def _print_text(console: Console, text: Text, bullet: Text | None = None) -> None:
    """Print a text in whole words beside its bullet."""
    first = bullet or Text()
    for number, line in enumerate(text.wrap(console, console.width - len(first))):
        line.rstrip()
        console.print(Text(" " * len(first)) + line if number else first + line)


def _print_warnings(console: Console, warnings: Sequence[str], lines: int) -> None:
    """Print the first warnings, each on some lines at most."""
    for text in warnings[:WARNINGS_SHOWN]:
        wrapped = Text(text).wrap(console, console.width - 2)
        cut = shorten(text, lines * (console.width - 2) - SLACK * (lines - 1), placeholder=" ...")
        _print_text(console, Text(text if len(wrapped) <= lines else cut), Text("! ", "bold yellow"))
    left_out = len(warnings) - WARNINGS_SHOWN
    if left_out > 0:
        _print_text(console, Text(f"... and {left_out:,} more {'warning' if left_out == 1 else 'warnings'}: --full"))


def _say_where(written: Written) -> Iterator[str]:
    """Say what was written, and how to see more."""
    first, *rest = written.files
    yield f"Written: {f'{len(written.files):,} files in {first.parent}' if rest else first}"
    if written.figures:
        yield f"Figures: {written.figures} in {first.parent / 'figures'}"
    page = "" if first.suffix == ".html" else ", --format html (page with figures)"
    yield f"More: --full (all), --table NAME (one table){page}"
