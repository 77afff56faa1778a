"""A store of every released version opens in this release; one of a later release is refused untouched."""

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from sweep.catalogue import Complexity
from sweep.errors import UserError
from sweep.outcome import Curve, Failure, Success
from sweep.planning.expand import make_plan
from sweep.planning.units import FitHeads
from sweep.store.lock import LOCK_NAME, hold_lock
from sweep.store.migrations import MIGRATIONS, SCHEMA_VERSION, check_version, migrate
from sweep.store.store import STORE_NAME, Store, UnitRecord
from sweep.store.stored_plan import load_sweep
from sweep.testing import fill_complexities, fill_images, make_images, make_inputs, make_spec

ASSETS = Path(__file__).parent / "assets"
PROVENANCE = {"sweep": "0.1.0", "python": "3.11.9", "executor": "inline", "workers": 1}
SCORES = np.array([[2.0, -2.0], [-1.0, 1.0]], np.float32)
CURVE = (np.array([10, 20], np.int32), np.array([0.75, 0.9], np.float32), np.array([0.5, 0.25], np.float32))


def make_asset(path):
    """Write a store with a row in every table, as the released version of the day does; small, and no more WAL."""
    spec = make_spec("asset", learning_rate=0.1, shuffle=0)
    plan = make_plan(spec, make_inputs(spec, (6, 14)))
    done, failed = plan.trials
    (fit,) = (unit for unit in plan.units if isinstance(unit, FitHeads))
    with Store.open(path.parent) as store:
        store.save_spec(spec.model_dump(mode="json"), plan.inputs.to_json(), "images")
        fill_images(store, plan, make_images(plan.inputs))
        fill_complexities(store, plan)
        run_id = store.begin_run(PROVENANCE)
        outcomes = [
            (done, Success(done.id, SCORES, SCORES[::-1], 0.9, 0.8, 0.25, 0.5)),
            (failed, Failure(failed.id, "diverged")),
        ]
        curves = [Curve(done.head_id, *CURVE)]
        store.record(run_id, UnitRecord(fit.key, "fit", "worker 0", 1000, 0.5), outcomes, curves)
        store.save_origin(run_id, fit.features[0].folder, PROVENANCE)
        store.end_run(run_id)
    with closing(sqlite3.connect(path.parent / STORE_NAME, isolation_level=None)) as connection:
        for statement in ("PRAGMA journal_mode = DELETE", "PRAGMA page_size = 512", "VACUUM"):
            connection.execute(statement)
    (path.parent / STORE_NAME).rename(path)


@pytest.fixture(params=range(1, SCHEMA_VERSION + 1), ids="v{}".format)
def folder(request, tmp_path):
    """A sweep's folder with the store of a released version."""
    shutil.copy(ASSETS / f"v{request.param}.db", tmp_path / STORE_NAME)
    return tmp_path


@pytest.fixture
def connection(folder):
    with closing(sqlite3.connect(folder / STORE_NAME, isolation_level=None)) as connection:
        yield connection


def version_of(connection):
    return connection.execute("PRAGMA user_version").fetchone()[0]


def check_content(store):
    """Compare everything that can be read with what `make_asset` wrote."""
    spec, inputs = load_sweep(store)
    assert (spec.name, inputs.data.classes, inputs.data.images) == ("asset", ("NORMAL", "PNEUMONIA"), 20)
    fingerprint = inputs.data.fingerprint
    partition = store.load_partition(fingerprint, {"by": "image", "shuffle": 0, "split": "60/20/20", "version": 1})
    images = store.load_images(fingerprint)
    assert (images.names[19], images.copies) == ("image-19.jpeg", 0)
    assert images.patients[19] in {"patient 9", None}, "version 1 took a patient for known whatever the name"
    assert np.bincount(images.labels).tolist() == [6, 14]
    assert sorted(np.concatenate([partition.training, partition.validation, partition.test])) == list(range(20))
    ((started, ended, provenance),) = store.load_runs()
    assert started <= ended
    assert provenance == PROVENANCE
    (trial_id,) = store.finished_ids()
    validation, test = store.load_scores(trial_id, 2)
    assert (validation.tolist(), test.tolist()) == (SCORES.tolist(), SCORES[::-1].tolist())
    assert list(store.failures().values()) == ["diverged"]
    assert store.seconds_per_cost() == {"fit": 0.5 / 1000}
    assert [kind for _, kind, _ in store.load_durations()] == ["fit"]
    head_id, features = store.connection.execute("SELECT head_id, features FROM curves, complexities").fetchone()
    curve = store.load_curve(head_id)
    for part, expected in zip((curve.steps, curve.accuracy, curve.log_loss), CURVE, strict=True):
        assert part.tolist() == expected.tolist()
    assert store.load_complexity(features) == Complexity(32_768, 2_240, 2_240)


def test_a_store_of_every_released_version_is_kept_and_small():
    assets = sorted(ASSETS.glob("*.db"))
    assert [asset.name for asset in assets] == [f"v{version}.db" for version in range(1, SCHEMA_VERSION + 1)]
    assert max(asset.stat().st_size for asset in assets) < 50_000


def test_an_old_store_is_upgraded_and_keeps_its_content(folder):
    with Store.open(folder) as store:
        assert version_of(store.connection) == SCHEMA_VERSION
        check_content(store)


def test_a_store_of_this_version_can_be_read_without_writing(tmp_path):
    shutil.copy(ASSETS / f"v{SCHEMA_VERSION}.db", tmp_path / STORE_NAME)
    before = (tmp_path / STORE_NAME).read_bytes()
    with Store.read(tmp_path) as store:
        check_content(store)
    assert (tmp_path / STORE_NAME).read_bytes() == before


def test_todays_release_writes_what_the_newest_asset_holds(tmp_path):
    make_asset(tmp_path / "new.db")
    schemas = []
    for path in (tmp_path / "new.db", ASSETS / f"v{SCHEMA_VERSION}.db"):
        with closing(sqlite3.connect(path)) as connection:
            schemas.append(connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall())
    assert schemas[0] == schemas[1], "the schema changed: add a migration instead of editing one"


def test_one_more_migration_upgrades_a_store_and_keeps_its_content(connection):
    later = (*MIGRATIONS, ("ALTER TABLE results ADD COLUMN note TEXT NOT NULL DEFAULT 'none'",))
    migrate(connection, "old", later)
    assert version_of(connection) == SCHEMA_VERSION + 1
    assert connection.execute("SELECT DISTINCT note FROM results").fetchall() == [("none",)]
    check_content(Store(connection))


@pytest.fixture
def released():
    """Make a store of version 1 in memory, to be filled and upgraded."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, "old", MIGRATIONS[:1])
        yield connection


def upgrade(connection):
    migrate(connection, "old")
    return Store(connection, "old")


def test_version_2_tells_patients_of_bacteria_and_viruses_apart_and_knows_none_by_another_name(released):
    names = ["S/person1_bacteria_1.jpeg", "S/person1_virus_2.jpeg", "S/scan.png", "N/NORMAL2-IM-0027-0001.jpeg"]
    former = ["S/person1", "S/person1", "S/scan.png", "N/NORMAL2-IM-0027"]
    labels = np.zeros(4, "<i8").tobytes()
    released.execute("INSERT INTO datasets VALUES ('d', ?, ?, ?, 0)", (json.dumps(names), labels, json.dumps(former)))
    images = upgrade(released).load_images("d")
    assert images.patients == ("S/person1_bacteria", "S/person1_virus", None, "N/NORMAL2-IM-0027")
    assert images.contradictions is None


def test_version_2_finds_the_former_partitions_under_the_rule_that_made_them(released):
    parts = [np.array(part, "<i8").tobytes() for part in ([0, 2], [1], [3])]
    released.execute("INSERT INTO partitions VALUES ('d', '60/20/20', 7, ?, ?, ?)", parts)
    store = upgrade(released)
    identity = {"by": "image", "shuffle": 7, "split": "60/20/20", "version": 1}
    assert store.load_partition("d", identity).training.tolist() == [0, 2]
    assert store.load_partition("d", {**identity, "version": 2}) is None


def test_version_2_takes_a_unit_for_failed_that_yielded_failures_alone(released):
    released.execute("INSERT INTO runs VALUES (1, '', NULL, '{}')")
    insert = """INSERT INTO results (trial_id, head_id, run_id, finished_at, family, alpha, resolution, split,
                learning_rate, shuffle, steps, status) VALUES (?, 'h', 1, ?, 'tiny', 1, 16, 's', 0.1, 0, 1, ?)"""
    outcomes = {"bad": ["failure", "failure"], "good": ["failure", "success"], "none": []}
    for unit, statuses in outcomes.items():
        released.execute("INSERT INTO units VALUES (?, 'fit', 1, 'w', 10, 2.0, ?)", (f"fit/{unit}", unit))
        for number, status in enumerate(statuses):
            released.execute(insert, (f"{unit}{number}", unit, status))
    assert [unit for unit, _, _ in upgrade(released).load_durations()] == ["fit/good", "fit/none"]


def test_version_2_gives_stored_specs_the_field_of_the_patients_so_that_they_are_the_same_specs(released):
    spec = make_spec().model_dump(mode="json")
    former = {**spec, "data": {name: value for name, value in spec["data"].items() if name != "patients"}}
    released.execute("INSERT INTO specs VALUES (1, '', ?, '{}', 'images')", (json.dumps(former),))
    assert upgrade(released).load_spec()[0] == spec


def test_a_store_too_damaged_to_be_upgraded_is_told_and_left_as_it_is(released):
    released.execute("INSERT INTO datasets VALUES ('d', 'no JSON', '', '', 0)")
    with pytest.raises(
        UserError, match=r"^old: cannot be upgraded, as it is damaged \(Expecting value.*\); put a copy"
    ):
        migrate(released, "old")
    assert version_of(released) == 1
    assert not released.in_transaction


def test_who_reads_an_older_store_upgrades_it_where_it_lies(tmp_path):
    shutil.copy(ASSETS / "v1.db", tmp_path / STORE_NAME)
    with Store.read(tmp_path) as store:
        check_content(store)
        with pytest.raises(sqlite3.OperationalError, match="readonly database"):
            store.begin_run({})
    with closing(sqlite3.connect(tmp_path / STORE_NAME)) as connection:
        assert version_of(connection) == SCHEMA_VERSION
    assert [path.name for path in tmp_path.iterdir()] == [STORE_NAME], "a lock would tell of a run"


def test_an_upgrade_is_no_run(tmp_path):
    shutil.copy(ASSETS / "v1.db", tmp_path / STORE_NAME)
    (tmp_path / LOCK_NAME).write_text("process 1 on here\n")
    os.utime(tmp_path / LOCK_NAME, (1, 1))
    with Store.read(tmp_path) as store:
        check_content(store)
    assert (tmp_path / LOCK_NAME).stat().st_mtime == 1
    with closing(sqlite3.connect(tmp_path / STORE_NAME)) as connection:
        assert version_of(connection) == SCHEMA_VERSION


def test_an_older_store_that_is_being_run_is_read_as_an_upgraded_copy(tmp_path):
    shutil.copy(ASSETS / "v1.db", tmp_path / STORE_NAME)
    before = (tmp_path / STORE_NAME).read_bytes()
    with hold_lock(tmp_path), Store.read(tmp_path) as store:
        check_content(store)
        with pytest.raises(sqlite3.OperationalError, match="readonly database"):
            store.begin_run({})
    assert (tmp_path / STORE_NAME).read_bytes() == before


def test_an_older_store_in_a_folder_that_cannot_be_written_is_read_as_an_upgraded_copy(tmp_path, monkeypatch):
    shutil.copy(ASSETS / "v1.db", tmp_path / STORE_NAME)
    before = (tmp_path / STORE_NAME).read_bytes()
    connect = sqlite3.connect

    def connect_to_read(where, **options):  # who tests as root may write everywhere
        return connect(where.replace("mode=rw", "mode=ro"), **options)

    monkeypatch.setattr(sqlite3, "connect", connect_to_read)
    with Store.read(tmp_path) as store:
        check_content(store)
    assert (tmp_path / STORE_NAME).read_bytes() == before


def test_migrating_twice_changes_nothing(connection):
    migrate(connection, "old")
    before = list(connection.iterdump())
    migrate(connection, "old")
    assert list(connection.iterdump()) == before


def test_migrations_are_taken_in_order_from_nothing():
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, "new", (("CREATE TABLE t (a)",), ("ALTER TABLE t RENAME COLUMN a TO b",)))
        assert version_of(connection) == 2
        assert connection.execute("SELECT name FROM pragma_table_info('t')").fetchall() == [("b",)]


def test_a_failing_migration_leaves_the_old_version_intact(connection):
    migrate(connection, "old")
    before = list(connection.iterdump())
    broken = ("DROP TABLE scores", "CREATE TABLE extra (a)", "ALTER TABLE nowhere ADD COLUMN b")
    with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
        migrate(connection, "old", (*MIGRATIONS, broken))
    assert version_of(connection) == SCHEMA_VERSION
    assert list(connection.iterdump()) == before
    check_content(Store(connection))


@pytest.mark.parametrize("check", [check_version, migrate])
def test_a_store_of_a_later_release_is_refused(check, connection):
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(UserError) as error:
        check(connection, "results/x/sweep.db")
    assert str(error.value) == (
        f"results/x/sweep.db: store version {SCHEMA_VERSION + 1} is newer than this release of sweep reads "
        f"(allowed: up to {SCHEMA_VERSION}); install the release that wrote it, or a later one"
    )
    assert version_of(connection) == SCHEMA_VERSION + 1
