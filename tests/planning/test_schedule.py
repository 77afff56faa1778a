"""What is still to do is done once each, after what it needs, results first."""

import numpy as np
import pytest

from sweep.methods.table import find_method, make_plan
from sweep.planning.schedule import Schedule, find_missing_units
from sweep.planning.trial import Trial
from sweep.planning.units import ArtifactKey, Resources, WorkUnit, estimate_seconds
from sweep.spec.schema import WeightsSpec
from sweep.testing import make_inputs, make_spec

KINDS = find_method("probe").kinds
RANKS = {name: kind.rank for name, kind in KINDS.items()}
QUEUE = Resources().queue


def make_random_plan(generator):
    """Make a small plan: one to three shards, several networks, now and then with calibration images."""
    name, alphas, resolutions = (
        ("tiny", [0.5, 1.0], [16, 32]) if generator.random() < 0.5 else ("mobilenet", [0.25, 0.5, 1.0], [128, 160, 224])
    )

    def some(values):
        return generator.permutation(values)[: generator.integers(1, len(values) + 1)].tolist()

    spec = make_spec(
        network=name,
        alpha=some(alphas),
        resolution=some(resolutions),
        learning_rate=some([0.1, 0.01, 0.001]),
        shuffle=some(range(40)),
        hidden=[[]] if generator.random() < 0.5 else [[], [8]],
        steps=some([10, 20, 30]),
    )
    if generator.random() < 0.5:
        spec = spec.model_copy(update={"weights": WeightsSpec.model_validate({"source": "random"})})
    return make_plan(spec, make_inputs(spec, tuple(generator.integers(10, 1500, size=2).tolist())))


def made_by(units):
    return [key for unit in units for key in unit.makes]


def work_off(schedule, generator, there=()):
    """Work units off with up to four at a time, finished in any order; return them as they were handed out."""
    made, handed_out, running = set(there), [], []
    while True:
        while len(running) < 4 and (unit := schedule.next_unit(QUEUE)):
            handed_out.append(unit)
            running.append(unit)
            needed = {key for key in unit.needs if key.kind in {"images", "networks", "features"}}
            assert needed <= made, f"{unit.key} was handed out too early"
        if not running:
            return handed_out
        unit = running.pop(int(generator.integers(len(running))))
        made |= set(unit.makes)
        schedule.finish(unit)


def all_ids(plan):
    return {trial.id for trial in plan.trials}


def everything(_):
    return True


def nothing(_):
    return False


@pytest.fixture
def plan():
    """Four networks of different cost, two shards, one fit each."""
    spec = make_spec(alpha=[0.5, 1.0], resolution=[16, 32])
    return make_plan(spec, make_inputs(spec, (500, 1000)))


@pytest.mark.parametrize("seed", range(25))
def test_every_unit_comes_out_once_and_after_its_needs(seed):
    generator = np.random.default_rng(seed)
    plan = make_random_plan(generator)
    handed_out = work_off(Schedule(plan.units, RANKS), generator)
    assert sorted(unit.key for unit in handed_out) == sorted(unit.key for unit in plan.units)


@pytest.mark.parametrize("seed", range(25))
def test_of_a_half_done_sweep_the_missing_comes_out_once_and_after_its_needs(seed):
    generator = np.random.default_rng(seed)
    plan = make_random_plan(generator)
    cached = {key for key in made_by(plan.units) if generator.random() < 0.5}
    missing = {trial.id for trial in plan.trials if generator.random() < 0.3}
    left = find_missing_units(plan.units, missing, cached.__contains__)
    handed_out = work_off(Schedule(left, RANKS), generator, cached)
    assert len({unit.key for unit in handed_out}) == len(handed_out)
    assert sorted(trial.id for unit in handed_out for trial in unit.trials) == sorted(missing)
    made = made_by(handed_out)
    assert not cached & set(made), "what is cached is not made again"
    assert len(set(made)) == len(made)
    assert set(made) <= {key for unit in handed_out for key in unit.needs}, "nothing is made that nobody reads"


def test_a_new_sweep_misses_every_unit(plan):
    assert find_missing_units(plan.units, all_ids(plan), nothing) == list(plan.units)


def test_a_finished_sweep_misses_nothing_even_where_its_arrays_are_gone(plan):
    assert find_missing_units(plan.units, set(), nothing) == []
    assert Schedule([], RANKS).next_unit(QUEUE) is None


def test_with_all_features_cached_the_fits_are_left(plan):
    units = find_missing_units(plan.units, all_ids(plan), everything)
    assert units == [unit for unit in plan.units if unit.kind == "fit"]


def test_cached_images_are_not_decoded_again(plan):
    units = find_missing_units(plan.units, all_ids(plan), lambda key: key.kind == "images")
    assert {unit.kind for unit in units} == {"convert", "extract", "fit"}


def test_only_the_missing_resolution_of_the_missing_shard_is_decoded(plan):
    lost = next(unit for unit in plan.units if unit.kind == "extract")
    images, network = lost.needs
    there = set(made_by(plan.units)) - {*lost.makes, images}
    decode, extract, *fits = find_missing_units(plan.units, all_ids(plan), there.__contains__)
    assert decode.makes == (images,)
    assert extract == lost
    assert network in there
    assert {unit.kind for unit in fits} == {"fit"}


def test_a_missing_trial_takes_its_own_network_only(plan):
    trial = plan.trials[-1]
    units = find_missing_units(plan.units, {trial.id}, nothing)
    assert {unit.subject for unit in units if unit.kind in {"extract", "fit"}} == {trial.network_id}
    assert [unit.kind for unit in units].count("convert") == 1
    assert units[-1].trials == (trial,)


def test_an_artifact_can_be_asked_for_without_a_trial(plan):
    network = next(key for key in made_by(plan.units) if key.kind == "networks")
    (convert,) = find_missing_units(plan.units, set(), nothing, [network])
    assert convert.makes == (network,)
    assert find_missing_units(plan.units, set(), everything, [network]) == []


def test_fits_go_first_then_decoding_and_converting_then_the_largest_extraction(plan):
    schedule = Schedule(plan.units, RANKS)
    handed_out = []
    while unit := schedule.next_unit(QUEUE):
        handed_out.append(unit)
        schedule.finish(unit)
    kinds = [unit.kind for unit in handed_out]
    assert sorted(kinds[:6]) == ["convert"] * 4 + ["decode"] * 2
    assert kinds[6:] == ["extract", "extract", "fit"] * 4, "a fit starts as soon as it can"
    costs = [unit.cost for unit in handed_out if unit.kind == "extract"]
    assert costs == sorted(costs, reverse=True)


def test_equal_units_come_in_the_order_of_the_plan(plan):
    fits = find_missing_units(plan.units, all_ids(plan), everything)
    schedule = Schedule(fits, RANKS)
    assert [schedule.next_unit(QUEUE) for _ in fits] == sorted(fits, key=lambda fit: -fit.cost)


def test_a_conversion_waits_for_its_calibration_images_and_an_extraction_for_both():
    spec = make_spec(network="mobilenet", alpha=0.25, resolution=128)
    spec = spec.model_copy(update={"weights": WeightsSpec.model_validate({"source": "random"})})
    schedule = Schedule(make_plan(spec, make_inputs(spec)).units, RANKS)
    decodes = [schedule.next_unit(QUEUE), schedule.next_unit(QUEUE)]
    assert {unit.kind for unit in decodes} == {"decode"}
    assert schedule.next_unit(QUEUE) is None
    for unit in decodes:
        schedule.finish(unit)
    convert = schedule.next_unit(QUEUE)
    assert convert.kind == "convert"
    assert schedule.next_unit(QUEUE) is None
    schedule.finish(convert)
    assert schedule.next_unit(QUEUE).kind == "extract"


def test_what_stands_on_a_failed_unit_is_given_up_and_the_rest_goes_on(plan):
    schedule = Schedule(plan.units, RANKS)
    first = [schedule.next_unit(QUEUE) for _ in range(6)]
    for unit in first:
        schedule.finish(unit)
    failed = schedule.next_unit(QUEUE)
    assert failed.kind == "extract"
    (fit,) = schedule.drop_dependents(failed)
    assert (fit.kind, fit.subject) == ("fit", failed.subject)
    rest = work_off(schedule, np.random.default_rng(0), made_by(first))
    assert {unit.key for unit in rest} == {unit.key for unit in plan.units} - {
        unit.key for unit in (*first, failed, fit)
    }


def test_a_failed_decoding_takes_extractions_and_fits_with_it_once_each(plan):
    schedule = Schedule(plan.units, RANKS)
    units = [schedule.next_unit(QUEUE) for _ in range(6)]
    failed, *others = sorted(units, key=lambda unit: unit.kind != "decode")
    dropped = [unit.key for unit in schedule.drop_dependents(failed)]
    kinds = [key.split("/")[0] for key in dropped]
    assert len(set(dropped)) == len(dropped)
    assert (kinds.count("extract"), kinds.count("fit")) == (4, 4)
    for unit in others:
        schedule.finish(unit)
    rest = work_off(schedule, np.random.default_rng(0), made_by(others))
    assert [unit.kind for unit in rest] == ["extract"] * 4


def make_trial(name):
    return Trial(name, name, "n", "p", ())


def make_unit(key, needs=(), makes=(), trials=(), **fields):
    def artifacts(names):
        return tuple(ArtifactKey("features", name, "all") for name in names)

    trials = tuple(map(make_trial, trials))
    return WorkUnit(
        **{"kind": "fit", "key": key, "cost": 12.0, "subject": ""} | fields,
        needs=artifacts(needs),
        makes=artifacts(makes),
        trials=trials,
    )


def test_a_unit_is_cut_down_to_what_is_missing_of_its_trials_and_arrays():
    unit = make_unit("u", makes="ab", trials="12")
    a, b = unit.makes
    part = unit.only({"2", "elsewhere"}, {a})
    assert (part.trials, part.makes, part.needs, part.key) == ((make_trial("2"),), (a,), unit.needs, unit.key)
    assert part.cost == unit.cost / 2
    assert unit.only({"1", "2"}, {a, b}) == unit
    assert unit.only({"3"}, set()) is None


def test_units_wait_in_the_queue_of_the_resources_they_take():
    units = [
        make_unit("small", cost=1.0),
        make_unit("gpu", resources=Resources(gpus=1)),
        make_unit("large", cost=9.0),
        make_unit("latency", resources=Resources(gpus=1, is_exclusive=True)),
    ]
    schedule = Schedule(units, RANKS)
    assert sorted(schedule.queues) == ["cpu", "exclusive", "gpu"]
    taken = {name: schedule.next_unit(name).key for name in ("gpu", "exclusive", "cpu")}
    assert taken == {"gpu": "gpu", "exclusive": "latency", "cpu": "large"}
    assert schedule.queues == ["cpu"]
    assert schedule.next_unit("gpu") is None
    assert schedule.next_unit("cpu").key == "small"


def test_time_is_estimated_from_what_each_kind_took_and_from_nothing_less(plan):
    costs = {}
    for unit in plan.units:
        costs[unit.kind] = costs.get(unit.kind, 0) + unit.cost
    largest = max(costs, key=lambda kind: costs[kind])
    assert estimate_seconds(plan.units, {}, 1) is None
    assert estimate_seconds(plan.units, dict.fromkeys(set(costs) - {largest}, 1.0), 1) is None
    assert estimate_seconds(plan.units, {largest: 0.5}, 2) == pytest.approx(costs[largest] / 4)
    assert estimate_seconds(plan.units, dict.fromkeys(costs, 1.0), 1) == pytest.approx(sum(costs.values()))
    assert estimate_seconds([], {}, 1) == 0
