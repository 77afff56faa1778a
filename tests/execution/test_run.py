"""Exactly once: whatever interrupts a sweep, it ends with the results of an undisturbed one, bit for bit."""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
from spoiling import Spoiling

from sweep.api import make_executor
from sweep.data.splits import partition_images
from sweep.errors import FatalError, UserError
from sweep.execution.inline import InlineExecutor
from sweep.execution.places import Places, locate_sweep
from sweep.execution.prepare import prepare_sweep
from sweep.execution.provenance import describe_making, describe_surroundings
from sweep.execution.run import run_sweep
from sweep.execution.worker import Trouble
from sweep.methods.probe import identity as probe_identity
from sweep.methods.probe import plan as probe
from sweep.spec.load import load_spec
from sweep.store.lock import hold_lock
from sweep.store.store import Store
from sweep.store.stored_plan import split_outcomes

TRIALS, UNITS = 32, 23  # of tiny.yaml in shards of 16 images: 3 decodings, 4 conversions, 4 x 3 extractions, 4 fits


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch):
    monkeypatch.setattr(probe, "IMAGES_PER_SHARD", 16)


def prepare(workplace, *overrides, name="tiny", say=print):
    spec = load_spec(workplace / "tiny.yaml", [f"name={name}", *overrides])
    places = Places(workplace / "results")
    return prepare_sweep(spec, locate_sweep(spec, places, print), places, say, download=False)


def run(prepared, make=InlineExecutor, watch=lambda _: None, **options):
    return run_sweep(prepared, make, watch, **options)


def forget_cache(workplace):
    for file in (workplace / "results" / ".cache" / "v1").rglob("*.npy"):
        file.unlink()


class Interrupt(KeyboardInterrupt):
    """Ctrl-C at a chosen moment."""


def interrupt_after(count):
    def watch(progress):
        if progress.units_done == count:
            raise Interrupt

    return watch


@pytest.fixture
def undisturbed(workplace, evidence):
    prepared = prepare(workplace)
    run(prepared)
    found = evidence(prepared.folder)
    shutil.rmtree(prepared.folder)
    forget_cache(workplace)
    return found


def test_a_sweep_yields_every_trial_and_computes_every_unit_once(workplace, computed_units):
    progress = run(prepare(workplace))
    assert (progress.done, progress.failed, progress.missing) == (TRIALS, 0, 0)
    assert max(Counter(computed_units(workplace / "results" / "tiny")).values()) == 1
    assert len(computed_units(workplace / "results" / "tiny")) == UNITS


@pytest.mark.parametrize("count", range(UNITS))
def test_stopped_after_any_number_of_outcomes_it_goes_on_where_it_was(
    count, workplace, undisturbed, evidence, computed_units
):
    prepared = prepare(workplace)
    with pytest.raises(Interrupt):
        run(prepared, watch=interrupt_after(count))
    run(prepare(workplace))
    assert evidence(prepared.folder) == undisturbed
    assert len(computed_units(prepared.folder)) == UNITS


def test_stopped_after_every_outcome_it_still_computes_each_unit_once(workplace, undisturbed, evidence, computed_units):
    stops = 0
    while True:
        try:
            progress = run(prepare(workplace), watch=interrupt_after(1))
        except Interrupt:
            stops += 1
            continue
        break
    assert progress.missing == 0
    assert stops == UNITS
    assert evidence(workplace / "results" / "tiny") == undisturbed
    assert len(computed_units(workplace / "results" / "tiny")) == UNITS


def test_the_resolved_spec_lies_beside_the_results(workplace):
    prepared = prepare(workplace)
    run(prepared)
    assert load_spec(prepared.folder / "spec.yaml") == prepared.plan.spec


def test_a_finished_sweep_needs_no_executor(workplace):
    run(prepare(workplace))

    def refuse():
        raise AssertionError("an executor was made")

    assert run(prepare(workplace), make=refuse).done == TRIALS


@pytest.mark.ray
@pytest.mark.parametrize("workers", [1, 3])
def test_results_do_not_depend_on_executor_or_number_of_workers(workers, workplace, undisturbed, evidence):
    prepared = prepare(workplace)
    run(prepared, make=lambda: make_executor("ray", workers))
    assert evidence(prepared.folder) == undisturbed


def test_results_do_not_depend_on_how_trials_are_grouped(workplace, undisturbed, evidence, monkeypatch):
    monkeypatch.setattr(probe, "HEADS_PER_FIT", 1)
    prepared = prepare(workplace)
    run(prepared)
    found = evidence(prepared.folder)
    assert found == undisturbed
    assert len(list((prepared.folder / "states").iterdir())) == 16


def test_a_wider_grid_in_the_same_folder_computes_only_what_is_new(workplace, computed_units):
    run(prepare(workplace, "grid.alpha=0.5", "grid.steps=20"))
    before = Counter(computed_units(workplace / "results" / "tiny"))
    progress = run(prepare(workplace))
    assert (progress.done_before, progress.done) == (8, TRIALS)
    after = Counter(computed_units(workplace / "results" / "tiny"))
    assert not [unit for unit in before if unit.startswith(("decode", "convert", "extract")) and after[unit] > 1]


@pytest.mark.parametrize("before", ["grid.learning_rate=0.01", "grid.shuffle=1", "grid.shuffle={count: 1}"])
def test_a_grid_that_has_grown_equals_one_that_was_run_at_once(before, workplace, undisturbed, evidence):
    assert run(prepare(workplace, before)).done == TRIALS // 2
    progress = run(prepare(workplace))
    assert (progress.done_before, progress.done) == (TRIALS // 2, TRIALS)
    assert evidence(workplace / "results" / "tiny") == undisturbed


def test_no_partition_is_drawn_anew_for_every_network(workplace, monkeypatch):
    drawn = Counter()

    def count(labels, fingerprint, split, shuffle):
        drawn[split, shuffle] += 1
        return partition_images(labels, fingerprint, split, shuffle)

    monkeypatch.setattr("sweep.execution.supply.partition_images", count)
    run(prepare(workplace, "grid.shuffle={count: 90}", "grid.steps=1"))
    assert len(drawn) == 90
    assert set(drawn.values()) <= {1, 2}, "for the store, and for the workers"


def test_another_sweep_reuses_images_and_features(workplace, computed_units):
    run(prepare(workplace))
    run(prepare(workplace, "grid.learning_rate=0.5", name="other"))
    assert {unit.split("/")[0] for unit in computed_units(workplace / "results" / "other")} == {"fit"}


def test_a_diverging_trial_is_a_failed_row_and_the_sweep_goes_on(workplace, evidence):
    prepared = prepare(workplace, "grid.learning_rate=[0.1, 1e6]")
    progress = run(prepared)
    assert (progress.done, progress.failed) == (16, 16)
    found = evidence(prepared.folder)
    reasons = {trial_id: reason for trial_id, status, reason in found["results"] if status == "failure"}
    assert all(reason.startswith("diverged: cross-entropy ") for reason in reasons.values())
    assert not reasons.keys() & {row[0] for row in found["measures"]}


def fail(start):
    """Make an executor whose jobs of a name that begins so have failed."""
    return lambda: Spoiling(Trouble.TRIAL, "RuntimeError: out of luck", lambda key: key.startswith(start))


def test_a_failed_trial_is_left_alone_until_asked_for_and_then_a_success_shadows_it(workplace, undisturbed, evidence):
    prepared = prepare(workplace)
    assert run(prepared, make=fail("fit")).failed == TRIALS
    assert run(prepared, make=InlineExecutor).failed == TRIALS, "without --retry-failed nothing runs"
    progress = run(prepared, make=InlineExecutor, retry_failed=True)
    assert (progress.done, progress.failed) == (TRIALS, 0)
    found = evidence(prepared.folder)
    assert [row for row in found["results"] if row[1] == "success"] == undisturbed["results"]
    assert found["scores"] == undisturbed["scores"]
    assert run(prepared, make=InlineExecutor).failed == 0


def test_a_failing_extraction_fails_all_trials_that_stand_on_it_and_no_other(workplace, evidence):
    prepared = prepare(workplace)
    spoiled = next(unit for unit in prepared.plan.units if unit.kind == "extract")
    progress = run(prepared, make=fail(spoiled.key))
    assert (progress.done, progress.failed) == (24, 8)
    assert progress.units_done == progress.units
    failed = {(row[0], row[2]) for row in evidence(prepared.folder)["results"] if row[1] == "failure"}
    stands_on_it = [trial.id for trial in prepared.plan.trials if trial.network_id == spoiled.subject]
    assert failed == {(trial_id, "RuntimeError: out of luck") for trial_id in stands_on_it}


def test_a_failing_decoding_fails_everything_once(workplace, evidence):
    prepared = prepare(workplace)
    assert run(prepared, make=fail("decode")).failed == TRIALS
    assert len(evidence(prepared.folder)["results"]) == TRIALS


@pytest.mark.ray
def test_a_pool_keeps_what_was_under_way_when_an_image_cannot_be_decoded(workplace, drawn, computed_units):
    images = Path(shutil.copytree(drawn, workplace / "images"))
    copy = min(images.rglob("*.jpeg"))
    copy.write_bytes(copy.read_bytes()[:200])
    prepared = prepare(workplace, "data.source=folder", f"data.folder={images}")
    with pytest.raises(UserError, match=f"^{copy.relative_to(images)}: cannot be decoded as an image"):
        run(prepared, make=lambda: make_executor("ray", 2))
    assert [unit.split("/")[0] for unit in computed_units(prepared.folder)].count("decode") == 2


def test_trials_that_are_stored_are_not_left_out_in_silence(workplace, evidence):
    prepared = prepare(workplace)
    run(prepared)
    before = evidence(prepared.folder)
    for changed in ("grid.alpha=0.5", "training.batch_size=50"):
        with pytest.raises(UserError, match=r"^tiny: (16|32) of the 32 trials that are stored .* --set name=OTHER \("):
            run(prepare(workplace, changed))
    assert evidence(prepared.folder) == before
    assert run(prepare(workplace)).done == TRIALS, "the stored spec is what it was"
    assert run(prepare(workplace, "grid.alpha=0.5", name="other")).done == TRIALS // 2


def test_a_spec_that_nothing_is_stored_of_may_change(workplace):
    with pytest.raises(Interrupt):
        run(prepare(workplace), watch=interrupt_after(1))
    assert run(prepare(workplace, "grid.alpha=0.5")).missing == 0


def test_progress_tells_the_share_of_the_work_also_after_a_resume(workplace):
    shares = []
    with pytest.raises(Interrupt):
        run(prepare(workplace), watch=lambda progress: (shares.append(progress.share), interrupt_after(9)(progress)))
    steps = []
    run(prepare(workplace), watch=lambda progress: (shares.append(progress.share), steps.append(progress.step)))
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    assert 0 < shares[9] == shares[10]
    assert any(step.startswith("extracting tiny-") for step in steps)


def test_drawn_images_are_not_searched_for_leftovers(workplace, monkeypatch):
    searched = []
    for module in ("store.places", "execution.run", "execution.prepare"):
        monkeypatch.setattr(
            f"sweep.{module}.remove_leftovers", lambda folder, deep=True: searched.append((folder, deep))
        )
    run(prepare(workplace))
    places = {(".cache", False), (".cache/v1", True), ("tiny", True)}
    assert {(str(folder.relative_to(workplace / "results")), deep) for folder, deep in searched} == places


def test_what_killed_processes_left_is_removed_wherever_they_leave_it(workplace):
    run(prepare(workplace))
    names = (".cache/.hashes.json", ".cache/v1/images/a/.b.npy", "tiny/.spec.yaml", "tiny/states/.c.npz")
    leftovers = [workplace / "results" / f"{name}.1.part" for name in names]
    for path in leftovers:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
        os.utime(path, (0, 0))
    run(prepare(workplace))
    assert not any(path.exists() for path in leftovers)


def test_states_that_the_store_never_heard_of_are_replaced(workplace, monkeypatch):
    def die(*_):
        raise Interrupt

    record = Store.record
    for _ in range(2):
        monkeypatch.setattr(Store, "record", lambda *given: die() if given[3] else record(*given))
        with pytest.raises(Interrupt):
            run(prepare(workplace))
        monkeypatch.undo()
    run(prepare(workplace))
    states = workplace / "results" / "tiny" / "states"
    with Store.read(states.parent) as store:
        used = {file for (file,) in store.connection.execute("SELECT file FROM states")}
    assert {path.name for path in states.iterdir()} == used


def test_a_sweep_of_a_release_that_computed_something_else_keeps_its_report(workplace, monkeypatch):
    run(prepare(workplace, "grid.alpha=0.5"))
    run(prepare(workplace, "grid.alpha=[0.5, 1.0]"))
    monkeypatch.setattr(probe_identity, "TRAINING_VERSION", 99)
    with pytest.raises(UserError) as refused:
        run(prepare(workplace, "grid.alpha=[0.5, 1.0]"))
    assert str(refused.value) == (
        "tiny: 32 finished trials are of another release, and this one computes something else for them; their report "
        "stays as it is: run the spec beside it with --set name=OTHER"
    )
    with Store.read(workplace / "results" / "tiny") as store:
        assert len(split_outcomes(store, store.load_plan().trials)[0]) == 32


def test_inputs_that_are_damaged_are_told_in_a_line(workplace):
    run(prepare(workplace))
    with Store.open(workplace / "results" / "tiny") as store:
        store.connection.execute("UPDATE plans SET inputs = '{}'")
    with pytest.raises(UserError, match=r"is damaged \(its inputs: KeyError 'data'\); put a copy"):
        prepare(workplace)


def test_a_second_driver_is_refused_with_the_process_that_runs(workplace):
    prepared = prepare(workplace)
    prepared.folder.mkdir()
    with hold_lock(prepared.folder), pytest.raises(UserError, match=r"tiny: already being run by process \d+ on"):
        run(prepared)


def test_a_damaged_cached_array_is_named(workplace):
    prepared = prepare(workplace)
    with pytest.raises(Interrupt):
        run(prepared, watch=interrupt_after(8))  # four networks are converted before
    damaged = next((workplace / "results" / ".cache" / "v1" / "images").rglob("*.npy"))
    damaged.write_bytes(b"nonsense")
    with pytest.raises(FatalError, match=f"{damaged}: damaged .*; delete it and run again"):
        run(prepared)
    damaged.unlink()
    assert run(prepare(workplace)).missing == 0


def test_an_image_that_changes_while_a_sweep_runs_is_noticed(workplace, drawn):
    images = Path(shutil.copytree(drawn, workplace / "images"))
    prepared = prepare(workplace, "data.source=folder", f"data.folder={images}")
    changed = next(images.rglob("*.jpeg"))
    changed.write_bytes(changed.read_bytes() + b" ")
    with pytest.raises(UserError, match=f"^{changed}: has changed since the sweep began; leave the images alone"):
        run(prepared)


def test_an_undecodable_image_stops_the_sweep_and_names_it(workplace, drawn):
    images = Path(shutil.copytree(drawn, workplace / "images"))
    copy = max(images.rglob("*.jpeg"))
    copy.write_bytes(copy.read_bytes()[:200])
    overrides = ("data.source=folder", f"data.folder={images}")
    with pytest.raises(UserError, match=f"^{copy.relative_to(images)}: cannot be decoded as an image; mend or remove"):
        run(prepare(workplace, *overrides))
    progress = run(prepare(workplace, *overrides, "data.undecodable=skip"))
    assert progress.missing == 0


def test_patients_named_anew_are_kept_without_computing_anything(workplace, drawn):
    shutil.copytree(drawn, workplace / "data" / "chest_xray")
    prepared = prepare(workplace, "data.source=folder")
    run(prepared)
    named = prepare(workplace, "data.source=folder", "data.patients={regex: '^(.)'}")
    assert [trial.id for trial in named.plan.trials] == [trial.id for trial in prepared.plan.trials]
    assert run(named, make=None).done == TRIALS
    with Store.read(prepared.folder) as store:
        patients = store.load_images(prepared.plan.inputs.data.fingerprint).patients
    assert set(patients) == {"I", "N", "p"}


def test_features_from_the_cache_keep_the_word_of_what_made_them(workplace, monkeypatch):
    surroundings = describe_surroundings("inline", 1)
    former = {**surroundings, "packages": {**surroundings["packages"], "pillow": "1.0"}}
    monkeypatch.setattr("sweep.execution.driver.describe_surroundings", lambda *_: former)
    run(prepare(workplace))
    with Store.read(workplace / "results" / "tiny") as store:
        assert {made["packages"]["pillow"] for _, _, made in store.load_origins()} == {"1.0"}
    monkeypatch.undo()
    monkeypatch.setattr(probe, "IMAGES_PER_SHARD", 16)
    monkeypatch.chdir(workplace)
    run(prepare(workplace, "grid.learning_rate=0.5", name="later"))
    with Store.read(workplace / "results" / "later") as store:
        origins = store.load_origins()
    assert len(origins) == 4
    for _, fitted, made in origins:
        assert made == describe_making(former)
        assert fitted == surroundings


def test_features_made_of_images_of_another_pillow_say_so(workplace, monkeypatch):
    surroundings = describe_surroundings("inline", 1)
    former = {**surroundings, "packages": {**surroundings["packages"], "pillow": "1.0", "numpy": "1.0"}}
    monkeypatch.setattr("sweep.execution.driver.describe_surroundings", lambda *_: former)
    with pytest.raises(Interrupt):
        run(prepare(workplace), watch=interrupt_after(7))  # four networks and three shards of images
    for file in (workplace / "results" / ".cache" / "v1" / "features").rglob("*.npy"):
        file.unlink()
    monkeypatch.setattr("sweep.execution.driver.describe_surroundings", lambda *_: surroundings)
    run(prepare(workplace))
    with Store.read(workplace / "results" / "tiny") as store:
        packages = [made["packages"] for _, _, made in store.load_origins()]
    assert {each["pillow"] for each in packages} >= {"1.0"}
    assert {each["numpy"] for each in packages} == {surroundings["packages"]["numpy"]}


def test_a_unit_that_raised_does_not_count_among_the_durations(workplace):
    prepared = prepare(workplace)
    run(prepared, make=fail("fit"))
    with Store.read(prepared.folder) as store:
        assert {kind for _, kind, *_ in store.load_durations()} == {"decode", "convert", "extract"}


def test_facts_of_networks_reach_the_sweep_that_finds_their_features(workplace):
    run(prepare(workplace))
    run(prepare(workplace, "grid.learning_rate=0.5", name="later"))
    found = []
    for name in ("tiny", "later"):
        with Store.read(workplace / "results" / name) as store:
            found.append(store.load_facts())
    assert found[0] == found[1]
    assert {"mult_adds", "parameters"} <= set().union(*(facts.keys() for facts in found[0].values()))


def test_every_trial_has_a_state(workplace, evidence):
    prepared = prepare(workplace)
    run(prepared)
    assert {row[0] for row in evidence(prepared.folder)["states"]} == {trial.id for trial in prepared.plan.trials}
