"""The store's schema, as ordered steps from one version to the next."""

import sqlite3

from sweep.errors import UserError

VERSION_1 = (
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
MIGRATIONS = (VERSION_1,)
SCHEMA_VERSION = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection, where: str, migrations: tuple[tuple[str, ...], ...] = MIGRATIONS) -> None:
    """Bring a store to the newest version in one transaction.

    Raises:
        UserError: the store was written by a newer release.
    """
    check_version(connection, where, len(migrations))
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        for statements in migrations[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def check_version(connection: sqlite3.Connection, where: str, newest: int = SCHEMA_VERSION) -> int:
    """Return the store's version; a UserError where it is newer than this release knows."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > newest:
        raise UserError(
            f"{where}: store version {version} is newer than this release of sweep reads (allowed: up to {newest}); "
            "install the release that wrote it, or a later one"
        )
    return int(version)
