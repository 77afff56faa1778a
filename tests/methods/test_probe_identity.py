"""An id is the hash of everything that can change what it names, and of nothing else."""

from copy import deepcopy
from hashlib import sha256

import pytest

from sweep import identity as identity_module
from sweep.identity import canonical_json, identify, partition_identity
from sweep.inputs import DataSummary, Inputs, WeightsId
from sweep.methods.probe import identity as probe_identity
from sweep.methods.probe.identity import features_identity, fit_identity, source_identity, trial_identity
from sweep.methods.probe.settings import prepare_fit
from sweep.methods.table import find_method, make_plan
from sweep.networks.table import WeightsSource
from sweep.spec.load import make_spec
from sweep.testing import read_point

MOBILENET = {
    "name": "pinned",
    "published": None,
    "data": {
        "source": "folder",
        "folder": "somewhere",
        "subfolder": None,
        "fallback": "none",
        "undecodable": "error",
        "patients": None,
        "demo": {"images": 600, "seed": 0},
    },
    "preprocessing": {"resize": "bilinear", "antialias": True, "scaling": "native"},
    "weights": {"source": "imagenet", "path": None},
    "features": "pooled",
    "grid": {
        "network": "mobilenet",
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
    "grid": {**MOBILENET["grid"], "network": "tiny", "alpha": 1, "resolution": 16},
}
FORMER = {
    **{name: value for name, value in MOBILENET.items() if name != "preprocessing"},
    "data": {**MOBILENET["data"], "antialias": True},
    "grid": {"backbone": "mobilenet", **{k: v for k, v in MOBILENET["grid"].items() if k != "network"}},
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

NETWORK = {
    "preprocessing.antialias": False,
    "preprocessing.resize": "nearest",
    "preprocessing.scaling": "unit",
    "features": "logits",
    "weights": "hub",
    "grid.network": "mobilenet_v2",
    "grid.alpha": 0.5,
    "grid.resolution": 160,
}
PARTITION = {"grid.split": "70/15/15", "grid.shuffle": 1}
FIT = {
    "grid.learning_rate": 0.010000000000000002,
    "training.optimizer": "adam",
    "training.batch_size": 101,
    "training.sampling": "uniform",
    "training.weight_decay": 1e-4,
    "training.hidden": [8],
    "training.dropout": 0.5,
    "training.initial_stddev": 0.0,
}
CHANGING = {**NETWORK, **PARTITION, **FIT, "grid.steps": 1501}
INDIFFERENT = {
    "name": "another",
    "published": "duong-trung-2019",
    "margin": 2.0,
    "roles": {"alpha": "tuned"},
    "data.folder": "elsewhere",
    "data.subfolder": "train",
    "data.fallback": "demo",
    "data.undecodable": "skip",
    "data.source": "demo",
    "data.patients": {"regex": "(p[0-9]+)"},
    "data.demo": {"images": 40, "seed": 9},
    "training.momentum": 0.5,  # of no use to plain gradient descent
    "preprocessing.scaling": "symmetric",  # which is how these weights were trained
}


def replaced(values, changes):
    """Copy a spec's values with some replaced, each named `section.key` or `key`."""
    values = deepcopy(values)
    if "grid.network" in changes:
        values["grid"]["alpha"] = 0.5
    for place, value in changes.items():
        *sections, key = place.split(".")
        (values[sections[0]] if sections else values)[key] = value
    return values


def plan_of(values, fingerprint=FINGERPRINT, weights_hash=WEIGHTS_HASH, source=None, **of_data):
    spec = make_spec(values)
    summary = {"name": "x-rays", "classes": ("NORMAL", "PNEUMONIA"), "images_per_class": (40, 60), "is_demo": False}
    data = DataSummary(fingerprint=fingerprint, **{**summary, **of_data})
    asked = find_method(spec.method).list_weights(spec)
    return make_plan(spec, Inputs(data, {each: WeightsId(source or each.source, weights_hash) for each in asked}))


def only_trial(*arguments, **of_data):
    (trial,) = plan_of(*arguments, **of_data).trials
    return trial


def only_head(*arguments, **of_data):
    """Return what the only head of a plan is told of itself, its batches and its initial weights among it."""
    plan = plan_of(*arguments, **of_data)
    (head,) = prepare_fit(plan, plan.units[-1])["heads"]
    return head


def ids_of(values):
    return [trial.id for trial in plan_of(values).trials]


def with_grid(**axes):
    return {**MOBILENET, "grid": {**MOBILENET["grid"], **axes}}


def test_the_identity_of_features_is_pinned_word_for_word():
    plan = plan_of(MOBILENET)
    point = read_point(plan, plan.trials[0])
    text = canonical_json(features_identity(plan.inputs, point))
    assert text == (
        '{"pixels":[-1.0,1.0],"source":{"backbone":{"alpha":0.25,"family":"mobilenet","resolution":128},'
        f'"data":"{FINGERPRINT}",'
        '"features":{"kind":"pooled","version":1},'
        '"preprocessing":{"antialias":true,"resize":"bilinear","version":1},'
        f'"weights":{{"sha256":"{WEIGHTS_HASH}","source":"imagenet"}}}},"version":2}}'
    )
    assert sha256(text.encode()).hexdigest()[:16] == plan.trials[0].network_id


def test_the_identity_of_a_trial_is_pinned_word_for_word():
    trial = only_trial(MOBILENET)
    fit = {
        "optimizer": "sgd",
        "learning_rate": 0.01,
        "momentum": None,
        "batch_size": 100,
        "sampling": "class_balanced",
        "weight_decay": 0.0,
        "hidden": (),
        "dropout": 0.0,
        "initial_stddev": 0.001,
    }
    text = canonical_json(fit_identity(trial.network_id, partition_identity("80/10/10", 0), fit))
    assert text == (
        f'{{"network":"{trial.network_id}",'
        '"partition":{"by":"image","shuffle":0,"split":"80/10/10","version":1},'
        '"training":{"batch_size":100,"dropout":0.0,"hidden":[],"initial_stddev":0.001,"learning_rate":0.01,'
        '"momentum":null,"optimizer":"sgd","sampling":"class_balanced","version":3,"weight_decay":0.0}}'
    )
    assert sha256(text.encode()).hexdigest()[:16] == trial.fit_id
    assert canonical_json(trial_identity(trial.fit_id, 1500)) == f'{{"fit":"{trial.fit_id}","steps":1500}}'


@pytest.mark.parametrize(
    ("values", "ids", "kept"),
    [
        pytest.param(
            MOBILENET,
            ("28ac7cc939774dc3", "cd42ac48541e1c7c", "995761905f772e65"),
            ("eb1872c3dc12d687", "fb571a224ce1e39f", "2f03d4904622429b", "851a33e02db20764"),
            id="mobilenet",
        ),
        pytest.param(
            TINY,
            ("d73527e9ee554a4c", "a797b3c005e3c243", "0c64b56c4ca28bb2"),
            ("eb1872c3dc12d687", "4b273616ac6d1f52", "2f03d4904622429b", "02ba3ba875193308"),
            id="tiny",
        ),
    ],
)
def test_ids_are_pinned(values, ids, kept):
    """Partitions, decoded images, batches and initial weights are those of 0.1.0."""
    plan, head = plan_of(values), only_head(values)
    (trial,) = plan.trials
    assert (trial.id, trial.fit_id, trial.network_id) == ids
    images = plan.units[0].makes[0].folder
    assert (trial.partition_id, images, head["batches_id"], head["start_id"]) == kept


def test_a_spec_of_0_1_0_has_the_ids_of_its_translation():
    assert plan_of(FORMER).trials == plan_of(MOBILENET).trials


@pytest.mark.parametrize("place", CHANGING)
def test_what_changes_a_result_changes_the_ids_from_its_layer_on_and_none_before(place):
    one, two = only_trial(MOBILENET), only_trial(replaced(MOBILENET, {place: CHANGING[place]}))
    assert one.id != two.id
    assert (one.fit_id == two.fit_id) == (place == "grid.steps")
    assert (one.network_id != two.network_id) == (place in NETWORK)
    assert (one.partition_id != two.partition_id) == (place in PARTITION)


@pytest.mark.parametrize("place", INDIFFERENT)
def test_names_places_and_what_does_not_apply_are_no_part_of_the_ids(place):
    other = only_trial(replaced(MOBILENET, {place: INDIFFERENT[place]}))
    trial = only_trial(MOBILENET)
    assert (other.id, other.fit_id, other.network_id) == (trial.id, trial.fit_id, trial.network_id)


def test_names_and_sizes_of_the_data_set_are_no_part_of_the_id_its_fingerprint_is():
    trial = only_trial(MOBILENET)
    assert only_trial(MOBILENET, name="other", is_demo=True, images_per_class=(1, 9)).id == trial.id
    assert only_trial(MOBILENET, OTHER_HASH).id != trial.id


def test_other_weights_and_another_source_of_weights_change_the_id():
    others = [
        only_trial(MOBILENET),
        only_trial(MOBILENET, FINGERPRINT, OTHER_HASH),
        *(only_trial({**MOBILENET, "weights": source}) for source in ("hub", "random")),
    ]
    assert len({trial.id for trial in others}) == 4


def test_weights_that_stand_in_for_others_are_named_by_what_they_are():
    stood_in = only_trial(MOBILENET, source=WeightsSource.RANDOM)
    assert stood_in.id == only_trial({**MOBILENET, "weights": "random"}).id


@pytest.mark.parametrize("place", CHANGING)
def test_batches_are_common_to_all_heads_on_a_partition_whatever_their_network_and_training(place):
    decisive = {"grid.split", "grid.shuffle", "training.batch_size", "training.sampling"}
    one, two = (
        only_head(values)["batches_id"] for values in (MOBILENET, replaced(MOBILENET, {place: CHANGING[place]}))
    )
    assert (one != two) == (place in decisive)


@pytest.mark.parametrize("place", CHANGING)
def test_initial_weights_are_common_to_all_trainings_on_a_network_and_partition(place):
    common = {*FIT, "grid.steps", "preprocessing.scaling"}
    one, two = (only_head(values)["start_id"] for values in (MOBILENET, replaced(MOBILENET, {place: CHANGING[place]})))
    assert (one != two) == (place not in common)


@pytest.mark.parametrize(
    ("module", "version", "changed"),
    [
        (identity_module, "SPLIT_VERSION", {"id", "fit_id", "partition_id"}),
        (probe_identity, "DECODE_VERSION", {"id", "fit_id", "network_id"}),
        (probe_identity, "SOURCE_VERSION", {"id", "fit_id", "network_id"}),
        (probe_identity, "FEATURES_VERSION", {"id", "fit_id", "network_id"}),
        (probe_identity, "TRAINING_VERSION", {"id", "fit_id"}),
    ],
)
def test_code_that_computes_something_else_changes_the_ids(module, version, changed, monkeypatch):
    before = only_trial(MOBILENET)
    monkeypatch.setattr(module, version, getattr(module, version) + 1)
    after = only_trial(MOBILENET)
    names = ("id", "fit_id", "network_id", "partition_id")
    assert {name for name in names if getattr(before, name) != getattr(after, name)} == changed


@pytest.mark.parametrize(("version", "name"), [("BATCHES_VERSION", "batches_id"), ("START_VERSION", "start_id")])
def test_other_images_and_code_that_draws_otherwise_draw_other_batches_and_weights(version, name, monkeypatch):
    ids = {only_head(MOBILENET)[name], only_head(MOBILENET, OTHER_HASH)[name]}
    monkeypatch.setattr(probe_identity, version, getattr(probe_identity, version) + 1)
    assert len(ids | {only_head(MOBILENET)[name]}) == 3


def test_every_id_of_a_grid_is_the_hash_of_its_trials_identity_spelt_out():
    plan = plan_of(with_grid(**AXES, hidden=[[], [8, 4]], optimizer=["momentum", "adam"]))
    assert len(plan.trials) == 2 * 2 * 2 * 2 * 3 * 3 * 2 * 2
    fit_axes = [axis.name for axis in plan.axes if axis.layer.name == "FIT"]
    for trial in plan.trials:
        point = read_point(plan, trial)
        partition = partition_identity(point["split"], point["shuffle"])
        assert trial.partition_id == identify(partition)
        assert trial.network_id == identify(features_identity(plan.inputs, point))
        assert trial.fit_id == identify(
            fit_identity(trial.network_id, partition, {name: point[name] for name in fit_axes})
        )
        assert trial.id == identify(trial_identity(trial.fit_id, point["steps"]))


def test_the_source_of_features_holds_all_but_how_the_network_is_run():
    plan = plan_of(MOBILENET)
    point = read_point(plan, plan.trials[0])
    assert features_identity(plan.inputs, point)["source"] == source_identity(plan.inputs, point)


def test_no_id_of_a_grid_repeats():
    trials = plan_of(with_grid(**AXES)).trials
    assert len({trial.id for trial in trials} | {trial.fit_id for trial in trials}) == 144 + 144 // 3


def test_whole_numbers_and_points_are_one_value():
    whole, point = (only_trial(with_grid(alpha=value, learning_rate=value)) for value in (1, 1.0))
    assert whole == point


def test_other_values_on_the_axes_and_their_order_leave_the_ids():
    grid = {**MOBILENET["grid"], **AXES}
    reordered = {axis: values[::-1] if isinstance(values, list) else values for axis, values in reversed(grid.items())}
    assert set(ids_of({**MOBILENET, "grid": grid})) == set(ids_of({**MOBILENET, "grid": reordered}))
    assert only_trial(MOBILENET).id in ids_of({**MOBILENET, "grid": grid})


def test_how_a_grid_is_written_leaves_the_ids():
    grid = {**MOBILENET["grid"], **AXES}
    whole = ids_of({**MOBILENET, "grid": grid})
    products = [{**grid, "alpha": alpha, "steps": steps} for steps in AXES["steps"] for alpha in (0.25, 1.0)]
    bundles = [{"alpha": alpha, "steps": AXES["steps"]} for alpha in (0.25, 1.0)]
    around = {name: values for name, values in AXES.items() if name not in {"alpha", "steps"}}
    overlapping = [{**grid, "alpha": 1.0}, grid]
    for written in (products, {**MOBILENET["grid"], **around, "bundles": bundles}, overlapping):
        found = ids_of({**MOBILENET, "grid": written})
        assert len(found) == len(whole)
        assert set(found) == set(whole)


@pytest.mark.parametrize(
    ("axes", "trials"),
    [
        ({"optimizer": ["sgd", "momentum", "adam"], "momentum": [0.8, 0.9]}, 1 + 2 + 1),
        ({"resize": ["bilinear", "nearest"], "antialias": [True, False]}, 2 + 1),
        ({"hidden": [[], [8]], "initial_stddev": [0.001, 0.01]}, 2 + 1),
        ({"scaling": ["native", "symmetric", "unit"]}, 2),
    ],
)
def test_points_that_come_to_the_same_are_one_trial(axes, trials):
    plan = plan_of(with_grid(**axes))
    assert len(plan.trials) == len({trial.id for trial in plan.trials}) == trials
    assert len({trial.point for trial in plan.trials}) == trials


def test_what_does_not_apply_to_a_point_has_no_value_on_it():
    plan = plan_of(with_grid(optimizer=["sgd", "momentum"], resize=["bilinear", "nearest"], hidden=[[], [8]]))
    for point in (read_point(plan, trial) for trial in plan.trials):
        assert (point["momentum"] is None) == (point["optimizer"] == "sgd")
        assert (point["antialias"] is None) == (point["resize"] == "nearest")
        assert (point["initial_stddev"] is None) == (point["hidden"] == (8,))


def test_counted_shuffles_have_the_ids_of_their_seeds():
    assert ids_of(with_grid(shuffle={"count": 30})) == ids_of(with_grid(shuffle=list(range(30))))


def test_trials_that_differ_in_their_steps_only_share_their_fit():
    trials = plan_of(with_grid(steps=[10, 20], shuffle=[0, 1])).trials
    assert [trial.point[-1] for trial in trials] == [10, 20, 10, 20]
    fits = [trial.fit_id for trial in trials]
    assert fits[0] == fits[1] != fits[2] == fits[3]


def test_canonical_json_is_one_text_for_equal_values_and_refuses_what_json_has_no_word_for():
    assert canonical_json({"b": [1, 0.1], "a": "ü"}) == canonical_json({"a": "ü", "b": [1, 0.1]})
    assert canonical_json({"b": 1, "a": "ü"}) == '{"a":"\\u00fc","b":1}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))


def test_inputs_come_back_from_their_json():
    inputs = plan_of(with_grid(**AXES)).inputs
    assert Inputs.from_json(inputs.to_json()) == inputs
    assert inputs.is_final
    assert not plan_of(MOBILENET, FINGERPRINT, "pending").inputs.is_final
