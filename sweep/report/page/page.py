"""A report as one web page that needs nothing but itself: no network, no other file."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from importlib import resources

from sweep.report.cells import Explanation, Header
from sweep.report.documents import Drawing, Report, sort_rows
from sweep.report.figures.figure import BEST
from sweep.report.layout import CellKey
from sweep.report.page.parts import (
    Part,
    write_answer,
    write_explanation,
    write_facts,
    write_figure,
    write_list,
    write_table,
)
from sweep.report.words import ANSWER, DETAILS, METHODS, PROVENANCE, WARNINGS, list_methods, with_stamp

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
FIXED_IDS = {
    *("answer", "contents", "explanation", "headline", "methods", "provenance"),
    *("report", "theme", "tooltip", "warnings", f"figure-{BEST}"),
}
MODELS, TABLES, FIGURES, ABOUT = "All models", "Tables", "Figures", "About"  # headings of groups
NAMES = {  # of tables by their content and of figures by their name, where that says too little
    "complexities": "Models",
    "diagnostics": "Diagnosis",
    "reviewer": "For a reviewer",
    "standing": "Against the best",
    "metrics": "All metrics",
    "selection": "Chosen configurations",
    "pairs": "All pairs",
    "roc": "ROC",
}


def write_page(report: Report, drawings: Sequence[Drawing], explanations: Mapping[CellKey, Explanation]) -> str:
    """Write a whole HTML document, the same for the same arguments.

    Args:
        report: What it says, in the order of saying it.
        drawings: Figures; the one named "best" stands beside the answer, the others in their order.
        explanations: Of the means, by model and block.
    """
    tables = sort_rows(report)
    best = next((drawing for drawing in drawings if drawing.name == BEST), None)
    others = [drawing for drawing in drawings if drawing is not best]
    anchors = _name_anchors([*(table.name for table in tables), *(f"figure-{drawing.name}" for drawing in others)])
    explained = {key: number for number, key in enumerate(explanations)}
    found = [
        Part(anchor, shorten_title(table.name, table.title, table.content), write_table(table, anchor, explained))
        for table, anchor in zip(tables, anchors, strict=False)
    ]
    figures = [
        Part(anchor, shorten_title(drawing.name, drawing.title), write_figure(drawing, anchor))
        for drawing, anchor in zip(others, anchors[len(tables) :], strict=True)
    ]
    rest = list(zip(tables, found, strict=True))[report.main :]
    groups = {
        MODELS: found[: report.main],
        WARNINGS: [Part("warnings", WARNINGS, write_list("warnings", WARNINGS, report.warnings))],
        TABLES: [part for table, part in rest if not table.is_detail],
        FIGURES: figures,
        DETAILS: [part for table, part in rest if table.is_detail],
        ABOUT: [
            Part("provenance", PROVENANCE, write_facts("provenance", PROVENANCE, report.header)),
            Part("methods", METHODS, write_list("methods", METHODS, list_methods(tables))),
        ],
    }
    kept = {name: [part for part in parts if part.html] for name, parts in groups.items()}
    answer = write_answer(report, best)
    return _write_document(report.header, answer, {name: parts for name, parts in kept.items() if parts}, explanations)


def shorten_title(name: str, title: str, content: str = "") -> str:
    """Name a table by its content, or a figure, in a few words: Table 4: means; against the best, 80/10/10."""
    number = re.match(r"Table \d+", title)
    part = re.sub(rf"^({re.escape(content)}|table\d+)", "", name) if content else ""
    words = re.sub(r"(?<=\d)-(?=\d)", "/", f"{content or name},{part}").replace("_", " ").replace("-", " ")
    short, _, which = (each.strip() for each in words.partition(","))
    short = NAMES.get(content or name, short[:1].upper() + short[1:])
    return (f"{number[0]}: {short.lower()}" if number else short) + (f", {which}" if which else "")


def _write_document(
    header: Header, answer: str, groups: Mapping[str, Sequence[Part]], explanations: Mapping[CellKey, Explanation]
) -> str:
    banner = f'<aside class="banner" aria-label="Warning">{escape(header.stamp)}</aside>\n'
    templates = "\n".join(write_explanation(each, number) for number, each in enumerate(explanations.values()))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{escape(with_stamp(header.sweep, header.stamp))} - sweep report</title>
<style>
{_read_file("page.css")}</style>
</head>
<body>
<a class="skip" href="#report">Skip to the tables and figures</a>
{banner if header.stamp else ""}<div class="page">
{_write_header(header)}
<main>
{answer}
{_write_contents(groups)}
<div id="report" tabindex="-1">
{chr(10).join(_write_groups(groups))}
</div>
</main>
<footer>
<p class="needs-script">Headings of columns sort; a filter keeps the rows that hold all of its words. Marks of a figure
tell their numbers: point at one, or reach it with Tab and the arrow keys.</p>
</footer>
</div>
{templates}
<script>
{_read_file("page.js")}</script>
</body>
</html>
"""


def _read_file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _name_anchors(names: Iterable[str]) -> list[str]:
    """Make ids that may stand in an address, each only once."""
    taken, anchors = set(FIXED_IDS), []
    for name in names:
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "part"
        anchor, number = stem, 2
        while anchor in taken:
            anchor, number = f"{stem}-{number}", number + 1
        taken.add(anchor)
        anchors.append(anchor)
    return anchors


def _write_header(header: Header) -> str:
    shares = {"succeeded": header.succeeded, "failed": header.failed, "missing": header.missing}
    bar = "".join(f'<i class="{name}" style="flex-grow:{count}"></i>' for name, count in shares.items() if count)
    is_whole = header.succeeded == header.planned
    count = f"{header.planned:,} trials" if is_whole else f"{header.succeeded:,} of {header.planned:,} trials"
    return f"""<header>
<div class="top"><p class="kind"><span>Sweep report</span> <b>{escape(header.sweep)}</b> <span>{count}</span></p>
<button type="button" id="theme" class="needs-script">Dark</button></div>
{"" if is_whole else f'<div class="bar" aria-hidden="true">{bar}</div>'}
</header>"""


def _write_contents(groups: Mapping[str, Sequence[Part]]) -> str:
    lists = "\n".join(
        (f"<p>{name}</p>\n<ul>\n" if len(parts) > 1 else "\n<ul>\n")
        + "".join(f'<li><a href="#{part.anchor}">{escape(part.title)}</a></li>\n' for part in parts)
        + "</ul>"
        for name, parts in {ANSWER: [Part("answer", ANSWER, "")], **groups}.items()
    )
    start = '<nav id="contents" aria-label="Contents">\n<details open><summary>Contents</summary>'
    return f"{start}\n{lists}\n</details>\n</nav>"


def _write_groups(groups: Mapping[str, Sequence[Part]]) -> Iterator[str]:
    """Yield the groups; warnings and what the report is about are sections of their own."""
    for name, parts in groups.items():
        body = "\n".join(part.html for part in parts)
        anchor = f"group-{name.lower().replace(' ', '-')}"
        if name in {WARNINGS, ABOUT}:
            yield body
        else:
            gallery = f'<div class="gallery">\n{body}\n</div>' if name == FIGURES else body
            yield f'<section aria-labelledby="{anchor}">\n<h2 id="{anchor}">{name}</h2>\n{gallery}\n</section>'
