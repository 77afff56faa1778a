"""A store becomes one row per trial of the plan, whatever became of the trial."""

import pytest

from sweep.errors import UserError
from sweep.outcome import Failure
from sweep.planning.expand import make_plan
from sweep.report.frames import Status, read_sweep, trials_frame
from sweep.store.store import MEASURES, UnitRecord
from sweep.testing import (
    PROVENANCE,
    fill_complexities,
    fill_images,
    fill_store,
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


def test_seconds_are_summed_by_backbone_and_kind_without_decoding(store, plan):
    run = store.begin_run({})
    store.save_spec(plan.spec.model_dump(mode="json"), plan.inputs.to_json(), "images")
    assert read_sweep(store).seconds == {}
    for unit in plan.units:
        store.record(run, UnitRecord(unit.key, unit.kind, "worker 0", unit.cost, 0.5), [])
        store.record(run, UnitRecord(unit.key, unit.kind, "worker 1", unit.cost, 0.25), [])
    ((backbone, seconds),) = read_sweep(store).seconds.items()
    assert str(backbone) == "tiny-1-16"
    assert seconds == {"extract": 0.75, "fit": 0.75}


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
