"""A spec becomes the least work that yields every trial; the work is cut by the number of images alone."""

from collections import Counter
from pathlib import Path

import pytest

from sweep.catalogue import WeightsSource, count_complexity
from sweep.planning.expand import DECODE_COST, make_plan
from sweep.planning.units import (
    CALIBRATION_IMAGES,
    HEADS_PER_FIT,
    IMAGES_PER_SHARD,
    DecodeShard,
    ExtractShard,
    FitHeads,
    UnitKind,
    calibration_sample,
    estimate_seconds,
    shard_borders,
)
from sweep.spec.load import load_spec
from sweep.spec.schema import WeightsSpec
from sweep.testing import make_inputs, make_spec

PAPERS_IMAGES = (1341, 3875)  # the 5,216 of the paper
MOBILENET16 = Path(__file__).parents[2] / "grid_specs" / "mobilenet16.yaml"


def plan_of(spec, images_per_class=(26, 74)):
    return make_plan(spec, make_inputs(spec, images_per_class))


def units_of(plan, kind):
    return [unit for unit in plan.units if isinstance(unit, kind)]


@pytest.fixture(scope="module")
def mobilenet16():
    return plan_of(load_spec(MOBILENET16), PAPERS_IMAGES)


def test_the_papers_grid_is_1296_trials_of_432_heads(mobilenet16):
    assert len(mobilenet16.trials) == 1296
    assert len({trial.head_id for trial in mobilenet16.trials}) == 432


def test_the_papers_grid_is_16_feature_extractions_in_six_shards_and_16_fits(mobilenet16):
    kinds = Counter(unit.kind for unit in mobilenet16.units)
    assert kinds == {UnitKind.DECODE: 6, UnitKind.EXTRACT: 96, UnitKind.FIT: 16}
    assert {len(fit.trials) for fit in units_of(mobilenet16, FitHeads)} == {27 * 3}


def test_the_costs_of_the_papers_grid_are_arithmetic(mobilenet16):
    backbones = {unit.backbone for unit in units_of(mobilenet16, ExtractShard)}
    pixels = DECODE_COST * sum(side**2 for side in (224, 192, 160, 128))
    forward = {backbone: count_complexity(backbone).mult_adds for backbone in backbones}
    step = {backbone: 2 * 100 * int(1024 * backbone.alpha) * 2 for backbone in backbones}
    assert mobilenet16.shared_cost == (
        5216 * pixels + sum(5216 * forward[backbone] + 27 * 2500 * step[backbone] for backbone in backbones)
    )
    assert mobilenet16.alone_cost == sum(
        81 * 5216 * (forward[backbone] + DECODE_COST * backbone.resolution**2)
        + 27 * (1500 + 2000 + 2500) * step[backbone]
        for backbone in backbones
    )
    assert mobilenet16.saving == pytest.approx(79.66, abs=0.005)


def test_every_trial_stands_in_one_fit_on_the_features_of_its_backbone(mobilenet16):
    extracted = {unit.output: unit.backbone for unit in units_of(mobilenet16, ExtractShard)}
    fits = units_of(mobilenet16, FitHeads)
    assert [trial for fit in fits for trial in fit.trials] == list(mobilenet16.trials)
    for fit in fits:
        assert {extracted[key] for key in fit.features} == {fit.backbone}
        assert {trial.backbone for trial in fit.trials} == {fit.backbone}


def test_every_array_that_is_read_is_made_once_and_every_unit_has_its_own_name(mobilenet16):
    decodes, extracts = units_of(mobilenet16, DecodeShard), units_of(mobilenet16, ExtractShard)
    images = [key for decode in decodes for _, key in decode.outputs]
    features = [extract.output for extract in extracts]
    assert len(set(images)) == len(images) == 4 * 6
    assert len(set(features)) == len(features)
    assert {extract.images for extract in extracts} == set(images)
    assert {key for fit in units_of(mobilenet16, FitHeads) for key in fit.features} == set(features)
    assert len({unit.key for unit in mobilenet16.units}) == len(mobilenet16.units)


def test_the_shards_of_a_feature_set_cover_the_images_in_order(mobilenet16):
    decoded = [position for unit in units_of(mobilenet16, DecodeShard) for position in unit.images]
    assert decoded == list(range(5216))
    shards = {key.part: unit.images for unit in units_of(mobilenet16, DecodeShard) for _, key in unit.outputs}
    for fit in units_of(mobilenet16, FitHeads):
        assert [position for key in fit.features for position in shards[key.part]] == decoded
    for extract in units_of(mobilenet16, ExtractShard):
        assert extract.images.part == extract.output.part
        assert extract.images_covered == len(shards[extract.output.part])


@pytest.mark.parametrize("images", [1, 2, 20, 1023, 1024, 1025, 2048, 2049, 5216, 5856, 100_001])
def test_shard_borders_cut_the_images_into_the_fewest_even_shards(images):
    borders = shard_borders(images)
    assert [position for border in borders for position in range(*border)] == list(range(images))
    sizes = [stop - start for start, stop in borders]
    assert max(sizes) <= IMAGES_PER_SHARD
    assert max(sizes) - min(sizes) <= 1
    assert len(borders) == -(-images // IMAGES_PER_SHARD)


def test_shard_borders_depend_on_nothing_but_the_number_of_images():
    small = plan_of(make_spec(), (500, 1000))
    large = plan_of(make_spec(alpha=[0.5, 1.0], resolution=[32, 16], shuffle=[8]), (1, 1499))
    parts = [[unit.images for unit in units_of(plan, DecodeShard)] for plan in (small, large)]
    assert parts[0] == parts[1]


@pytest.mark.parametrize("images", [1, 63, 64, 65, 5216])
def test_calibration_images_are_spread_evenly_over_the_data_set(images):
    sample = calibration_sample(images)
    assert len(sample) == min(images, CALIBRATION_IMAGES)
    gaps = {after - before for before, after in zip(sample, (*sample[1:], images), strict=True)}
    assert sample[0] == 0
    assert min(gaps) >= 1
    assert max(gaps) - min(gaps) <= 1


def test_random_weights_add_one_decoding_of_calibration_images_that_every_extraction_reads():
    spec = make_spec(backbone="mobilenet", alpha=[0.25, 0.5], resolution=[128, 160])
    spec = spec.model_copy(update={"weights": WeightsSpec(source=WeightsSource.RANDOM)})
    plan = plan_of(spec, (500, 1000))
    calibration, *decodes = units_of(plan, DecodeShard)
    assert calibration.images == calibration_sample(1500)
    assert [key.part for _, key in calibration.outputs] == ["calibration", "calibration"]
    assert len(decodes) == 2
    by_resolution = dict(calibration.outputs)
    for extract in units_of(plan, ExtractShard):
        assert extract.calibration == by_resolution[extract.backbone.resolution]


@pytest.mark.parametrize("family", ["mobilenet", "tiny"])
def test_weights_from_a_file_and_the_tiny_backbone_need_no_calibration(family):
    alpha, resolution = (0.25, 128) if family == "mobilenet" else (1.0, 16)
    plan = plan_of(make_spec(backbone=family, alpha=alpha, resolution=resolution))
    assert [unit.calibration for unit in units_of(plan, ExtractShard)] == [None]
    assert len(units_of(plan, DecodeShard)) == 1


def test_heads_are_chunked_without_parting_the_read_outs_of_a_head():
    plan = plan_of(make_spec(shuffle=list(range(75)), learning_rate=[0.1, 0.01], steps=[10, 20, 30]))
    fits = units_of(plan, FitHeads)
    heads = [{trial.head_id for trial in fit.trials} for fit in fits]
    assert [len(group) for group in heads] == [HEADS_PER_FIT, HEADS_PER_FIT, 150 - 2 * HEADS_PER_FIT]
    assert not heads[0] & heads[1]
    assert [len(fit.trials) for fit in fits] == [3 * len(group) for group in heads]
    assert [fit.cost // len(group) for fit, group in zip(fits, heads, strict=True)] == [2 * 100 * 16 * 2 * 30] * 3


@pytest.mark.parametrize(
    ("rates", "fits"), [(3, [63, 63, 24]), (40, [40] * 50), (64, [64] * 50), (65, [64] * 50 + [50])]
)
def test_the_learning_rates_of_a_partition_stay_together_where_a_fit_has_room_for_them(rates, fits):
    plan = plan_of(
        make_spec(shuffle=list(range(50)), learning_rate=[0.1 / (1 + index) for index in range(rates)], steps=1)
    )
    found = units_of(plan, FitHeads)
    assert [len(fit.trials) for fit in found] == fits
    if rates <= HEADS_PER_FIT:
        partitions = [{trial.shuffle for trial in fit.trials} for fit in found]
        assert sum(map(len, partitions)) == 50


def test_thirty_shuffles_are_the_papers_extractions_and_fits_of_whole_partitions_for_several_workers():
    plan = plan_of(load_spec(MOBILENET16, ["grid.shuffle={count: 30}"]), PAPERS_IMAGES)
    assert len(plan.trials) == 12_960
    kinds = Counter(unit.kind for unit in plan.units)
    assert kinds == {UnitKind.DECODE: 6, UnitKind.EXTRACT: 96, UnitKind.FIT: 16 * 5}
    for fit in units_of(plan, FitHeads):
        partitions = Counter((trial.split, trial.shuffle) for trial in fit.trials)
        assert set(partitions.values()) == {3 * 3}


def test_a_plan_made_twice_is_equal(mobilenet16):
    again = plan_of(load_spec(MOBILENET16), PAPERS_IMAGES)
    assert again == mobilenet16


def test_arrays_are_shared_by_specs_that_agree_on_what_they_depend_on():
    plan, other_grid = plan_of(make_spec()), plan_of(make_spec("other", shuffle=[5], steps=[7]))
    assert [unit.output for unit in units_of(plan, ExtractShard)] == [
        unit.output for unit in units_of(other_grid, ExtractShard)
    ]
    spec = make_spec()
    nearest = plan_of(spec.model_copy(update={"data": spec.data.model_copy(update={"antialias": False})}))
    for one, two in zip(plan.units[:2], nearest.units[:2], strict=True):
        assert one.key != two.key


def test_a_fit_can_be_cut_down_to_the_trials_that_are_missing():
    (fit,) = units_of(plan_of(make_spec()), FitHeads)
    wanted = {fit.trials[1].id, fit.trials[4].id}
    part = fit.only(wanted)
    assert part.trials == (fit.trials[1], fit.trials[4])
    assert (part.backbone, part.features) == (fit.backbone, fit.features)
    assert fit.only({trial.id for trial in fit.trials}) == fit
    assert fit.only({"0" * 16}) is None


def test_a_decoding_can_be_cut_down_to_the_arrays_that_are_missing():
    (decode,) = units_of(plan_of(make_spec(resolution=[16, 32])), DecodeShard)
    large, small = decode.outputs
    assert [large[0], small[0]] == [32, 16]
    assert decode.only({small[1]}).outputs == (small,)
    assert decode.only({small[1]}).images == decode.images
    assert decode.only(set()) is None


def test_time_is_estimated_from_what_each_kind_took_and_from_nothing_less():
    units = plan_of(make_spec()).units
    costs = {unit.kind: unit.cost for unit in units}
    largest = max(costs, key=lambda kind: costs[kind])
    assert estimate_seconds(units, {}, 1) is None
    assert estimate_seconds(units, dict.fromkeys(set(costs) - {largest}, 1.0), 1) is None
    assert estimate_seconds(units, {largest: 0.5}, 2) == pytest.approx(costs[largest] / 4)
    assert estimate_seconds(units, dict.fromkeys(costs, 1.0), 1) == pytest.approx(sum(costs.values()))
    assert estimate_seconds([], {}, 1) == 0
