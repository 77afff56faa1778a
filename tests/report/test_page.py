"""The page holds what every document holds, needs nothing else, and keeps text text."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from page_example import (
    ANSWER,
    BEST_FIRST,
    SPLITS,
    STAMP,
    make_drawings,
    make_explanations,
    make_header,
    make_long_table,
    make_means_table,
    make_page,
    make_report,
    make_svg,
)

from sweep.inputs import WeightsId
from sweep.networks.table import WeightsSource
from sweep.report.answer import Answer
from sweep.report.cells import Cell, Column, Explanation, MeanCell, Table
from sweep.report.documents import Drawing, Report, sort_rows
from sweep.report.page.page import shorten_title, write_page
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
    assert {"answer", "table4", "metrics", "figure-costs", "figure-curves", "warnings", "provenance"} <= links


def test_headings_never_skip_a_level():
    levels = Outline(make_page()).headings
    assert levels[0] == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))


def test_a_page_begins_with_the_answer_its_first_details_and_the_picture():
    text = make_page()
    assert '<h1 id="headline"><strong>Take tiny-1-16</strong>: it is the only one.</h1>' in text
    assert "<b>How sure:</b> very." in text
    order = ["<h1", "very.", "97.3 %.", 'id="figure-best"', "may be the best.", "It holds here.", 'id="contents"']
    order += ['id="table4"', "The images are drawn.", 'id="metrics"', 'id="figure-costs"', 'id="trials"', "<dt>Data"]
    places = [text.index(each) for each in order]
    assert places == sorted(places)


def test_an_answer_without_a_comparison_has_neither_picture_nor_details():
    report = make_report(make_means_table(), answer=Answer("Cannot tell.", (), SPLITS[0]))
    text = write_page(report, [], {})
    assert '<section id="answer" aria-labelledby="headline" class=alone>' in text
    assert "<strong>Cannot tell.</strong></h1>\n</section>" in text
    assert "<figure" not in text


def test_rows_of_the_main_tables_stand_in_the_order_of_the_means_at_the_answers_split():
    columns = (Column("model", "model"), Column("x", "x"))
    other = Table("other", "other", "T", "", columns, tuple((Cell(name), Cell(1.0)) for name in reversed(BEST_FIRST)))
    means, main, rest = sort_rows(Report(make_header(), ANSWER, (make_means_table(), other, other), 2, ()))
    assert [row[0].value for row in means.rows] == [row[0].value for row in main.rows] == BEST_FIRST
    assert rest == other


def test_where_lower_is_better_the_smallest_mean_comes_first_and_gaps_stay_last():
    header = replace(make_header(), metric="log loss")
    (table,) = sort_rows(Report(header, ANSWER, (make_means_table(),), 1, ()))
    assert [row[0].value for row in table.rows] == ["tiny-0.5-16", "tiny-0.25-16", "tiny-1-16", "tiny-0.5-8"]


def test_means_over_fewer_shuffles_come_after_those_over_all():
    rows = tuple(
        (Cell(name), MeanCell(mean, repeats=repeats, repeats_planned=3, key=(name, SPLITS[0])))
        for name, mean, repeats in (("part", 99.0, 1), ("whole", 90.0, 3))
    )
    columns = (Column("model", "model"), Column(SPLITS[0], SPLITS[0], 1))
    (table,) = sort_rows(make_report(Table("table4", "means", "T", "", columns, rows)))
    assert [row[0].value for row in table.rows] == ["whole", "part"]


def test_rows_of_several_models_keep_their_order():
    rows = tuple(
        (Cell(alpha), *(MeanCell(90.0 + place, key=(f"{alpha}-{place}", SPLITS[0])) for place in range(2)))
        for alpha in ("1", "0.5")
    )
    columns = tuple(Column(name, name) for name in ("alpha", "16", "32"))
    (table,) = sort_rows(make_report(Table("means", "means", "T", "", columns, rows)))
    assert table.rows == rows


@pytest.mark.parametrize(
    ("name", "content", "title", "short"),
    [
        ("table4", "means", "Table 4. Test accuracy (%), mean ± standard deviation", "Table 4: means"),
        ("means", "means", "Test accuracy (%)", "Means"),
        ("table4_alpha-0.5", "means", "Table 4. Test accuracy (%)", "Table 4: means, alpha 0.5"),
        ("standing_62.5-17.5-20", "standing", "Against the best", "Against the best, 62.5/17.5/20"),
        ("heatmap-80-10-10", "", "Test accuracy (%), split 80/10/10", "Heatmap 80/10/10"),
        ("sensitivity-learning-rate", "", "Sensitivity of accuracy", "Sensitivity learning rate"),
    ],
)
def test_the_contents_have_short_names(name, content, title, short):
    assert shorten_title(name, title, content) == short


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
    assert "97.3 ± 0.73 [96.3, 98.3] (95.0) ★" in expected
    found = Outline(write_page(make_report(table), [], {})).cells
    assert sorted(found) == sorted(["model", *SPLITS, *expected])


def test_means_are_explained_whatever_their_table_is_called_and_in_whatever_column():
    columns = (Column("alpha", "alpha"), Column("32", "32", 1))
    rows = ((Cell("0.5"), MeanCell(90.0, key=("tiny-0.5-16", SPLITS[0]))),)
    means = Table("means_x", "means", "T", "", columns, rows)
    explained = make_explanations()
    place = list(explained).index(("tiny-0.5-16", SPLITS[0]))
    assert f'data-value="90" data-explanation="{place}"' in write_page(make_report(means), [], explained)
    assert "data-explanation=" not in write_page(make_report(replace(means, content="metrics")), [], explained)


def test_long_names_of_rows_may_break():
    columns = (Column("model", "model"), Column("a", "a", 1))
    names = ("tiny-1-16", "mobilenet_v2-1-224, hidden layers 1024-1024-512, optimizer adam")
    table = Table("x", "x", "T", "", columns, tuple((Cell(name), Cell(1.0)) for name in names))
    text = write_page(make_report(table), [], {})
    assert f'<th scope="row">{names[0]}' in text
    assert f'<th scope="row" class="wordy">{names[1]}' in text


def test_cells_keep_the_number_behind_the_print():
    text = make_page()
    assert 'data-value="97.26" data-explanation="0">' in text
    assert 'data-value="">-' in text


def test_every_model_that_may_be_the_best_is_marked_and_its_sign_says_why():
    text = make_page()
    assert text.count('<span class="sign may_be_best" title="may be the best"> ★</span>') == 2
    assert '<span class="sign worse" title="worse"> ↓</span>' in text
    assert text.count("<strong>9") == 2


@pytest.mark.parametrize(("finished", "is_said"), [(8, True), (12, False)])
def test_a_partial_table_says_how_much_of_a_cell_is_missing(finished, is_said):
    row = (Cell("tiny"), MeanCell(90.0, finished=finished, planned=12))
    columns = (Column("model", "model"), Column("a", "a", 1))
    table = Table("table4", "means", "T", "", columns, (row,), is_partial=True)
    text = write_page(make_report(table), [], {})
    assert ('90.0<span class="count"> (8/12)</span>' in text) is is_said


def test_provenance_says_what_every_document_says():
    text = make_page()
    for name, fact in describe_header(make_header()):
        assert re.search(rf"<dt>{name}</dt><dd>(<details>.*?</summary>)?{re.escape(fact)}(</details>)?</dd>", text)


def test_hashes_and_kernels_are_folded_and_no_fact_stands_before_the_answer():
    weights = {f"tiny-{index}": WeightsId(WeightsSource.RANDOM, f"{index}" * 64) for index in range(9)}
    machine = "a CPU, 2 cores, 8 GiB, no GPU, Linux-6.18.44-fc-v595-x86_64-with-glibc2.36"
    header = replace(make_header(), weights=weights, machines=(machine,))
    text = write_page(replace(make_report(make_means_table()), header=header), [], {})
    assert text.index("<h1") < text.index("Linux-6.18")
    assert "<summary><span>a CPU, 2 cores, 8 GiB, no GPU …</span></summary>" in text
    (weights_shown,) = re.findall(r"<dt>Weights</dt><dd><details><summary>(.*?)</summary>", text)
    assert weights_shown == "<span>random weights, any batch norm …</span>"


def test_the_stamp_stands_above_the_page_in_its_title_and_in_every_caption_of_a_table():
    text = make_page(STAMP)
    assert f"<title>example [{STAMP}] - sweep report</title>" in text
    assert f'<aside class="banner" aria-label="Warning">{STAMP}</aside>' in text
    assert f"<caption>Table 4. Test accuracy (%), mean ± standard deviation [{STAMP}]</caption>" in text
    assert "DEMO" not in make_page()


def test_names_of_any_characters_stay_text():
    columns = (Column("a", NASTY), Column("b", "b"))
    table = Table(NASTY, NASTY, NASTY, NASTY, columns, ((Cell(NASTY), Cell(NASTY)),), (NASTY,))
    explanation = Explanation(NASTY, ((NASTY, NASTY),), (table,))
    named = replace(table, name="table4", content="means", rows=((Cell(NASTY), MeanCell(1.0, key=(NASTY, "b"))),))
    drawings = [Drawing(NASTY, NASTY, NASTY, make_svg("costs"))] * 2 + make_drawings("best")
    answer = Answer(NASTY, (NASTY, f"{NASTY}: {NASTY}", NASTY), "b", NASTY)
    report = Report(make_header(NASTY, NASTY), answer, (table, table, named), 1, (NASTY,))
    text = write_page(report, drawings, {(NASTY, "b"): explanation})
    outline = Outline(text)
    assert outline.cells.count(NASTY) == 11
    assert sum(tag == "b" for tag, _ in outline.tags) == 2  # the sweep's name and the label of a detail
    assert text.count("</script>") == 1


def test_explanations_lie_in_the_page_as_templates():
    text = make_page(explanations=make_explanations("<0.1>"))
    first, *others = re.findall(r"<template .*?</template>", text, re.DOTALL)
    assert len(others) + 1 == text.count("data-explanation=") == len(make_explanations())
    assert first.startswith('<template id="explanation-0" data-title="tiny-1-16, split 80/10/10">')
    assert "<dt>Chosen</dt><dd>&lt;0.1&gt;</dd>" in first
    cells = ["&lt;0.1&gt;", "90.0", "&lt;0.1&gt;", "90.1", "&lt;0.1&gt;", "90.2", "none", "-"]
    assert re.findall(r"<t[dh](?: [^>]*)?>(?:<strong>)?([^<]*)", first) == [
        "learning rate",
        "test accuracy (%)",
        *cells,
    ]


def test_facts_that_are_looked_up_are_folded_and_a_command_keeps_its_words():
    facts = (("Chosen", "0.1"), ("Data", "x"), ("Run one again", "sweep run x --set a=b"))
    text = write_page(make_report(make_means_table()), [], {("tiny-1-16", SPLITS[0]): Explanation("T", facts, ())})
    assert text.index("<dt>Chosen") < text.index("<span class=word>--set</span>") < text.index('class="behind"')
    assert text.index('class="behind"') < text.index("<dt>Data</dt><dd>x</dd>")


def test_many_explanations_leave_a_page_small():
    explanation = Explanation("cell", (("Chosen", "0.1"),), (make_long_table(36, 10),))
    models = [f"tiny-{index}" for index in range(48)]
    text = write_page(make_report(make_long_table()), [], {(name, "m1"): explanation for name in models})
    assert len(text.encode()) < 1_500_000


def test_the_same_input_gives_the_same_bytes():
    assert make_page(STAMP) == make_page(STAMP)
