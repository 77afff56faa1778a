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
