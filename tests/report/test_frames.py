"""A store becomes one row per trial of the plan, whatever became of the trial."""

import numpy as np
import pytest

from sweep.data.dataset import Images
from sweep.data.splits import Partition
from sweep.errors import UserError
from sweep.outcome import Failure
from sweep.planning.expand import make_plan
from sweep.report.frames import Status, read_sweep, trials_frame
from sweep.store.store import MEASURES
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


def test_partitions_are_sized_by_the_rule_before_any_is_stored(store, plan):
    fill_store(store, plan, lambda _: None)
    partitions = read_sweep(store).partitions
    assert partitions[["training", "validation", "test"]].to_numpy().tolist() == [[60, 20, 20]] * 3
    assert partitions["shared_test_images"].isna().all()


def test_partitions_tell_how_many_test_images_share_a_patient_with_training(store):
    spec = make_spec(shuffle=0)
    plan = make_plan(spec, make_inputs(spec, (2, 3)))
    fill_store(store, plan, lambda _: None)
    patients = ("one", "two", "one", "two", "three")
    fingerprint = plan.inputs.data.fingerprint
    store.save_images(fingerprint, Images(tuple("abcde"), np.array([0, 0, 1, 1, 1]), patients, copies=0))
    store.save_partition(fingerprint, "60/20/20", 0, Partition(np.array([0]), np.array([1]), np.array([2, 3, 4])))
    (partition,) = read_sweep(store).partitions.to_dict("records")
    assert partition["shared_test_images"] == 1  # image 2 shows patient one, who is in training
    assert (partition["test_NORMAL"], partition["test_PNEUMONIA"]) == (0, 3)
    assert (partition["training"], partition["validation"], partition["test"]) == (1, 1, 3)


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
