"""Tables as documents for people: Markdown, which also reads well on a terminal, and LaTeX."""

from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import fill

from tabulate import DataRow, Line, TableFormat, tabulate

from sweep.report.cells import Cell, Column, Header, Mark, Table
from sweep.report.words import count_trials, describe_header, format_cell, list_choices, stamp_title

LINE_LENGTH = 110


@dataclass(frozen=True, slots=True)
class Style:
    """How cells look in a kind of document."""

    escapes: dict[int, str]
    bold: str
    grid: TableFormat | str


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
\usepackage{booktabs,caption}
\begin{document}"""


def write_markdown(header: Header, tables: Iterable[Table]) -> str:
    """Write a page with one section a table."""
    stamp = f" [{header.stamp}]" if header.stamp else ""
    parts = [f"# {header.sweep}{stamp}", _list_markdown(f"{name}: {text}" for name, text in describe_header(header))]
    for table in tables:
        parts += [f"## {stamp_title(table).translate(MARKDOWN.escapes)}", _draw_grid(table, MARKDOWN)]
        choices = list_choices(table)
        if choices:
            parts += [f"{choices.title}:", _draw_grid(choices, MARKDOWN)]
        parts.append(_list_markdown(table.notes))
    return "\n\n".join(parts) + "\n"


def _list_markdown(texts: Iterable[str]) -> str:
    return "\n".join(
        fill(f"- {text.translate(MARKDOWN.escapes)}", LINE_LENGTH, subsequent_indent="  ", break_on_hyphens=False)
        for text in texts
    )


def write_latex(header: Header, tables: Iterable[Table]) -> str:
    """Write a document that compiles as it is, or whose tables can be copied (packages booktabs and caption)."""
    stamp = f" [{header.stamp}]" if header.stamp else ""
    parts = [LATEX_START, rf"\section*{{{f'{header.sweep}{stamp}'.translate(LATEX.escapes)}}}"]
    parts.append(_list_latex(f"{name}: {text}" for name, text in describe_header(header)))
    for table in tables:
        parts.append(_float_latex(table))
        choices = list_choices(table)
        if choices:
            parts.append(_float_latex(choices))
        parts.append(_list_latex(table.notes))
    return "\n\n".join([*parts, r"\end{document}"]) + "\n"


def _float_latex(table: Table) -> str:
    alignment = "l" + "r" * (len(table.columns) - 1)
    return (
        "\\begin{table}[htbp]\n\\centering\\small\n"
        f"\\caption*{{{stamp_title(table).translate(LATEX.escapes)}}}\n"
        f"\\begin{{tabular}}{{{alignment}}}\n{_draw_grid(table, LATEX)}\n\\end{{tabular}}\n\\end{{table}}"
    )


def _list_latex(texts: Iterable[str]) -> str:
    items = "\n".join(rf"\item {text.translate(LATEX.escapes)}" for text in texts)
    return f"\\begin{{itemize}}\n{items}\n\\end{{itemize}}"


def _draw_grid(table: Table, style: Style) -> str:
    titles = [column.title.translate(style.escapes) for column in table.columns]
    rows = [
        [_style_cell(cell, column, style) for cell, column in zip(row, table.columns, strict=True)]
        for row in table.rows
    ]
    alignment = ["left", *["right"] * (len(titles) - 1)]
    return tabulate(rows, titles, tablefmt=style.grid, disable_numparse=True, colalign=alignment)


def _style_cell(cell: Cell, column: Column, style: Style) -> str:
    text = format_cell(cell, column).translate(style.escapes)
    return (style.bold.format(text) if Mark.BEST in cell.marks else text) + count_trials(cell)
