"""`sweep report` as called: one screen on a terminal, the file itself in a pipe, single tables on demand."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest
from study_example import MODELS, save_example

from sweep.cli import report as command
from sweep.cli import run_command
from sweep.metrics import METRICS

LINES, COLUMNS = 40, 72


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A folder with one finished sweep of four models at two splits."""
    folder = tmp_path_factory.mktemp("results")
    save_example(folder / "example", **MODELS)
    return folder


@pytest.fixture
def report(results, tmp_path, capsys, monkeypatch):
    """Call the command in an empty folder; return exit code, output and errors."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = run_command(["report", "example", "--results", str(results), *arguments])
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def refuse(report):
    """Call the command with a mistake; return the one line that tells it."""

    def call(*arguments):
        code, out, err = report(*arguments)
        assert (code, out) == (2, "")
        assert len(err.splitlines()) == 1
        return err

    return call


def read(folder, name):
    return (folder / "reports" / "example" / name).read_text()


def test_in_a_pipe_the_report_is_what_the_file_holds(report, tmp_path):
    code, out, err = report()
    assert (code, err) == (0, "")
    assert out == read(tmp_path, "report.md")


def test_on_a_terminal_it_is_one_screen_unless_all_is_asked_for(results, tmp_path):
    def call(*arguments):
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        surroundings = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
        process = subprocess.Popen(
            [sys.executable, "-m", "sweep", "report", "example", "--results", str(results), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=slave,
            cwd=tmp_path,
            env={**surroundings, "TERM": "dumb"},
        )
        os.close(slave)
        text = read_all(master)
        assert process.wait(timeout=60) == 0
        return text

    screen = call()
    headline = next(line for line in read(tmp_path, "report.md").splitlines() if line.startswith("**")).strip("*")
    assert headline.split(":")[0] in " ".join(screen.split())
    assert max(map(len, screen.splitlines())) <= COLUMNS
    assert len(screen.splitlines()) < LINES
    assert "Written: reports/example/report.md" in screen
    assert call("--full") == read(tmp_path, "report.md")
    assert "Written: reports/example/report.json" in call("--format", "json")


def read_all(descriptor):
    """Everything that a terminal is sent until its last user leaves."""
    chunks = []
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:  # Linux's way of saying that the other end is closed
            chunk = b""
        if not chunk:
            os.close(descriptor)
            return b"".join(chunks).decode().replace("\r\n", "\n")
        chunks.append(chunk)


# -- single tables -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "name"), [("markdown", "report.md"), ("text", "report.txt")])
def test_a_single_table_is_the_report_s_own_section_and_nothing_is_written(report, tmp_path, form, name):
    _, table, err = report("--format", form, "--table", "means")
    assert err == ""
    assert not (tmp_path / "reports").exists()
    report("--format", form)
    assert table.strip() in read(tmp_path, name)
    assert "Test accuracy (%), mean ±" in table.splitlines()[0]
    assert "may be the best" in table


def test_a_single_table_as_csv_is_its_file(report, tmp_path):
    _, table, _ = report("--format", "csv", "--table", "cost")
    report("--format", "csv")
    assert table == read(tmp_path, "cost.csv")


def test_a_single_table_as_json_is_one_object_and_several_are_a_list(report, tmp_path):
    _, one, _ = report("--format", "json", "--table", "means")
    _, several, _ = report("--format", "json", "--table", "cost", "--table", "means")
    report("--format", "json")
    tables = {table["name"]: table for table in json.loads(read(tmp_path, "report.json"))["tables"]}
    assert json.loads(one) == tables["means"]
    assert json.loads(several) == [tables["cost"], tables["means"]]


def test_a_single_table_as_latex_is_a_float_with_a_label_for_a_document_of_one_s_own(report):
    _, text, _ = report("--format", "latex", "--table", "means", "--table", "images")
    lines = [line for line in text.splitlines() if line and not line.startswith("% ")]
    assert (lines[0], lines[-1]) == (r"\begin{table}[htbp]", r"\end{table}")
    assert r"\label{tab:means}" in text
    assert r"\label{tab:images}" in text
    assert r"\caption{Test accuracy (\%)" in text
    assert not any(word in text for word in ("documentclass", "caption*", "begin{document}", "Table 4."))


def test_a_long_table_as_latex_goes_over_pages_with_its_label(report):
    _, text, _ = report("--format", "latex", "--table", "reviewer")
    body = next(line for line in text.splitlines() if line.startswith(r"\begin{"))
    assert body.startswith((r"\begin{longtable}", r"\begin{table}"))
    assert r"\label{tab:reviewer}" in text


def test_an_unknown_table_is_told_with_those_there_are(refuse):
    said = refuse("--table", "maens")
    assert said.startswith("sweep: table: 'maens' is unknown (did you mean means? allowed: means, ")


@pytest.mark.parametrize("option", [("--full",), ("--figures",), ("--format", "html")], ids=" ".join)
def test_a_single_table_goes_with_nothing_that_needs_the_whole_report(refuse, option):
    said = refuse("--table", "means", *option)
    assert said.startswith(f"sweep: --table prints tables alone; leave it out, or {' '.join(option)} (see ")


# -- layouts -----------------------------------------------------------------------------------------------------


def test_rows_and_columns_are_axes_by_comma_and_what_is_left_makes_panels(report):
    def tabulate(*arguments):
        tables = json.loads(report("--format", "json", *arguments)[1])["tables"]
        return {table["name"]: table for table in tables if table["name"].startswith("means")}

    whole = tabulate("--rows", "alpha", "--columns", "split, resolution")
    columns = {row["column"] for row in whole["means"]["rows"]}
    assert columns == {f"split {split}, resolution {side}" for split in ("60/20/20", "80/10/10") for side in (16, 32)}
    panels = tabulate("--rows", "alpha", "--columns", "resolution")
    assert list(panels) == ["means_split-60-20-20", "means_split-80-10-10"]
    shown = panels["means_split-60-20-20"]["rows"]
    places = [(row["alpha"], row["resolution"]) for row in shown]
    assert places == [("0.5", "16"), ("0.5", "32"), ("1", "16"), ("1", "32")]
    means = {(row["model"], row["split"]): row["accuracy_mean_percent"] for row in tabulate()["means"]["rows"]}
    assert shown[1]["accuracy_mean_percent"] == means["tiny-0.5-32", "60/20/20"]


def test_where_leaves_some_trials_values_of_one_axis_being_alternatives(report, tmp_path):
    _, out, err = report("--where", "alpha=0.5", "--where", "resolution = 16", "--where", "resolution=32")
    assert err == ""
    assert out == read(tmp_path, "alpha-0.5-resolution-16-or-32/report.md")
    assert out.startswith("# example [RANDOM WEIGHTS, ONLY alpha 0.5; resolution 16 or 32]")
    assert "tiny-0.5-32" in out
    assert "tiny-1-" not in out


MISTAKES = [
    (("--where", "alpha"), "--where alpha: is not AXIS=VALUE (allowed: for example alpha=0.25)"),
    (("--where", "alpha=9"), "where: alpha: '9' is not in this sweep (allowed: 0.5, 1)"),
    (("--where", "alhpa=1"), "where: axis 'alhpa' is unknown (did you mean alpha? allowed: network, alpha, "),
    (("--rows", "nothing"), "rows: 'nothing' is no compared axis (allowed: network, alpha, "),
    (("--columns", "steps"), "columns: 'steps' is no compared axis (allowed: network, alpha, "),
    (("--rows", "alpha", "--columns", "split,alpha"), "rows: 'alpha' stands there twice; name an axis once"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=lambda value: str(value)[:40])
def test_a_mistake_about_a_layout_is_told_in_one_line(refuse, arguments, message):
    assert refuse(*arguments).startswith(f"sweep: {message}")


def test_values_that_no_trial_has_together_are_told(tmp_path, capsys):
    save_example(tmp_path / "pairs", bundles=[{"alpha": 0.5, "resolution": 16}, {"alpha": 1.0, "resolution": 32}])
    conditions = ("--where", "alpha=0.5", "--where", "resolution=32")
    assert run_command(["report", "pairs", "--results", str(tmp_path), *conditions]) == 2
    assert capsys.readouterr() == ("", "sweep: where: no trial has all of these values; leave one out\n")


# -- metrics and what bounds are about ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "meant"), [("acuracy", "accuracy"), ("auc", "roc_auc"), ("ROC_AUC", "roc_auc"), ("F1", "f1")]
)
def test_a_misspelt_metric_is_told_with_the_one_that_is_meant(refuse, given, meant):
    said = refuse("--metric", given)
    assert said.startswith(f"sweep: metric: '{given}' is unknown (did you mean {meant}? allowed: accuracy, ")


def test_help_and_the_page_list_every_metric():
    (option,) = [option for option in command.params if option.name == "metric"]
    assert option.help.split(": ")[1].rstrip(".").replace(" or ", ", ").split(", ") == list(METRICS)


@pytest.mark.parametrize(
    ("option", "folder"), [(("--metric", "log_loss"), "log_loss"), (("--about", "procedure"), "procedure")]
)
def test_what_is_not_asked_by_default_does_not_overwrite_what_is(report, tmp_path, option, folder):
    _, usual, _ = report()
    _, other, _ = report(*option)
    assert other != usual
    assert read(tmp_path, "report.md") == usual
    assert read(tmp_path, f"{folder}/report.md") == other


def test_a_report_about_the_procedure_says_so(report):
    _, out, _ = report("--about", "procedure")
    assert "any pool of images drawn like this one" in " ".join(out.split())
