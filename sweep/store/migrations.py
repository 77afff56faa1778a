"""The store's schema, as ordered steps from one version to the next.

A migration is a list of SQL statements and functions. It stands for itself: it uses no rule of today's code, which may
be another tomorrow.
"""

import json
import re
import sqlite3
from collections.abc import Sequence
from hashlib import sha256

from sweep.errors import UserError
from sweep.store.version_3 import VERSION_3, Step

Migration = Sequence[Step]

VERSION_1: Migration = (
    """CREATE TABLE specs (
        spec_id INTEGER PRIMARY KEY, stored_at TEXT NOT NULL, spec TEXT NOT NULL, inputs TEXT NOT NULL,
        images TEXT NOT NULL)""",
    """CREATE TABLE datasets (
        fingerprint TEXT PRIMARY KEY, names TEXT NOT NULL, labels BLOB NOT NULL, patients TEXT NOT NULL,
        copies INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE partitions (
        data TEXT NOT NULL, split TEXT NOT NULL, shuffle INTEGER NOT NULL,
        training BLOB NOT NULL, validation BLOB NOT NULL, test BLOB NOT NULL,
        PRIMARY KEY (data, split, shuffle)) WITHOUT ROWID""",
    """CREATE TABLE runs (
        run_id INTEGER PRIMARY KEY, started_at TEXT NOT NULL, ended_at TEXT, provenance TEXT NOT NULL)""",
    """CREATE TABLE units (
        unit TEXT NOT NULL, kind TEXT NOT NULL, run_id INTEGER NOT NULL REFERENCES runs, worker TEXT NOT NULL,
        cost INTEGER NOT NULL, duration_s REAL NOT NULL, finished_at TEXT NOT NULL)""",
    """CREATE TABLE results (
        trial_id TEXT NOT NULL, head_id TEXT NOT NULL, run_id INTEGER NOT NULL REFERENCES runs,
        finished_at TEXT NOT NULL, family TEXT NOT NULL, alpha REAL NOT NULL, resolution INTEGER NOT NULL,
        split TEXT NOT NULL, learning_rate REAL NOT NULL, shuffle INTEGER NOT NULL, steps INTEGER NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('success', 'failure')), reason TEXT,
        validation_accuracy REAL, test_accuracy REAL, validation_log_loss REAL, test_log_loss REAL)""",
    "CREATE UNIQUE INDEX one_success ON results (trial_id) WHERE status = 'success'",
    "CREATE INDEX failures ON results (trial_id) WHERE status = 'failure'",
    "CREATE TABLE scores (trial_id TEXT PRIMARY KEY, validation BLOB NOT NULL, test BLOB NOT NULL)",
    """CREATE TABLE curves (
        head_id TEXT PRIMARY KEY, steps BLOB NOT NULL, accuracy BLOB NOT NULL, log_loss BLOB NOT NULL)""",
    """CREATE TABLE complexities (
        features TEXT PRIMARY KEY, family TEXT NOT NULL, alpha REAL NOT NULL, resolution INTEGER NOT NULL,
        mult_adds INTEGER NOT NULL, parameters INTEGER NOT NULL, trainable_parameters INTEGER NOT NULL)
        WITHOUT ROWID""",
)


def _key_partitions(connection: sqlite3.Connection) -> None:
    """Key each partition by all that decides it: until now images were split, by the first version of the rule."""
    rows = connection.execute("SELECT data, split, shuffle, training, validation, test FROM old_partitions").fetchall()
    for data, split, shuffle, *parts in rows:
        identity = {"by": "image", "shuffle": shuffle, "split": split, "version": 1}
        text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
        key = sha256(text.encode()).hexdigest()[:16]
        connection.execute("INSERT INTO partitions VALUES (?, ?, ?, ?, ?, ?)", (data, key, text, *parts))


def _name_patients(connection: sqlite3.Connection) -> None:
    """Name the patients anew: bacteria and viruses are numbered apart, and other files are of unknown patients."""
    rule = re.compile(
        r"^([^/]*/(?:person\d+_(?:bacteria|virus)|(?:NORMAL2-)?IM-\d+|(?:BACTERIA|VIRUS|NORMAL)-\d+))(?=[-_])", re.ASCII
    )
    for fingerprint, names in connection.execute("SELECT fingerprint, names FROM datasets").fetchall():
        patients = [match and match.group(1) for match in map(rule.match, json.loads(names))]
        connection.execute(
            "UPDATE datasets SET patients = ? WHERE fingerprint = ?", (json.dumps(patients), fingerprint)
        )


def _write_out_patients(connection: sqlite3.Connection) -> None:
    """Give the stored specs the field that names the patients, as it is without a word from the user."""
    for spec_id, text in connection.execute("SELECT spec_id, spec FROM specs").fetchall():
        spec = json.loads(text)
        spec["data"] = {"patients": None, **spec["data"]}
        connection.execute("UPDATE specs SET spec = ? WHERE spec_id = ?", (json.dumps(spec), spec_id))


VERSION_2: Migration = (
    "ALTER TABLE partitions RENAME TO old_partitions",
    """CREATE TABLE partitions (
        data TEXT NOT NULL, partition TEXT NOT NULL, identity TEXT NOT NULL,
        training BLOB NOT NULL, validation BLOB NOT NULL, test BLOB NOT NULL,
        PRIMARY KEY (data, partition)) WITHOUT ROWID""",
    _key_partitions,
    "DROP TABLE old_partitions",
    "ALTER TABLE datasets ADD COLUMN contradictions INTEGER",
    _name_patients,
    _write_out_patients,
    "ALTER TABLE units RENAME TO old_units",
    """CREATE TABLE units (
        unit TEXT NOT NULL, kind TEXT NOT NULL, run_id INTEGER NOT NULL REFERENCES runs, worker TEXT NOT NULL,
        cost REAL NOT NULL, duration_s REAL NOT NULL, finished_at TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('success', 'failure')))""",
    # A unit and its outcomes have one time. One that yielded failures alone has failed, as far as can be told.
    """INSERT INTO units SELECT unit, kind, run_id, worker, cost, duration_s, finished_at, COALESCE(best, 'success')
        FROM old_units LEFT JOIN (SELECT run_id, finished_at, MAX(status) AS best FROM results GROUP BY 1, 2)
        USING (run_id, finished_at) ORDER BY old_units.rowid""",
    "DROP TABLE old_units",
    """CREATE TABLE origins (
        run_id INTEGER NOT NULL REFERENCES runs, features TEXT NOT NULL, provenance TEXT NOT NULL,
        PRIMARY KEY (run_id, features, provenance)) WITHOUT ROWID""",
)
MIGRATIONS = (VERSION_1, VERSION_2, VERSION_3)
SCHEMA_VERSION = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection, where: str, migrations: Sequence[Migration] = MIGRATIONS) -> bool:
    """Bring a store to the newest version in one transaction. Returns whether one of an earlier version was changed.

    Raises:
        UserError: the store was written by a newer release, or is damaged.
    """
    check_version(connection, where, len(migrations))
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        for step in (step for migration in migrations[version:] for step in migration):
            if callable(step):
                step(connection)
            else:
                connection.execute(step)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
    except BaseException as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if isinstance(
            error, ValueError | TypeError | KeyError | AttributeError
        ):  # what was stored is not what was written
            raise UserError(
                f"{where}: cannot be upgraded, as it is damaged ({error}); put a copy in its place, or move it away "
                "and run again"
            ) from error
        raise
    connection.execute("COMMIT")
    return 0 < int(version) < len(migrations)


def check_version(connection: sqlite3.Connection, where: str, newest: int = SCHEMA_VERSION) -> int:
    """Return the store's version; a UserError where it is newer than this release knows."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > newest:
        raise UserError(
            f"{where}: store version {version} is newer than this release of sweep reads (allowed: up to {newest}); "
            "install the release that wrote it, or a later one"
        )
    return int(version)
