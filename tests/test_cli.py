"""Golden text of every command on the smoke spec, and one line for every mistake in the arguments.

`UPDATE_GOLDEN=1 pytest tests/test_cli.py` writes the files under tests/golden anew; read the difference.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sweep import cli
from sweep.methods.table import make_plan
from sweep.spec.load import load_spec
from sweep.store.store import Store
from sweep.testing import fill_complexities, fill_images, fill_store, make_answers, make_images, make_inputs

GOLDEN = Path(__file__).parent / "golden"
SPECS = Path(__file__).parents[1] / "grid_specs"
FORMATS = {
    "markdown": "report.md",
    "text": "report.txt",
    "latex": "report.tex",
    "csv": "*.csv",
    "json": "report.json",
}

# What differs from machine to machine or from day to day.
DATED = (
    (re.compile(r"\b[0-9a-f]{12,64}\b"), "<hash>"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.+]+"), "<date>"),
    (re.compile(r"-?\d+\.\d{6,}(e-\d+)?"), "#"),  # figures as computed; as printed, they are the same everywhere
    (re.compile(r"\S+/(?=made/smoke)"), "<folder>/"),
)
VOLATILE = (
    (re.compile(r"^\d[\d,]*/[\d,]+ trials, .*\n", re.MULTILINE), ""),  # lines of progress
    *DATED,
    (re.compile(r"(?:\d+ h )?(?:\d+ min )?\d+ s\b"), "<time>"),
    (re.compile(r"\d+\.\d+"), "#"),
    (re.compile(r"with \d+ workers?"), "with <n> workers"),
    (re.compile(r"process \d+ on \S+"), "process <n> on <host>"),
    (re.compile(r"[ ]{2,}"), " "),
)


def normalise(text, volatile=VOLATILE):
    for pattern, replacement in volatile:
        text = pattern.sub(replacement, text)
    return text


def check_golden(name, text, volatile=VOLATILE):
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(normalise(text, volatile))
    assert normalise(text, volatile) == path.read_text(), f"tests/golden/{name}.txt: the text has changed"


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    """Call the command line in a folder of the module's own."""
    folder = tmp_path_factory.mktemp("smoke")
    surroundings = {name: value for name, value in os.environ.items() if name not in {"SWEEP_DATA", "KERAS_HOME"}}

    def run(*arguments, columns="100"):
        return subprocess.run(
            [sys.executable, "-m", "sweep", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**surroundings, "COLUMNS": columns},
        )

    run.folder = folder
    return run


SMOKE = (str(SPECS / "smoke.yaml"), "--set", "weights=random")


@pytest.fixture(scope="module")
def planned(call):
    return call("plan", *SMOKE)


@pytest.fixture(scope="module")
def ran(call, planned):
    return call("run", *SMOKE, "--executor", "inline")


@pytest.mark.parametrize("command", ["", "plan", "run", "resume", "status", "report", "explain", "predict", "schema"])
def test_help(call, command):
    done = call(*command.split(), "--help")
    assert done.returncode == 0
    check_golden(f"help-{command or 'sweep'}", done.stdout)


@pytest.mark.tf
class TestSmoke:
    def test_plan(self, planned):
        assert planned.returncode == 0, planned.stderr
        check_golden("plan", planned.stderr + planned.stdout)

    def test_run_says_what_it_will_do_and_what_it_did_and_keeps_chatter_to_the_log(self, ran, call):
        assert (ran.returncode, ran.stderr) == (0, "")
        check_golden("run", ran.stdout)
        log = (call.folder / "results" / "smoke" / "sweep.log").read_text()
        assert "end fit/" in log

    def test_progress_is_told_in_plain_lines(self, ran):
        lines = re.findall(r"^[\d,]+/16 trials, \d+/8 units, .*\d+ failed$", ran.stdout, re.MULTILINE)
        assert lines[-1].startswith("16/16 trials, 8/8 units")
        assert not [line for line in lines if " 0.0 trials" in line]
        assert "left" not in lines[-1]

    def test_run_again_finds_nothing_to_do(self, ran, call):
        check_golden("run-again", call("run", *SMOKE).stdout)

    def test_an_axis_is_counted_without_the_points_that_it_does_not_apply_to(self, call):
        bundles = "grid.bundles=[{optimizer: sgd}, {optimizer: momentum, momentum: [0.1, 0.2]}]"
        plan = call("plan", *SMOKE, "--set", "name=other", "--set", bundles).stdout
        assert "momentum (2)" in plan

    def test_resume(self, ran, call):
        check_golden("resume", call("resume").stdout)

    def test_plan_of_a_finished_sweep(self, ran, call):
        check_golden("plan-finished", call("plan", *SMOKE).stdout)

    @pytest.mark.parametrize("sweep", [(), ("smoke",), ("results/smoke",)])
    def test_status(self, ran, call, sweep):
        check_golden("status", call("status", *sweep).stdout)

    def test_status_failed(self, ran, call):
        check_golden("status-failed", call("status", "--failed").stdout)

    def test_every_table_says_what_it_rests_on(self, ran, call):
        done = call("report")
        assert (done.returncode, done.stderr) == (0, "")
        titles = [
            line for line in done.stdout.splitlines() if re.match("## (?!Answer|Warnings|Provenance|Methods)", line)
        ]
        assert titles
        assert all("DEMO IMAGES, RANDOM WEIGHTS" in title for title in titles)

    @pytest.mark.ray
    @pytest.mark.slow
    def test_ray_yields_the_same_and_keeps_its_chatter_to_the_log(self, ran, call, evidence):
        done = call("run", *SMOKE, "--results", "by_ray", "--workers", "2")
        assert (done.returncode, done.stderr) == (0, "drawing 160 demo images (seed 0)\n")
        check_golden("run-ray", done.stdout)
        assert evidence(call.folder / "by_ray" / "smoke") == evidence(call.folder / "results" / "smoke")


# -- reports, of results made up: what they say is the same on every machine ---------------------------------------


@pytest.fixture(scope="module")
def report(call):
    """Call a command on the smoke sweep with results that are drawn, not trained."""
    spec = load_spec(SPECS / "smoke.yaml", ["weights=random"])
    plan = make_plan(spec, make_inputs(spec, (43, 117), is_demo=True))
    images = make_images(plan.inputs)
    skills = {0.25: 0.7, 0.5: 0.85}
    folder = call.folder / "made" / "smoke"
    folder.mkdir(parents=True)
    with Store.open(folder) as store:
        fill_images(store, plan, images)
        fill_complexities(store, plan)
        fill_store(store, plan, make_answers(plan, images, lambda point: skills[point["alpha"]]))
    return lambda command, *arguments: call(command, *arguments, "smoke", "--results", "made")


@pytest.mark.parametrize("form", FORMATS)
def test_report_prints_what_it_writes(report, call, form):
    done = report("report", "--format", form)
    assert (done.returncode, done.stderr) == (0, "")
    check_golden(f"report-{form}", done.stdout, DATED)
    written = sorted((call.folder / "reports" / "smoke").glob(FORMATS[form]))
    assert written
    assert all(file.read_text() in done.stdout for file in written)


def test_report_says_where_the_page_lies(report, call):
    done = report("report", "--format", "html", "--metric", "log_loss")
    assert re.fullmatch(r"reports/smoke/log_loss/report\.html: \d+\.\d MiB, opens in any browser\n", done.stdout), (
        done.stderr
    )
    assert "log loss" in (call.folder / "reports" / "smoke" / "log_loss" / "report.html").read_text()


def test_report_select_test_is_named_so(report):
    assert "best on test" in report("report", "--select", "test").stdout


def test_report_draws_figures_when_asked_to(report, call):
    done = report("report", "--figures", "--output", "drawn")
    assert (done.returncode, done.stderr) == (0, "")
    folder = call.folder / "drawn" / "smoke"
    assert {path.suffix for path in (folder / "figures").iterdir()} == {".svg", ".png", ".csv"}
    assert all((folder / name).is_file() for name in re.findall(r"!\[.*\]\((.+)\)", done.stdout))


def test_report_compares_with_a_file(report, call):
    (call.folder / "theirs.csv").write_text("alpha,resolution,split,accuracy_mean_percent\n0.5,128,60/20/20,81.5\n")
    done = report("report", "--against", "theirs.csv", "--output", "compared")
    assert (done.returncode, done.stderr) == (0, "")
    assert "theirs.csv" in done.stdout
    assert "(81.5)" in done.stdout
    assert "theirs.csv does not say what images and classes it is about" in " ".join(done.stdout.split())


def test_explain(report):
    done = report("explain", "accuracy:mobilenet-0.5-128:60/20/20")
    assert (done.returncode, done.stderr) == (0, "")
    check_golden("explain", done.stdout, DATED)


def test_a_value_that_is_asked_for_twice_is_taken_once(report):
    done = report("report", "--table", "means", "--where", "alpha=0.5", "--where", "alpha=0.5")
    assert "ONLY alpha 0.5]" in done.stdout.splitlines()[0]


MISTAKES_ABOUT_A_SWEEP = [
    (("report", "--metric", "luck"), "sweep: metric: 'luck' is unknown (allowed: accuracy, "),
    (("report", "--against", "nowhere.csv"), "sweep: nowhere.csv: cannot be read ("),
    (("explain", "accuracy"), "sweep: 'accuracy' is not a cell (allowed: metric:model:block"),
    (("explain", "luck:mobilenet-0.5-128:60/20/20"), "sweep: metric: 'luck' is unknown (allowed: accuracy, "),
    (("explain", "accuracy:tiny-1-16:60/20/20"), "sweep: 'accuracy:tiny-1-16:60/20/20': smoke has no such cell ("),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES_ABOUT_A_SWEEP, ids=lambda value: str(value)[:60])
def test_a_mistake_about_a_sweep_is_told_in_one_line(report, arguments, message):
    done = report(*arguments)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(message)
    assert len(done.stderr.splitlines()) == 1


# -- other commands ----------------------------------------------------------------------------------------------


def test_schema_is_json(call):
    assert json.loads(call("schema").stdout)["title"] == "Spec of a sweep"


TINY = ("--executor", "inline")


def test_a_failed_trial_gives_exit_code_1_and_its_reason_on_demand(sweep_command):
    failing = ("run", "tiny.yaml", *TINY, "--set", "grid.learning_rate=[0.1, 1e6]")
    done = sweep_command(*failing)
    assert done.returncode == 1
    check_golden("run-failures", done.stdout)
    check_golden("run-failures-again", sweep_command(*failing, check=1).stdout)
    listed = sweep_command("status", "tiny", "--failed", check=0).stdout
    assert len(listed.splitlines()) == 16
    assert "shuffle 1  learning rate 1e+06  steps 50: diverged: cross-entropy " in listed
    assert "16 of 32 trials done, 16 failed, 0 missing" in sweep_command("status", check=0).stdout
    assert "16 of 32 trials (16 failed)" in sweep_command("report", check=0).stdout


def test_the_latest_sweep_is_taken_when_none_is_named(sweep_command):
    for name in ("one", "two"):
        sweep_command("run", "tiny.yaml", *TINY, "--set", f"name={name}", check=0)
    assert sweep_command("status", check=0).stdout.startswith("two:")


def test_notes_go_to_standard_error_for_plan_and_run_alike(sweep_command):
    falling_back = ("tiny.yaml", "--set", "data={fallback: demo, demo: {images: 40}}")
    for command in (("plan", *falling_back), ("run", *falling_back, *TINY)):
        done = sweep_command(*command, "--results", f"{command[0]}ned", check=0)
        demo, drawing = done.stderr.splitlines()
        assert demo.startswith("DEMO IMAGES: no images at data/chest_xray"), command
        assert drawing == "drawing 40 demo images (seed 0)", command
        assert "drawing" not in done.stdout


def test_a_name_without_a_sweep_stands_for_the_one_on_demo_images(sweep_command):
    sweep_command("run", "tiny.yaml", "--set", "data={fallback: demo, demo: {images: 40}}", *TINY, check=0)
    note = "tiny: there is no sweep of this name; taking tiny-demo, the same on demo images\n"
    cell = "accuracy:tiny-1-16:60/20/20"
    for command in (("status", "tiny"), ("resume", "tiny", *TINY), ("report", "tiny"), ("explain", cell, "tiny")):
        done = sweep_command(*command, check=0)
        assert done.stderr == note, command
    assert "complete: 32 of 32 trials done" in sweep_command("resume", "results/tiny", *TINY, check=0).stdout


def test_a_name_that_is_not_there_is_answered_with_those_that_are(sweep_command):
    for name in ("tiny", "other"):
        sweep_command("run", "tiny.yaml", *TINY, "--set", f"name={name}", check=0)
    done = sweep_command("status", "tinny")
    expected = "sweep: tinny: is no sweep of results (there: other, tiny); did you mean tiny?\n"
    assert (done.returncode, done.stderr) == (2, expected)


def test_a_changed_spec_leaves_no_stored_trial_out_and_runs_beside_under_another_name(sweep_command):
    sweep_command("run", "tiny.yaml", *TINY, check=0)
    narrower = ("tiny.yaml", "--set", "grid.alpha=0.5")
    refused = sweep_command("run", *narrower, *TINY)
    expected = (
        "sweep: tiny: 16 of the 32 trials that are stored under this name would be left out of its reports; run the "
        "changed spec beside it with --set name=OTHER (cached features are shared), or widen the axes instead of "
        "replacing their values\n"
    )
    assert (refused.returncode, refused.stderr) == (2, expected)
    assert sweep_command("plan", *narrower, check=0).stderr == expected.replace("sweep:", "`sweep run` will refuse:", 1)
    assert "32 of 32 trials done" in sweep_command("status", "tiny", check=0).stdout
    sweep_command("run", *narrower, *TINY, "--set", "name=beside", check=0)
    wider = sweep_command("run", "tiny.yaml", *TINY, "--set", "grid.shuffle=[0, 1, 2]", check=0)
    assert "complete: 48 of 48 trials done" in wider.stdout


def test_the_commands_of_explain_run_one_after_the_other(sweep_command):
    sweep_command("run", "tiny.yaml", *TINY, check=0)
    for cell in ("accuracy:tiny-1-16:60/20/20", "accuracy:tiny-0.5-32:60/20/20"):
        explained = sweep_command("explain", cell, "tiny", check=0).stdout
        command = shlex.split(re.search(r"^Run one again: sweep (.+)$", explained, re.MULTILINE)[1])
        done = sweep_command(*command, *TINY, check=0)
        assert "complete: 1 of 1 trial done" in done.stdout


def test_an_exit_that_a_library_asks_for_is_no_success(monkeypatch):
    for given, code in ((SystemExit(15), 15), (SystemExit("gone"), 2), (SystemExit(None), 0)):
        monkeypatch.setattr(cli.cli, "main", lambda *_, given=given, **__: (_ for _ in ()).throw(given))
        assert cli.run_command(["run"]) == code


def test_a_reader_that_has_seen_enough_is_no_mistake(sweep_command):
    process = sweep_command.start("schema")
    process.stdout.close()
    assert process.wait(timeout=60) == 0


MISTAKES = [
    ((), "Usage"),
    (("fly",), "sweep: No such command 'fly'. (see `sweep --help`)"),
    (("run",), "sweep: Missing argument 'SPEC'. (see `sweep run --help`)"),
    (("run", "nowhere.yaml"), "sweep: nowhere.yaml: is not there"),
    (("run", "."), "sweep: .: is a folder"),
    (("run", "tiny.yaml", "--workers", "0"), "sweep: Invalid value for '--workers': 0 is not in the range"),
    (("run", "tiny.yaml", "--workers", "many"), "sweep: Invalid value for '--workers': 'many' is not a valid int"),
    (("run", "tiny.yaml", "--executor", "dask"), "sweep: Invalid value for '--executor': 'dask' is not one of"),
    (("run", "tiny.yaml", "--executor", "inline", "--address", "x"), "sweep: --address needs --executor ray"),
    (("run", "tiny.yaml", "--executor", "inline", "--workers", "3"), "sweep: --workers needs --executor ray"),
    (("run", "tiny.yaml", "--cache", "shared"), "sweep: --cache needs --address: without a cluster, arrays lie in the"),
    (("run", "tiny.yaml", "--data", "nowhere"), "sweep: --data: nowhere has no use here, as this sweep takes drawn"),
    (("run", "tiny.yaml", "--results", "tiny.yaml"), "sweep: Invalid value for '--results': Directory 'tiny.yaml'"),
    (("run", "tiny.yaml", "--set", "grid.alpha"), "sweep: --set grid.alpha"),
    (("run", "tiny.yaml", "--set", "grid.alpha=0.6"), "sweep: --set grid.alpha: grid.alpha: 0.6 is not offered for"),
    (("run", "tiny.yaml", "--set", "name=../x"), "sweep: --set name: name: '../x'"),
    (("run", "tiny.yaml", "--set", "grid.split=98/1/1"), "sweep: grid.split: 98/1/1 of 40 images leaves a part"),
    (("plan", "tiny.yaml", "--wrong"), "sweep: No such option"),
    (("status",), "sweep: results: holds no sweep; run one first, or name the folder with --results"),
    (("status", "nothing"), "sweep: nothing: holds no sweep (no sweep.db)"),
    (("resume", "nothing"), "sweep: nothing: holds no sweep (no sweep.db)"),
    (("explain",), "sweep: Missing argument 'CELL'. (see `sweep explain --help`)"),
    (("explain", "accuracy:tiny-1-16:60/20/20", "nothing"), "sweep: nothing: holds no sweep (no sweep.db)"),
    (("report", "nothing"), "sweep: nothing: holds no sweep (no sweep.db)"),
    (("report", "--format", "pdf"), "sweep: Invalid value for '--format': 'pdf' is not one of"),
    (("report", "--select", "luck"), "sweep: Invalid value for '--select': 'luck' is not one of"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=lambda value: str(value)[:60])
def test_a_mistake_is_told_in_one_line(sweep_command, arguments, message):
    done = sweep_command(*arguments)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(message)
    assert "Traceback" not in done.stderr
    assert not arguments or len(done.stderr.splitlines()) == 1


@pytest.mark.ray
def test_an_address_without_a_cluster_is_a_mistake(sweep_command):
    done = sweep_command("run", "tiny.yaml", "--address", "127.0.0.1:1")
    assert done.returncode == 2
    assert done.stderr.startswith("sweep: --address 127.0.0.1:1: cannot be reached or started (")
    assert len(done.stderr.splitlines()) == 1
