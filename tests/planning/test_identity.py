"""A trial's id is the hash of everything that can change its result, and of nothing else."""

from copy import deepcopy
from hashlib import sha256

import pytest

from sweep.catalogue import Backbone, WeightsSource
from sweep.planning import trial as trial_module
from sweep.planning.expand import list_backbones, make_plan
from sweep.inputs import DataSummary, Inputs, WeightsId
from sweep.planning.trial import (
    batches_identity,
    canonical_json,
    features_identity,
    partition_identity,
    short_hash,
    start_identity,
    training_identity,
    trial_identity,
)
from sweep.spec.load import make_spec

MOBILENET = {
    "name": "pinned",
    "published": None,
    "data": {
        "source": "folder",
        "folder": "somewhere",
        "subfolder": None,
        "fallback": "none",
        "undecodable": "error",
        "antialias": True,
        "demo": {"images": 600, "seed": 0},
    },
    "weights": {"source": "imagenet", "path": None},
    "features": "pooled",
    "grid": {
        "backbone": "mobilenet",
        "alpha": 0.25,
        "resolution": 128,
        "split": "80/10/10",
        "learning_rate": 0.01,
        "shuffle": 0,
        "steps": 1500,
    },
    "training": {"optimizer": "sgd", "batch_size": 100, "sampling": "class_balanced", "initial_stddev": 0.001},
}
TINY = {
    **MOBILENET,
    "weights": "random",
    "grid": {**MOBILENET["grid"], "backbone": "tiny", "alpha": 1, "resolution": 16},
}
AXES = {
    "alpha": [1.0, 0.25],
    "resolution": [128, 224],
    "split": ["60/20/20", "80/10/10"],
    "learning_rate": [0.1, 0.01],
    "shuffle": [0, 1, 7],
    "steps": [1500, 1501, 15],
}
FINGERPRINT, WEIGHTS_HASH, OTHER_HASH = "d" * 64, "e" * 64, "f" * 64

CHANGING = {
    "data.antialias": False,
    "features": "logits",
    "grid.alpha": 0.5,
    "grid.resolution": 160,
    "grid.split": "70/15/15",
    "grid.learning_rate": 0.010000000000000002,
    "grid.shuffle": 1,
    "grid.steps": 1501,
    "training.batch_size": 101,
    "training.sampling": "uniform",
    "training.initial_stddev": 0.0,
}
INDIFFERENT = {
    "name": "another",
    "published": "duong-trung-2019",
    "data.folder": "elsewhere",
    "data.subfolder": "train",
    "data.fallback": "demo",
    "data.undecodable": "skip",
    "data.source": "demo",
    "data.patients": {"regex": "(p[0-9]+)"},
    "data.demo": {"images": 40, "seed": 9},
}


def replaced(values, changes):
    """Copy a spec's values with some replaced, each named `section.key` or `key`."""
    values = deepcopy(values)
    for place, value in changes.items():
        *sections, key = place.split(".")
        (values[sections[0]] if sections else values)[key] = value
    return values


def plan_of(values, fingerprint=FINGERPRINT, weights_hash=WEIGHTS_HASH, **of_data):
    spec = make_spec(values)
    summary = {"name": "x-rays", "classes": ("NORMAL", "PNEUMONIA"), "images_per_class": (40, 60), "is_demo": False}
    data = DataSummary(fingerprint=fingerprint, **{**summary, **of_data})
    weights = dict.fromkeys(list_backbones(spec), WeightsId(WeightsSource(spec.weights.source), weights_hash))
    return make_plan(spec, Inputs(data, weights))


def only_trial(*arguments, **of_data):
    (trial,) = plan_of(*arguments, **of_data).trials
    return trial


def ids_of(values):
    return [trial.id for trial in plan_of(values).trials]


def test_the_identity_of_a_trial_is_pinned_word_for_word():
    spec = make_spec(MOBILENET)
    inputs = plan_of(MOBILENET).inputs
    features = features_identity(spec, inputs, Backbone("mobilenet", 0.25, 128))
    partition = partition_identity(spec.grid.split[0], 0)
    text = canonical_json(trial_identity(features, training_identity(spec), partition, 0.01, 1500))
    assert text == (
        '{"backbone":{"alpha":0.25,"family":"mobilenet","resolution":128},'
        f'"data":"{FINGERPRINT}",'
        '"features":{"kind":"pooled","version":1},'
        '"head":{"learning_rate":0.01,'
        '"partition":{"by":"image","shuffle":0,"split":"80/10/10","version":1},'
        '"training":{"batch_size":100,"initial_stddev":0.001,"optimizer":"sgd","sampling":"class_balanced",'
        '"version":2}},'
        '"preprocessing":{"antialias":true,"resize":"bilinear","version":1},'
        '"steps":1500,'
        f'"weights":{{"sha256":"{WEIGHTS_HASH}","source":"imagenet"}}}}'
    )
    assert sha256(text.encode()).hexdigest()[:16] == only_trial(MOBILENET).id


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        pytest.param(
            MOBILENET, ("2e9a0856d05fd684", "f1147c9aafdb847a", "2f03d4904622429b", "851a33e02db20764"), id="mobilenet"
        ),
        pytest.param(TINY, ("03411d8080664c06", "5dc808a78e825679", "2f03d4904622429b", "02ba3ba875193308"), id="tiny"),
    ],
)
def test_ids_are_pinned(values, ids):
    trial = only_trial(values)
    assert (trial.id, trial.head_id, trial.batches_id, trial.start_id) == ids


def differing(name, place, value):
    """Whether trials that differ in one value of the spec differ in one of their ids."""
    one, two = only_trial(MOBILENET), only_trial(replaced(MOBILENET, {place: value}))
    return getattr(one, name) != getattr(two, name)


@pytest.mark.parametrize("place", CHANGING)
def test_batches_are_common_to_all_heads_on_a_partition_whatever_their_rate_and_backbone(place):
    decisive = {"grid.split", "grid.shuffle", "training.batch_size", "training.sampling"}
    assert differing("batches_id", place, CHANGING[place]) == (place in decisive)


@pytest.mark.parametrize("place", CHANGING)
def test_initial_weights_are_common_to_the_learning_rates_of_a_backbone_and_partition(place):
    common = {"grid.learning_rate", "grid.steps", *(place for place in CHANGING if place.startswith("training."))}
    assert differing("start_id", place, CHANGING[place]) == (place not in common)


@pytest.mark.parametrize("name", ["batches_id", "start_id"])
def test_other_images_and_another_version_of_the_training_draw_other_batches_and_weights(name, monkeypatch):
    ids = {getattr(only_trial(MOBILENET), name), getattr(only_trial(MOBILENET, OTHER_HASH), name)}
    monkeypatch.setattr(trial_module, "TRAINING_VERSION", trial_module.TRAINING_VERSION + 1)
    assert len(ids | {getattr(only_trial(MOBILENET), name)}) == 3


def test_every_id_of_a_grid_is_the_hash_of_its_trials_identity_spelt_out():
    plan = plan_of({**MOBILENET, "grid": {**MOBILENET["grid"], **AXES}})
    assert len(plan.trials) == 2 * 2 * 2 * 2 * 3 * 3
    training = training_identity(plan.spec)
    for trial in plan.trials:
        features = features_identity(plan.spec, plan.inputs, trial.backbone)
        partition = partition_identity(trial.split, trial.shuffle)
        head = trial_identity(features, training, partition, trial.learning_rate)
        whole = trial_identity(features, training, partition, trial.learning_rate, trial.steps)
        batches = batches_identity(plan.inputs.data.fingerprint, plan.spec.training, partition)
        assert trial.batches_id == short_hash(canonical_json(batches))
        assert trial.start_id == short_hash(canonical_json(start_identity(features, partition)))
        assert trial.head_id == short_hash(canonical_json(head))
        assert trial.id == short_hash(canonical_json(whole))


def test_no_id_of_a_grid_repeats():
    trials = plan_of({**MOBILENET, "grid": {**MOBILENET["grid"], **AXES}}).trials
    assert len({trial.id for trial in trials} | {trial.head_id for trial in trials}) == 144 + 144 // 3


@pytest.mark.parametrize("place", CHANGING)
def test_what_changes_a_result_changes_the_id(place):
    assert only_trial(replaced(MOBILENET, {place: CHANGING[place]})).id != only_trial(MOBILENET).id


def test_other_images_other_weights_and_another_source_of_weights_change_the_id():
    others = [
        only_trial(MOBILENET),
        only_trial(MOBILENET, OTHER_HASH),
        only_trial(MOBILENET, FINGERPRINT, OTHER_HASH),
        *(only_trial({**MOBILENET, "weights": source}) for source in ("hub", "random")),
    ]
    assert len({trial.id for trial in others}) == 5


@pytest.mark.parametrize("version", ["SPLIT_VERSION", "DECODE_VERSION", "FEATURES_VERSION", "TRAINING_VERSION"])
def test_code_that_computes_something_else_changes_the_id(version, monkeypatch):
    before = only_trial(MOBILENET)
    monkeypatch.setattr(trial_module, version, getattr(trial_module, version) + 1)
    after = only_trial(MOBILENET)
    assert before.id != after.id
    assert before.head_id != after.head_id


@pytest.mark.parametrize("place", INDIFFERENT)
def test_what_changes_no_result_leaves_the_id(place):
    assert only_trial(replaced(MOBILENET, {place: INDIFFERENT[place]})) == only_trial(MOBILENET)


def test_the_path_of_the_weights_leaves_the_id():
    paths = ("a.h5", "b.h5")
    first, second = (only_trial({**MOBILENET, "weights": {"source": "file", "path": path}}) for path in paths)
    assert first == second


def test_what_is_called_what_leaves_the_id():
    renamed = only_trial(MOBILENET, name="elsewhere", is_demo=True, left_out=3)
    assert renamed == only_trial(MOBILENET)


def test_a_default_and_the_same_value_written_out_have_one_id():
    sparse = {key: MOBILENET[key] for key in ("name", "grid")}
    assert only_trial(sparse) == only_trial(MOBILENET)


@pytest.mark.parametrize("place", ["grid.learning_rate", "training.initial_stddev"])
def test_a_whole_number_and_the_same_number_with_a_point_have_one_id(place):
    whole, point = (only_trial(replaced(MOBILENET, {place: value})) for value in (1, 1.0))
    assert whole == point


def test_other_values_on_the_axes_and_their_order_leave_the_ids():
    grid = {**MOBILENET["grid"], **AXES}
    reordered = {axis: values[::-1] if isinstance(values, list) else values for axis, values in reversed(grid.items())}
    assert set(ids_of({**MOBILENET, "grid": grid})) == set(ids_of({**MOBILENET, "grid": reordered}))
    assert only_trial(MOBILENET).id in ids_of({**MOBILENET, "grid": grid})


def test_counted_shuffles_have_the_ids_of_their_seeds():
    counted, listed = (replaced(MOBILENET, {"grid.shuffle": value}) for value in ({"count": 30}, list(range(30))))
    assert ids_of(counted) == ids_of(listed)
    assert len(ids_of(counted)) == 30


def test_trials_that_differ_in_their_steps_only_share_their_head():
    trials = plan_of(replaced(MOBILENET, {"grid.steps": [10, 20], "grid.shuffle": [0, 1]})).trials
    assert [trial.steps for trial in trials] == [10, 20, 10, 20]
    heads = [trial.head_id for trial in trials]
    assert heads[0] == heads[1] != heads[2] == heads[3]


def test_canonical_json_is_one_text_for_equal_values_and_refuses_what_json_has_no_word_for():
    assert canonical_json({"b": [1, 0.1], "a": "ü"}) == canonical_json({"a": "ü", "b": [1, 0.1]})
    assert canonical_json({"b": 1, "a": "ü"}) == '{"a":"\\u00fc","b":1}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))


def test_inputs_come_back_from_their_json():
    inputs = plan_of({**MOBILENET, "grid": {**MOBILENET["grid"], **AXES}}).inputs
    assert Inputs.from_json(inputs.to_json()) == inputs
    assert inputs.is_final
    assert not plan_of(MOBILENET, FINGERPRINT, "pending").inputs.is_final
