"""A study holds the trials behind every cell, with what they answered."""

import numpy as np
import pytest
from study_example import MODELS, TRUE, fill_example, make_example, read_example

from sweep.errors import UserError
from sweep.methods.table import make_plan
from sweep.metrics import METRICS
from sweep.outcome import Series
from sweep.report.study import list_trials_behind
from sweep.store.store import UnitRecord
from sweep.testing import make_inputs, make_spec, make_store


def test_the_readouts_of_a_cell_are_the_trials_of_its_configuration_by_shuffle(models):
    study = read_example(models)
    trials = study.frames.trials.set_index("trial_id")
    assert set(study.readouts) == set(study.cells)
    for key, readouts in study.readouts.items():
        cell = study.cells[key]
        assert [readout.repeat for readout in readouts] == [0, 1, 2]
        for readout in readouts:
            trial = trials.loc[readout.trial_id]
            assert (trial["model"], trial["block"]) == key
            assert (trial["learning_rate"], trial["steps"]) == tuple(cell.choice.values())


@pytest.mark.parametrize("metric", METRICS)
def test_the_value_of_a_readout_is_that_of_its_scores_and_a_cell_is_their_mean(models, metric):
    study = read_example(models, metric)
    for key, readouts in study.readouts.items():
        values = [study.metric.measure(readout.scores, readout.labels) for readout in readouts]
        assert [readout.value for readout in readouts] == pytest.approx(values)
        assert study.cells[key].value == pytest.approx(study.metric.scale * np.mean(values))


def test_the_images_of_a_readout_are_those_of_its_test_part(models):
    study = read_example(models)
    for readouts in study.readouts.values():
        for readout in readouts:
            assert np.array_equal(readout.images, study.frames.partitions[readout.partition_id].test)
            assert np.array_equal(readout.labels, study.frames.images.labels[readout.images])
            assert len(readout.scores) == len(readout.images)


def test_a_readout_has_the_curves_of_its_fit_where_there_are_any():
    store = fill_example(make_store())
    assert not any(readout.curves for readouts in read_example(store).readouts.values() for readout in readouts)
    spec = make_spec()
    fits = dict.fromkeys(trial.fit_id for trial in make_plan(spec, make_inputs(spec)).trials)
    steps, values = np.array([10], np.int32), np.array([0.5], np.float32)
    curves = [Series(fit, part, "accuracy", steps, values) for fit in fits for part in ("validation", "test")]
    store.record(store.begin_run({}), UnitRecord("fit/again", "fit", "worker 0", 1, 1.0), [], curves)
    study = read_example(store)
    known = study.frames.trials.set_index("trial_id")["fit_id"]
    for readout in (readout for readouts in study.readouts.values() for readout in readouts):
        curve = readout.curves["accuracy"]
        assert (curve.fit_id, curve.part) == (known[readout.trial_id], "validation")


@pytest.mark.parametrize("metric", ["accuracy", "roc_auc"])
@pytest.mark.parametrize("has_images", [True, False])
def test_nothing_finished_is_a_study_of_empty_cells(metric, has_images):
    study = make_example(metric, become=lambda _: None, has_images=has_images, **MODELS)
    assert len(study.cells) == 8
    assert {cell.value for cell in study.cells.values()} == {None}
    assert set(study.readouts.values()) == {()}
    assert list_trials_behind(study.frames.trials, study.cells).empty


def test_cells_without_results_have_no_trials_behind_them():
    study = make_example(become=lambda trial: None if trial.alpha == 0.5 else TRUE, alpha=[0.5, 1.0])
    assert study.readouts["tiny-0.5-16", "60/20/20"] == ()
    assert len(study.readouts["tiny-1-16", "60/20/20"]) == 3
    assert set(list_trials_behind(study.frames.trials, study.cells)["model"]) == {"tiny-1-16"}


def test_a_store_without_images_has_cells_of_what_it_keeps_and_no_readouts():
    study = make_example(has_images=False)
    assert {cell.value is None for cell in study.cells.values()} == {False}
    assert set(study.readouts.values()) == {()}
    unknown = make_example("f1", has_images=False)
    assert {cell.value for cell in unknown.cells.values()} == {None}


DAMAGE = {
    "no scores": ("DELETE FROM scores", "trial [0-9a-f]{16} has not the scores of its images"),
    "scores of other images": (
        "UPDATE scores SET logits = zeroblob(16) WHERE part = 'test'",
        "has not the scores of its images",
    ),
    "half a score": (
        "UPDATE scores SET logits = x'00' WHERE part = 'test'",
        "the test scores of trial [0-9a-f]{16}: buffer size",
    ),
    "a torn spec": ("UPDATE plans SET spec = '{'", "its plan: "),
    "a torn list of images": ("UPDATE datasets SET names = '['", "its list of images: "),
    "half a partition": ("UPDATE parts SET images = x'00'", "the partition [0-9a-f]{16}: "),
    "a torn provenance": ("UPDATE runs SET provenance = ''", "the provenance of a run: "),
}


@pytest.mark.parametrize(("statement", "what"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_store_is_told_in_one_line(statement, what):
    store = fill_example(make_store())
    store.connection.execute(statement)
    with pytest.raises(
        UserError, match=rf"^memory: is damaged \(.*{what}.*put a copy in its place, or move it away"
    ) as told:
        read_example(store)
    assert str(told.value).endswith("; put a copy in its place, or move it away and run again")
    assert "\n" not in str(told.value)


def test_a_torn_curve_is_told_in_one_line():
    store = fill_example(make_store())
    fit = store.connection.execute("SELECT fit_id FROM trials").fetchone()[0]
    store.connection.execute("INSERT INTO series VALUES (?, 'validation', 'accuracy', x'00', x'00')", (fit,))
    with pytest.raises(UserError, match=f"is damaged \\(the series of fit {fit}: "):
        store.load_series(fit)
