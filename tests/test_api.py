"""The same from Python."""

import re
import subprocess
import sys

import pytest

import sweep
from sweep.spec.load import load_spec


@pytest.fixture
def results(workplace):
    return sweep.run("tiny.yaml", executor="inline")


def test_a_plan_says_what_it_would_do_and_what_sharing_saves(workplace):
    plan = sweep.plan("tiny.yaml")
    assert len(plan.trials) == 32
    assert plan.saving > 1
    assert not (workplace / "results" / "tiny").exists()


def test_a_spec_may_be_a_file_a_dictionary_or_a_spec(workplace):
    spec = load_spec(workplace / "tiny.yaml")
    plans = [sweep.plan(given) for given in ("tiny.yaml", workplace / "tiny.yaml", spec, spec.model_dump(mode="json"))]
    assert all(plan == plans[0] for plan in plans)


def test_results_are_a_tidy_frame_with_a_row_a_trial(results):
    frame = results.frame()
    assert len(frame) == frame.trial_id.nunique() == 32
    assert set(frame.status) == {"success"}
    assert frame.test_accuracy.between(0, 1).all()
    assert frame.groupby("model").size().to_dict() == {
        "tiny-0.5-16": 8,
        "tiny-0.5-32": 8,
        "tiny-1-16": 8,
        "tiny-1-32": 8,
    }


def test_results_are_opened_again_by_their_folder(results):
    again = sweep.open_results("results/tiny")
    assert again.frame().equals(results.frame())
    assert repr(again) == "Results('results/tiny')"


def test_progress_can_be_watched_and_fallbacks_are_said(workplace):
    seen, said = [], []
    spec = load_spec(workplace / "tiny.yaml", ["data={fallback: demo, demo: {images: 40}}"])
    results = sweep.run(spec, executor="inline", watch=lambda progress: seen.append(progress.done), say=said.append)
    assert (seen[0], seen[-1]) == (0, 32)
    assert said[0].startswith("DEMO IMAGES: no images at data/chest_xray")
    assert results.folder.name == "tiny-demo"


def test_mistakes_are_user_errors(workplace):
    with pytest.raises(sweep.UserError, match=r"nowhere.yaml"):
        sweep.plan("nowhere.yaml")
    with pytest.raises(sweep.UserError, match=r"^nothing: holds no sweep"):
        sweep.open_results("nothing")
    with pytest.raises(sweep.UserError, match=r"^executor: 'dask' is unknown"):
        sweep.run("tiny.yaml", executor="dask")


def test_the_public_names_are_found_where_people_look_for_them():
    code = "import sweep; print(*dir(sweep)); print(sweep.__version__); help(sweep)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    names, version, *page = shown.splitlines()
    assert {"run", "plan", "open_results", "Results", "UserError", "__version__"} <= set(names.split())
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    text = "\n".join(page)
    assert all(f"    {name}(" in text for name in ("run", "plan", "open_results"))


TALK = """
import os, sys
import sweep
from sweep.methods.probe import decode

run = decode.run

def loud(*arguments):
    os.write(2, b"could not find cuda drivers\\n")
    print("retracing", file=sys.stderr)
    return run(*arguments)

decode.run = loud
sweep.run("tiny.yaml", executor="inline", watch=lambda progress: print(progress.units_done, file=sys.stderr))
print("over", file=sys.stderr)
"""


def test_what_libraries_print_goes_to_the_log_and_what_the_caller_prints_is_seen(workplace):
    done = subprocess.run([sys.executable, "-c", TALK], cwd=workplace, capture_output=True, text=True, check=True)
    assert done.stderr.split() == [*map(str, range(14)), "over"]
    log = (workplace / "results" / "tiny" / "sweep.log").read_text()
    assert "could not find cuda drivers\n" in log
    assert "retracing\n" in log


@pytest.mark.ray
def test_a_run_on_ray_prints_nothing_of_ray_s(workplace):
    code = "import sweep; sweep.run('tiny.yaml', workers=2)"
    done = subprocess.run([sys.executable, "-c", code], cwd=workplace, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="no attribute 'fly'"):
        sweep.fly  # noqa: B018 - the look-up is what is tested
    assert set(sweep.__all__) <= set(dir(sys.modules["sweep"])) | set(sweep._HOMES)
