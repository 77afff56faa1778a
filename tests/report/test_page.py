"""The page holds what every document holds, needs nothing else, and keeps text text."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

from page_example import (
    SPLITS,
    STAMP,
    make_explanations,
    make_header,
    make_long_table,
    make_means_table,
    make_page,
    make_svg,
)

from sweep.report.cells import Cell, Column, Explanation, MeanCell, Table
from sweep.report.page.page import Drawing, write_page
from sweep.report.words import describe_header, format_cell

NASTY = "</script><b>&\"'\\ü"
VOID = {"meta", "link", "input", "br"}


class Outline(HTMLParser):
    """Fails at a tag that is not closed where it must be; collects the rest."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.cells, self.headings = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)
        if tag in {"td", "th"}:
            self.cells.append("")
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open):
            self.cells[-1] += data


def test_a_page_closes_every_tag_and_repeats_no_id():
    tags = Outline(make_page(STAMP)).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {attributes["href"][1:] for tag, attributes in tags if tag == "a"}
    assert links <= set(ids)
    assert {"table4", "metrics", "figure-costs", "figure-curves"} <= links


def test_headings_never_skip_a_level():
    levels = Outline(make_page()).headings
    assert levels[0] == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))


def test_a_page_names_no_other_place():
    text = make_page().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|//[a-z]|url\(|@import|\bfetch\(|XMLHttp|\son[a-z]+=|innerHTML", text)
    assert {attributes["href"][0] for _, attributes in Outline(text).tags if "href" in attributes} == {"#", "d"}
    assert not any("src" in attributes for _, attributes in Outline(text).tags)


def test_a_policy_forbids_all_that_is_not_in_the_page():
    assert "content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\"" in (
        make_page()
    )


def test_cells_print_what_every_document_prints():
    table = make_means_table()
    expected = [
        format_cell(cell, column) for row in table.rows for cell, column in zip(row, table.columns, strict=True)
    ]
    assert "97.3 ± 0.73" in expected
    assert Outline(write_page(make_header(), [table], [], {})).cells == ["backbone", *SPLITS, *expected]


def test_cells_keep_the_number_behind_the_print():
    text = make_page()
    assert 'data-value="97.26" data-explanation="0">97.3<span class="std"> ± 0.73</span></td>' in text
    assert '<strong>98.4<span class="std"> ± 0.73</span></strong>' in text
    assert 'data-value="">-' in text


def test_a_partial_table_says_how_much_of_each_cell_is_there():
    row = (Cell("tiny"), MeanCell(90.0, finished=8, planned=12))
    table = Table("table4", "T", "", (Column("backbone", "backbone"), Column("a", "a", 1)), (row,), is_partial=True)
    text = write_page(make_header(), [table], [], {})
    assert '90.0<span class="std"> ± n/a</span><span class="count"> (8/12)</span>' in text
    assert "some results are missing" in text


def test_the_header_says_what_every_document_says():
    text = make_page()
    for name, fact in describe_header(make_header()):
        assert f"<dt>{name}</dt><dd>{fact}</dd>" in text


def test_the_stamp_stands_above_the_page_in_its_title_and_in_every_caption():
    text = make_page(STAMP)
    assert f"<title>example [{STAMP}]</title>" in text
    assert f'<aside class="banner" aria-label="Warning">{STAMP}</aside>' in text
    assert f"<caption>Table 4. Test accuracy (%) [{STAMP}]</caption>" in text
    assert text.count(f'<span class="stamp">{STAMP}</span></figcaption>') == 2
    assert "DEMO" not in make_page()


def test_names_of_any_characters_stay_text():
    columns = (Column("a", NASTY), Column("b", "b"))
    table = Table(NASTY, NASTY, NASTY, columns, ((Cell(NASTY), Cell(NASTY)),), (NASTY,))
    explanation = Explanation(NASTY, ((NASTY, NASTY),), (table,))
    named = replace(table, name="table4")
    drawings = [Drawing(NASTY, NASTY, NASTY, make_svg("costs"))] * 2
    text = write_page(make_header(NASTY, NASTY), [table, table, named], drawings, {(NASTY, "b"): explanation})
    outline = Outline(text)
    assert outline.cells.count(NASTY) == 9
    assert not any(tag == "b" for tag, _ in outline.tags)
    assert text.count("</script>") == 2


def test_explanations_lie_in_the_page_as_data():
    text = make_page(explanations=make_explanations("<0.1>"))
    (data,) = re.findall(r'<script type="application/json" id="explanations">(.*?)</script>', text)
    assert "<" not in data
    first = json.loads(data)[0]
    assert first["title"] == "tiny-1-16, split 80/10/10"
    assert first["facts"] == [["Chosen", "<0.1>"]]
    assert first["tables"][0]["rows"][1:] == [
        ["<0.1>", ["90.1", 90.1]],
        ["<0.1>", ["90.2", 90.2]],
        ["none", ["-", None]],
    ]
    assert text.count("data-explanation=") == len(make_explanations())


def test_many_explanations_leave_a_page_small():
    explanation = Explanation("cell", (("Chosen", "0.1"),), (make_long_table(36, 10),))
    backbones = [f"tiny-{index}" for index in range(48)]
    text = write_page(make_header(), [make_long_table()], [], {(name, "m1"): explanation for name in backbones})
    assert len(text.encode()) < 1_500_000


def test_the_same_input_gives_the_same_bytes():
    assert make_page(STAMP) == make_page(STAMP)
