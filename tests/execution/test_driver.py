"""The driver's loop on toy kinds: queues, attempts, failures, what is kept and in which order, on every executor."""

import logging
from collections import Counter
from dataclasses import replace

import pytest
from spoiling import Roomy, Spoiling
from toy_kinds import KINDS
from toy_sweep import FACTORS, NETWORKS, TOY_UNITS, ToySweep, make_artifacts

from sweep.errors import FatalError, UserError
from sweep.execution import driver as driver_module
from sweep.execution.driver import ATTEMPTS
from sweep.execution.inline import InlineExecutor
from sweep.execution.progress import describe_step
from sweep.execution.provenance import describe_making, describe_surroundings
from sweep.execution.sidecars import read_sidecar
from sweep.execution.worker import Trouble
from sweep.outcome import Yield
from sweep.planning.units import ArtifactKey, Resources
from sweep.store.store import Store

TRIALS = len(NETWORKS) * len(FACTORS)


def test_every_trial_comes_out_and_every_unit_is_computed_once(executor, toy, toy_evidence):
    progress = toy.run(executor)
    assert (progress.done, progress.failed, progress.missing, progress.share) == (TRIALS, 0, 0, 1)
    assert toy.evidence() == toy_evidence
    assert toy.computed() == {unit.key: 1 for unit in toy.units}
    assert len(toy.units) == TOY_UNITS


def test_every_input_leaves_the_driver_once(executor, toy):
    toy.run(executor)
    assert set(toy.supplied.values()) == {1}
    assert Counter(key.kind for key in toy.supplied) == {"files": 6, "weights": 3, "labels": 1}


def test_arrays_and_what_is_said_of_them_lie_among_the_artifacts_whoever_wrote_them(executor, toy):
    toy.run(executor)
    artifacts = make_artifacts(executor, toy.folder / "cache")
    powers = ArtifactKey("powers", "n3", "10")
    assert artifacts.read(powers)[:3].tolist() == [1000, 1331, 1728]
    assert artifacts.describe(powers)["facts"] == {"n3/exponent": 3}
    assert artifacts.describe(powers)["provenance"] == describe_making(describe_surroundings("any", 1))


def interrupt_after(count):
    def watch(progress):
        if progress.units_done == count:
            raise KeyboardInterrupt

    return watch


@pytest.mark.parametrize("count", range(1, TOY_UNITS, 4))
def test_stopped_on_the_way_it_goes_on_where_it_was(count, toy, toy_evidence):
    with pytest.raises(KeyboardInterrupt):
        toy.run(InlineExecutor(), watch=interrupt_after(count))
    toy.run(InlineExecutor())
    assert toy.evidence() == toy_evidence
    assert set(toy.computed().values()) == {1}


def test_facts_and_origins_of_what_an_earlier_sweep_made_reach_a_later_one(tmp_path):
    ToySweep(tmp_path, factors=(1,)).run(InlineExecutor(), name="earlier")
    later = ToySweep(tmp_path, factors=(2,))
    later.run(InlineExecutor(), name="later")
    assert {unit.split("/")[0] for unit in later.computed("later")} == {"add"}
    facts = {network: {"exponent": exponent} for network, exponent in NETWORKS.items()}
    assert later.evidence("later")["facts"] == facts
    assert {subject for subject, _, _ in later.origins("later")} == set(NETWORKS)
    assert all(made["packages"] for _, _, made in later.origins("later"))


def test_only_what_is_said_beside_arrays_of_earlier_sweeps_is_read(tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(driver_module, "read_sidecar", lambda *given: read.append(given[1]) or read_sidecar(*given))
    ToySweep(tmp_path, factors=(1,)).run(InlineExecutor(), name="earlier")
    assert not read
    ToySweep(tmp_path, factors=(2,)).run(InlineExecutor(), name="later")
    assert len(read) == len(set(read)) == 18, "the powers, each once"


def test_states_lie_in_their_file_before_the_store_hears_of_them(toy, monkeypatch):
    events = []
    write, record = driver_module.write_states, Store.record
    monkeypatch.setattr(driver_module, "write_states", lambda *given: events.append("states") or write(*given))

    def watch_record(store, run_id, unit, *rest):
        if unit.kind == "add":
            events.append("record")
        record(store, run_id, unit, *rest)

    monkeypatch.setattr(Store, "record", watch_record)
    toy.run(InlineExecutor())
    assert events == ["states", "record"] * len(NETWORKS)
    assert toy.evidence()["states"] == {f"{network}-{factor}": [factor] for network in NETWORKS for factor in FACTORS}


def test_a_unit_that_is_narrowed_to_new_trials_writes_a_file_of_states_of_its_own(tmp_path):
    ToySweep(tmp_path, factors=(1,)).run(InlineExecutor())
    wider = ToySweep(tmp_path, factors=(1, 2))
    wider.run(InlineExecutor())
    assert len(wider.evidence()["states"]) == TRIALS
    assert len(list((tmp_path / "toy" / "states").iterdir())) == 2 * len(NETWORKS)


# -- queues ----------------------------------------------------------------------------------------------------------


def test_each_queue_holds_what_the_executor_has_room_for(tmp_path, toy_evidence):
    sweep = ToySweep(tmp_path, resources={"raise": Resources(gpus=1)})
    executor = Roomy()
    sweep.run(executor)
    most = {queue: max(each.count(queue) for each in executor.together) for queue in ("cpu", "gpu")}
    assert most == {"cpu": 4, "gpu": 2}
    assert any({"cpu", "gpu"} <= set(each) for each in executor.together), "neither waits for the other"
    assert sweep.evidence() == toy_evidence


def test_what_is_exclusive_runs_when_nothing_else_does(tmp_path, toy_evidence):
    sweep = ToySweep(tmp_path, resources={"build": Resources(is_exclusive=True)})
    executor = Roomy()
    sweep.run(executor)
    assert [each for each in executor.together if "exclusive" in each] == [["exclusive"]] * len(NETWORKS)
    assert sweep.evidence() == toy_evidence


def test_a_unit_that_asks_for_what_no_machine_has_is_refused_before_anything_is_computed(tmp_path):
    sweep = ToySweep(tmp_path, resources={"raise": Resources(cpus=2, gpus=1)})
    with pytest.raises(UserError, match=r"^executor inline: no machine has the 2 CPUs and 1 GPUs that raising takes; "):
        sweep.run(InlineExecutor())
    assert not sweep.computed()


# -- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("trouble", "error"), [(Trouble.MISTAKE, UserError), (Trouble.FATAL, FatalError)])
def test_an_error_that_stops_the_sweep_throws_nothing_away_that_was_under_way(trouble, error, toy, toy_evidence):
    executor = Spoiling(trouble, "scan.png: cannot be read", lambda key: key.startswith("raise"), times=1)
    with pytest.raises(error, match=r"^scan.png: cannot be read$"):
        toy.run(executor)
    assert executor.submitted.total() == toy.computed().total() + 1, "all but the one that raised"
    assert toy.computed().total() < TOY_UNITS - 1
    toy.run(InlineExecutor())
    assert toy.evidence() == toy_evidence
    assert set(toy.computed().values()) == {1}


def test_an_input_that_is_not_what_it_was_stops_the_sweep_and_keeps_what_was_under_way(toy):
    supply = toy.supply

    def break_off(key):
        if key == ArtifactKey("files", "d", "30"):
            raise UserError("30.txt: has changed since the sweep began")
        return supply(key)

    toy.supply = break_off
    executor = Roomy()
    with pytest.raises(UserError, match=r"^30.txt: has changed"):
        toy.run(executor)
    assert toy.computed() == {"read/0": 1, "read/10": 1, "read/20": 1}


def test_a_worker_that_gives_way_is_tried_again_elsewhere(toy, toy_evidence):
    executor = Spoiling(Trouble.SURROUNDINGS, "MemoryError: all gone", lambda key: key == "raise/n1/10", times=2)
    assert toy.run(executor).failed == 0
    assert executor.submitted["raise/n1/10"] == ATTEMPTS
    assert toy.evidence() == toy_evidence


def test_a_worker_that_gives_way_every_time_is_a_failed_row_in_the_end_and_stops_nothing(toy):
    executor = Spoiling(Trouble.SURROUNDINGS, "MemoryError: all gone", lambda key: key == "raise/n1/10")
    progress = toy.run(executor)
    assert (progress.done, progress.failed, progress.units_done) == (TRIALS - 2, 2, progress.units)
    failed = [row for row in toy.evidence()["results"] if row[1] == "failure"]
    assert failed == [(f"n1-{factor}", "failure", "MemoryError: all gone (3 attempts)") for factor in FACTORS]


def test_a_failure_is_a_row_and_takes_along_only_what_stands_on_it(toy):
    progress = toy.run(Spoiling(Trouble.TRIAL, "ValueError: broken", lambda key: key == "build/n2"))
    assert (progress.done, progress.failed, progress.work_left) == (TRIALS - 2, 2, 0)
    assert [row for row in toy.evidence()["results"] if row[1] == "failure"] == [
        (f"n2-{factor}", "failure", "ValueError: broken") for factor in FACTORS
    ]


def test_a_trial_that_fails_leaves_the_others_of_its_unit_alone(tmp_path):
    sweep = ToySweep(tmp_path, factors=(0, 1))
    progress = sweep.run(InlineExecutor())
    assert (progress.done, progress.failed) == (3, 3)
    assert {row[2] for row in sweep.evidence()["results"] if row[1] == "failure"} == {"a factor of nothing"}


def test_a_unit_that_does_not_speak_of_all_its_trials_has_failed(toy):
    class Forgetful(InlineExecutor):
        def next_finished(self):
            finished = super().next_finished()
            return replace(finished, product=Yield()) if finished.key == "add/n1" else finished

    assert toy.run(Forgetful()).failed == 2
    reasons = {reason for _, _, reason in toy.evidence()["results"] if reason}
    assert reasons == {"add yielded 0 outcomes that are not of its 2 trials"}


def test_lost_workers_end_the_sweep_and_what_is_stored_is_intact(toy, toy_evidence):
    class Lost(Roomy):
        def next_finished(self):
            if toy.computed().total() == 12:
                raise FatalError("Ray: the workers are lost (the raylet died); run again to go on")
            return super().next_finished()

    with pytest.raises(FatalError, match="run again to go on"):
        toy.run(Lost())
    toy.run(InlineExecutor())
    assert toy.evidence() == toy_evidence


# -- what is said ----------------------------------------------------------------------------------------------------


def test_a_step_names_what_the_units_are_labelled_with_and_counts_images(toy):
    units = {unit.key: unit for unit in toy.units}
    read = [replace(units[f"read/{start}"], settings={"images": 512}) for start in (0, 10)]
    assert describe_step(read, KINDS, 1) == "reading 1,024 images"
    power = [units["raise/n1/0"], units["raise/n1/10"], units["raise/n2/0"]]
    assert describe_step([units["add/n1"], *power], KINDS, 2) == "raising n1, n2; adding n1, 2 workers busy"
    assert describe_step([*power, units["raise/n3/0"]], KINDS, 9) == "raising n1, n2 and 1 more, 4 workers busy"
    assert describe_step([units["build/n1"]], KINDS, 1) == "building"


def test_progress_says_what_is_done_and_how_much_of_the_work(toy):
    steps, shares = [], []
    toy.run(Roomy(), watch=lambda progress: (steps.append(progress.step), shares.append(progress.share)))
    assert "raising n1; adding n2" in steps or "raising n2; adding n1" in steps or "raising n1, n2" in steps
    assert shares == sorted(shares)
    assert (shares[0] > 0, shares[-1]) == (True, 1)


def test_what_moves_is_counted_and_logged(executor, toy, caplog):
    with caplog.at_level(logging.INFO, "sweep"):
        progress = toy.run(executor)
    moved = f"moved {progress.sent_bytes} bytes to workers, {progress.received_bytes} bytes back"
    assert moved in caplog.messages
    numbers, powers = 60 * 8, 3 * 60 * 8
    match executor.param:
        case "inline":
            assert (progress.sent_bytes, progress.received_bytes) == (0, 0)
        case "put":
            assert progress.sent_bytes > numbers + powers
            assert progress.received_bytes > numbers + powers
        case _:
            assert progress.received_bytes < numbers + powers


def test_kinds_are_looked_up_by_name_and_may_be_others(toy):
    kinds = {**KINDS, "build": replace(KINDS["build"], run="toy_kinds:nowhere")}
    progress = toy.run(InlineExecutor(), kinds=kinds)
    assert progress.failed == TRIALS
    reasons = {reason for _, _, reason in toy.evidence()["results"]}
    assert reasons == {
        f"ImportError: toy_kinds:nowhere: module 'toy_kinds' has no attribute 'nowhere' ({ATTEMPTS} attempts)"
    }
