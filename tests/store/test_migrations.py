"""A store of every released version opens in this release; one of a later release is refused untouched."""

import json
import os
import shutil
import sqlite3
from contextlib import closing
from hashlib import sha256
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from sweep.axes import Layer, Role
from sweep.errors import UserError
from sweep.identity import identify
from sweep.store.lock import LOCK_NAME, hold_lock
from sweep.store.migrations import MIGRATIONS, SCHEMA_VERSION, check_version, migrate
from sweep.store.store import STORE_NAME, Store

ASSETS = Path(__file__).parent / "assets"
FORMER = sorted(path.stem for path in ASSETS.glob("v*.db"))
PROVENANCE = {"sweep": "0.1.0", "python": "3.11.9", "executor": "inline", "workers": 1}
SCORES = [[2.0, -2.0], [-1.0, 1.0]]
SERIES = {"accuracy": [0.75, np.float32(0.9)], "log_loss": [0.5, 0.25]}
DONE, FAILED, FIT, NETWORK = "7a65a5cfa81abb24", "8ef539f0ae8e0f3d", "618a4d910c62cd79", "cfc5d658aaf893ba"
POINT = {
    "network": "tiny",
    "alpha": 1.0,
    "resolution": 16,
    "weights": "random",
    "features": "pooled",
    "resize": "bilinear",
    "antialias": True,
    "scaling": "native",
    "split": "60/20/20",
    "shuffle": 0,
    "optimizer": "sgd",
    "learning_rate": 0.1,
    "momentum": None,
    "batch_size": 100,
    "sampling": "class_balanced",
    "weight_decay": 0.0,
    "hidden": (),
    "dropout": 0.0,
    "initial_stddev": 0.001,
    "steps": 10,
}


@pytest.fixture(params=FORMER)
def folder(request, tmp_path):
    """A sweep's folder with the store of a released version."""
    shutil.copy(ASSETS / f"{request.param}.db", tmp_path / STORE_NAME)
    return tmp_path


@pytest.fixture
def connection(folder):
    with closing(sqlite3.connect(folder / STORE_NAME, isolation_level=None)) as connection:
        yield connection


def version_of(connection):
    return connection.execute("PRAGMA user_version").fetchone()[0]


def check_plan(store):
    """Compare the plan with what the releases of the assets planned."""
    plan = store.load_plan()
    assert (plan.method, plan.spec["name"], plan.spec["method"], plan.images) == ("probe", "asset", "probe", "images")
    done, failed = plan.trials
    assert (done.id, failed.id) == (DONE, FAILED)
    assert {(trial.fit_id, trial.network_id, trial.partition_id) for trial in plan.trials} == {
        (FIT, NETWORK, "4f078385a56cae44")
    }
    names = [axis.name for axis in plan.axes]
    assert dict(zip(names, done.point, strict=True)) == POINT
    assert list(zip(names, failed.point, strict=True)) == list((POINT | {"steps": 20}).items())
    assert {axis.name: axis.values for axis in plan.axes} == {
        **{name: (value,) for name, value in POINT.items()},
        "steps": (10, 20),
    }


def check_content(store):
    """Compare everything that can be read with what the assets were made of."""
    check_plan(store)
    _, inputs = store.load_spec()
    fingerprint = inputs["data"]["fingerprint"]
    images = store.load_images(fingerprint)
    assert (images.names[19], images.copies) == ("image-19.jpeg", 0)
    assert images.patients[19] in {"patient 9", None}, "version 1 took a patient for known whatever the name"
    assert np.bincount(images.labels).tolist() == [6, 14]
    partition = store.load_partition(fingerprint, "4f078385a56cae44")
    assert {part: len(positions) for part, positions in partition.items()} == {
        "training": 12,
        "validation": 4,
        "test": 4,
    }
    assert sorted(np.concatenate(list(partition.values()))) == list(range(20))
    ((started, ended, provenance),) = store.load_runs()
    assert started <= ended
    assert provenance == PROVENANCE
    check_results(store)


def check_results(store):
    assert [(row[0], *row[2:4]) for row in store.load_results()] == [
        (DONE, "success", None),
        (FAILED, "failure", "diverged"),
    ]
    assert {(part, metric): value for trial_id, part, metric, value in store.load_measures() if trial_id == DONE} == {
        ("validation", "accuracy"): 0.9,
        ("test", "accuracy"): 0.8,
        ("validation", "log_loss"): 0.25,
        ("test", "log_loss"): 0.5,
    }
    assert len(store.load_measures()) == 4
    assert store.load_scores(DONE, "validation", 2).tolist() == SCORES
    assert store.load_scores(DONE, "test", 2).tolist() == SCORES[::-1]
    assert store.seconds_per_cost() == {"fit": 0.5 / 1000}
    assert store.load_durations() == [(f"fit/{FIT}", "fit", NETWORK, 0.5)]
    series = store.load_series(FIT)
    assert {each.part for each in series} == {"validation"}
    assert {each.measure: each.values.tolist() for each in series} == SERIES
    assert [each.steps.tolist() for each in series] == [[10, 20]] * 2
    assert store.load_facts() == {NETWORK: {"mult_adds": 32_768, "parameters": 2_240, "trainable_parameters": 2_240}}
    assert store.load_state_file(DONE) is None


def test_a_store_of_every_released_version_is_kept_and_small():
    assert [f"v{version}" for version in range(1, SCHEMA_VERSION)] == FORMER[: SCHEMA_VERSION - 1]
    assert max(asset.stat().st_size for asset in ASSETS.iterdir()) < 50_000


def test_an_old_store_is_upgraded_and_keeps_its_content(folder):
    with Store.open(folder) as store:
        assert version_of(store.connection) == SCHEMA_VERSION
        check_content(store)


def test_an_upgraded_store_has_the_tables_of_a_new_one(connection):
    migrate(connection, "old")
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
        migrate(new, "new")
        schemas = [
            each.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall() for each in (connection, new)
        ]
    assert schemas[0] == schemas[1]


def test_a_store_of_this_version_can_be_read_without_writing(folder):
    with Store.open(folder):
        pass
    before = (folder / STORE_NAME).read_bytes()
    with Store.read(folder) as store:
        check_content(store)
    assert (folder / STORE_NAME).read_bytes() == before


def test_one_more_migration_upgrades_a_store_and_keeps_its_content(connection):
    later = (*MIGRATIONS, ("ALTER TABLE results ADD COLUMN note TEXT NOT NULL DEFAULT 'none'",))
    migrate(connection, "old", later)
    assert version_of(connection) == SCHEMA_VERSION + 1
    assert connection.execute("SELECT DISTINCT note FROM results").fetchall() == [("none",)]
    check_content(Store(connection))


# -- from version 2 to 3 ------------------------------------------------------------------------------------------


@pytest.fixture
def second():
    """A store of version 2 in memory whose grid is wide, to be changed and upgraded."""
    with closing(sqlite3.connect(ASSETS / "v2.db")) as asset:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        asset.backup(connection)
    with closing(connection):
        spec, inputs = map(json.loads, connection.execute("SELECT spec, inputs FROM specs").fetchone())
        spec["grid"] |= {
            "alpha": [1.0, 0.5],
            "split": ["60/20/20", "33.3/33.3/33.4"],
            "learning_rate": [0.1, 1e-05],
            "shuffle": [3, 0],
            "steps": [20, 10],
        }
        spec["data"]["antialias"] = False
        (weights,) = inputs["weights"]
        inputs["weights"] += [weights | {"backbone": weights["backbone"] | {"alpha": 0.5}, "source": "random"}]
        connection.execute("UPDATE specs SET spec = ?, inputs = ?", (json.dumps(spec), json.dumps(inputs)))
        yield connection


def hash_ids(plan):
    return sha256("\n".join(trial.id for trial in plan.trials).encode()).hexdigest()


# What the release before planned for that spec, under both versions of its training.
PLANNED = {
    2: ("6a5593159118648bccf9c380a84c678ef67312905cb81d8a8f8e441281fb446e", "b48845f4c62aa879", "30a52a27e997e034"),
    1: ("ec190f03c8271a4a68b8299793fd5cc44870d778ba7bd364aa1dfc5ecb04724d", "e44f7973d3fb52f7", "21d2a16229598d87"),
}


@pytest.mark.parametrize("version", PLANNED)
def test_version_3_plans_as_the_release_did_that_has_more_results_in_the_store(version, second):
    ids, first, fit = PLANNED[version]
    second.execute("UPDATE results SET trial_id = ?, head_id = ? WHERE trial_id = ?", (first, fit, DONE))
    plan = upgrade(second).load_plan()
    assert hash_ids(plan) == ids
    assert (plan.trials[0].id, plan.trials[0].fit_id) == (first, fit)
    assert {trial.network_id for trial in plan.trials} == {"6acd55fd495d1b04", "81c8f5b5501b9acf"}


def test_version_3_takes_the_later_training_for_a_plan_without_results(second):
    second.execute("DELETE FROM results")
    assert hash_ids(upgrade(second).load_plan()) == PLANNED[2][0]


def test_version_3_keeps_the_trials_in_the_order_of_the_former_plan(second):
    plan = upgrade(second).load_plan()
    names = [axis.name for axis in plan.axes]
    varying = ("alpha", "split", "shuffle", "learning_rate", "steps")
    places = [names.index(name) for name in varying]
    points = [tuple(trial.point[place] for place in places) for trial in plan.trials]
    expected = ((1.0, 0.5), ("60/20/20", "33.3/33.3/33.4"), (3, 0), (0.1, 1e-05), (20, 10))
    assert points == list(product(*expected))
    assert {axis.name: axis.values for axis in plan.axes if axis.varies} == dict(zip(varying, expected, strict=True))


def test_version_3_gives_every_axis_its_role_and_layer(second):
    axes = {axis.name: axis for axis in upgrade(second).load_plan().axes}
    assert {name for name, axis in axes.items() if axis.role is Role.REPEATED} == {"shuffle"}
    tuned = sorted((axis for axis in axes.values() if axis.role is Role.TUNED), key=lambda axis: axis.order)
    assert " ".join(axis.name for axis in tuned) == (
        "steps learning_rate batch_size momentum weight_decay dropout initial_stddev"
    )
    layers = {layer: [name for name, axis in axes.items() if axis.layer is layer] for layer in Layer}
    assert layers[Layer.PARTITION] == ["split", "shuffle"]
    assert layers[Layer.NETWORK] == list(axes)[:8]
    assert layers[Layer.READOUT] == ["steps"]
    assert (axes["resolution"].unit, axes["hidden"].title) == ("px", "hidden layers")


def test_version_3_writes_the_stored_spec_and_inputs_in_its_words(second):
    former = json.loads(second.execute("SELECT spec FROM specs").fetchone()[0])
    spec, inputs = upgrade(second).load_spec()
    grid, data = former["grid"], {name: value for name, value in former["data"].items() if name != "antialias"}
    assert spec == former | {
        "method": "probe",
        "data": data,
        "preprocessing": {"resize": "bilinear", "antialias": False, "scaling": "native"},
        "grid": {"network": grid.pop("backbone"), **grid},
    }
    assert {name: value for name, value in inputs["weights"][1].items() if name != "sha256"} == {
        "network": {"name": "tiny", "alpha": 0.5, "resolution": 16},
        "features": "pooled",
        "asked": "random",
        "source": "random",
    }


def test_version_3_keeps_a_result_of_no_plan_that_is_known(second):
    store = upgrade(second)
    assert [row[0] for row in store.load_results()] == [DONE, FAILED]
    point, fit = store.connection.execute("SELECT point, fit_id FROM trials WHERE trial_id = ?", (FAILED,)).fetchone()
    assert (json.loads(point)["steps"], json.loads(point)["network"], fit) == (20, "tiny", FIT)


def test_version_3_says_what_each_unit_was_about(second):
    second.execute("INSERT INTO units SELECT 'decode/abc/0', 'decode', 1, 'w', 1.0, 1.0, '', 'success' FROM runs")
    second.execute("INSERT INTO units SELECT 'extract/def/0', 'extract', 1, 'w', 1.0, 1.0, '', 'success' FROM runs")
    assert [row[:3] for row in upgrade(second).load_durations()] == [
        (f"fit/{FIT}", "fit", ""),
        ("decode/abc/0", "decode", ""),
        ("extract/def/0", "extract", "def"),
    ], "the fit is of no plan that is known"


def test_version_3_keeps_every_spec_and_the_last_one_counts(second):
    second.execute("INSERT INTO specs SELECT 2, 'later', json_set(spec, '$.name', 'other'), inputs, 'x' FROM specs")
    store = upgrade(second)
    assert store.load_plan().spec["name"] == "other"
    assert store.connection.execute("SELECT plan_id, COUNT(*) FROM plan_trials GROUP BY 1").fetchall() == [
        (1, 32),
        (2, 32),
    ]


def test_version_3_names_the_origin_of_features_as_that_of_a_network(second):
    assert upgrade(second).load_origins() == [(NETWORK, PROVENANCE, PROVENANCE)]


@pytest.mark.parametrize(
    ("spec", "word"),
    [("{", "Expecting property name"), ("{}", "'grid'"), ("[]", "list indices")],
)
def test_version_3_tells_of_a_damaged_spec_in_a_line_and_leaves_the_store_as_it_is(spec, word, second):
    second.execute("UPDATE specs SET spec = ?", (spec,))
    before = list(second.iterdump())
    with pytest.raises(UserError, match=rf"^old: cannot be upgraded, as it is damaged \({word}.*\); put a copy"):
        upgrade(second)
    assert version_of(second) == 2
    assert list(second.iterdump()) == before


# -- from version 1 to 2 ------------------------------------------------------------------------------------------


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
    assert store.load_partition("d", identify(identity))["training"].tolist() == [0, 2]
    assert store.load_partition("d", identify({**identity, "version": 2})) is None


def test_version_2_takes_a_unit_for_failed_that_yielded_failures_alone(released):
    released.execute("INSERT INTO runs VALUES (1, '', NULL, '{}')")
    insert = """INSERT INTO results (trial_id, head_id, run_id, finished_at, family, alpha, resolution, split,
                learning_rate, shuffle, steps, status) VALUES (?, 'h', 1, ?, 'tiny', 1, 16, 's', 0.1, 0, 1, ?)"""
    outcomes = {"bad": ["failure", "failure"], "good": ["failure", "success"], "none": []}
    for unit, statuses in outcomes.items():
        released.execute("INSERT INTO units VALUES (?, 'fit', 1, 'w', 10, 2.0, ?)", (f"fit/{unit}", unit))
        for number, status in enumerate(statuses):
            released.execute(insert, (f"{unit}{number}", unit, status))
    assert [unit for unit, *_ in upgrade(released).load_durations()] == ["fit/good", "fit/none"]


def test_version_2_gives_stored_specs_the_field_of_the_patients():
    with closing(sqlite3.connect(ASSETS / "v1.db")) as asset, closing(sqlite3.connect(":memory:")) as connection:
        asset.backup(connection)
        connection.isolation_level = None
        spec, _ = upgrade(connection).load_spec()
    assert spec["data"]["patients"] is None


def test_a_store_too_damaged_to_be_upgraded_is_told_and_left_as_it_is(released):
    released.execute("INSERT INTO datasets VALUES ('d', 'no JSON', '', '', 0)")
    with pytest.raises(
        UserError, match=r"^old: cannot be upgraded, as it is damaged \(Expecting value.*\); put a copy"
    ):
        migrate(released, "old")
    assert version_of(released) == 1
    assert not released.in_transaction


# -- whoever opens it ---------------------------------------------------------------------------------------------


def test_who_reads_an_older_store_upgrades_it_where_it_lies(folder):
    with Store.read(folder) as store:
        check_content(store)
        with pytest.raises(sqlite3.OperationalError, match="readonly database"):
            store.begin_run({})
    with closing(sqlite3.connect(folder / STORE_NAME)) as connection:
        assert version_of(connection) == SCHEMA_VERSION
    assert [path.name for path in folder.iterdir()] == [STORE_NAME], "a lock would tell of a run"


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


def test_an_older_store_in_a_folder_that_cannot_be_written_is_read_as_an_upgraded_copy(folder, monkeypatch):
    before = (folder / STORE_NAME).read_bytes()
    connect = sqlite3.connect

    def connect_to_read(where, **options):  # who tests as root may write everywhere
        return connect(where.replace("mode=rw", "mode=ro"), **options)

    monkeypatch.setattr(sqlite3, "connect", connect_to_read)
    with Store.read(folder) as store:
        check_content(store)
    assert (folder / STORE_NAME).read_bytes() == before


def test_an_upgraded_store_takes_no_more_room_than_its_rows(folder):
    with Store.open(folder) as store:
        assert store.connection.execute("PRAGMA freelist_count").fetchone() == (0,)


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


def test_an_interrupted_upgrade_leaves_the_version_there_was(connection):
    def interrupt(connection):
        raise KeyboardInterrupt

    version, before = version_of(connection), list(connection.iterdump())
    with pytest.raises(KeyboardInterrupt):
        migrate(connection, "old", (*MIGRATIONS[:-1], (*MIGRATIONS[-1], interrupt)))
    assert version_of(connection) == version
    assert list(connection.iterdump()) == before
    upgrade(connection)
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
