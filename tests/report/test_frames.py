"""A store becomes one row per trial of the plan, whatever became of the trial."""

from dataclasses import replace
from pathlib import Path
from shutil import copy

import pytest

from sweep.errors import UserError
from sweep.methods.table import make_plan
from sweep.outcome import Failure
from sweep.report.frames import MEASURED, Asked, Status, read_sweep, trials_frame
from sweep.store.store import STORE_NAME, Store, UnitRecord
from sweep.testing import (
    PROVENANCE,
    fill_complexities,
    fill_images,
    fill_store,
    make_images,
    make_inputs,
    make_spec,
    make_store,
    save_plan,
)


@pytest.fixture
def store():
    return make_store()


@pytest.fixture
def plan():
    spec = make_spec()
    return make_plan(spec, make_inputs(spec))


def test_every_trial_of_the_plan_has_one_row_in_the_plans_order(store, plan):
    fill_store(store, plan)
    trials = trials_frame(store)
    assert list(trials["trial_id"]) == [trial.id for trial in plan.trials]
    first = trials.iloc[0]
    assert (first["model"], first["block"], first["learning_rate"]) == ("tiny-1-16", "60/20/20", 0.1)
    assert (first["network"], first["alpha"], first["resolution"]) == ("tiny", 1.0, 16)
    assert (first["shuffle"], first["steps"], first["fit_id"]) == (0, 10, plan.trials[0].fit_id)
    assert (first["data"], first["is_demo"], first["weights"]) == ("example", False, "random")
    assert (first["hidden"], first["momentum"]) == ("none", "-")


def test_a_trial_is_a_success_a_failure_or_missing(store, plan):
    failed, missing = plan.trials[0], plan.trials[1]

    def answer(trial):
        return {failed.id: Failure(failed.id, "loss is NaN"), missing.id: None}.get(trial.id, (0.9, 0.8))

    fill_store(store, plan, answer)
    trials = trials_frame(store).set_index("trial_id")
    assert trials.loc[failed.id, "status"] == Status.FAILURE
    assert trials.loc[failed.id, "reason"] == "loss is NaN"
    assert trials.loc[missing.id, "status"] == Status.MISSING
    assert trials.loc[[failed.id, missing.id], list(MEASURED)].isna().all(axis=None)
    done = trials.drop([failed.id, missing.id])
    assert (done["status"] == Status.SUCCESS).all()
    assert (done["validation_accuracy"] == 0.9).all()
    assert (done["test_accuracy"] == 0.8).all()


def test_a_later_success_shadows_earlier_failures(store, plan):
    fill_store(store, plan, lambda trial: Failure(trial.id, "out of memory"))
    fill_store(store, plan, lambda trial: Failure(trial.id, "again"))
    assert set(trials_frame(store)["reason"]) == {"again"}
    fill_store(store, plan)
    trials = trials_frame(store)
    assert set(trials["status"]) == {Status.SUCCESS}
    assert trials["reason"].isna().all()
    assert len(trials) == len(plan.trials)


def test_results_of_a_spec_that_was_since_narrowed_are_left_out(store, plan):
    fill_store(store, plan)
    narrower = make_spec(shuffle=[1])
    save_plan(store, make_plan(narrower, make_inputs(narrower)))
    assert set(trials_frame(store)["shuffle"]) == {1}


def test_a_store_without_results_has_only_missing_trials(store, plan):
    fill_store(store, plan, lambda _: None)
    trials = trials_frame(store)
    assert set(trials["status"]) == {Status.MISSING}
    assert trials[list(MEASURED)].isna().all(axis=None)


def test_a_store_without_a_spec_says_what_to_do(store):
    with pytest.raises(UserError, match=r"^memory: holds no plan yet; run the sweep first$"):
        read_sweep(store)


def test_spec_inputs_and_runs_are_those_of_the_store(store, plan):
    fill_store(store, plan)
    frames = read_sweep(store)
    assert (frames.name, frames.margin, frames.method) == ("example", 1.0, "probe")
    assert frames.inputs == plan.inputs
    assert frames.runs == (PROVENANCE,)


def test_partitions_are_those_that_the_store_knows(store, plan):
    fill_store(store, plan)
    assert read_sweep(store).partitions == {}
    images = make_images(plan.inputs)
    fill_images(store, plan, images)
    partitions = read_sweep(store).partitions
    assert list(partitions) == list(dict.fromkeys(trial.partition_id for trial in plan.trials))
    for partition in partitions.values():
        assert [len(part) for part in (partition.training, partition.validation, partition.test)] == [60, 20, 20]


def test_a_report_reads_the_plan_that_is_stored_and_needs_no_planner(store, plan, monkeypatch):
    fill_store(store, plan)
    monkeypatch.setattr("sweep.methods.table.find_method", None)
    monkeypatch.setattr("sweep.identity.SPLIT_VERSION", 2)
    frames = read_sweep(store)
    assert not frames.is_partial
    assert list(frames.trials["trial_id"]) == [trial.id for trial in plan.trials]


def record(store, run, unit, duration_s, *, has_failed=False, key=None):
    record = UnitRecord(key or unit.key, unit.kind, "worker 0", unit.cost, duration_s, has_failed, unit.subject)
    store.record(run, record)


def test_seconds_are_summed_by_network_and_kind_without_decoding(store, plan):
    run = store.begin_run({})
    save_plan(store, plan)
    assert read_sweep(store).seconds == {}
    for unit in plan.units:
        record(store, run, unit, 0.5)
        record(store, run, unit, 0.5, key=f"{unit.key}-more")
    assert read_sweep(store).seconds == {plan.trials[0].network_id: {"extract": 1.0, "fit": 0.5}}


def test_seconds_are_those_of_a_units_last_success_and_of_a_fits_successes_which_each_did_another_part(store, plan):
    fill_store(store, plan, lambda _: None)
    run = store.begin_run({})
    for unit in plan.units:
        for duration_s, has_failed in ((0.5, False), (8.0, True), (0.25, False), (9.0, True)):
            record(store, run, unit, duration_s, has_failed=has_failed)
    (seconds,) = read_sweep(store).seconds.values()
    assert seconds == {"extract": 0.25, "fit": 1.0 + 0.75}


def test_origins_are_those_of_the_plans_networks(store, plan):
    fill_store(store, plan)
    assert read_sweep(store).origins == ()
    network_id = plan.trials[0].network_id
    for subject in (network_id, "another"):
        store.save_origin(1, subject, {"cpu": "x"})
    assert read_sweep(store).origins == ((network_id, PROVENANCE, {"cpu": "x"}),)


def test_an_image_of_an_unknown_patient_shares_none_with_training(store, plan):
    images = make_images(plan.inputs, images_per_patient=100)
    for patients, expected in ((images.patients, 20), ((None,) * 100, 0)):
        fill_images(store, plan, replace(images, patients=patients))
        fill_store(store, plan, lambda _: None)
        frames = read_sweep(store)
        partition = frames.partitions[plan.trials[0].partition_id]
        assert frames.find_known(partition).sum() == expected


def test_seconds_of_units_of_another_plan_are_left_out(store, plan):
    fill_store(store, plan)
    assert read_sweep(store).seconds
    other = make_spec(learning_rate=0.5)
    save_plan(store, make_plan(other, make_inputs(other)))
    assert read_sweep(store).seconds == {}


def test_a_sweep_is_partial_until_every_trial_has_succeeded(store, plan):
    first = plan.trials[0].id
    fill_store(store, plan, lambda trial: None if trial.id == first else (0.9, 0.8))
    assert read_sweep(store).is_partial
    fill_store(store, plan, lambda trial: (0.9, 0.8) if trial.id == first else None)
    assert not read_sweep(store).is_partial


def test_complexities_are_those_counted_in_the_built_models(store, plan):
    fill_store(store, plan)
    assert read_sweep(store).complexities == {}
    fill_complexities(store, plan)
    (network_id,) = read_sweep(store).complexities
    assert network_id == plan.trials[0].network_id


def test_images_are_known_once_they_were_scanned(store, plan):
    fill_store(store, plan)
    assert read_sweep(store).images is None
    fill_images(store, plan, make_images(plan.inputs))
    assert len(read_sweep(store).images.names) == 100


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_store_of_an_earlier_release_is_read_with_its_results(tmp_path, version):
    copy(Path(__file__).parents[1] / "store" / "assets" / f"{version}.db", tmp_path / STORE_NAME)
    with Store.read(tmp_path) as store:
        frames = read_sweep(store)
    assert list(frames.models) == ["tiny-1-16"]
    assert list(frames.blocks) == ["60/20/20"]
    assert [choice["steps"] for choice in frames.choices] == [10, 20]
    assert set(frames.trials["status"]) <= {Status.SUCCESS, Status.FAILURE}
    assert frames.trials["test_accuracy"].notna().any()


# -- a part of the sweep -----------------------------------------------------------------------------------------


def test_values_that_are_asked_for_leave_the_other_trials_out_before_anything_is_compared(store):
    spec = make_spec(alpha=[0.5, 1.0])
    fill_store(store, make_plan(spec, make_inputs(spec)))
    frames = read_sweep(store, Asked(where={"alpha": ["0.5"], "steps": ["10", "20"]}))
    assert list(frames.models) == ["tiny-0.5-16"]
    assert len(frames.trials) == 12
    assert not frames.layout["alpha"].varies
    assert frames.restriction == "alpha 0.5; steps 10 or 20"


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"width": ["1"]}, "where: axis 'width' is unknown (allowed: network, alpha, "),
        ({"alpha": ["0.3"]}, "where: alpha: '0.3' is not in this sweep (allowed: 1)"),
    ],
)
def test_values_that_are_not_there_are_told_with_those_there_are(store, plan, where, message):
    fill_store(store, plan)
    with pytest.raises(UserError) as caught:
        read_sweep(store, Asked(where=where))
    assert str(caught.value).startswith(message)


def test_values_that_no_trial_has_together_are_told(store):
    spec = make_spec(optimizer=["sgd", "momentum"], momentum=0.5)
    fill_store(store, make_plan(spec, make_inputs(spec)))
    with pytest.raises(UserError, match=r"^where: no trial has all of these values; leave one out$"):
        read_sweep(store, Asked(where={"optimizer": ["sgd"], "momentum": ["0.5"]}))
