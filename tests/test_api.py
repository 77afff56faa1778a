"""The same from Python."""

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
    assert frame.groupby("backbone").size().to_dict() == {
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


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="no attribute 'fly'"):
        sweep.fly  # noqa: B018 - the look-up is what is tested
    assert set(sweep.__all__) <= set(dir(sys.modules["sweep"])) | set(sweep._HOMES)
