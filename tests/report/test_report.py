"""A report is written in every format from whatever is in a folder, and every mistake is told in one line."""

import csv
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from study_example import MODELS, TRUE, make_example, report_on, save_example, tabulate, write_report

from sweep.errors import FatalError, UserError
from sweep.metrics import METRICS
from sweep.outcome import Failure
from sweep.report.cells import Selection
from sweep.report.render import Format, render_report
from sweep.report.report import Request

ONE_FILE = {
    Format.MARKDOWN: "report.md",
    Format.TEXT: "report.txt",
    Format.LATEX: "report.tex",
    Format.JSON: "report.json",
    Format.HTML: "report.html",
}
TABLES = ["means", "diagnostics_80-10-10"]
TABLES += ["effects", "images", "patients", "complexities", "cost", "reviewer"]
TABLES += ["standing_60-20-20", "standing_80-10-10", "metrics", "selection", "variance"]
TABLES += ["pairs", "diagnostics_60-20-20"]
CLASSES = ("NORMAL", "PNEUMONIA", "CLASS 2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished sweep of four models at two splits."""
    return save_example(tmp_path_factory.mktemp("results") / "example", **MODELS)


@pytest.fixture
def report(folder, tmp_path):
    def write(form=Format.JSON, **request):
        text = write_report(folder, Request(form, **request), tmp_path)
        return json.loads(text) if form is Format.JSON else text

    return write


def list_rows(document, name):
    (rows,) = (table["rows"] for table in document["tables"] if table["name"] == name)
    return rows


@pytest.mark.parametrize("form", [form for form in ONE_FILE if form is not Format.HTML])
def test_a_report_is_one_file_in_a_folder_of_the_sweeps_name_and_what_is_returned(report, tmp_path, form):
    text = report(form) if form is not Format.JSON else json.dumps(report(form), indent=2, ensure_ascii=False) + "\n"
    assert [path.name for path in (tmp_path / "example").iterdir()] == [ONE_FILE[form]]
    assert (tmp_path / "example" / ONE_FILE[form]).read_text() == text


def test_csv_is_one_file_a_table(report, tmp_path):
    text = report(Format.CSV)
    files = {path.stem: path.read_text() for path in (tmp_path / "example").iterdir()}
    assert set(files) == set(TABLES)
    assert text == "\n".join(files[name] for name in TABLES)


def test_a_page_says_where_it_lies_and_holds_tables_figures_and_explanations(report, tmp_path):
    said = report(Format.HTML)
    page = tmp_path / "example" / "report.html"
    assert re.fullmatch(rf"{re.escape(str(page))}: \d+\.\d MiB, opens in any browser\n", said)
    text = page.read_text()
    assert all(f'id="{name}"' in text for name in TABLES)
    assert "<svg" in text
    assert text.count("<dt>Run one again</dt>") == 8


def test_json_holds_every_table_in_the_order_of_the_report(report):
    assert [table["name"] for table in report()["tables"]] == TABLES


def test_figures_are_drawn_beside_the_report_with_their_data(report, tmp_path):
    text = report(Format.MARKDOWN, has_figures=True)
    found = {path.name for path in (tmp_path / "example" / "figures").iterdir()}
    stems = {name.rpartition(".")[0] for name in found}
    assert stems
    assert found == {f"{stem}.{ending}" for stem in stems for ending in ("svg", "png", "csv")}
    assert set(re.findall(r"\(figures/(.+?)\.svg\)", text)) == stems


def test_figures_are_drawn_beside_a_page_too(report, tmp_path):
    report(Format.HTML, has_figures=True)
    assert (tmp_path / "example" / "figures" / "best.svg").is_file()


def test_without_figures_nothing_is_drawn(report, tmp_path):
    assert "![" not in report(Format.MARKDOWN)
    assert not (tmp_path / "example" / "figures").exists()


@pytest.mark.parametrize("metric", ["accuracy", "f1", "roc_auc", "cohen_kappa", "log_loss"])
def test_the_metric_asked_for_is_that_of_every_table_on_results(report, metric):
    document = report(metric=metric)
    title = METRICS[metric].title
    titles = {table["name"]: table["title"] for table in document["tables"]}
    for name in ("means", "standing_60-20-20", "selection", "variance", "pairs", "effects"):
        assert title in titles[name]
    by_metric = {
        (row["model"], row["split"]): row["mean"] for row in list_rows(document, "metrics") if row["metric"] == metric
    }
    column = METRICS[metric].mean_column
    for row in list_rows(document, "means"):
        assert row[column] == pytest.approx(by_metric[row["model"], row["split"]])
    best = {}
    for row in list_rows(document, "means"):
        best.setdefault(row["split"], []).append(row[column])
    for split, values in best.items():
        first = list_rows(document, f"standing_{split.replace('/', '-')}")[0]
        assert first["mean"] == METRICS[metric].direction.best(values)


def test_the_selection_asked_for_is_that_of_table_4(report):
    chosen = {
        select: {(row["model"], row["split"]): row["accuracy_mean_percent"] for row in list_rows(document, "means")}
        for select in Selection
        for document in [report(select=select)]
    }
    assert all(chosen[Selection.TEST][key] >= value for key, value in chosen[Selection.VALIDATION].items())
    assert chosen[Selection.TEST] != chosen[Selection.VALIDATION]


def test_three_classes_have_metrics_of_each_class(tmp_path):
    folder = save_example(tmp_path / "three", classes=(26, 40, 34))
    document = json.loads(write_report(folder, Request(Format.JSON), tmp_path / "reports"))
    assert {row["class"] for row in list_rows(document, "metrics")} == {"all classes", *CLASSES}


# -- what to compare with ----------------------------------------------------------------------------------------


def test_a_report_compares_with_the_paper_that_the_spec_names(tmp_path):
    grid = {"network": "mobilenet", "alpha": 0.25, "resolution": 128, "split": ["80/10/10", "60/20/20"]}
    folder = save_example(
        tmp_path / "paper", skill=lambda _: 0.9, published="duong-trung-2019", learning_rate=0.1, steps=10, **grid
    )
    document = json.loads(write_report(folder, Request(Format.JSON), tmp_path))
    theirs = {row["split"]: (row["published"], row["published_std"]) for row in list_rows(document, "table4")}
    assert theirs["80/10/10"][0] == 97.2
    assert len(theirs) == 2
    by_loss = json.loads(write_report(folder, Request(Format.JSON, metric="log_loss"), tmp_path))
    assert {row["published"] for row in list_rows(by_loss, "table4")} == {None}


def find_own(output, metric):
    """Table 4 of the example; a metric that is asked for has a folder of its own."""
    return output / "example" / ("" if metric == "accuracy" else metric) / "means.csv"


@pytest.mark.parametrize("metric", ["accuracy", "log_loss", "cohen_kappa"])
def test_a_sweep_compared_with_its_own_table_4_differs_nowhere(report, tmp_path, metric):
    report(Format.CSV, metric=metric)
    document = report(metric=metric, against=find_own(tmp_path, metric))
    rows = list_rows(document, "means")
    assert [row["published"] for row in rows] == [row[METRICS[metric].mean_column] for row in rows]
    assert [row["published_std"] for row in rows] == [row[METRICS[metric].std_column] for row in rows]
    assert f"inside our 95 % interval: {len(rows)} of {len(rows)}" in json.dumps(document, ensure_ascii=False)


def test_a_file_is_compared_with_instead_of_the_paper(report, tmp_path):
    path = tmp_path / "theirs.csv"
    path.write_text("backbone,split,accuracy_mean_percent\ntiny-1-16,60/20/20,12.5\nother-1-1,60/20/20,1\n")
    document = report(against=path)
    known = [row for row in list_rows(document, "means") if row["published"] is not None]
    assert [(row["model"], row["split"], row["published"]) for row in known] == [("tiny-1-16", "60/20/20", 12.5)]
    (notes,) = (" ".join(table["notes"]) for table in document["tables"] if table["name"] == "means")
    assert "(…): as theirs.csv gives it." in notes


def test_a_file_with_nothing_in_common_is_refused(report, tmp_path):
    path = tmp_path / "theirs.csv"
    path.write_text("backbone,split,accuracy_mean_percent\ntiny-9-16,60/20/20,12.5\n")
    with pytest.raises(UserError, match=r"theirs\.csv: has no cell of this sweep \(found: tiny-9-16 at 60/20/20"):
        report(against=path)


def test_a_file_without_rows_is_refused(report, tmp_path):
    path = tmp_path / "theirs.csv"
    path.write_text("backbone,split,accuracy_mean_percent\n")
    with pytest.raises(UserError, match=r"has no cell of this sweep \(found: none") as caught:
        report(against=path)
    assert "\n" not in str(caught.value)


# -- mistakes ----------------------------------------------------------------------------------------------------


def test_an_unknown_metric_is_told_with_those_there_are(report):
    with pytest.raises(UserError, match=r"^metric: 'luck' is unknown \(allowed: accuracy, .*, calibration_error\)$"):
        report(metric="luck")


def test_a_folder_without_a_sweep_is_a_mistake(tmp_path):
    with pytest.raises(UserError, match=r"holds no sweep \(no sweep\.db\)"):
        write_report(tmp_path, Request(), tmp_path)


def test_a_report_that_cannot_be_written_says_so(folder, tmp_path):
    (tmp_path / "example").write_text("in the way")
    with pytest.raises((UserError, FatalError), match="example"):
        write_report(folder, Request(), tmp_path)


# -- whatever is in a folder -------------------------------------------------------------------------------------


def succeed_once():
    left = iter(range(1000))
    return lambda _: TRUE if next(left) == 0 else None


FOLDERS = {
    "nothing finished": lambda: {"become": lambda _: None},
    "nothing finished, nothing known of the images": lambda: {"become": lambda _: None, "has_images": False},
    "nothing known of the images": lambda: {"has_images": False},
    "one trial": lambda: {"become": succeed_once()},
    "failures alone": lambda: {"become": lambda trial: Failure(trial.id, "loss is\nnot finite")},
    "one configuration": lambda: {"learning_rate": 0.1, "steps": 10, "shuffle": 0},
    "tiny test sets": lambda: {"classes": (3, 7), "alpha": [0.5, 1.0]},
    "tiny test sets of three classes": lambda: {"classes": (3, 7, 3), "alpha": [0.5, 1.0]},
    "a class that validation lacks": lambda: {"classes": (15, 3), "alpha": [0.5, 1.0]},
    "all answers right": lambda: {"skill": lambda _: 1 - 1e-9, "alpha": [0.5, 1.0]},
    "all answers wrong": lambda: {"skill": lambda _: 1e-9, "alpha": [0.5, 1.0]},
}


def overflow(trial, success):
    """A head that was finite on validation images and overflowed on a test image; in a damaged store one of NaN."""
    if trial.alpha == 0.5 and trial.shuffle < 2:
        scores = success.scores["test"].copy()
        scores[0, 0] = (np.inf, np.nan)[trial.shuffle]
        measures = {**success.measures, ("test", "log_loss"): np.inf}
        return replace(success, scores={**success.scores, "test": scores}, measures=measures)
    return success


FOLDERS["scores that overflowed"] = lambda: {"alter": overflow, "alpha": [0.5, 1.0], "resolution": [16, 32]}
NO_NUMBER = r"(?<![\w-])(nan|NaN|inf|Infinity|None)(?!\w)"


@pytest.mark.parametrize("metric", ["accuracy", "sensitivity", "cohen_kappa", "log_loss"])
@pytest.mark.parametrize("options", FOLDERS.values(), ids=FOLDERS)
@pytest.mark.filterwarnings("error")
def test_whatever_is_there_gives_every_document_without_a_warning(options, metric):
    study = make_example(metric, **options())
    report = report_on(study)
    for form in ONE_FILE.keys() - {Format.HTML} | {Format.CSV}:
        for text in render_report(report, form).values():
            assert not re.search(NO_NUMBER, text)


@pytest.mark.parametrize("name", ["nothing finished", "one trial", "tiny test sets", "a class that validation lacks"])
@pytest.mark.filterwarnings("error:::sweep")
def test_whatever_is_there_gives_a_page_with_figures(name, tmp_path):
    folder = save_example(tmp_path / "odd", **FOLDERS[name]())
    write_report(folder, Request(Format.HTML, metric="precision"), tmp_path / "reports")
    page = (tmp_path / "reports" / "odd" / "precision" / "report.html").read_text()
    assert not re.search(NO_NUMBER, re.sub(r"<(style|script).*?</\1>", "", page, flags=re.DOTALL))


def test_numbers_in_files_are_those_of_the_tables(report, tmp_path):
    report(Format.CSV)
    lines = (tmp_path / "example" / "pairs.csv").read_text().splitlines()
    rows = list(csv.DictReader([line for line in lines if line[0] != "#"], quoting=csv.QUOTE_NONNUMERIC))
    table = tabulate(make_example(**MODELS))["pairs"]
    assert [row["difference"] for row in rows] == [row[3].value for row in table.rows]


# -- rows, columns, panels, values -------------------------------------------------------------------------------


def test_other_rows_and_columns_arrange_the_same_cells(report):
    usual = {(row["model"], row["split"]): row for row in list_rows(report(), "means")}
    document = report(rows=("alpha",), columns=("resolution",))
    panels = [table for table in document["tables"] if table["content"] == "means"]
    assert [table["name"] for table in panels] == ["means_split-60-20-20", "means_split-80-10-10"]
    cells = [row for table in panels for row in table["rows"]]
    assert len(cells) == len(usual)
    for cell in cells:
        own = usual[cell["model"], cell["block"]]
        assert cell["model"] == f"tiny-{cell['alpha']}-{cell['resolution']}"
        for name in ("accuracy_mean_percent", "lower", "upper", "marks", "verdict"):
            assert cell[name] == own[name]


def test_values_that_are_asked_for_are_compared_alone_and_the_title_says_so(report, tmp_path):
    document = report(where={"alpha": ["0.5"]})
    assert {row["model"] for row in list_rows(document, "means")} == {"tiny-0.5-16", "tiny-0.5-32"}
    assert "ONLY alpha 0.5" in document["header"]["stamp"]
    assert {row["axis"] for row in list_rows(document, "effects")} == {"resolution", "learning rate", "split"}
    assert (tmp_path / "example" / "alpha-0.5" / "report.json").exists()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"rows": ("steps",)}, "rows: 'steps' is no compared axis (allowed: network, alpha, "),
        ({"rows": ("alpha",), "columns": ("alpha",)}, "rows: 'alpha' stands there twice"),
        ({"where": {"alpha": ["0.5"], "resolution": ["64"]}}, "where: resolution: '64' is not in this sweep"),
    ],
)
def test_axes_and_values_that_are_not_there_are_told_in_one_line(report, asked, message):
    with pytest.raises(UserError) as caught:
        report(**asked)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_models_of_any_axes_have_every_document():
    """Axes that do not apply everywhere, lists of widths, and repetitions that were not all run."""
    axes = {"hidden": [[], [8]], "optimizer": ["sgd", "momentum"], "momentum": [0.5, 0.9], "batch_size": [10, 20]}
    study = make_example(**axes, skill=lambda _: 0.9, become=lambda trial: TRUE if trial.shuffle else None)
    assert list(study.frames.models) == [
        f"tiny-1-16, optimizer {optimizer}, hidden layers {hidden}"
        for optimizer in ("sgd", "momentum")
        for hidden in ("none", "8")
    ]
    assert study.layout.choice_words == "learning rate, momentum, batch size and steps"
    for form in ONE_FILE.keys() - {Format.HTML} | {Format.CSV}:
        for text in render_report(report_on(study), form).values():
            assert not re.search(NO_NUMBER, text)
