"""Tables as documents for people: Markdown, plain text and LaTeX."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import fill

from tabulate import DataRow, Line, TableFormat, tabulate

from sweep.report.cells import Cell, Column, Explanation, Header, Mark, Table
from sweep.report.words import (
    IN_SHORT,
    METHODS,
    count_trials,
    describe_header,
    format_cell,
    list_choices,
    list_findings,
    list_methods,
    list_notes,
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


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure of a document: its file beside it, its title and what is to be seen."""

    path: str
    title: str
    caption: str


def write_markdown(header: Header, tables: Sequence[Table], pictures: Iterable[Picture] = ()) -> str:
    """Write a page with one section a table, and the pictures below."""
    parts = [f"# {name_sweep(header)}", _list_markdown(f"{name}: {text}" for name, text in describe_header(header))]
    findings, methods = list_findings(tables), list_methods(tables)
    parts += [f"## {IN_SHORT}", _list_markdown(findings)] if findings else []
    for table in tables:
        parts += [f"## {stamp_title(table).translate(MARKDOWN.escapes)}"]
        parts += _list_grids(table, MARKDOWN)
        parts.append(_list_markdown(list_notes(table)))
    parts += [f"## {METHODS}", _list_markdown(methods)] if methods else []
    for picture in pictures:
        title, caption = (text.translate(MARKDOWN.escapes) for text in (picture.title, picture.caption))
        parts += [f"## {title}", f"![{title}]({picture.path})", fill(caption, LINE_LENGTH, break_on_hyphens=False)]
    return "\n\n".join(part for part in parts if part) + "\n"


def write_text(header: Header, tables: Sequence[Table]) -> str:
    """Write the same as plain text."""
    parts = [name_sweep(header), _list_texts(f"{name}: {text}" for name, text in describe_header(header))]
    findings, methods = list_findings(tables), list_methods(tables)
    parts += [_underline(IN_SHORT), _list_texts(findings)] if findings else []
    for table in tables:
        parts += [_underline(stamp_title(table)), *_list_grids(table, TEXT), _list_texts(list_notes(table))]
    parts += [_underline(METHODS), _list_texts(methods)] if methods else []
    return "\n\n".join(part for part in parts if part) + "\n"


def write_explanation(explanation: Explanation) -> str:
    """Write where a number comes from as plain text."""
    parts = [_underline(explanation.title), "\n".join(f"{name}: {text}" for name, text in explanation.facts)]
    for table in explanation.tables:
        parts += [_underline(stamp_title(table)), _draw_grid(table, TEXT)]
    return "\n\n".join(parts) + "\n"


def _underline(title: str) -> str:
    lines = fill(title, LINE_LENGTH, break_on_hyphens=False)
    return f"{lines}\n{'=' * max(map(len, lines.splitlines()))}"


def _list_grids(table: Table, style: Style) -> list[str]:
    """Draw a table and, of means that were chosen, the configurations behind them."""
    choices = list_choices(table)
    return [_draw_grid(table, style), *([f"{choices.title}:", _draw_grid(choices, style)] if choices else [])]


def _list_markdown(texts: Iterable[str]) -> str:
    return _list_texts(text.translate(MARKDOWN.escapes) for text in texts)


def _list_texts(texts: Iterable[str]) -> str:
    return "\n".join(fill(f"- {text}", LINE_LENGTH, subsequent_indent="  ", break_on_hyphens=False) for text in texts)


def write_latex(header: Header, tables: Sequence[Table]) -> str:
    """Write a document that compiles as it is, or whose tables can be copied with the packages at its top."""
    parts = [LATEX_START, rf"\section*{{{name_sweep(header).translate(LATEX.escapes)}}}"]
    parts.append(_list_latex(f"{name}: {text}" for name, text in describe_header(header)))
    findings, methods = list_findings(tables), list_methods(tables)
    parts += [rf"\subsection*{{{IN_SHORT}}}", _list_latex(findings)] if findings else []
    for table in tables:
        parts.append(_float_latex(table))
        choices = list_choices(table)
        if choices:
            parts.append(_float_latex(choices))
        parts.append(_list_latex(list_notes(table)))
    parts += [rf"\subsection*{{{METHODS}}}", _list_latex(methods)] if methods else []
    return "\n\n".join(part for part in [*parts, r"\end{document}"] if part) + "\n"


def _float_latex(table: Table) -> str:
    """Make a float, or of a long table one that goes over pages; wide ones in small letters."""
    alignment = "l" * table.keys + "r" * (len(table.columns) - table.keys)
    caption = rf"\caption*{{{stamp_title(table).translate(LATEX.escapes)}}}"
    size = TINY if len(table.columns) > WIDE_TABLE else r"\small"
    grid = _draw_grid(table, LATEX)
    if len(table.rows) > LONG_TABLE:
        body = grid.replace("\\midrule", "\\midrule\n\\endhead", 1)
        return f"{{{size}\n\\begin{{longtable}}{{{alignment}}}\n{caption}\\\\\n{body}\n\\end{{longtable}}}}"
    return (
        f"\\begin{{table}}[H]\n\\centering{size}\n{caption}\n"
        f"\\begin{{tabular}}{{{alignment}}}\n{grid}\n\\end{{tabular}}\n\\end{{table}}"
    )


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
