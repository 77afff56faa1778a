"""Every format shows the same numbers and the same warnings."""

import json
import re
from dataclasses import replace
from io import StringIO

import pandas as pd
import pytest
from study_example import describe

from sweep.methods.table import make_plan
from sweep.metrics import METRICS
from sweep.report.cells import Selection
from sweep.report.frames import read_sweep
from sweep.report.inference import infer
from sweep.report.render import Format, render_report, render_tables
from sweep.report.report import make_report
from sweep.report.study import read_study
from sweep.testing import fill_images, fill_store, make_images, make_inputs, make_spec, make_store

TESTS = {0: 0.9012, 1: 0.9345, 2: 0.9789}


def make_example_store(accuracy=lambda trial: (0.9, TESTS[trial.shuffle]), *, is_demo=False, classes=None, **grid):
    spec = make_spec(published="duong-trung-2019", **grid)
    inputs = make_inputs(spec, is_demo=is_demo)
    if classes:
        inputs = replace(inputs, data=replace(inputs.data, classes=classes))
    plan = make_plan(spec, inputs)
    store = make_store()
    fill_store(store, plan, lambda trial: accuracy(describe(plan, trial)))
    fill_images(store, plan, make_images(inputs))
    return store


def render(store, fmt, select=Selection.VALIDATION):
    study = read_study(store, read_sweep(store), METRICS["accuracy"], select)
    return render_report(make_report(study, infer(study)), fmt)


def list_rows(document, name):
    return next(table["rows"] for table in document["tables"] if table["name"] == name)


def read_csv(files, name):
    return pd.read_csv(StringIO(files[name]), comment="#")


FILES = [fmt for fmt in Format if fmt is not Format.HTML]  # the page is made elsewhere
MARKDOWN_GRID = {
    "network": "mobilenet",
    "alpha": [1.0, 0.75],
    "resolution": [224, 128],
    "split": ["80/10/10", "60/20/20"],
}


def test_a_report_is_one_file_but_csv_has_one_a_table():
    store = make_example_store()
    assert set(render(store, Format.MARKDOWN)) == {"report.md"}
    assert set(render(store, Format.TEXT)) == {"report.txt"}
    assert set(render(store, Format.LATEX)) == {"report.tex"}
    assert set(render(store, Format.JSON)) == {"report.json"}
    assert {"table1.csv", "table3.csv", "table4.csv"} < set(render(store, Format.CSV))


@pytest.mark.parametrize("fmt", FILES)
def test_the_same_store_gives_the_same_bytes_again(fmt):
    store = make_example_store()
    assert render(store, fmt) == render(store, fmt)


def test_all_formats_show_the_same_accuracies():
    accuracies = iter(range(1000))
    store = make_example_store(lambda _: (0.9, 0.8 + next(accuracies) / 6173), **MARKDOWN_GRID)
    csv = read_csv(render(store, Format.CSV), "table4.csv")
    expected = [
        f"{mean:.1f} ± {std:.2f}"
        for mean, std in zip(csv["accuracy_mean_percent"], csv["accuracy_std_points"], strict=True)
    ]
    assert len(set(expected)) == 8
    document = json.loads(render(store, Format.JSON)["report.json"])
    rows = list_rows(document, "table4")
    assert pd.DataFrame(rows)[list(csv.columns)].fillna("").equals(csv.fillna(""))
    markdown = re.findall(r"\d+\.\d ± \d+\.\d\d", render(store, Format.MARKDOWN)["report.md"])
    assert markdown == expected
    latex = re.findall(r"\d+\.\d \$\\pm\$ \d+\.\d\d", render(store, Format.LATEX)["report.tex"])
    assert [text.replace(r"$\pm$", "±") for text in latex] == expected


def test_all_formats_show_the_same_mult_adds():
    store = make_example_store(**MARKDOWN_GRID)
    csv = read_csv(render(store, Format.CSV), "table3.csv")
    rows = list_rows(json.loads(render(store, Format.JSON)["report.json"]), "table3")
    assert [row["mult_adds_m"] for row in rows] == list(csv["mult_adds_m"])
    for fmt in (Format.MARKDOWN, Format.LATEX):
        (text,) = render(store, fmt).values()
        assert all(f" {value:,.2f} " in text for value in csv["mult_adds_m"])


def test_markdown_shows_mean_deviation_and_the_best_in_bold():
    text = render(make_example_store(), Format.MARKDOWN)["report.md"]
    assert re.search(r"\| tiny-1-16 +\| 93\.8 ± 3\.90 \[", text)
    several = render(make_example_store(alpha=[0.5, 1.0]), Format.MARKDOWN)["report.md"]
    assert re.search(r"\| tiny-1-16 +\| \*\*93\.8 ± 3\.90 \[[\d.]+, [\d.]+\] [★?]\*\* \|", several)


def test_markdown_columns_are_aligned():
    text = render(make_example_store(**MARKDOWN_GRID), Format.MARKDOWN)["report.md"]
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(line) for line in block.splitlines()}) == 1


def test_latex_uses_booktabs_and_bold():
    text = render(make_example_store(), Format.LATEX)["report.tex"]
    assert r"93.8 $\pm$ 3.90 [" in text
    tables = text.count(r"\begin{tabular}")
    assert tables >= 5
    for word in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert text.count(word) == tables
    assert r"317 $\neq$" not in text  # no mobilenet in the grid
    assert text.count(r"\begin{") == text.count(r"\end{")


def test_latex_escapes_what_it_would_read_as_commands():
    text = render(make_example_store(classes=("A_b & 50%", r"C\d #1 ~^{x}$")), Format.LATEX)["report.tex"]
    assert r"A\_b \& 50\%" in text
    assert r"C\textbackslash{}d \#1 \textasciitilde{}\textasciicircum{}\{x\}\$" in text


def test_markdown_escapes_what_would_break_a_table():
    text = render(make_example_store(classes=("A|b", "C*d*")), Format.MARKDOWN)["report.md"]
    assert r"A\|b in test (%)" in text
    assert r"C\*d\* 74" in text


def test_csv_survives_class_names_with_comment_signs_and_newlines():
    files = render(make_example_store(classes=('A#1,"x"', "B\nc")), Format.CSV)
    table = read_csv(files, "table1.csv")
    assert len(table) == 1
    assert table.columns[4] == 'A#1,"x"_percent_of_test'


def test_csv_carries_header_and_notes_as_comments():
    text = render(make_example_store(), Format.CSV)["table4.csv"]
    comments = [line for line in text.splitlines() if line.startswith("# ")]
    assert comments[0] == "# Sweep: example"
    assert "# Completeness: 12 of 12 trials" in comments
    assert any(comment.startswith("# Table 4.") for comment in comments)
    assert any(comment.startswith("# Baseline:") for comment in comments)


def test_csv_and_json_keep_the_choice_behind_each_cell():
    row = read_csv(render(make_example_store(alpha=[0.5, 1.0]), Format.CSV), "table4.csv").to_dict("records")[1]
    assert (row["model"], row["split"], row["marks"]) == ("tiny-1-16", "60/20/20", "may be the best")
    assert row["lower"] < row["accuracy_mean_percent"] < row["upper"]
    assert (row["learning_rate"], row["steps"], row["repeats"], row["finished"], row["planned"]) == (
        0.01,
        10,
        3,
        12,
        12,
    )


def test_json_is_strict_and_holds_the_full_header():
    text = render(make_example_store(lambda _: None), Format.JSON)["report.json"]
    document = json.loads(text, parse_constant=pytest.fail)
    header = document["header"]
    assert (header["sweep"], header["succeeded"], header["missing"], header["planned"]) == ("example", 0, 12, 12)
    assert len(header["data"]["fingerprint"]) == 64
    assert header["weights"]["tiny-1-16"]["source"] == "random"
    assert list_rows(document, "table4")[0]["accuracy_mean_percent"] is None
    assert document["answer"]["model"] is None
    assert "no model has finished all of its shuffles" in document["answer"]["headline"]


def test_a_single_shuffle_prints_no_deviation():
    store = make_example_store(lambda _: (0.9, 0.98), shuffle=0)
    assert re.search(r"\| 98\.0 \[[\d.]+, [\d.]+\] \|", render(store, Format.MARKDOWN)["report.md"])
    assert "98.0 [" in render(store, Format.LATEX)["report.tex"]


def test_a_partial_cell_says_how_much_of_it_is_there():
    store = make_example_store(lambda trial: (0.9, 0.8) if trial.shuffle else None)
    text = render(store, Format.MARKDOWN)["report.md"]
    assert re.search(r"80\.0 ± 0\.00 \[[\d., ]+\] \(8/12\)", text)
    assert "- Completeness: 8 of 12 trials (4 missing)" in text
    assert "(k/n): k of the n trials of this cell have finished" in text


def test_a_cell_without_results_is_a_dash():
    text = render(make_example_store(lambda _: None), Format.MARKDOWN)["report.md"]
    assert re.search(r"\| tiny-1-16 +\| +- \(0/12\) \|", text)
    assert "- Newest result: none yet" in text


@pytest.mark.parametrize("fmt", FILES)
def test_demo_images_and_random_weights_stand_in_every_title(fmt):
    for text in render(make_example_store(is_demo=True), fmt).values():
        pieces = text.split("\n\n") if fmt is Format.TEXT else text.splitlines()  # long titles go on in a second line
        titles = [
            " ".join(piece.split()) for piece in pieces if re.search(r"Table \d\. [A-Z]\w+ (accuracy|per|and)", piece)
        ]
        assert titles or fmt is Format.CSV
        for title in titles:
            assert "DEMO IMAGES, RANDOM WEIGHTS" in title or fmt is Format.JSON
        assert "drawn demo images, not real ones" in text or fmt is Format.JSON
        assert text.count("DEMO IMAGES, RANDOM WEIGHTS") >= len(titles)


def test_real_images_with_imagenet_weights_carry_no_stamp_but_are_named():
    text = render(make_example_store(**MARKDOWN_GRID), Format.MARKDOWN)["report.md"]
    assert text.startswith("# example\n")
    assert "DEMO" not in text
    assert "RANDOM" not in text
    assert "- Data: example, real images: 100 (NORMAL 26, PNEUMONIA 74)" in text
    assert "- Weights: imagenet (mobilenet-1-224 " in text


@pytest.mark.parametrize("select", Selection)
def test_the_rule_of_selection_is_named(select):
    text = render(make_example_store(), Format.MARKDOWN, select)["report.md"]
    assert ("optimistic" in text) == (select is Selection.TEST)
    assert ("chosen on validation accuracy" in text) == (select is Selection.VALIDATION)


def test_published_figures_that_differ_are_marked_in_every_format():
    store = make_example_store(**MARKDOWN_GRID)
    assert "317 ≠" in render(store, Format.MARKDOWN)["report.md"]
    assert r"317 $\neq$" in render(store, Format.LATEX)["report.tex"]
    table = read_csv(render(store, Format.CSV), "table3.csv").set_index("model")
    assert table.loc["mobilenet-0.75-224", "mult_adds_published_m_marks"] == "differs"
    assert "mobilenet-1-224 †" in render(store, Format.MARKDOWN)["report.md"]


def test_a_paper_numbers_its_tables_which_answer_to_both_names():
    store = make_example_store(**MARKDOWN_GRID)
    study = read_study(store, read_sweep(store), METRICS["accuracy"], Selection.VALIDATION)
    report = make_report(study, infer(study))
    assert render_tables(report, Format.TEXT, ["table4"]) == render_tables(report, Format.TEXT, ["means"])
    titles = {table.content: table.title for table in report.tables}
    for content, title in (
        ("images", "Table 1. Images"),
        ("complexities", "Table 3. Mult"),
        ("means", "Table 4. Test"),
    ):
        assert titles[content].startswith(title)
    assert titles["cost"].startswith("Cost:")
