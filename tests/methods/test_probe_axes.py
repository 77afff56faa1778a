"""Every axis of `probe`, alone and with all others in one spec, from YAML to results."""

from itertools import product

import pytest

import sweep

BASE = {
    "name": "axes",
    "data": {"source": "demo", "demo": {"images": 40}},
    "weights": "random",
    "grid": {
        "network": "tiny",
        "alpha": 1.0,
        "resolution": 16,
        "split": "60/20/20",
        "learning_rate": 0.1,
        "shuffle": 0,
        "steps": 20,
    },
}
SECTIONS = {"resize": "preprocessing", "antialias": "preprocessing", "scaling": "preprocessing"}
LIGHT = {
    "alpha": [0.5, 1.0],
    "resolution": [16, 32],
    "resize": ["bilinear", "nearest"],
    "antialias": [True, False],
    "scaling": ["native", "unit"],
    "optimizer": ["sgd", "momentum", "adam"],
    "momentum": [0.5, 0.9],
    "batch_size": [5, 10],
    "sampling": ["class_balanced", "uniform"],
    "weight_decay": [0.0, 0.1],
    "dropout": [0.0, 0.5],
    "initial_stddev": [0.001, 0.1],
    "steps": [20, 60],
}


def run(name="axes", **axes):
    """Run a sweep with some axes, in the section that has the field or else in the grid; return its trials."""
    spec = {**BASE, "name": name, "grid": dict(BASE["grid"]), "training": {}, "preprocessing": {}}
    for axis, values in axes.items():
        section = SECTIONS.get(axis, "grid" if axis in BASE["grid"] else "training")
        spec[section][axis] = values
    frame = sweep.run(spec, executor="inline", say=lambda _: None).frame()
    assert set(frame["status"]) == {"success"}
    return frame


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize("axis", sorted(set(LIGHT) - {"momentum"}))
def test_an_axis_by_itself_makes_a_trial_of_each_value(axis):
    frame = run(**{axis: LIGHT[axis]})
    assert len(frame) == len(LIGHT[axis])
    assert frame["trial_id"].nunique() == len(frame)
    # Heads of other values answer otherwise, but for what 40 images and 20 steps do not show.
    assert frame["validation_log_loss"].nunique() == len(frame)


@pytest.mark.usefixtures("workplace")
def test_what_does_not_apply_makes_no_trial_of_its_own():
    frame = run(
        optimizer=LIGHT["optimizer"], momentum=LIGHT["momentum"], resize=LIGHT["resize"], antialias=[True, False]
    )
    assert len(frame) == (1 + 2 + 1) * (2 + 1)
    assert frame[frame["optimizer"] != "momentum"]["momentum"].eq("-").all()


@pytest.mark.usefixtures("workplace")
def test_all_axes_together_are_each_trial_as_it_is_alone():
    few = {name: values for name, values in LIGHT.items() if name not in {"alpha", "resolution", "momentum"}}
    together = run(**few).set_index("trial_id")
    assert len(together) == 3 * 3 * 2**7
    for optimizer, steps in product(LIGHT["optimizer"], LIGHT["steps"]):
        alone = run(f"{optimizer}-{steps}", optimizer=optimizer, steps=steps, dropout=0.5, batch_size=5).iloc[0]
        same = together.loc[alone["trial_id"]]
        assert same["test_log_loss"] == alone["test_log_loss"]


@pytest.mark.tf
@pytest.mark.usefixtures("workplace")
def test_hidden_layers_are_an_axis_beside_softmax_regression():
    frame = run(hidden=[[], [8], [8, 4]], optimizer=["sgd", "adam"], steps=[20, 60])
    assert len(frame) == 3 * 2 * 2
    assert list(frame["hidden"].unique()) == ["none", "8", "8-4"]
    alone = run("alone", hidden=[8], optimizer="adam", steps=20).iloc[0]
    assert frame.set_index("trial_id").loc[alone["trial_id"], "test_log_loss"] == alone["test_log_loss"]
