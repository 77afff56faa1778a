"""A report as documents for people: Markdown, plain text and LaTeX, which differ in how they mark what they say."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from textwrap import fill
from types import MappingProxyType

from tabulate import DataRow, Line, TableFormat, tabulate

from sweep.metrics import METRICS
from sweep.report.answer import Answer
from sweep.report.cells import MEANS, Cell, Column, Explanation, Header, Mark, Row, Table, list_means
from sweep.report.words import (
    ANSWER,
    METHODS,
    PROVENANCE,
    WARNINGS,
    count_trials,
    describe_header,
    format_cell,
    list_methods,
    with_stamp,
)

FIGURES = "figures"  # the folder of figures, beside a document
LINE_LENGTH = 110
LONG_TABLE = 30  # rows that fit on a landscape page
WIDE_TABLE = 10  # columns
TINY = r"\tiny\setlength{\tabcolsep}{3pt}"
LATEX_START = r"""\documentclass{article}
\usepackage[a4paper,landscape,margin=2cm]{geometry}
\usepackage[T1]{fontenc}
\usepackage{booktabs,caption,float,longtable}
\begin{document}"""
PACKAGES = r"needs \usepackage[T1]{fontenc} and \usepackage{booktabs,longtable}"  # of a float on its own
TABLE_NUMBER = re.compile(r"^Table \d+\. ")
BOOKTABS = TableFormat(  # the body of a tabular
    lineabove=Line(r"\toprule", "", "", ""),
    linebelowheader=Line(r"\midrule", "", "", ""),
    linebetweenrows=None,
    linebelow=Line(r"\bottomrule", "", "", ""),
    headerrow=DataRow("", " & ", r" \\"),
    datarow=DataRow("", " & ", r" \\"),
    padding=0,
    with_header_hide=None,
)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure as SVG, whose marks have the class `mark`, an `aria-label` and a child `<title>`."""

    name: str
    title: str
    caption: str
    svg: str


@dataclass(frozen=True, slots=True)
class Report:
    """All that a report says, in the order of saying it: the answer, what shows it, warnings, the rest, provenance.

    `tables` begins with the `main` ones, that stand right below the answer.
    """

    header: Header
    answer: Answer
    tables: tuple[Table, ...]
    main: int
    warnings: tuple[str, ...]


def sort_rows(report: Report) -> tuple[Table, ...]:
    """Return the tables, the rows of the main ones in the order of the models' means at the block of the answer."""
    sign = next((each.direction.sign for each in METRICS.values() if each.title == report.header.metric), 1)
    tables = [table for table in report.tables if table.content == MEANS]
    means = [cell for table in tables for row in table.rows for cell in list_means(row)]
    cells = {cell.key[0]: cell for cell in means if cell.key[1] == report.answer.block}
    order = {model: place for place, model in enumerate(sorted(cells, key=lambda model: cells[model].rank(sign)))}

    def place_of(row: Row) -> int:
        models = {cell.key[0] for cell in list_means(row)} or {str(row[0].value)}
        return order.get(models.pop(), len(order)) if len(models) == 1 else 0  # rows of several models stay

    return tuple(
        replace(table, rows=tuple(sorted(table.rows, key=place_of))) if number < report.main else table
        for number, table in enumerate(report.tables)
    )


class Text:
    """Plain text; of others, how they mark what is said. Without a form headings are underlined."""

    escapes: Mapping[int, str] = MappingProxyType({})
    bold = "*{}"
    grid: TableFormat | str = "simple"
    title_form, heading_form, strong_form, picture_form = "{}", "", "", ""
    start = end = ""

    def escape(self, text: str) -> str:
        """Write what would be read as a command so that it is not."""
        return text.translate(self.escapes)

    def title(self, text: str) -> str:
        """Head the document."""
        return self.title_form.format(self.escape(text))

    def heading(self, text: str) -> str:
        """Head a section."""
        lines = _fill(text)
        underlined = f"{lines}\n{'=' * max(map(len, lines.splitlines()))}"
        return self.heading_form.format(self.escape(text)) or underlined

    def strong(self, text: str) -> str:
        """Write a sentence that catches the eye."""
        return self.strong_form.format(self.escape(text)) or _fill(text)

    def list(self, texts: Iterable[str]) -> str:
        """Write a list; nothing for no text."""
        return "\n".join(_fill(f"- {self.escape(text)}", subsequent_indent="  ") for text in texts)

    def section(self, table: Table) -> Iterator[str]:
        """Yield a table under its title, and its notes."""
        yield from (self.heading(with_stamp(table.title, table.stamp)), self.draw(table), self.list(table.notes))

    def alone(self, table: Table) -> Iterator[str]:
        """Yield a table that is not part of a document."""
        yield from self.section(table)

    def picture(self, drawing: Drawing) -> str:
        """Write a figure with its caption, its file being beside; nothing where there are no figures."""
        title, caption = self.escape(drawing.title), _fill(self.escape(drawing.caption))
        return self.picture_form.format(title=title, path=f"{FIGURES}/{drawing.name}.svg", caption=caption)

    def draw(self, table: Table) -> str:
        """Draw the grid of a table."""
        titles = [self.escape(column.title) for column in table.columns]
        rows = [
            [self._draw_cell(cell, column, table) for cell, column in zip(row, table.columns, strict=True)]
            for row in table.rows
        ]
        alignment = ["left"] * table.keys + ["right"] * (len(titles) - table.keys)
        return tabulate(rows, titles, tablefmt=self.grid, disable_numparse=True, colalign=alignment)

    def _draw_cell(self, cell: Cell, column: Column, table: Table) -> str:
        text = self.escape(format_cell(cell, column))
        return (self.bold.format(text) if Mark.BEST in cell.marks else text) + count_trials(cell, table)


class Markdown(Text):
    """A page with one section a table."""

    escapes = str.maketrans({character: f"\\{character}" for character in "\\|*`<"})
    bold, grid = "**{}**", "pipe"
    title_form, heading_form, strong_form = "# {}", "## {}", "**{}**"
    picture_form = "### {title}\n\n![{title}]({path})\n\n{caption}"


class Latex(Text):
    """A document that compiles as it is, or whose tables can be copied with the packages at its top."""

    escapes = str.maketrans(
        {character: f"\\{character}" for character in "{}$&#_%"}
        | {
            "\\": r"\textbackslash{}",
            '"': r"\textquotedbl{}",
            "~": r"\textasciitilde{}",
            "^": r"\textasciicircum{}",
            "<": r"\textless{}",
            ">": r"\textgreater{}",
            "|": r"\textbar{}",
            "±": r"$\pm$",
            "≠": r"$\neq$",
            "†": r"$\dagger$",
            "‡": r"$\ddagger$",
            "≥": r"$\geq$",
            "★": r"$\star$",
            "≈": r"$\approx$",
            "↓": r"$\downarrow$",
            "…": r"\ldots{}",
        }
    )
    bold, grid = r"\textbf{{{}}}", BOOKTABS
    title_form, heading_form, strong_form = r"\section*{{{}}}", r"\subsection*{{{}}}", r"\textbf{{{}}}"
    start, end = LATEX_START, r"\end{document}"

    def list(self, texts: Iterable[str]) -> str:
        """Write a list; nothing for no text."""
        items = "\n".join(rf"\item {self.escape(text)}" for text in texts)
        return f"\\begin{{itemize}}\n{items}\n\\end{{itemize}}" if items else ""

    def section(self, table: Table) -> Iterator[str]:
        """Yield a table with its title, and its notes."""
        yield self._float(table, rf"\caption*{{{self.escape(with_stamp(table.title, table.stamp))}}}", "H")
        yield self.list(table.notes)

    def alone(self, table: Table) -> Iterator[str]:
        """Yield a float for a document of the reader's own, which numbers it; notes are comments."""
        numberless = self.escape(TABLE_NUMBER.sub("", with_stamp(table.title, table.stamp)))
        comments = "\n".join(f"% {' '.join(note.split())}" for note in (PACKAGES, *table.notes))
        caption = rf"\caption{{{numberless}}}\label{{tab:{table.name}}}"
        yield f"{comments}\n{self._float(table, caption, 'htbp')}"

    def _float(self, table: Table, caption: str, place: str) -> str:
        """Make a float, or of a long table one that goes over pages; wide ones in small letters."""
        alignment = "l" * table.keys + "r" * (len(table.columns) - table.keys)
        size, grid = TINY if len(table.columns) > WIDE_TABLE else r"\small", self.draw(table)
        if len(table.rows) > LONG_TABLE:
            body = grid.replace("\\midrule", "\\midrule\n\\endhead", 1)
            return f"{{{size}\n\\begin{{longtable}}{{{alignment}}}\n{caption}\\\\\n{body}\n\\end{{longtable}}}}"
        return (
            f"\\begin{{table}}[{place}]\n\\centering{size}\n{caption}\n"
            f"\\begin{{tabular}}{{{alignment}}}\n{grid}\n\\end{{tabular}}\n\\end{{table}}"
        )


def write_document(report: Report, style: Text, drawings: Sequence[Drawing] = ()) -> str:
    """Write a report but for the tables too long to be read; the first picture stands below the answer."""
    header, answer = report.header, report.answer
    main, rest = (
        [table for table in tables if not table.is_detail]
        for tables in (report.tables[: report.main], report.tables[report.main :])
    )
    parts = [
        style.start,
        style.title(with_stamp(header.sweep, header.stamp)),
        style.heading(ANSWER),
        style.strong(answer.headline),
    ]
    parts += [style.list(answer.details), *map(style.picture, drawings[:1])]
    parts += [part for table in main for part in style.section(table)]
    parts += [style.heading(WARNINGS), style.list(report.warnings)] if report.warnings else []
    parts += [part for table in rest for part in style.section(table)]
    parts += map(style.picture, drawings[1:])
    parts += [style.heading(PROVENANCE), style.list(f"{name}: {text}" for name, text in describe_header(header))]
    parts += [style.heading(METHODS), style.list(list_methods([*main, *rest])), style.end]
    return _join(parts)


def write_tables(tables: Iterable[Table], style: Text) -> str:
    """Write some tables with their notes."""
    return _join(part for table in tables for part in style.alone(table))


def write_explanation(explanation: Explanation) -> str:
    """Write where a number comes from as plain text."""
    style = Text()
    parts = [style.heading(explanation.title), "\n".join(f"{name}: {text}" for name, text in explanation.facts)]
    parts += [part for table in explanation.tables for part in style.section(table)]
    return _join(parts)


def _fill(text: str, subsequent_indent: str = "") -> str:
    return fill(text, LINE_LENGTH, subsequent_indent=subsequent_indent, break_on_hyphens=False)


def _join(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"
