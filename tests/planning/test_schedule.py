"""What is still to do is done once each, after what it needs, results first."""

import numpy as np
import pytest

from sweep.catalogue import WeightsSource
from sweep.planning.expand import make_plan
from sweep.planning.schedule import Schedule, find_missing_units, needs_of, outputs_of
from sweep.planning.units import DecodeShard, ExtractShard, FitHeads, UnitKind
from sweep.spec.schema import WeightsSpec
from sweep.testing import make_inputs, make_spec


def make_random_plan(generator):
    """Make a small plan: one to three shards, several backbones, now and then with calibration images."""
    family, alphas, resolutions = (
        ("tiny", [0.5, 1.0], [16, 32]) if generator.random() < 0.5 else ("mobilenet", [0.25, 0.5, 1.0], [128, 160, 224])
    )

    def some(values):
        return generator.permutation(values)[: generator.integers(1, len(values) + 1)].tolist()

    spec = make_spec(
        backbone=family,
        alpha=some(alphas),
        resolution=some(resolutions),
        learning_rate=some([0.1, 0.01, 0.001]),
        shuffle=some(range(40)),
        steps=some([10, 20, 30]),
    )
    if generator.random() < 0.5:
        spec = spec.model_copy(update={"weights": WeightsSpec(source=WeightsSource.RANDOM)})
    return make_plan(spec, make_inputs(spec, tuple(generator.integers(10, 1500, size=2).tolist())))


def work_off(schedule, generator, cached=()):
    """Work units off with up to four at a time, finished in any order; return them as they were handed out."""
    there, handed_out, running = set(cached), [], []
    while True:
        while len(running) < 4 and (unit := schedule.next_unit()):
            assert set(needs_of(unit)) <= there, f"{unit.key} was handed out too early"
            handed_out.append(unit)
            running.append(unit)
        if not running:
            return handed_out
        unit = running.pop(int(generator.integers(len(running))))
        there |= set(outputs_of(unit))
        schedule.finish(unit)


def all_ids(plan):
    return {trial.id for trial in plan.trials}


def everything(_):
    return True


def nothing(_):
    return False


@pytest.fixture
def plan():
    """Two backbones of different cost, two shards, one fit each."""
    spec = make_spec(alpha=[0.5, 1.0], resolution=[16, 32])
    return make_plan(spec, make_inputs(spec, (500, 1000)))


@pytest.mark.parametrize("seed", range(25))
def test_every_unit_comes_out_once_and_after_its_needs(seed):
    generator = np.random.default_rng(seed)
    plan = make_random_plan(generator)
    handed_out = work_off(Schedule(plan.units), generator)
    assert sorted(unit.key for unit in handed_out) == sorted(unit.key for unit in plan.units)


@pytest.mark.parametrize("seed", range(25))
def test_of_a_half_done_sweep_the_missing_comes_out_once_and_after_its_needs(seed):
    generator = np.random.default_rng(seed)
    plan = make_random_plan(generator)
    keys = [key for unit in plan.units for key in outputs_of(unit)]
    cached = {key for key in keys if generator.random() < 0.5}
    missing = {trial.id for trial in plan.trials if generator.random() < 0.3}
    handed_out = work_off(Schedule(find_missing_units(plan, missing, cached.__contains__)), generator, cached)
    assert len({unit.key for unit in handed_out}) == len(handed_out)
    fits = [unit for unit in handed_out if isinstance(unit, FitHeads)]
    assert sorted(trial.id for fit in fits for trial in fit.trials) == sorted(missing)
    made = [key for unit in handed_out for key in outputs_of(unit)]
    assert not cached & set(made), "what is cached is not made again"
    assert len(set(made)) == len(made)
    assert set(made) <= {key for unit in handed_out for key in needs_of(unit)}, "nothing is made that nobody reads"


def test_a_new_sweep_misses_every_unit(plan):
    assert sorted(unit.key for unit in find_missing_units(plan, all_ids(plan), nothing)) == sorted(
        unit.key for unit in plan.units
    )


def test_a_finished_sweep_misses_nothing_even_where_its_arrays_are_gone(plan):
    assert find_missing_units(plan, set(), nothing) == []
    assert Schedule([]).next_unit() is None


def test_with_all_features_cached_the_fits_are_left(plan):
    units = find_missing_units(plan, all_ids(plan), everything)
    assert units == [unit for unit in plan.units if isinstance(unit, FitHeads)]


def test_cached_images_are_not_decoded_again(plan):
    units = find_missing_units(plan, all_ids(plan), lambda key: key.kind == "images")
    assert {unit.kind for unit in units} == {UnitKind.EXTRACT, UnitKind.FIT}


def test_only_the_missing_resolution_of_the_missing_shard_is_decoded(plan):
    lost = next(unit for unit in plan.units if isinstance(unit, ExtractShard) and unit.backbone.resolution == 16)
    there = {key for unit in plan.units for key in outputs_of(unit)} - {lost.output, lost.images}
    decode, extract, *fits = find_missing_units(plan, all_ids(plan), there.__contains__)
    assert decode.outputs == ((16, lost.images),)
    assert extract == lost
    assert {unit.kind for unit in fits} == {UnitKind.FIT}


def test_a_missing_trial_takes_its_own_backbone_only(plan):
    trial = plan.trials[-1]
    units = find_missing_units(plan, {trial.id}, nothing)
    assert {unit.backbone for unit in units if not isinstance(unit, DecodeShard)} == {trial.backbone}
    assert units[-1].trials == (trial,)


def test_fits_go_first_then_decoding_then_the_largest_extraction(plan):
    schedule = Schedule(plan.units)
    handed_out = []
    while unit := schedule.next_unit():
        handed_out.append(unit)
        schedule.finish(unit)
    kinds = [unit.kind for unit in handed_out]
    assert kinds[:2] == [UnitKind.DECODE] * 2
    assert kinds[2:] == [UnitKind.EXTRACT, UnitKind.EXTRACT, UnitKind.FIT] * 4, "a fit starts as soon as it can"
    costs = [unit.cost for unit in handed_out if isinstance(unit, ExtractShard)]
    assert costs == sorted(costs, reverse=True)


def test_equal_units_come_in_the_order_of_the_plan(plan):
    fits = find_missing_units(plan, all_ids(plan), everything)
    schedule = Schedule(fits)
    assert [schedule.next_unit() for _ in fits] == sorted(fits, key=lambda fit: -fit.cost)


def test_an_extraction_waits_for_its_calibration_images():
    spec = make_spec(backbone="mobilenet", alpha=0.25, resolution=128)
    spec = spec.model_copy(update={"weights": WeightsSpec(source=WeightsSource.RANDOM)})
    schedule = Schedule(make_plan(spec, make_inputs(spec)).units)
    first, second = schedule.next_unit(), schedule.next_unit()
    assert schedule.next_unit() is None
    schedule.finish(first)
    assert schedule.next_unit() is None
    schedule.finish(second)
    assert schedule.next_unit().kind is UnitKind.EXTRACT


def test_what_stands_on_a_failed_unit_is_given_up_and_the_rest_goes_on(plan):
    schedule = Schedule(plan.units)
    decodes = [schedule.next_unit(), schedule.next_unit()]
    for decode in decodes:
        schedule.finish(decode)
    failed = schedule.next_unit()
    (fit,) = schedule.drop_dependents(failed)
    assert fit.kind is UnitKind.FIT
    assert fit.backbone == failed.backbone
    rest = work_off(schedule, np.random.default_rng(0), {key for decode in decodes for key in outputs_of(decode)})
    assert {unit.key for unit in rest} == {unit.key for unit in plan.units} - {
        unit.key for unit in (*decodes, failed, fit)
    }


def test_a_failed_decoding_takes_extractions_and_fits_with_it_once_each(plan):
    schedule = Schedule(plan.units)
    failed = schedule.next_unit()
    dropped = [unit.key for unit in schedule.drop_dependents(failed)]
    kinds = [key.split("/")[0] for key in dropped]
    assert len(set(dropped)) == len(dropped)
    assert (kinds.count("extract"), kinds.count("fit")) == (4, 4)
    other = schedule.next_unit()
    schedule.finish(other)
    assert [unit.kind for unit in work_off(schedule, np.random.default_rng(0), outputs_of(other))] == ["extract"] * 4
