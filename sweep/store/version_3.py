"""From version 2 to 3: trials become points on any axes, and plans are kept instead of made anew.

Stands for itself, as every migration: it uses no rule of today's code.
"""

import json
import sqlite3
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from sweep.store.former_plans import (
    TRAINING_VERSIONS,
    Row,
    list_axes,
    list_trials,
    translate_inputs,
    translate_spec,
)

Step = str | Callable[[sqlite3.Connection], None]


def _keep_plans(connection: sqlite3.Connection) -> None:
    """Make of every spec the plan that its release made of it."""
    with_results = {trial_id for (trial_id,) in connection.execute("SELECT DISTINCT trial_id FROM old_results")}
    rows = connection.execute("SELECT spec_id, stored_at, spec, inputs, images FROM specs ORDER BY spec_id")
    for plan_id, stored_at, spec, inputs, images in rows.fetchall():
        _keep_plan(connection, (plan_id, stored_at, images), json.loads(spec), json.loads(inputs), with_results)


def _keep_plan(
    connection: sqlite3.Connection,
    row: tuple[int, str, str],
    spec: dict[str, Any],
    inputs: dict[str, Any],
    with_results: set[str],
) -> None:
    """Keep a plan under the training version with more results, and of the others the trials that have one."""
    plans = [list(list_trials(spec, inputs, version)) for version in TRAINING_VERSIONS]
    plan = max(plans, key=lambda trials: sum(trial[0] in with_results for trial in trials))
    plan_id, stored_at, images = row
    texts = (translate_spec(spec), translate_inputs(spec, inputs), list_axes(spec, inputs))
    ids = "\n".join(trial[0] for trial in plan)
    connection.execute(
        "INSERT INTO plans VALUES (?, ?, 'probe', ?, ?, ?, ?, ?)",
        (plan_id, stored_at, *map(json.dumps, texts), images, sha256(ids.encode()).hexdigest()),
    )
    connection.executemany(
        "INSERT INTO plan_trials VALUES (?, ?, ?)", ((plan_id, ordinal, trial[0]) for ordinal, trial in enumerate(plan))
    )
    _keep_trials(connection, plan)
    for other in plans:
        _keep_trials(connection, [trial for trial in other if trial[0] in with_results])


def _keep_trials(connection: sqlite3.Connection, trials: list[Row]) -> None:
    connection.executemany("INSERT OR IGNORE INTO trials VALUES (?, ?, ?, ?, 'probe', ?)", trials)


def _name_subjects(connection: sqlite3.Connection) -> None:
    """Say of which network a unit was a part."""
    networks = dict(connection.execute("SELECT DISTINCT fit_id, network_id FROM trials").fetchall())
    units = connection.execute("SELECT rowid, unit, kind FROM units WHERE kind IN ('extract', 'fit')").fetchall()
    for rowid, unit, kind in units:
        name = unit.partition("/")[2].partition("/")[0]
        subject = networks.get(name, "") if kind == "fit" else name
        connection.execute("UPDATE units SET subject = ? WHERE rowid = ?", (subject, rowid))


VERSION_3: tuple[Step, ...] = (
    """CREATE TABLE plans (
        plan_id INTEGER PRIMARY KEY, stored_at TEXT NOT NULL, method TEXT NOT NULL, spec TEXT NOT NULL,
        inputs TEXT NOT NULL, axes TEXT NOT NULL, images TEXT NOT NULL, trials TEXT NOT NULL)""",
    """CREATE TABLE plan_trials (
        plan_id INTEGER NOT NULL REFERENCES plans, ordinal INTEGER NOT NULL, trial_id TEXT NOT NULL,
        PRIMARY KEY (plan_id, ordinal)) WITHOUT ROWID""",
    """CREATE TABLE trials (
        trial_id TEXT PRIMARY KEY, fit_id TEXT NOT NULL, network_id TEXT NOT NULL, partition_id TEXT NOT NULL,
        method TEXT NOT NULL, point TEXT NOT NULL)""",
    "ALTER TABLE results RENAME TO old_results",
    _keep_plans,
    "DROP TABLE specs",
    # A result of no plan that is known: all that its row says.
    """INSERT OR IGNORE INTO trials SELECT trial_id, head_id, '', '', 'probe', json_object('network', family,
        'alpha', alpha, 'resolution', resolution, 'split', split, 'shuffle', shuffle, 'learning_rate', learning_rate,
        'steps', steps) FROM old_results WHERE trial_id NOT IN (SELECT trial_id FROM trials)""",
    """CREATE TABLE measures (
        trial_id TEXT NOT NULL, part TEXT NOT NULL, metric TEXT NOT NULL, value REAL,
        PRIMARY KEY (trial_id, part, metric)) WITHOUT ROWID""",
    *(
        f"""INSERT INTO measures SELECT trial_id, '{part}', '{metric}', {part}_{metric} FROM old_results
        WHERE status = 'success'"""  # noqa: S608 - names of columns
        for part in ("test", "validation")
        for metric in ("accuracy", "log_loss")
    ),
    """CREATE TABLE results (
        trial_id TEXT NOT NULL, run_id INTEGER NOT NULL REFERENCES runs, finished_at TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('success', 'failure')), reason TEXT)""",
    """INSERT INTO results SELECT trial_id, run_id, finished_at, status, reason FROM old_results
        ORDER BY old_results.rowid""",
    "DROP TABLE old_results",
    "CREATE UNIQUE INDEX one_success ON results (trial_id) WHERE status = 'success'",
    "CREATE INDEX failures ON results (trial_id) WHERE status = 'failure'",
    "ALTER TABLE scores RENAME TO old_scores",
    """CREATE TABLE scores (
        trial_id TEXT NOT NULL, part TEXT NOT NULL, logits BLOB NOT NULL, PRIMARY KEY (trial_id, part))""",
    *(
        f"INSERT INTO scores SELECT trial_id, '{part}', {part} FROM old_scores ORDER BY rowid"  # noqa: S608 - as above
        for part in ("validation", "test")
    ),
    "DROP TABLE old_scores",
    "CREATE TABLE states (trial_id TEXT PRIMARY KEY, file TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE series (
        fit_id TEXT NOT NULL, part TEXT NOT NULL, measure TEXT NOT NULL, steps BLOB NOT NULL, series BLOB NOT NULL,
        PRIMARY KEY (fit_id, part, measure))""",
    *(
        f"INSERT INTO series SELECT head_id, 'validation', '{measure}', steps, {measure} FROM curves"  # noqa: S608
        for measure in ("accuracy", "log_loss")
    ),
    "DROP TABLE curves",
    """CREATE TABLE facts (
        subject TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (subject, name)) WITHOUT ROWID""",
    *(
        f"INSERT INTO facts SELECT features, '{name}', CAST({name} AS TEXT) FROM complexities"  # noqa: S608
        for name in ("mult_adds", "parameters", "trainable_parameters")
    ),
    "DROP TABLE complexities",
    "ALTER TABLE partitions RENAME TO old_partitions",
    """CREATE TABLE partitions (
        data TEXT NOT NULL, partition_id TEXT NOT NULL, identity TEXT NOT NULL, PRIMARY KEY (data, partition_id))
        WITHOUT ROWID""",
    """CREATE TABLE parts (
        data TEXT NOT NULL, partition_id TEXT NOT NULL, part TEXT NOT NULL, images BLOB NOT NULL,
        PRIMARY KEY (data, partition_id, part))""",
    "INSERT INTO partitions SELECT data, partition, identity FROM old_partitions",
    *(
        f"INSERT INTO parts SELECT data, partition, '{part}', {part} FROM old_partitions"  # noqa: S608
        for part in ("training", "validation", "test")
    ),
    "DROP TABLE old_partitions",
    "ALTER TABLE units ADD COLUMN subject TEXT NOT NULL DEFAULT ''",
    _name_subjects,
    "ALTER TABLE origins RENAME COLUMN features TO subject",
)
