"""A spec becomes the least work that yields every trial; the work is cut by the number of images alone."""

from collections import Counter
from pathlib import Path

import pytest

from sweep.axes import Layer, Role
from sweep.methods.probe.plan import (
    CALIBRATION,
    CALIBRATION_IMAGES,
    CONVERT_COST,
    DECODE_COST,
    DEEP_HEADS_PER_FIT,
    HEADS_PER_FIT,
    IMAGES_PER_SHARD,
    list_positions,
    partition_of,
)
from sweep.methods.probe.settings import prepare_decode, prepare_fit
from sweep.methods.table import make_plan
from sweep.networks.table import FeatureKind, Network, count_complexity, feature_width
from sweep.spec.load import load_spec
from sweep.spec.schema import WeightsSpec
from sweep.testing import make_inputs, make_spec, read_point

PAPERS_IMAGES = (1341, 3875)  # the 5,216 of the paper
MOBILENET16 = Path(__file__).parents[2] / "grid_specs" / "mobilenet16.yaml"
TWO_NETWORKS = {
    "network": "mobilenet",
    "hidden": [[8, 4]],
    "bundles": [
        {"network": "mobilenet", "alpha": 0.25, "resolution": 128, "batch_size": 30},
        {"network": "mobilenet_v2", "alpha": [0.35, 1.4], "resolution": 224, "batch_size": 40},
    ],
}


def plan_of(spec, images_per_class=(26, 74)):
    return make_plan(spec, make_inputs(spec, images_per_class))


def units_of(plan, kind):
    return [unit for unit in plan.units if unit.kind == kind]


def network_at(plan, trial):
    point = read_point(plan, trial)
    return Network.of(point["network"], alpha=point["alpha"], resolution=point["resolution"])


@pytest.fixture(scope="module")
def mobilenet16():
    return plan_of(load_spec(MOBILENET16), PAPERS_IMAGES)


def test_the_papers_grid_is_1296_trials_of_432_fits(mobilenet16):
    assert len(mobilenet16.trials) == 1296
    assert len({trial.fit_id for trial in mobilenet16.trials}) == 432


def test_the_papers_grid_is_16_conversions_16_extractions_in_six_shards_and_16_fits(mobilenet16):
    kinds = Counter(unit.kind for unit in mobilenet16.units)
    assert kinds == {"decode": 6, "convert": 16, "extract": 96, "fit": 16}
    assert {len(fit.trials) for fit in units_of(mobilenet16, "fit")} == {27 * 3}


def test_the_costs_of_the_papers_grid_are_arithmetic(mobilenet16):
    networks = [
        Network.of("mobilenet", alpha=alpha, resolution=side)
        for alpha in (0.25, 0.5, 0.75, 1)
        for side in (128, 160, 192, 224)
    ]
    pixels = DECODE_COST * sum(side**2 for side in (224, 192, 160, 128))
    forward = {network: count_complexity(network).mult_adds for network in networks}
    step = {network: 2 * 100 * int(1024 * network.get("alpha")) * 2 for network in networks}
    assert mobilenet16.shared_cost == (
        5216 * pixels + sum(CONVERT_COST + 5216 * forward[network] + 27 * 2500 * step[network] for network in networks)
    )
    assert mobilenet16.work.alone_cost == sum(
        81 * (CONVERT_COST + 5216 * (forward[network] + DECODE_COST * network.resolution**2))
        + 27 * (1500 + 2000 + 2500) * step[network]
        for network in networks
    )
    assert mobilenet16.saving == pytest.approx(79.66, abs=0.01)


def test_a_step_of_a_head_with_hidden_layers_costs_each_layer_three_times_and_the_first_twice():
    plan = plan_of(make_spec(hidden=[[], [8, 4]], batch_size=30, learning_rate=0.1, shuffle=0, steps=[10, 20]))
    shallow, deep = units_of(plan, "fit")
    assert shallow.cost == 20 * 30 * (2 * 16 * 2)
    assert deep.cost == 20 * 30 * (2 * 16 * 8 + 3 * (8 * 4 + 4 * 2))


def test_every_trial_stands_in_one_fit_on_the_features_of_its_network(mobilenet16):
    made = {key: unit.subject for unit in units_of(mobilenet16, "extract") for key in unit.makes}
    fits = units_of(mobilenet16, "fit")
    assert [trial for fit in fits for trial in fit.trials] == list(mobilenet16.trials)
    for fit in fits:
        assert {made[key] for key in fit.needs if key.kind == "features"} == {fit.subject}
        assert {trial.network_id for trial in fit.trials} == {fit.subject}
        assert {key.folder for key in fit.needs if key.kind == "partitions"} == {
            trial.partition_id for trial in fit.trials
        }


@pytest.mark.parametrize("grid", [{}, {"hidden": [[], [8]]}, TWO_NETWORKS, {"resize": ["bilinear", "nearest"]}])
def test_every_array_that_is_read_is_made_once_and_before_and_every_unit_has_its_own_name(grid):
    plan = plan_of(make_spec(**grid), (500, 1000))
    made = set()
    for unit in plan.units:
        assert {key for key in unit.needs if key.kind in {"images", "networks", "features"}} <= made
        assert not made & set(unit.makes)
        made |= set(unit.makes)
    assert made == {key for unit in plan.units for key in unit.needs} & made, "nothing is made that nobody reads"
    assert len({unit.key for unit in plan.units}) == len(plan.units)


def test_the_shards_of_a_feature_set_cover_the_images_in_order(mobilenet16):
    parts = [unit.needs[0].part for unit in units_of(mobilenet16, "decode")]
    assert [position for part in parts for position in list_positions(part, 5216)] == list(range(5216))
    for fit in units_of(mobilenet16, "fit"):
        assert [key.part for key in fit.needs if key.kind == "features"] == parts
    for extract in units_of(mobilenet16, "extract"):
        images, _ = extract.needs
        assert [images.part] == [key.part for key in extract.makes]


@pytest.mark.parametrize("images", [1, 2, 20, 1023, 1024, 1025, 2048, 2049, 5216, 5856, 100_001])
def test_images_are_cut_into_the_fewest_even_shards(images):
    plan = plan_of(make_spec(shuffle=0, learning_rate=0.1, steps=1), (images // 2, images - images // 2))
    shards = [list_positions(unit.needs[0].part, images) for unit in units_of(plan, "decode")]
    assert [position for shard in shards for position in shard] == list(range(images))
    sizes = list(map(len, shards))
    assert max(sizes) <= IMAGES_PER_SHARD
    assert max(sizes) - min(sizes) <= 1
    assert len(shards) == -(-images // IMAGES_PER_SHARD)


def test_shards_depend_on_nothing_but_the_number_of_images():
    small = plan_of(make_spec(), (500, 1000))
    large = plan_of(make_spec(alpha=[0.5, 1.0], resolution=[32, 16], shuffle=[8], hidden=[4]), (1, 1499))
    parts = [[unit.needs[0].part for unit in units_of(plan, "decode")] for plan in (small, large)]
    assert parts[0] == parts[1]


@pytest.mark.parametrize("images", [1, 63, 64, 65, 5216])
def test_calibration_images_are_spread_evenly_over_the_data_set(images):
    sample = list_positions(CALIBRATION, images)
    assert len(sample) == min(images, CALIBRATION_IMAGES)
    gaps = {after - before for before, after in zip(sample, (*sample[1:], images), strict=True)}
    assert sample[0] == 0
    assert min(gaps) >= 1
    assert max(gaps) - min(gaps) <= 1


def test_random_weights_add_one_decoding_of_calibration_images_that_their_conversions_read():
    spec = make_spec(network="mobilenet", alpha=[0.25, 0.5], resolution=[128, 160])
    spec = spec.model_copy(update={"weights": WeightsSpec.model_validate({"source": ["random", "imagenet"]})})
    plan = plan_of(spec, (500, 1000))
    calibration, *decodes = units_of(plan, "decode")
    assert [key.part for key in calibration.makes] == [CALIBRATION, CALIBRATION]
    assert len(decodes) == 2
    side_of = dict(zip(calibration.makes, (160, 128), strict=True))
    converts = units_of(plan, "convert")
    assert Counter(unit.settings["source"] for unit in converts) == {"random": 4, "imagenet": 4}
    for unit in converts:
        read = [side_of[key] for key in unit.needs if key.kind == "images"]
        is_random = unit.settings["source"] == "random"
        assert read == ([unit.settings["network"]["resolution"]] if is_random else [])


@pytest.mark.parametrize("name", ["mobilenet", "tiny"])
def test_published_weights_and_the_tiny_network_need_no_calibration(name):
    alpha, resolution = (0.25, 128) if name == "mobilenet" else (1.0, 16)
    plan = plan_of(make_spec(network=name, alpha=alpha, resolution=resolution))
    assert len(units_of(plan, "decode")) == 1


def test_an_image_is_decoded_once_for_all_resolutions_and_networks_and_again_for_another_way():
    plan = plan_of(make_spec(resolution=[16, 32], resize=["bilinear", "nearest"], antialias=[True, False]))
    decodes = units_of(plan, "decode")
    ways = [(unit.settings["resize"], unit.settings["antialias"]) for unit in decodes]
    assert sorted(ways) == [("bilinear", False), ("bilinear", True), ("nearest", False)]
    assert {len(unit.makes) for unit in decodes} == {2}
    assert len({key.folder for unit in decodes for key in unit.makes}) == 6


def test_heads_are_chunked_without_parting_the_read_outs_of_a_fit():
    plan = plan_of(make_spec(shuffle=list(range(75)), learning_rate=[0.1, 0.01], steps=[10, 20, 30]))
    fits = units_of(plan, "fit")
    heads = [{trial.fit_id for trial in fit.trials} for fit in fits]
    assert [len(group) for group in heads] == [HEADS_PER_FIT, HEADS_PER_FIT, 150 - 2 * HEADS_PER_FIT]
    assert not heads[0] & heads[1]
    assert [len(fit.trials) for fit in fits] == [3 * len(group) for group in heads]
    assert [fit.cost // len(group) for fit, group in zip(fits, heads, strict=True)] == [2 * 100 * 16 * 2 * 30] * 3


@pytest.mark.parametrize(
    ("rates", "fits"), [(3, [63, 63, 24]), (40, [40] * 50), (64, [64] * 50), (65, [64] * 50 + [50])]
)
def test_the_heads_of_a_partition_stay_together_where_a_fit_has_room_for_them(rates, fits):
    plan = plan_of(
        make_spec(shuffle=list(range(50)), learning_rate=[0.1 / (1 + index) for index in range(rates)], steps=1)
    )
    found = units_of(plan, "fit")
    assert [len(fit.trials) for fit in found] == fits
    if rates <= HEADS_PER_FIT:
        assert sum(len({trial.partition_id for trial in fit.trials}) for fit in found) == 50


def test_heads_of_several_products_on_one_partition_stay_together():
    grid = {**make_spec().model_dump(mode="json")["grid"], "shuffle": list(range(40)), "steps": 1}
    products = [{**grid, "learning_rate": rate} for rate in (0.1, 0.01, 0.001)]
    spec = make_spec().model_copy(
        update={"grid": type(make_spec()).model_validate({"name": "x", "grid": products}).grid}
    )
    found = units_of(plan_of(spec), "fit")
    assert [len(fit.trials) for fit in found] == [63, 57]
    assert sum(len({trial.partition_id for trial in fit.trials}) for fit in found) == 40


def test_heads_with_hidden_layers_are_fitted_apart_and_few_at_a_time():
    plan = plan_of(make_spec(hidden=[[], [8]], shuffle=list(range(5)), learning_rate=[0.1, 0.01], steps=[1, 2]))
    found = [
        ({bool(read_point(plan, trial)["hidden"]) for trial in fit.trials}, len({each.fit_id for each in fit.trials}))
        for fit in units_of(plan, "fit")
    ]
    assert found == [({False}, 10), ({True}, DEEP_HEADS_PER_FIT), ({True}, DEEP_HEADS_PER_FIT), ({True}, 2)]


def test_thirty_shuffles_are_the_papers_extractions_and_fits_of_whole_partitions_for_several_workers():
    plan = plan_of(load_spec(MOBILENET16, ["grid.shuffle={count: 30}"]), PAPERS_IMAGES)
    assert len(plan.trials) == 12_960
    kinds = Counter(unit.kind for unit in plan.units)
    assert kinds == {"decode": 6, "convert": 16, "extract": 96, "fit": 16 * 5}
    for fit in units_of(plan, "fit"):
        partitions = Counter(trial.partition_id for trial in fit.trials)
        assert set(partitions.values()) == {3 * 3}


def test_bundles_of_two_networks_are_a_network_each_with_its_own_fits():
    plan = plan_of(make_spec(**TWO_NETWORKS))
    names = {str(network_at(plan, trial)): read_point(plan, trial)["batch_size"] for trial in plan.trials}
    assert names == {"mobilenet-0.25-128": 30, "mobilenet_v2-0.35-224": 40, "mobilenet_v2-1.4-224": 40}
    assert [len(unit.makes) for unit in units_of(plan, "decode")] == [2]
    assert len(units_of(plan, "convert")) == len(units_of(plan, "extract")) == 3
    assert len({unit.needs[0] for unit in units_of(plan, "convert")}) == 3, "each conversion has weights of its own"
    widths = {str(network_at(plan, trial)): trial.network_id for trial in plan.trials}
    for unit in units_of(plan, "fit"):
        assert unit.subject == widths[unit.settings["label"]]
        name, alpha, resolution = unit.settings["label"].split("-")
        network = Network.of(name, alpha=float(alpha), resolution=int(resolution))
        assert unit.settings["width"] == feature_width(network, FeatureKind.POOLED)


def test_a_list_of_products_has_the_axes_of_all_and_the_trials_of_each():
    spec = make_spec()
    (product,) = spec.grid
    other = product.model_copy(update={"resolution": (32,), "hidden": ((8,),), "steps": (5,)})
    plan = plan_of(spec.model_copy(update={"grid": (product, other)}))
    axes = {axis.name: axis for axis in plan.axes}
    assert len(plan.trials) == 12 + 6
    assert (axes["resolution"].values, axes["hidden"].values, axes["steps"].values) == (
        (16, 32),
        ((), (8,)),
        (10, 20, 5),
    )
    assert axes["initial_stddev"].values == (0.001, None)
    assert {(point["resolution"], point["steps"]) for point in (read_point(plan, each) for each in plan.trials)} == {
        (16, 10),
        (16, 20),
        (32, 5),
    }


def test_axes_have_the_roles_that_are_usual_or_given():
    spec = make_spec().model_copy(update={"roles": {"alpha": Role.TUNED, "steps": Role.COMPARED}})
    roles = {role: {axis.name for axis in plan_of(spec).axes if axis.role is role} for role in Role}
    assert roles[Role.REPEATED] == {"shuffle"}
    assert roles[Role.TUNED] == {
        *("alpha", "learning_rate", "momentum", "weight_decay", "dropout", "batch_size", "initial_stddev")
    }
    assert {axis.name for axis in plan_of(spec).axes if axis.layer is Layer.READOUT} == {"steps"}


def test_a_plan_made_twice_is_equal(mobilenet16):
    assert plan_of(load_spec(MOBILENET16), PAPERS_IMAGES) == mobilenet16


def test_arrays_are_shared_by_specs_that_agree_on_what_they_depend_on():
    plan, other_grid = plan_of(make_spec()), plan_of(make_spec("other", shuffle=[5], steps=[7], hidden=[8]))
    made = [[key for unit in each.units for key in unit.makes] for each in (plan, other_grid)]
    assert made[0] == made[1]
    aliased = [key for unit in plan_of(make_spec(antialias=False)).units for key in unit.makes]
    shared = {key.kind for key in made[0]} - {key.kind for key in set(made[0]) - set(aliased)}
    assert shared == {"networks"}


def test_a_fit_is_told_of_each_head_and_its_read_outs():
    plan = plan_of(make_spec(shuffle=[0, 1], hidden=[8], learning_rate=0.1))
    (fit,) = units_of(plan, "fit")
    settings = prepare_fit(plan, fit.only({trial.id for trial in plan.trials[1:]}, set()))
    first, second = settings["heads"]
    assert (settings["classes"], settings["shards"]) == (2, 1)
    assert settings["partitions"] == [first["partition_id"], second["partition_id"]]
    assert (first["hidden"], first["learning_rate"], first["initial_stddev"]) == ((8,), 0.1, None)
    assert (first["readouts"], list(second["readouts"])) == ({"20": plan.trials[1].id}, ["10", "20"])
    assert first["batches_id"] != second["batches_id"]


def test_a_decoding_is_told_the_resolutions_that_are_left():
    plan = plan_of(make_spec(resolution=[16, 32]))
    (decode,) = units_of(plan, "decode")
    large, small = decode.makes
    assert prepare_decode(plan, decode)["resolutions"] == [32, 16]
    left = decode.only(set(), {small})
    assert prepare_decode(plan, left) == {"resize": "bilinear", "antialias": True, "images": 100, "resolutions": [16]}
    assert left.cost == decode.cost / 2
    assert decode.only(set(), {large, small}) == decode


def test_the_partition_of_a_trial_is_its_split_and_shuffle():
    plan = plan_of(make_spec(shuffle=[7]))
    assert partition_of(plan.trials[0]) == {"by": "image", "shuffle": 7, "split": "60/20/20", "version": 1}
