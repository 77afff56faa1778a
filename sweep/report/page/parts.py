"""Parts of the page: the answer with its picture, tables, figures, lists and facts, as HTML."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from sweep.report.cells import Explanation, Header, Table
from sweep.report.documents import Drawing, Report
from sweep.report.figures.figure import BEST
from sweep.report.layout import CellKey
from sweep.report.page.grid import write_grid
from sweep.report.words import describe_header

LEADING = 2  # details that stand above the picture on a narrow screen
LONG_LABEL = 44  # characters of what stands before a colon; a longer one is no label
LONG_FACT = 160  # characters; longer ones fold
BEHIND = {"Seeds", "Data", "Weights", "Feature set", "Code", "Machine"}  # facts of an explanation that are looked up
FOLDED_FACTS = {"Weights": 40, "Code": 40, "Machine": 48}  # hashes and kernels: by fact, the characters shown
WIDE_TABLE = 10  # columns that fit on upright paper


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the page that the contents list names."""

    anchor: str
    title: str
    html: str


def write_answer(report: Report, best: Drawing | None) -> str:
    """Write the headline, the first details, the picture and the other details."""
    answer = report.answer
    start, colon, rest = answer.headline.partition(": ")
    parts = [
        f'<section id="answer" aria-labelledby="headline"{"" if best else " class=alone"}>',
        f'<h1 id="headline"><strong>{escape(start)}</strong>{colon}{escape(rest)}</h1>',
        _write_details("lead", answer.details[:LEADING]),
        write_figure(best, f"figure-{BEST}") if best else "",
        _write_details("more", answer.details[LEADING:]),
        "</section>",
    ]
    return "\n".join(part for part in parts if part)


def _write_details(name: str, details: Sequence[str]) -> str:
    items = "".join(f"<li>{_emphasise_label(detail)}</li>\n" for detail in details)
    return f'<ul class="{name}">\n{items}</ul>' if items else ""


def _emphasise_label(text: str) -> str:
    label, colon, rest = text.partition(": ")
    return f"<b>{escape(label)}:</b> {escape(rest)}" if colon and len(label) <= LONG_LABEL else escape(text)


def write_list(anchor: str, heading: str, sentences: Sequence[str]) -> str:
    """Write a section of sentences; nothing without any."""
    items = "".join(f"<li>{escape(sentence)}</li>\n" for sentence in sentences)
    return _write_section(anchor, heading, f'<ul class="sentences">\n{items}</ul>') if items else ""


def write_facts(anchor: str, heading: str, header: Header) -> str:
    """Write what every document must say about itself, long lists of hashes folded."""
    facts = [(name, _fold(name, text)) for name, text in describe_header(header)]
    return _write_section(anchor, heading, _list_facts(facts))


def _list_facts(facts: Iterable[tuple[str, str]]) -> str:
    items = (
        f"<div{' class=long' if len(text) > LONG_FACT else ''}><dt>{escape(name)}</dt><dd>{text}</dd></div>"
        for name, text in facts
    )
    return f'<dl class="facts">\n{chr(10).join(items)}\n</dl>'


def write_explanation(explanation: Explanation, number: int) -> str:
    """Write where a mean comes from, as what the page fills its dialog with."""
    facts = [(name, _keep_words(text)) for name, text in explanation.facts]
    shown, behind = (_list_facts(each for each in facts if (each[0] in BEHIND) is hides) for hides in (False, True))
    tables = "".join(write_table(table, "", {}) for table in explanation.tables)
    more = f'<details class="behind"><summary>Data, weights, code and machine</summary>{behind}</details>'
    more = more if BEHIND & dict(facts).keys() else ""
    title = escape(explanation.title)
    return f'<template id="explanation-{number}" data-title="{title}">{shown}{tables}{more}</template>'


def _keep_words(text: str) -> str:
    """Keep the words of a command whole: a break after a hyphen would read as two options."""
    if " --" not in text:
        return escape(text)
    return f"<code>{' '.join(f'<span class=word>{escape(word)}</span>' for word in text.split(' '))}</code>"


def _write_section(anchor: str, heading: str, body: str) -> str:
    return f'<section aria-labelledby="{anchor}">\n<h2 id="{anchor}">{heading}</h2>\n{body}\n</section>'


def _fold(name: str, text: str) -> str:
    """Hide the end of a long text behind its beginning."""
    shown = FOLDED_FACTS.get(name, LONG_FACT)
    if len(text) <= shown:
        return escape(text)
    start = text[:shown].rsplit(" ", 1)[0].rstrip(" ,;(")
    if name in FOLDED_FACTS:
        start = start.partition(" (")[0]
    return f"<details><summary><span>{escape(start)} …</span></summary>{escape(text)}</details>"


def write_table(table: Table, anchor: str, explained: Mapping[CellKey, int]) -> str:
    """Write a table with its heading and notes, a long one folded; `explained` as `write_grid` has it."""
    start, rest = _split_title(table.title)
    stamp = f' <span class="stamp">{escape(table.stamp)}</span>' if table.stamp else ""
    heading = f"<h3>{escape(start)}<small>{escape(rest)}</small>{stamp}</h3>"
    notes = "".join(f"<li>{escape(note)}</li>\n" for note in table.notes)
    body = f"{write_grid(table, explained)}\n" + (f'<ul class="notes">\n{notes}</ul>\n' if notes else "")
    if table.is_detail:
        body = f"<details><summary>{heading} · {len(table.rows):,} rows</summary>\n{body}</details>\n"
    else:
        body = f"{heading}\n{body}"
    kind = "block wide" if len(table.columns) > WIDE_TABLE else "block"
    name = f' id="{anchor}"' if anchor else ""
    return f'<article class="{kind}"{name}>\n{body}</article>'


def _split_title(title: str) -> tuple[str, str]:
    """Divide a title before the first pause: a semicolon, a colon, or a comma behind a unit."""
    found = re.search(r"(?<=\)), |[;:] ", title)
    return (title[: found.start()], title[found.start() :]) if found else (title, "")


def write_figure(drawing: Drawing, anchor: str) -> str:
    """Write a figure with its heading and caption; the drawing has the stamp."""
    svg = drawing.svg[drawing.svg.index("<svg") :].strip()  # without the declaration of an XML file
    level = "h2" if drawing.name == BEST else "h3"  # that of the answer stands right below its headline
    return (
        f'<figure class="block" id="{anchor}">\n<{level}>{escape(drawing.title)}</{level}>\n'
        f'<div class="drawing">\n{svg}\n</div>\n'
        f"<figcaption>{escape(drawing.caption)}</figcaption>\n</figure>"
    )
