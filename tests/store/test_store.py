"""The store keeps every result exactly once, all of a unit or nothing of it, and says what is wrong with a file."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from sweep.catalogue import Backbone, Complexity
from sweep.data.splits import Partition
from sweep.errors import FatalError, UserError
from sweep.outcome import Curve, Failure, Success
from sweep.planning.expand import make_plan
from sweep.planning.trial import partition_identity
from sweep.store.migrations import SCHEMA_VERSION
from sweep.store.store import STORE_NAME, Store, UnitRecord
from sweep.store.stored_plan import load_plan
from sweep.testing import PROVENANCE, make_images, make_inputs, make_spec, make_store, make_success

FIT = UnitRecord("fit/0", "fit", "here:1", cost=1000, duration_s=2.0)
PLAN = make_plan(make_spec(), make_inputs(make_spec()))
TRIALS = PLAN.trials


@pytest.fixture
def store():
    store = make_store()
    yield store
    store.connection.close()


@pytest.fixture
def run_id(store):
    return store.begin_run(PROVENANCE)


def draw_success(trial, classes=2):
    generator = np.random.default_rng(trial.steps)
    validation, test = (generator.normal(size=(images, classes)).astype(np.float32) for images in (20, 30))
    return Success(trial.id, validation, test, 0.9, 0.8, 0.3, 0.4)


def make_curve(steps, head_id="a" * 16):
    steps = np.array(steps, np.int32)
    return Curve(head_id, steps, (1 - 1 / steps).astype(np.float32), (1 / steps).astype(np.float32))


def count_rows(store):
    tables = ("units", "results", "scores", "curves")
    return [store.connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in tables]


def pragma(store, name):
    return store.connection.execute(f"PRAGMA {name}").fetchone()[0]


# -- what is kept comes back --------------------------------------------------------------------------------------


def test_a_new_store_holds_nothing(store):
    assert store.load_spec() is None
    assert store.load_runs() == []
    assert store.finished_ids() == set()
    assert store.failures() == {}
    assert store.seconds_per_cost() == {}
    assert store.load_images("x") is None
    assert store.load_partition("x", {"split": "60/20/20"}) is None
    assert store.load_origins() == []
    assert store.load_complexity("x") is None
    assert store.load_scores("x", 2) is None
    assert store.load_curve("x") is None


def test_the_spec_and_its_inputs_come_back_and_make_the_same_plan(store):
    store.save_spec(PLAN.spec.model_dump(mode="json"), PLAN.inputs.to_json(), "images")
    assert load_plan(store) == PLAN


def test_the_same_spec_is_kept_once_and_another_is_what_counts(store):
    for spec in ({"name": "a"}, {"name": "a"}, {"name": "b"}):
        store.save_spec(spec, {"data": "x"}, "images")
    assert store.connection.execute("SELECT COUNT(*) FROM specs").fetchone() == (2,)
    assert store.load_spec() == ({"name": "b"}, {"data": "x"})
    assert store.load_images_folder() == "images"


def test_a_store_without_a_spec_has_no_plan(store):
    with pytest.raises(UserError, match=r"^memory: holds no spec yet; run the sweep first$"):
        load_plan(store)


def test_images_come_back_as_they_were_kept_last(store):
    images = make_images(PLAN.inputs)
    renamed = replace(images, patients=(None, *images.patients[1:]), copies=4, contradictions=2)
    for each in (images, renamed):
        store.save_images("fingerprint", each)
    loaded = store.load_images("fingerprint")
    assert (loaded.names, loaded.patients) == (images.names, renamed.patients)
    assert (loaded.copies, loaded.contradictions) == (4, 2)
    assert np.array_equal(loaded.labels, images.labels)
    assert loaded.labels.dtype == np.int64


def test_a_partition_comes_back(store):
    parts = (np.array([0, 2, 5]), np.array([1]), np.array([3, 4]))
    identity = partition_identity(TRIALS[0].split, 1)
    store.save_partition("fingerprint", identity, Partition(*parts))
    loaded = store.load_partition("fingerprint", identity)
    for part, expected in zip((loaded.training, loaded.validation, loaded.test), parts, strict=True):
        assert np.array_equal(part, expected)
    assert store.load_partition("fingerprint", partition_identity(TRIALS[0].split, 0)) is None
    assert store.load_partition("another", identity) is None


@pytest.mark.parametrize("change", [{"version": 2}, {"by": "patient"}])
def test_a_partition_of_another_rule_is_another_partition(change, store):
    former = Partition(np.array([0, 1]), np.array([2]), np.array([3]))
    later = Partition(np.array([2, 3]), np.array([0]), np.array([1]))
    identity = partition_identity(TRIALS[0].split, 1)
    store.save_partition("fingerprint", identity, former)
    store.save_partition("fingerprint", {**identity, **change}, later)
    assert store.load_partition("fingerprint", identity).test.tolist() == [3]
    assert store.load_partition("fingerprint", {**identity, **change}).test.tolist() == [1]


def test_where_features_came_from_comes_back_beside_the_run_that_fitted_on_them(store, run_id):
    made = {"packages": {"tensorflow": "2.0"}, "cpu": "x"}
    for provenance in (made, made, None):
        store.save_origin(run_id, "features", provenance)
    assert store.load_origins() == [("features", PROVENANCE, None), ("features", PROVENANCE, made)]


def test_a_complexity_comes_back_and_the_latest_count_holds(store):
    for complexity in (Complexity(1, 1, 1), Complexity(4, 3, 2)):
        store.save_complexity("features", Backbone("tiny", 0.5, 16), complexity)
    assert store.load_complexity("features") == Complexity(4, 3, 2)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_scores_of_a_trial_come_back_bit_for_bit(classes, store, run_id):
    success = draw_success(TRIALS[0], classes)
    store.record(run_id, FIT, [(TRIALS[0], success)])
    validation, test = store.load_scores(TRIALS[0].id, classes)
    assert np.array_equal(validation, success.validation_scores)
    assert np.array_equal(test, success.test_scores)
    assert validation.dtype == test.dtype == np.float32


def test_a_result_names_its_trial_its_run_and_what_was_measured(store, run_id):
    trial = TRIALS[0]
    store.record(run_id, FIT, [(trial, make_success(trial, 0.9, 0.8)), (TRIALS[1], Failure(TRIALS[1].id, "boom"))])
    store.connection.row_factory = sqlite3.Row
    good, bad = (dict(row) for row in store.connection.execute("SELECT * FROM results ORDER BY rowid"))
    assert good.pop("finished_at") == bad["finished_at"]
    assert good == {
        "trial_id": trial.id,
        "head_id": trial.head_id,
        "run_id": run_id,
        "family": "tiny",
        "alpha": 1.0,
        "resolution": 16,
        "split": "60/20/20",
        "learning_rate": trial.learning_rate,
        "shuffle": trial.shuffle,
        "steps": trial.steps,
        "status": "success",
        "reason": None,
        "validation_accuracy": 0.9,
        "test_accuracy": 0.8,
        "validation_log_loss": pytest.approx(0.1),
        "test_log_loss": pytest.approx(0.2),
    }
    assert (bad["trial_id"], bad["status"], bad["reason"]) == (TRIALS[1].id, "failure", "boom")
    assert bad["test_accuracy"] is None


def test_runs_come_back_in_order_and_a_killed_one_stays_open(store):
    store.begin_run({"workers": 1})
    store.end_run(store.begin_run({"workers": 2}))
    killed, ended = store.load_runs()
    assert (killed[1], killed[2]) == (None, {"workers": 1})
    assert killed[0] <= ended[0] <= ended[1]
    assert ended[2] == {"workers": 2}


def test_pace_is_the_time_of_each_kind_of_unit_over_its_cost(store, run_id):
    for unit in (FIT, replace(FIT, cost=3000), UnitRecord("decode/0", "decode", "here:1", 10, 0.5)):
        store.record(run_id, unit)
    assert store.seconds_per_cost() == {"fit": 4.0 / 4000, "decode": 0.5 / 10}


def test_a_cost_beyond_64_bits_is_kept_and_so_are_many_large_ones(store, run_id):
    for cost in (10**19, 9 * 10**18, 9 * 10**18):
        store.record(run_id, replace(FIT, cost=cost, duration_s=1.0))
    assert store.seconds_per_cost() == {"fit": pytest.approx(3 / 2.8e19)}


def test_a_unit_took_the_seconds_of_its_last_success(store, run_id):
    for duration_s, has_failed in ((1.0, True), (2.0, False), (3.0, False), (4.0, True)):
        store.record(run_id, replace(FIT, duration_s=duration_s, has_failed=has_failed))
    store.record(run_id, replace(FIT, unit="fit/1", has_failed=True))
    assert store.load_durations() == [("fit/0", "fit", 3.0)]


# -- curves -------------------------------------------------------------------------------------------------------


def check_curve(store, expected):
    loaded = store.load_curve(expected.head_id)
    assert np.array_equal(loaded.steps, expected.steps)
    assert np.array_equal(loaded.accuracy, expected.accuracy)
    assert np.array_equal(loaded.log_loss, expected.log_loss)


def test_a_curve_comes_back_bit_for_bit(store, run_id):
    store.record(run_id, FIT, curves=[make_curve([50, 100])])
    check_curve(store, make_curve([50, 100]))


@pytest.mark.parametrize(
    "runs", [[(50, 75), (50, 100)], [(50, 100), (50, 75)], [(50, 75, 100), (20,)], [(20,), (50, 75, 100)]]
)
def test_a_curve_keeps_the_points_of_all_runs_whichever_came_first(runs, store, run_id):
    for steps in runs:
        store.record(run_id, FIT, curves=[make_curve(steps)])
    check_curve(store, make_curve(sorted({step for steps in runs for step in steps})))


# -- exactly once -------------------------------------------------------------------------------------------------


def test_a_second_success_of_a_trial_is_refused_and_nothing_of_its_unit_is_kept(store, run_id):
    first = draw_success(TRIALS[0])
    store.record(run_id, FIT, [(TRIALS[0], first)])
    before = count_rows(store)
    again = [(TRIALS[1], draw_success(TRIALS[1])), (TRIALS[0], make_success(TRIALS[0], 0.1, 0.1))]
    with pytest.raises(sqlite3.IntegrityError):
        store.record(run_id, FIT, again, [make_curve([50])])
    assert count_rows(store) == before == [1, 1, 1, 0]
    assert store.finished_ids() == {TRIALS[0].id}
    assert np.array_equal(store.load_scores(TRIALS[0].id, 2)[0], first.validation_scores)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interrupted_recording_keeps_nothing_and_can_be_repeated(error, store, run_id):
    def interrupted():
        yield TRIALS[0], draw_success(TRIALS[0])
        raise error

    with pytest.raises(error):
        store.record(run_id, FIT, interrupted())
    assert count_rows(store) == [0, 0, 0, 0]
    store.record(run_id, FIT, [(TRIALS[0], draw_success(TRIALS[0]))])
    assert store.finished_ids() == {TRIALS[0].id}


def test_a_failure_is_no_finished_trial_and_its_latest_reason_counts(store, run_id):
    for reason in ("out of memory", "diverged"):
        store.record(run_id, FIT, [(TRIALS[0], Failure(TRIALS[0].id, reason))])
    assert store.finished_ids() == set()
    assert store.failures() == {TRIALS[0].id: "diverged"}


@pytest.mark.parametrize("order", [1, -1])
def test_a_success_shadows_the_failures_of_its_trial(order, store, run_id):
    trial, other = TRIALS[:2]
    outcomes = [Failure(trial.id, "diverged"), draw_success(trial)][::order]
    for outcome in (*outcomes, Failure(other.id, "out of memory")):
        owner = trial if outcome.trial_id == trial.id else other
        store.record(run_id, FIT, [(owner, outcome)])
    assert store.finished_ids() == {trial.id}
    assert store.failures() == {other.id: "out of memory"}
    assert count_rows(store)[1] == 3, "the failure stays on record"


# -- files --------------------------------------------------------------------------------------------------------


def test_results_outlive_the_process_that_wrote_them(tmp_path):
    with Store.open(tmp_path) as store:
        store.record(store.begin_run(PROVENANCE), FIT, [(TRIALS[0], draw_success(TRIALS[0]))])
    assert [file.name for file in tmp_path.iterdir()] == [STORE_NAME]
    with Store.read(tmp_path) as store:
        assert store.finished_ids() == {TRIALS[0].id}


def test_a_store_is_written_ahead_and_to_the_disk_at_every_commit(tmp_path):
    with Store.open(tmp_path) as store:
        assert pragma(store, "journal_mode") == "wal"
        assert pragma(store, "synchronous") == 2  # FULL
        assert pragma(store, "user_version") == SCHEMA_VERSION


def test_a_store_is_read_while_a_driver_writes(tmp_path):
    with Store.open(tmp_path) as writer:
        run_id = writer.begin_run(PROVENANCE)
        with Store.read(tmp_path) as reader, writer._transaction():
            writer._record_outcome(run_id, "now", TRIALS[0], draw_success(TRIALS[0]))
            assert reader.finished_ids() == set(), "what is not committed is not seen"
        with Store.read(tmp_path) as reader:
            assert reader.finished_ids() == {TRIALS[0].id}
            writer.record(run_id, FIT, [(TRIALS[1], draw_success(TRIALS[1]))])
            assert reader.finished_ids() == {TRIALS[0].id, TRIALS[1].id}


def test_a_driver_that_waits_for_a_reader_in_vain_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("sweep.store.connection.PATIENCE_S", 0.1)
    with Store.open(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / STORE_NAME, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM specs").fetchall()
        with pytest.raises(FatalError) as error, Store.open(tmp_path):
            pytest.fail("opened what another process reads")
    assert str(error.value) == (
        f"{tmp_path / STORE_NAME}: another process has been reading or writing it for 0.1 s (database is locked); what "
        "was stored before is intact: wait for its end, or end it, then run again"
    )


def test_who_reads_cannot_write(tmp_path):
    with Store.open(tmp_path):
        pass
    with pytest.raises(FatalError, match="readonly database"), Store.read(tmp_path) as store:
        store.begin_run({})


def test_a_folder_without_a_store_cannot_be_read(tmp_path):
    folder = tmp_path / "nothing"
    with pytest.raises(UserError) as error, Store.read(folder):
        pytest.fail("read nothing")
    assert str(error.value) == f"{folder}: holds no sweep (no sweep.db); name a folder that `sweep run` has made"
    assert not folder.exists()


def test_a_store_in_the_making_holds_nothing_yet(tmp_path):
    (tmp_path / STORE_NAME).touch()
    with pytest.raises(UserError) as error, Store.read(tmp_path):
        pytest.fail("read nothing")
    assert str(error.value) == f"{tmp_path / STORE_NAME}: holds nothing yet; run the sweep first"


@pytest.mark.parametrize("enter", [Store.read, Store.open])
def test_a_file_that_is_no_store_is_refused_and_left_alone(enter, tmp_path):
    path = tmp_path / STORE_NAME
    path.write_text("no database " * 100)
    with pytest.raises(UserError) as error, enter(tmp_path):
        pytest.fail("opened a text")
    assert str(error.value) == (
        f"{path}: is no store of sweep (file is not a database); move it away, or name another folder"
    )
    assert path.read_text() == "no database " * 100


@pytest.mark.parametrize("enter", [Store.read, Store.open])
def test_a_store_of_a_later_release_is_refused(enter, tmp_path):
    path, later = tmp_path / STORE_NAME, SCHEMA_VERSION + 1
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {later}")
    with pytest.raises(UserError) as error, enter(tmp_path):
        pytest.fail("opened a later store")
    assert str(error.value) == (
        f"{path}: store version {later} is newer than this release of sweep reads (allowed: up to {SCHEMA_VERSION}); "
        "install the release that wrote it, or a later one"
    )


def fill_the_disk(folder):
    with Store.open(folder) as store:
        run_id = store.begin_run(PROVENANCE)
        store.record(run_id, FIT, [(TRIALS[0], draw_success(TRIALS[0]))])
        store.connection.execute(f"PRAGMA max_page_count = {pragma(store, 'page_count')}")
        large = np.zeros((100_000, 2), np.float32)
        store.record(run_id, FIT, [(TRIALS[1], replace(draw_success(TRIALS[1]), test_scores=large))])


def test_a_full_disk_stops_the_sweep_and_loses_nothing_stored(tmp_path):
    with pytest.raises(FatalError) as error:
        fill_the_disk(tmp_path)
    assert str(error.value) == (
        f"{tmp_path / STORE_NAME}: cannot be read or written (database or disk is full); "
        "what was stored before is intact: make room, mend the disk or take another folder, then run again"
    )
    with Store.read(tmp_path) as store:
        assert store.finished_ids() == {TRIALS[0].id}
