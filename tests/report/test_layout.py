"""A layout follows from what the axes are for, and whatever it cannot justify is refused."""

from dataclasses import replace

import pytest

from sweep.axes import Axis, Layer, Role
from sweep.errors import UserError
from sweep.report.layout import Layout, cross, narrow, restrict, slug

AXES = (
    Axis("network", ("mobilenet",), Role.COMPARED, Layer.NETWORK, "network"),
    Axis("alpha", (1.0, 0.25), Role.COMPARED, Layer.NETWORK, "alpha"),
    Axis("resolution", (224,), Role.COMPARED, Layer.NETWORK, "resolution", "px"),
    Axis("split", ("80/10/10", "60/20/20"), Role.COMPARED, Layer.PARTITION, "split"),
    Axis("shuffle", (0, 1), Role.REPEATED, Layer.PARTITION, "shuffle"),
    Axis("optimizer", ("sgd", "momentum"), Role.COMPARED, Layer.FIT, "optimizer"),
    Axis("momentum", (None, 0.5, 0.9), Role.TUNED, Layer.FIT, "momentum", order=3),
    Axis("batch_size", (100,), Role.TUNED, Layer.FIT, "batch size", order=2),
    Axis("hidden", ((), (512, 64)), Role.COMPARED, Layer.FIT, "hidden layers"),
    Axis("stddev", (0.1, None), Role.TUNED, Layer.FIT, "stddev", order=4),
    Axis("steps", (10, 20), Role.TUNED, Layer.READOUT, "steps", order=0),
)
POINT = {
    "network": "mobilenet",
    "alpha": 0.25,
    "resolution": 224,
    "split": "60/20/20",
    "optimizer": "sgd",
    "hidden": (),
}


def alter(name, **changes):
    return [replace(axis, **changes) if axis.name == name else axis for axis in AXES]


def name_all(axes):
    return [axis.name for axis in axes]


def test_models_are_rows_and_blocks_are_columns_unless_something_else_is_asked_for():
    layout = Layout.of(AXES)
    assert layout.rows == ("network", "alpha", "resolution", "optimizer", "hidden")
    assert (layout.columns, layout.panels) == (("split",), ())
    asked = Layout.of(AXES, rows=["alpha"], columns=["optimizer"])
    assert (asked.rows, asked.columns, asked.panels) == (("alpha",), ("optimizer",), ("split", "hidden"))
    assert Layout.of(AXES, columns=["alpha"]).rows == ("network", "resolution", "optimizer", "hidden")


def test_an_axis_that_varies_only_in_whether_it_applies_is_no_choice():
    assert name_all(Layout.of(AXES).tuned) == ["momentum", "steps"]


def test_words_are_made_from_the_axes():
    layout = Layout.of(AXES)
    assert (layout.choice_words, layout.block_word) == ("momentum and steps", "split")
    assert (layout.count_repeats(1), layout.count_repeats(3)) == ("one shuffle", "3 shuffles")
    assert Layout.of(alter("shuffle", role=Role.COMPARED)).count_repeats(1) == "one repetition"


def test_a_model_is_its_network_and_what_else_varies_and_a_block_its_bare_value():
    layout = Layout.of(AXES)
    assert layout.name_model(POINT) == "mobilenet-0.25-224, optimizer sgd, hidden layers none"
    assert layout.name_block(POINT) == "60/20/20"
    assert Layout.of([axis for axis in AXES if axis.name != "split"]).name_block(POINT) == "all images"


def test_a_network_whose_own_axis_lies_elsewhere_is_named_without_it():
    assert Layout.of(AXES).name(POINT, ["network", "resolution"]) == "mobilenet"
    assert Layout.of(AXES).name(POINT, ["alpha"]) == "0.25"
    assert Layout.of(AXES).name(POINT, ["alpha", "hidden"]) == "alpha 0.25, hidden layers none"


def test_values_that_a_short_form_does_not_tell_apart_are_spelt_in_full():
    close = Layout.of(alter("alpha", values=(0.25, 0.25000001)))
    assert (close.spell("alpha", 0.25), close.spell("alpha", 0.25000001)) == ("0.25", "0.25000001")


def test_ties_go_to_the_smaller_value_on_the_axis_of_the_lowest_order():
    choices = [{"momentum": 0.9, "steps": 10}, {"momentum": 0.5, "steps": 20}, {"momentum": 0.5, "steps": 10}]
    assert sorted(choices, key=Layout.of(AXES).rank) == [choices[2], choices[0], choices[1]]


def test_heat_maps_span_pairs_of_numeric_axes_of_models():
    layout = Layout.of(alter("resolution", values=(128, 224)))
    assert [name_all(pair) for pair in layout.numeric_pairs] == [["alpha", "resolution"]]
    assert Layout.of(AXES).numeric_pairs == ()


@pytest.mark.parametrize("layer", [Layer.NETWORK, Layer.FIT, Layer.READOUT])
def test_repetitions_that_the_statistics_are_not_made_for_are_refused(layer):
    seeds = Axis("seed", (0, 1), Role.REPEATED, layer, "seed")
    with pytest.raises(UserError, match=r"^roles: seed is repeated, and the error of .* with --where seed=VALUE$"):
        Layout.of([*AXES, seeds])
    assert Layout.of([*AXES, replace(seeds, values=(0,))])


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"rows": ["steps"]}, r"rows: 'steps' is no compared axis \(allowed: network, alpha, .*\)"),
        ({"rows": ["alpha"], "columns": ["alpha"]}, "'alpha' stands there twice"),
    ],
)
def test_rows_and_columns_are_compared_axes_each_once(asked, message):
    with pytest.raises(UserError, match=message):
        Layout.of(AXES, **asked)


def test_values_are_found_by_the_texts_that_a_reader_sees_or_types():
    where = {"alpha": ["0.25", "1.0"], "hidden": ["512-64"], "momentum": ["-"]}
    assert restrict(AXES, where) == {"alpha": {0.25, 1.0}, "hidden": {(512, 64)}, "momentum": {None}}


def test_axes_are_narrowed_to_the_values_that_are_left():
    axes = narrow(AXES[:2], [["mobilenet"], [0.25, 0.25]])
    assert axes[1].values == (0.25,)


def test_points_are_grouped_by_an_axis_where_its_values_go_with_the_same_rests():
    alpha = AXES[1]
    points = [{"alpha": alpha_, "side": side} for alpha_ in (0.25, 1.0) for side in (1, 2)]
    assert cross(points, alpha) == [[2, 3], [0, 1]]
    assert cross(points[:3], alpha) == []
    assert cross([{**point, "alpha": 1.0} for point in points[2:]], replace(alpha, values=(1.0,))) == []


def test_names_become_parts_of_file_names():
    assert slug("80/10/10") == "80-10-10"
    assert slug("optimizer adam, hidden layers none") == "optimizer-adam-hidden-layers-none"
