"""A report as one web page that needs nothing but itself: no network, no other file."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources

from sweep.report.cells import Explanation, Header, Table
from sweep.report.choices import CellKey
from sweep.report.page.grid import pack_explanation, write_grid
from sweep.report.words import IN_SHORT, METHODS, describe_header, list_methods, list_notes, name_sweep

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
FIXED_IDS = (
    "contents",
    "main",
    "theme",
    "tooltip",
    "explanation",
    "explanation-title",
    "explanations",
    "in-short",
    "methods",
)
LONG_FACT = 240  # characters; longer ones fold
WIDE_TABLE = 10  # columns that fit on upright paper


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure as inline SVG, whose marks have the class `mark`, an `aria-label` and a child `<title>`."""

    name: str
    title: str
    caption: str
    svg: str


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the page that the contents list names."""

    anchor: str
    title: str
    html: str


def write_page(
    header: Header,
    tables: Sequence[Table],
    drawings: Sequence[Drawing],
    explanations: Mapping[CellKey, Explanation],
) -> str:
    """Write a whole HTML document, the same for the same arguments.

    Args:
        header: What the report is about.
        tables: In the order of the page; long ones (`is_detail`) come last and folded.
        drawings: Figures, in the order of the page.
        explanations: Of the cells of the table named "table4", by text of the row's first cell and key of the column.
    """
    explained = {key: number for number, key in enumerate(explanations)}
    anchors = _name_anchors([table.name for table in tables] + [f"figure-{drawing.name}" for drawing in drawings])
    found = [
        (table.is_detail, _Part(anchor, table.title, _write_table(table, anchor, explained)))
        for table, anchor in zip(tables, anchors, strict=False)
    ]
    figures = [
        _Part(anchor, drawing.title, _write_figure(drawing, anchor, header.stamp))
        for drawing, anchor in zip(drawings, anchors[len(tables) :], strict=True)
    ]
    groups = {
        "Tables": [part for is_detail, part in found if not is_detail],
        "Figures": figures,
        "Details": [part for is_detail, part in found if is_detail],
    }
    findings = [(anchor, table.finding) for table, anchor in zip(tables, anchors, strict=False) if table.finding]
    main = [
        _write_findings(findings),
        *(_write_group(name, parts) for name, parts in groups.items() if parts),
        _write_methods(list_methods(tables)),
    ]
    contents = _write_contents({name: parts for name, parts in groups.items() if parts})
    return _write_document(header, contents, "\n".join(main), explanations)


def _write_document(header: Header, contents: str, main: str, explanations: Mapping[CellKey, Explanation]) -> str:
    packed = [pack_explanation(explanation) for explanation in explanations.values()]
    data = json.dumps(packed, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{escape(name_sweep(header))}</title>
<style>
{_read_file("page.css")}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the tables and figures</a>
{_write_banner(header.stamp)}<div class="page">
{_write_header(header)}
{contents}
<main id="main" tabindex="-1">
{main}
</main>
<footer>
<p class="needs-script">Headings of columns sort; a filter keeps the rows that hold all of its words. Marks of a figure
tell their numbers: point at one, or reach it with Tab and the arrow keys.</p>
</footer>
</div>
<script type="application/json" id="explanations">{data}</script>
<script>
{_read_file("page.js")}</script>
</body>
</html>
"""


def _read_file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _name_anchors(names: Iterable[str]) -> list[str]:
    """Make ids that may stand in an address, each only once."""
    taken = set(FIXED_IDS)
    anchors = []
    for name in names:
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "part"
        anchor, number = stem, 2
        while anchor in taken:
            anchor, number = f"{stem}-{number}", number + 1
        taken.add(anchor)
        anchors.append(anchor)
    return anchors


def _write_banner(stamp: str) -> str:
    return f'<aside class="banner" aria-label="Warning">{escape(stamp)}</aside>\n' if stamp else ""


def _write_header(header: Header) -> str:
    facts = "\n".join(f"<div><dt>{escape(name)}</dt><dd>{_fold(text)}</dd></div>" for name, text in _list_facts(header))
    shares = {"succeeded": header.succeeded, "failed": header.failed, "missing": header.missing}
    bar = "".join(f'<i class="{name}" style="flex-grow:{count}"></i>' for name, count in shares.items() if count)
    return f"""<header>
<div class="top"><p class="kind">Sweep report</p>
<button type="button" id="theme" class="needs-script" aria-pressed="false">Dark</button></div>
<h1>{escape(header.sweep)}</h1>
<div class="bar" aria-hidden="true">{bar}</div>
<dl class="facts">
{facts}
</dl>
</header>"""


def _list_facts(header: Header) -> Iterator[tuple[str, str]]:
    """Yield short facts before long ones, so that none hides behind a list of hashes."""
    facts = list(describe_header(header))
    yield from (fact for fact in facts if len(fact[1]) <= LONG_FACT)
    yield from (fact for fact in facts if len(fact[1]) > LONG_FACT)


def _fold(text: str) -> str:
    """Hide the end of a long text behind its beginning."""
    if len(text) <= LONG_FACT:
        return escape(text)
    start = text[: LONG_FACT // 2].rsplit(" ", 1)[0]
    return f"<details><summary><span>{escape(start)} …</span></summary>{escape(text)}</details>"


def _write_contents(groups: Mapping[str, Sequence[_Part]]) -> str:
    lists = "\n".join(
        "\n".join([f"<p>{name}</p>", "<ul>", *(_write_link(part) for part in parts), "</ul>"])
        for name, parts in groups.items()
    )
    return (
        f'<nav id="contents" aria-label="Contents">\n<details open><summary>Contents</summary>\n{lists}\n'
        "</details>\n</nav>"
    )


def _write_link(part: _Part) -> str:
    return f'<li><a href="#{part.anchor}">{escape(part.title)}</a></li>'


def _write_group(name: str, parts: Sequence[_Part]) -> str:
    anchor = f"group-{name.lower()}"
    start = [f'<section aria-labelledby="{anchor}">', f'<h2 id="{anchor}">{name}</h2>']
    return "\n".join([*start, *(part.html for part in parts), "</section>"])


def _write_findings(findings: Sequence[tuple[str, str]]) -> str:
    """List what the tables show, each sentence linked to its table."""
    links = [f'{escape(text)} <a href="#{anchor}">Table</a>' for anchor, text in findings]
    return _write_list("in-short", IN_SHORT, links)


def _write_methods(methods: Sequence[str]) -> str:
    return _write_list("methods", METHODS, [escape(text) for text in methods])


def _write_list(anchor: str, heading: str, items: Sequence[str]) -> str:
    """Write a section of sentences, which are HTML already; none without any."""
    lines = "".join(f"<li>{item}</li>\n" for item in items)
    start = f'<section aria-labelledby="{anchor}">\n<h2 id="{anchor}">{heading}</h2>\n'
    return f'{start}<ul class="findings">\n{lines}</ul>\n</section>' if items else ""


def _write_table(table: Table, anchor: str, explained: Mapping[CellKey, int]) -> str:
    heading = f"<h3>{escape(table.title)}{_write_chip('stamp', table.stamp)}{_write_partial(table)}</h3>"
    notes = "".join(f"<li>{escape(note)}</li>\n" for note in list_notes(table))
    body = f"{write_grid(table, explained)}\n" + (f'<ul class="notes">\n{notes}</ul>\n' if notes else "")
    if table.is_detail:
        body = f"<details><summary>{heading} · {len(table.rows):,} rows</summary>\n{body}</details>\n"
    else:
        body = f"{heading}\n{body}"
    kind = "block wide" if len(table.columns) > WIDE_TABLE else "block"
    return f'<article class="{kind}" id="{anchor}">\n{body}</article>'


def _write_partial(table: Table) -> str:
    has_trials = any(cell.planned for row in table.rows for cell in row)
    return _write_chip("partial", "some results are missing" if table.is_partial and has_trials else "")


def _write_chip(kind: str, text: str) -> str:
    return f' <span class="{kind}">{escape(text)}</span>' if text else ""


def _write_figure(drawing: Drawing, anchor: str, stamp: str) -> str:
    svg = drawing.svg[drawing.svg.index("<svg") :].strip()  # without the declaration of an XML file
    return (
        f'<figure class="block" id="{anchor}">\n<h3>{escape(drawing.title)}</h3>\n'
        f'<div class="drawing">\n{svg}\n</div>\n'
        f"<figcaption>{escape(drawing.caption)}{_write_chip('stamp', stamp)}</figcaption>\n</figure>"
    )
