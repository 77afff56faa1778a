"""Tables as documents for people: Markdown, plain text and LaTeX."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import fill

from tabulate import DataRow, Line, TableFormat, tabulate

from sweep.report.answer import Answer
from sweep.report.cells import Cell, Column, Explanation, Header, Mark, Table
from sweep.report.words import (
    ANSWER,
    METHODS,
    PROVENANCE,
    WARNINGS,
    count_trials,
    describe_header,
    format_cell,
    list_methods,
    name_sweep,
    stamp_title,
)

LINE_LENGTH = 110
LONG_TABLE = 30  # rows that fit on a landscape page
WIDE_TABLE = 10  # columns
TINY = r"\tiny\setlength{\tabcolsep}{3pt}"


@dataclass(frozen=True, slots=True)
class Style:
    """How cells look in a kind of document."""

    escapes: dict[int, str]
    bold: str
    grid: TableFormat | str


TEXT = Style({}, "*{}", "simple")
MARKDOWN = Style(str.maketrans({character: f"\\{character}" for character in "\\|*`<"}), "**{}**", "pipe")
LATEX = Style(
    str.maketrans(
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
    ),
    r"\textbf{{{}}}",
    TableFormat(  # the body of a booktabs tabular
        lineabove=Line(r"\toprule", "", "", ""),
        linebelowheader=Line(r"\midrule", "", "", ""),
        linebetweenrows=None,
        linebelow=Line(r"\bottomrule", "", "", ""),
        headerrow=DataRow("", " & ", r" \\"),
        datarow=DataRow("", " & ", r" \\"),
        padding=0,
        with_header_hide=None,
    ),
)
LATEX_START = r"""\documentclass{article}
\usepackage[a4paper,landscape,margin=2cm]{geometry}
\usepackage[T1]{fontenc}
\usepackage{booktabs,caption,float,longtable}
\begin{document}"""
PACKAGES = r"needs \usepackage[T1]{fontenc} and \usepackage{booktabs,longtable}"  # of a float on its own
TABLE_NUMBER = re.compile(r"^Table \d+\. ")


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure of a document: its file beside it, its title and what is to be seen."""

    path: str
    title: str
    caption: str


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

    def list_read(self) -> tuple[list[Table], list[Table]]:
        """Return the main tables and the others, without those too long to be read."""
        first, rest = self.tables[: self.main], self.tables[self.main :]
        return [table for table in first if not table.is_detail], [table for table in rest if not table.is_detail]


def write_markdown(report: Report, pictures: Sequence[Picture] = ()) -> str:
    """Write a page with one section a table; the first picture stands below the answer."""
    header, answer = report.header, report.answer
    main, details = report.list_read()
    facts = [f"{name}: {text}" for name, text in describe_header(header)]
    parts = [f"# {name_sweep(header)}", f"## {ANSWER}"]
    parts += [f"**{_escape(answer.headline)}**", _list_markdown(answer.details)]
    parts += _list_pictures(pictures[:1])
    parts += [part for table in main for part in _write_section(table)]
    parts += [f"## {WARNINGS}", _list_markdown(report.warnings)] if report.warnings else []
    parts += [part for table in details for part in _write_section(table)]
    parts += _list_pictures(pictures[1:])
    parts += [
        f"## {PROVENANCE}",
        _list_markdown(facts),
        f"## {METHODS}",
        _list_markdown(list_methods([*main, *details])),
    ]
    return _join(parts)


def write_markdown_tables(tables: Iterable[Table]) -> str:
    """Write some tables with their notes as sections of a page."""
    return _join(part for table in tables for part in _write_section(table))


def _write_section(table: Table) -> list[str]:
    return [f"## {_escape(stamp_title(table))}", _draw_grid(table, MARKDOWN), _list_markdown(table.notes)]


def _list_pictures(pictures: Iterable[Picture]) -> list[str]:
    parts = []
    for picture in pictures:
        title, caption = _escape(picture.title), _escape(picture.caption)
        parts += [f"### {title}", f"![{title}]({picture.path})", fill(caption, LINE_LENGTH, break_on_hyphens=False)]
    return parts


def _escape(text: str) -> str:
    return text.translate(MARKDOWN.escapes)


def write_text(report: Report) -> str:
    """Write the same as plain text."""
    header, answer = report.header, report.answer
    main, details = report.list_read()
    facts = [f"{name}: {text}" for name, text in describe_header(header)]
    parts = [name_sweep(header), _underline(ANSWER), fill(answer.headline, LINE_LENGTH, break_on_hyphens=False)]
    parts.append(_list_texts(answer.details))
    parts += [part for table in main for part in _write_text_section(table)]
    parts += [_underline(WARNINGS), _list_texts(report.warnings)] if report.warnings else []
    parts += [part for table in details for part in _write_text_section(table)]
    parts += [_underline(PROVENANCE), _list_texts(facts)]
    parts += [_underline(METHODS), _list_texts(list_methods([*main, *details]))]
    return _join(parts)


def write_text_tables(tables: Iterable[Table]) -> str:
    """Write some tables with their notes as plain text."""
    return _join(part for table in tables for part in _write_text_section(table))


def _write_text_section(table: Table) -> list[str]:
    return [_underline(stamp_title(table)), _draw_grid(table, TEXT), _list_texts(table.notes)]


def write_explanation(explanation: Explanation) -> str:
    """Write where a number comes from as plain text."""
    parts = [_underline(explanation.title), "\n".join(f"{name}: {text}" for name, text in explanation.facts)]
    for table in explanation.tables:
        parts += [_underline(stamp_title(table)), _draw_grid(table, TEXT)]
    return "\n\n".join(parts) + "\n"


def _underline(title: str) -> str:
    lines = fill(title, LINE_LENGTH, break_on_hyphens=False)
    return f"{lines}\n{'=' * max(map(len, lines.splitlines()))}"


def _list_markdown(texts: Iterable[str]) -> str:
    return _list_texts(_escape(text) for text in texts)


def _list_texts(texts: Iterable[str]) -> str:
    return "\n".join(fill(f"- {text}", LINE_LENGTH, subsequent_indent="  ", break_on_hyphens=False) for text in texts)


def write_latex(report: Report) -> str:
    """Write a document that compiles as it is, or whose tables can be copied with the packages at its top."""
    header, answer = report.header, report.answer
    main, details = report.list_read()
    facts = [f"{name}: {text}" for name, text in describe_header(header)]
    parts = [LATEX_START, rf"\section*{{{name_sweep(header).translate(LATEX.escapes)}}}", rf"\subsection*{{{ANSWER}}}"]
    parts += [rf"\textbf{{{answer.headline.translate(LATEX.escapes)}}}", _list_latex(answer.details)]
    parts += [part for table in main for part in (_float_latex(table), _list_latex(table.notes))]
    parts += [rf"\subsection*{{{WARNINGS}}}", _list_latex(report.warnings)] if report.warnings else []
    parts += [part for table in details for part in (_float_latex(table), _list_latex(table.notes))]
    parts += [rf"\subsection*{{{PROVENANCE}}}", _list_latex(facts)]
    parts += [rf"\subsection*{{{METHODS}}}", _list_latex(list_methods([*main, *details]))]
    return _join([*parts, r"\end{document}"])


def write_latex_tables(tables: Iterable[Table]) -> str:
    """Write some tables as floats for a document of the reader's own, which numbers them; notes are comments."""
    return _join(_write_float(table) for table in tables)


def _write_float(table: Table) -> str:
    numberless = TABLE_NUMBER.sub("", stamp_title(table)).translate(LATEX.escapes)
    caption = rf"\caption{{{numberless}}}\label{{tab:{table.name}}}"
    comments = "\n".join(f"% {' '.join(note.split())}" for note in (PACKAGES, *table.notes))
    return f"{comments}\n{_float_latex(table, caption, 'htbp')}"


def _float_latex(table: Table, caption: str = "", place: str = "H") -> str:
    """Make a float, or of a long table one that goes over pages; wide ones in small letters."""
    alignment = "l" * table.keys + "r" * (len(table.columns) - table.keys)
    caption = caption or rf"\caption*{{{stamp_title(table).translate(LATEX.escapes)}}}"
    size = TINY if len(table.columns) > WIDE_TABLE else r"\small"
    grid = _draw_grid(table, LATEX)
    if len(table.rows) > LONG_TABLE:
        body = grid.replace("\\midrule", "\\midrule\n\\endhead", 1)
        return f"{{{size}\n\\begin{{longtable}}{{{alignment}}}\n{caption}\\\\\n{body}\n\\end{{longtable}}}}"
    return (
        f"\\begin{{table}}[{place}]\n\\centering{size}\n{caption}\n"
        f"\\begin{{tabular}}{{{alignment}}}\n{grid}\n\\end{{tabular}}\n\\end{{table}}"
    )


def _join(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def _list_latex(texts: Iterable[str]) -> str:
    items = "\n".join(rf"\item {text.translate(LATEX.escapes)}" for text in texts)
    if not items:
        return ""
    return f"\\begin{{itemize}}\n{items}\n\\end{{itemize}}"


def _draw_grid(table: Table, style: Style) -> str:
    titles = [column.title.translate(style.escapes) for column in table.columns]
    rows = [
        [_style_cell(cell, column, style, table) for cell, column in zip(row, table.columns, strict=True)]
        for row in table.rows
    ]
    alignment = ["left"] * table.keys + ["right"] * (len(titles) - table.keys)
    return tabulate(rows, titles, tablefmt=style.grid, disable_numparse=True, colalign=alignment)


def _style_cell(cell: Cell, column: Column, style: Style, table: Table) -> str:
    text = format_cell(cell, column).translate(style.escapes)
    return (style.bold.format(text) if Mark.BEST in cell.marks else text) + count_trials(cell, table)
