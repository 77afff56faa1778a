"""A store becomes one row per trial of the plan, whatever became of the trial."""

from dataclasses import replace

import pytest

from sweep.errors import UserError
from sweep.metrics import METRICS
from sweep.outcome import Failure
from sweep.planning import trial as trial_module
from sweep.planning.expand import make_plan
from sweep.planning.units import ExtractShard
from sweep.report.frames import Status, read_sweep, trials_frame
from sweep.store.store import MEASURES, UnitRecord
from sweep.testing import (
    PROVENANCE,
    fill_complexities,
    fill_images,
    fill_store,
    make_answers,
    make_images,
    make_inputs,
    make_spec,
    make_store,
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
    assert (first["backbone"], first["split"], first["learning_rate"]) == ("tiny-1-16", "60/20/20", 0.1)
    assert (first["family"], first["alpha"], first["resolution"]) == ("tiny", 1.0, 16)
    assert (first["shuffle"], first["steps"], first["head_id"]) == (0, 10, plan.trials[0].head_id)
    assert (first["data"], first["is_demo"], first["weights"]) == ("example", False, "random")


def test_a_trial_is_a_success_a_failure_or_missing(store, plan):
    failed, missing = plan.trials[0], plan.trials[1]

    def answer(trial):
        return {failed.id: Failure(failed.id, "loss is NaN"), missing.id: None}.get(trial.id, (0.9, 0.8))

    fill_store(store, plan, answer)
    trials = trials_frame(store).set_index("trial_id")
    assert trials.loc[failed.id, "status"] == Status.FAILURE
    assert trials.loc[failed.id, "reason"] == "loss is NaN"
    assert trials.loc[missing.id, "status"] == Status.MISSING
    assert trials.loc[[failed.id, missing.id], list(MEASURES)].isna().all(axis=None)
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
    store.save_spec(narrower.model_dump(mode="json"), make_inputs(narrower).to_json(), "images")
    assert set(trials_frame(store)["shuffle"]) == {1}


def test_a_store_without_results_has_only_missing_trials(store, plan):
    fill_store(store, plan, lambda _: None)
    trials = trials_frame(store)
    assert set(trials["status"]) == {Status.MISSING}
    assert trials[list(MEASURES)].isna().all(axis=None)


def test_a_store_without_a_spec_says_what_to_do(store):
    with pytest.raises(UserError, match=r"^memory: holds no spec yet; run the sweep first$"):
        read_sweep(store)


def test_spec_inputs_and_runs_are_those_of_the_store(store, plan):
    fill_store(store, plan)
    frames = read_sweep(store)
    assert frames.spec == plan.spec
    assert frames.inputs == plan.inputs
    assert frames.runs == (PROVENANCE,)


def test_partitions_are_those_that_the_store_knows(store, plan):
    fill_store(store, plan)
    assert read_sweep(store).partitions == {}
    images = make_images(plan.inputs)
    fill_images(store, plan, images)
    partitions = read_sweep(store).partitions
    assert list(partitions) == [("60/20/20", 0), ("60/20/20", 1), ("60/20/20", 2)]
    for partition in partitions.values():
        assert [len(part) for part in (partition.training, partition.validation, partition.test)] == [60, 20, 20]


def test_a_raised_version_of_the_split_never_hands_the_old_partitions_to_new_trials(store, plan, monkeypatch):
    images = make_images(plan.inputs)
    fill_images(store, plan, images)
    monkeypatch.setattr(trial_module, "SPLIT_VERSION", 2)
    later = make_plan(plan.spec, plan.inputs)
    fill_images(store, later, images)
    fill_store(store, later, make_answers(plan.inputs, images))
    frames = read_sweep(store)
    for trial in frames.trials.to_dict("records"):
        _, scores = store.load_scores(trial["trial_id"], 2)
        labels = images.labels[frames.partitions[trial["split"], trial["shuffle"]].test]
        assert METRICS["accuracy"].measure(scores, labels) == trial["test_accuracy"]


def test_seconds_are_summed_by_backbone_and_kind_without_decoding(store, plan):
    run = store.begin_run({})
    store.save_spec(plan.spec.model_dump(mode="json"), plan.inputs.to_json(), "images")
    assert read_sweep(store).seconds == {}
    for unit in plan.units:
        for key in (unit.key, f"{unit.key}-more"):
            store.record(run, UnitRecord(key, unit.kind, "worker 0", unit.cost, 0.5), [])
    ((backbone, seconds),) = read_sweep(store).seconds.items()
    assert str(backbone) == "tiny-1-16"
    assert seconds == {"extract": 1.0, "fit": 0.5}, "a head of another plan took seconds too"


def test_seconds_are_those_of_a_units_last_success_however_often_it_was_computed(store, plan):
    fill_store(store, plan, lambda _: None)
    run = store.begin_run({})
    for unit in plan.units:
        for duration_s, has_failed in ((0.5, False), (8.0, True), (0.25, False), (9.0, True)):
            store.record(run, UnitRecord(unit.key, unit.kind, "worker 0", unit.cost, duration_s, has_failed))
    (seconds,) = read_sweep(store).seconds.values()
    assert seconds == {"extract": 0.25, "fit": 0.25}


def test_origins_are_those_of_the_plans_feature_sets(store, plan):
    fill_store(store, plan)
    assert read_sweep(store).origins == ()
    (folder,) = {unit.output.folder for unit in plan.units if isinstance(unit, ExtractShard)}
    for features in (folder, "another"):
        store.save_origin(1, features, {"cpu": "x"})
    assert read_sweep(store).origins == ((folder, PROVENANCE, {"cpu": "x"}),)


def test_an_image_of_an_unknown_patient_shares_none_with_training(store, plan):
    images = make_images(plan.inputs, images_per_patient=100)
    for patients, expected in ((images.patients, 20), ((None,) * 100, 0)):
        fill_images(store, plan, replace(images, patients=patients))
        fill_store(store, plan, lambda _: None)
        assert read_sweep(store).find_known("60/20/20", 0).sum() == expected


def test_seconds_of_units_of_another_plan_are_left_out(store, plan):
    fill_store(store, plan)
    assert read_sweep(store).seconds
    other = make_spec(learning_rate=0.5)
    store.save_spec(other.model_dump(mode="json"), make_inputs(other).to_json(), "images")
    assert read_sweep(store).seconds == {}


def test_a_sweep_is_partial_until_every_trial_has_succeeded(store, plan):
    fill_store(store, plan, lambda trial: None if trial.shuffle else (0.9, 0.8))
    assert read_sweep(store).is_partial
    fill_store(store, plan, lambda trial: (0.9, 0.8) if trial.shuffle else None)
    assert not read_sweep(store).is_partial


def test_complexities_are_those_counted_in_the_built_models(store, plan):
    fill_store(store, plan)
    assert read_sweep(store).complexities == {}
    fill_complexities(store, plan)
    (backbone,) = read_sweep(store).complexities
    assert str(backbone) == "tiny-1-16"


def test_images_are_known_once_they_were_scanned(store, plan):
    fill_store(store, plan)
    assert read_sweep(store).images is None
    fill_images(store, plan, make_images(plan.inputs))
    assert len(read_sweep(store).images.names) == 100
