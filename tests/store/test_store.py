"""The store keeps every result exactly once, all of a unit or nothing of it, and says what is wrong with a file."""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from plan_example import AXES, INPUTS, PROVENANCE, SPEC, TRIALS, draw_success, make_store, save_plan

from sweep.axes import Axis, Layer, Role
from sweep.data.dataset import Images
from sweep.errors import FatalError, UserError
from sweep.identity import identify
from sweep.outcome import Failure, Series
from sweep.planning.trial import Trial
from sweep.store.migrations import SCHEMA_VERSION
from sweep.store.plans import StoredPlan
from sweep.store.store import STORE_NAME, Store, UnitRecord

FIT = UnitRecord("fit/0", "fit", "here:1", cost=1000, duration_s=2.0, subject="network")
BY_IMAGE = {"by": "image", "shuffle": 1, "split": "60/20/20", "version": 1}


@pytest.fixture
def store():
    store = make_store()
    yield store
    store.connection.close()


@pytest.fixture
def run_id(store):
    return store.begin_run(PROVENANCE)


def make_series(steps, measure="accuracy"):
    steps = np.array(steps, np.int32)
    return Series("fit 0", "validation", measure, steps, (1 - 1 / steps).astype(np.float32))


def count_rows(store, *tables):
    return [store.connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in tables]


def count_recorded(store):
    return count_rows(store, "units", "results", "scores", "measures", "series", "facts", "states")


def pragma(store, name):
    return store.connection.execute(f"PRAGMA {name}").fetchone()[0]


# -- plans --------------------------------------------------------------------------------------------------------


def test_a_new_store_holds_nothing(store):
    assert store.load_plan() is None
    assert store.load_spec() is None
    assert store.load_images_folder() is None
    assert store.load_runs() == store.load_results() == store.load_measures() == store.load_durations() == []
    assert store.load_origins() == store.load_series("x") == []
    assert store.finished_ids() == set()
    assert store.failures() == store.seconds_per_cost() == store.load_facts() == {}
    assert store.load_images("x") is None
    assert store.load_partition("x", "y") is None
    assert store.load_scores("x", "test", 2) is None
    assert store.load_state_file("x") is None


def test_a_plan_comes_back_with_its_points_as_they_were(store):
    save_plan(store)
    assert store.load_plan() == StoredPlan("probe", SPEC, INPUTS, AXES, TRIALS, "images")
    assert store.load_spec() == (SPEC, INPUTS)
    assert store.load_images_folder() == "images"


def test_values_that_are_equal_but_not_the_same_stay_apart(store):
    axis = Axis("x", (1, 1.0, True), Role.COMPARED, Layer.FIT, "x")
    save_plan(store, [Trial(str(value), "", "", "", (value,)) for value in axis.values], [axis])
    assert [repr(trial.point) for trial in store.load_plan().trials] == ["(1,)", "(1.0,)", "(True,)"]


def test_trials_share_what_is_equal_in_memory(store):
    save_plan(store)
    first, second, *_ = store.load_plan().trials
    assert first.fit_id is second.fit_id
    assert first.point[0] is second.point[0]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"method": "train"},
        {"spec": {"name": "other"}},
        {"inputs": {}},
        {"axes": [replace(AXES[0], role=Role.REPEATED), AXES[1]]},
        {"trials": TRIALS[:-1]},
        {"trials": TRIALS[::-1]},
        {"images": "elsewhere"},
    ],
    ids=str,
)
def test_a_plan_is_kept_once_and_another_is_what_counts(change, store):
    plan = {"method": "probe", "spec": SPEC, "inputs": INPUTS, "axes": AXES, "trials": TRIALS, "images": "images"}
    for kept in (plan, plan, plan | change):
        store.save_plan(**kept)
    changed = plan | change
    assert count_rows(store, "plans", "trials") == [2 if change else 1, len(TRIALS)]
    assert store.load_plan() == StoredPlan(**changed | {name: tuple(changed[name]) for name in ("axes", "trials")})


def test_a_known_trial_gets_the_values_of_a_later_plan_s_axes_and_keeps_those_of_the_former(store):
    depth = Axis("depth", (3,), Role.COMPARED, Layer.NETWORK, "depth")
    save_plan(store)
    save_plan(store, [replace(trial, point=(trial.point[1], 3)) for trial in TRIALS], [AXES[1], depth])
    assert [trial.point for trial in store.load_plan().trials] == [(10, 3), (20, 3)] * 3
    (point,) = store.connection.execute("SELECT point FROM trials WHERE trial_id = ?", (TRIALS[2].id,)).fetchone()
    assert json.loads(point) == {"width": [64, 32], "steps": 10, "depth": 3}


def test_a_point_without_an_axis_has_no_value_on_it(store):
    save_plan(store)
    store.connection.execute("""UPDATE trials SET point = '{"steps":5}'""")
    assert {trial.point for trial in store.load_plan().trials} == {(None, 5)}


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("UPDATE plans SET spec = '{'", "its plan: Expecting property name"),
        ("UPDATE plans SET spec = '[]'", r"its plan: a JSON object was expected, not \[\]"),
        ("UPDATE plans SET axes = '[{}]'", "its plan: lacks 'name'"),
        ("UPDATE plans SET axes = '7'", "its plan: 'int' object is not iterable"),
        ("UPDATE trials SET point = '1,2'", "its plan: a point was expected, not 1"),
        ("UPDATE trials SET point = '{},{}'", "its plan: zip"),
        ("DELETE FROM trials", "its plan: sequence item 0: expected str instance, NoneType found"),
    ],
)
def test_a_damaged_plan_is_told_in_a_line(statement, word, store):
    save_plan(store)
    store.connection.execute(statement)
    with pytest.raises(UserError, match=rf"^memory: is damaged \({word}.*\); put a copy in its place, or move it away"):
        store.load_plan()


# -- what is kept comes back --------------------------------------------------------------------------------------


def test_images_come_back_as_they_were_kept_last(store):
    images = Images(("a.png", "b.png"), np.array([0, 1]), ("one", "two"), copies=0, contradictions=0)
    renamed = replace(images, patients=(None, "two"), copies=4, contradictions=2)
    for each in (images, renamed):
        store.save_images("fingerprint", each)
    loaded = store.load_images("fingerprint")
    assert (loaded.names, loaded.patients, loaded.copies, loaded.contradictions) == (images.names, (None, "two"), 4, 2)
    assert (loaded.labels.tolist(), loaded.labels.dtype) == ([0, 1], np.int64)


def test_a_partition_comes_back_under_the_hash_of_all_that_decides_it(store):
    parts = {"training": np.array([0, 2, 5]), "validation": np.array([1]), "test": np.array([3, 4])}
    store.save_partition("fingerprint", BY_IMAGE, parts)
    store.save_partition("fingerprint", BY_IMAGE | {"version": 2}, {"held out": np.array([0, 1])})
    loaded = store.load_partition("fingerprint", identify(BY_IMAGE))
    assert {part: images.tolist() for part, images in loaded.items()} == {
        "training": [0, 2, 5],
        "validation": [1],
        "test": [3, 4],
    }
    assert list(loaded) == ["training", "validation", "test"]
    assert list(store.load_partition("fingerprint", identify(BY_IMAGE | {"version": 2}))) == ["held out"]
    assert store.load_partition("another", identify(BY_IMAGE)) is None


def test_the_id_of_a_partition_is_that_of_the_stores_before(store):
    store.save_partition("f", {"by": "image", "shuffle": 0, "split": "60/20/20", "version": 1}, {"test": np.arange(2)})
    assert store.load_partition("f", "4f078385a56cae44") is not None


def test_where_arrays_came_from_comes_back_beside_the_run_that_stood_on_them(store, run_id):
    made = {"packages": {"tensorflow": "2.0"}, "cpu": "x"}
    for provenance in (made, made, None):
        store.save_origin(run_id, "network", provenance)
    assert store.load_origins() == [("network", PROVENANCE, None), ("network", PROVENANCE, made)]


@pytest.mark.parametrize("classes", [2, 3])
def test_the_scores_of_a_trial_come_back_bit_for_bit(classes, store, run_id):
    success = draw_success(TRIALS[0], classes)
    store.record(run_id, FIT, [success])
    for part, logits in success.scores.items():
        loaded = store.load_scores(TRIALS[0].id, part, classes)
        assert np.array_equal(loaded, logits)
        assert loaded.dtype == np.float32


def test_scores_of_another_number_of_classes_are_told_as_damage(store, run_id):
    store.record(run_id, FIT, [draw_success(TRIALS[0])])
    with pytest.raises(UserError, match=r"^memory: is damaged \(the test scores of trial trial 010: cannot reshape"):
        store.load_scores(TRIALS[0].id, "test", 7)


def test_measures_come_back_all_at_once(store, run_id):
    store.record(run_id, FIT, [draw_success(TRIALS[0]), Failure(TRIALS[1].id, "diverged")])
    assert sorted(store.load_measures()) == [
        (TRIALS[0].id, "test", "accuracy", 0.8),
        (TRIALS[0].id, "test", "log_loss", 0.4),
        (TRIALS[0].id, "validation", "accuracy", 0.9),
    ]


def test_a_success_says_in_which_file_its_state_lies(store, run_id):
    store.record(run_id, FIT, [draw_success(TRIALS[0]), Failure(TRIALS[1].id, "diverged")], states="fit-0.npz")
    assert [store.load_state_file(trial.id) for trial in TRIALS[:2]] == ["fit-0.npz", None]


def test_a_fact_comes_back_as_it_was_said_last(store, run_id):
    store.record(run_id, FIT, facts={("network", "mult_adds"): 3, ("network", "layers"): ["a", None]})
    store.save_facts({("network", "mult_adds"): 4})
    assert store.load_facts() == {"network": {"layers": ["a", None], "mult_adds": 4}}


def test_a_damaged_fact_is_told_in_a_line(store):
    store.connection.execute("INSERT INTO facts VALUES ('network', 'mult_adds', 'many')")
    with pytest.raises(UserError, match=r"^memory: is damaged \(its facts: Expecting value"):
        store.load_facts()


def test_runs_come_back_in_order_and_a_killed_one_stays_open(store):
    store.begin_run({"workers": 1})
    store.end_run(store.begin_run({"workers": 2}))
    killed, ended = store.load_runs()
    assert (killed[1], killed[2]) == (None, {"workers": 1})
    assert killed[0] <= ended[0] <= ended[1]
    assert ended[2] == {"workers": 2}


def test_pace_is_the_time_of_each_kind_of_unit_over_its_cost(store, run_id):
    free = UnitRecord("check/0", "check", "here:1", 0.0, 0.5)
    for unit in (FIT, replace(FIT, cost=3000), UnitRecord("decode/0", "decode", "here:1", 10, 0.5), free):
        store.record(run_id, unit)
    assert store.seconds_per_cost() == {"fit": 4.0 / 4000, "decode": 0.5 / 10}


def test_a_cost_beyond_64_bits_is_kept_and_so_are_many_large_ones(store, run_id):
    for cost in (10**19, 9 * 10**18, 9 * 10**18):
        store.record(run_id, replace(FIT, cost=cost, duration_s=1.0))
    assert store.seconds_per_cost() == {"fit": pytest.approx(3 / 2.8e19)}


def test_a_unit_took_seconds_each_time_that_it_succeeded(store, run_id):
    for duration_s, has_failed in ((1.0, True), (2.0, False), (3.0, False), (4.0, True)):
        store.record(run_id, replace(FIT, duration_s=duration_s, has_failed=has_failed))
    store.record(run_id, replace(FIT, unit="fit/1", has_failed=True))
    assert store.load_durations() == [("fit/0", "fit", "network", 2.0), ("fit/0", "fit", "network", 3.0)]


# -- series -------------------------------------------------------------------------------------------------------


def check_series(loaded, expected):
    assert (loaded.fit_id, loaded.part, loaded.measure) == (expected.fit_id, expected.part, expected.measure)
    assert np.array_equal(loaded.steps, expected.steps)
    assert np.array_equal(loaded.values, expected.values)
    assert (loaded.steps.dtype, loaded.values.dtype) == (np.int32, np.float32)


def test_the_series_of_a_fit_come_back_bit_for_bit(store, run_id):
    kept = [make_series([50, 100]), make_series([10], "log_loss")]
    store.record(run_id, FIT, series=kept[::-1])
    for loaded, expected in zip(store.load_series("fit 0"), kept, strict=True):
        check_series(loaded, expected)
    assert store.load_series("fit 1") == []


@pytest.mark.parametrize(
    "runs", [[(50, 75), (50, 100)], [(50, 100), (50, 75)], [(50, 75, 100), (20,)], [(20,), (50, 75, 100)]]
)
def test_a_series_keeps_the_points_of_all_runs_whichever_came_first(runs, store, run_id):
    for steps in runs:
        store.record(run_id, FIT, series=[make_series(steps)])
    (loaded,) = store.load_series("fit 0")
    check_series(loaded, make_series(sorted({step for steps in runs for step in steps})))


def test_a_series_whose_values_do_not_fit_its_steps_is_told_as_damage(store, run_id):
    store.record(run_id, FIT, series=[make_series([50, 100])])
    store.connection.execute("UPDATE series SET series = x'00000000'")
    with pytest.raises(UserError, match=r"^memory: is damaged \(the series of fit fit 0: 2 steps with 1 values\)"):
        store.load_series("fit 0")


# -- exactly once -------------------------------------------------------------------------------------------------


def test_a_second_success_of_a_trial_is_refused_and_nothing_of_its_unit_is_kept(store, run_id):
    first = draw_success(TRIALS[0])
    store.record(run_id, FIT, [first])
    before = count_recorded(store)
    again = [draw_success(TRIALS[1]), draw_success(TRIALS[0])]
    with pytest.raises(sqlite3.IntegrityError):
        store.record(run_id, FIT, again, [make_series([50])], {("network", "mult_adds"): 1}, "fit-0.npz")
    assert count_recorded(store) == before == [1, 1, 2, 3, 0, 0, 0]
    assert store.finished_ids() == {TRIALS[0].id}


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interrupted_recording_keeps_nothing_and_can_be_repeated(error, store, run_id):
    def interrupted():
        yield draw_success(TRIALS[0])
        raise error

    with pytest.raises(error):
        store.record(run_id, FIT, interrupted(), states="fit-0.npz")
    assert count_recorded(store) == [0] * 7
    store.record(run_id, FIT, [draw_success(TRIALS[0])])
    assert store.finished_ids() == {TRIALS[0].id}


def test_an_interrupted_plan_leaves_the_one_before(store):
    def interrupted():
        yield from TRIALS
        raise KeyboardInterrupt

    save_plan(store)
    with pytest.raises(KeyboardInterrupt):
        save_plan(store, interrupted())
    with pytest.raises(ValueError, match="zip"):
        save_plan(store, [*TRIALS, Trial("too short", "", "", "", ())])
    assert store.load_plan().trials == TRIALS
    assert count_rows(store, "plans", "trials", "plan_trials") == [1, len(TRIALS), len(TRIALS)]


def test_of_the_failures_of_a_trial_the_latest_counts(store, run_id):
    for reason in ("out of memory", "diverged"):
        store.record(run_id, FIT, [Failure(TRIALS[0].id, reason)])
    assert store.finished_ids() == set()
    assert store.failures() == {TRIALS[0].id: "diverged"}
    assert [row[:4] for row in store.load_results()] == [(TRIALS[0].id, run_id, "failure", "diverged")]


@pytest.mark.parametrize("order", [1, -1])
def test_a_success_wins_over_the_failures_of_its_trial(order, store, run_id):
    trial, other = TRIALS[:2]
    outcomes = [Failure(trial.id, "diverged"), draw_success(trial)][::order]
    for outcome in (*outcomes, Failure(other.id, "out of memory")):
        store.record(run_id, FIT, [outcome])
    assert store.finished_ids() == {trial.id}
    assert store.failures() == {other.id: "out of memory"}
    assert [(row[0], row[2], row[3]) for row in store.load_results()] == [
        (trial.id, "success", None),
        (other.id, "failure", "out of memory"),
    ]
    assert count_rows(store, "results") == [3], "the failure stays on record"


# -- files --------------------------------------------------------------------------------------------------------


def test_results_outlive_the_process_that_wrote_them(tmp_path):
    with Store.open(tmp_path) as store:
        store.record(store.begin_run(PROVENANCE), FIT, [draw_success(TRIALS[0])])
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
            writer._record_outcome(run_id, "now", draw_success(TRIALS[0]))
            assert reader.finished_ids() == set(), "what is not committed is not seen"
        with Store.read(tmp_path) as reader:
            assert reader.finished_ids() == {TRIALS[0].id}
            writer.record(run_id, FIT, [draw_success(TRIALS[1])])
            assert reader.finished_ids() == {TRIALS[0].id, TRIALS[1].id}


def test_a_driver_that_waits_for_a_reader_in_vain_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("sweep.store.connection.PATIENCE_S", 0.1)
    with Store.open(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / STORE_NAME, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM plans").fetchall()
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
        store.record(run_id, FIT, [draw_success(TRIALS[0])])
        store.connection.execute(f"PRAGMA max_page_count = {pragma(store, 'page_count')}")
        large = {"test": np.zeros((100_000, 2), np.float32)}
        store.record(run_id, FIT, [replace(draw_success(TRIALS[1]), scores=large)])


def test_a_full_disk_stops_the_sweep_and_loses_nothing_stored(tmp_path):
    with pytest.raises(FatalError) as error:
        fill_the_disk(tmp_path)
    assert str(error.value) == (
        f"{tmp_path / STORE_NAME}: cannot be read or written (database or disk is full); "
        "what was stored before is intact: make room, mend the disk or take another folder, then run again"
    )
    with Store.read(tmp_path) as store:
        assert store.finished_ids() == {TRIALS[0].id}


def test_a_store_whose_writer_was_killed_within_a_transaction_is_read(tmp_path):
    sweep, killed = tmp_path / "sweep", tmp_path / "killed"
    for folder in (sweep, killed):
        folder.mkdir()
    with Store.open(sweep) as store:
        save_plan(store)
    with closing(sqlite3.connect(sweep / STORE_NAME)) as writer:
        writer.execute("PRAGMA cache_spill = 1")
        writer.execute("PRAGMA cache_size = 1")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM plan_trials")
        writer.execute("CREATE TABLE large AS SELECT zeroblob(1000000)")
        for file in sweep.glob(f"{STORE_NAME}*"):
            shutil.copy(file, killed)
    assert (killed / f"{STORE_NAME}-journal").stat().st_size, "what is half-written can be rolled back"
    assert Store.is_in(killed)
    with Store.read(killed) as store:
        assert store.load_plan().trials == TRIALS
