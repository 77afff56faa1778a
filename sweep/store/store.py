"""The store: one SQLite file a sweep, written by the driver alone, holding every result exactly once.

A connection is an argument, so that a test can hold a store in memory.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sweep.catalogue import Backbone, Complexity
from sweep.data.dataset import Images
from sweep.data.splits import Partition
from sweep.errors import UserError
from sweep.outcome import Curve, Outcome, Success
from sweep.planning.trial import Trial, canonical_json, short_hash
from sweep.store.connection import open_for_reading, open_for_writing, read_version, reporting_failures

STORE_NAME = "sweep.db"
MEASURES = ("validation_accuracy", "test_accuracy", "validation_log_loss", "test_log_loss")


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """A work unit that was computed, or failed: what it cost in mult-adds, how long it took, and where."""

    unit: str
    kind: str
    worker: str
    cost: int
    duration_s: float
    has_failed: bool = False


class Store:
    """Reads and writes one sweep's results."""

    def __init__(self, connection: sqlite3.Connection, where: str = "store") -> None:
        self.connection = connection
        self.where = where

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator[Self]:
        """Open for writing; make or upgrade the store where needed. The caller holds the folder's lock."""
        path = folder / STORE_NAME
        with reporting_failures(str(path)), open_for_writing(path) as connection:
            yield cls(connection, str(path))

    @classmethod
    def is_in(cls, folder: Path) -> bool:
        """Whether a folder holds a store that was made to its end."""
        path = folder / STORE_NAME
        if not path.is_file():
            return False
        with reporting_failures(str(path)):
            return read_version(path) > 0

    @classmethod
    @contextmanager
    def read(cls, folder: Path) -> Iterator[Self]:
        """Open for reading, also while a driver writes. A store of an earlier release is upgraded first.

        Raises:
            UserError: there is no store, or it is of a later release.
        """
        path = folder / STORE_NAME
        if not path.is_file():
            raise UserError(f"{folder}: holds no sweep (no {STORE_NAME}); name a folder that `sweep run` has made")
        with reporting_failures(str(path)), open_for_reading(path) as connection:
            yield cls(connection, str(path))

    # -- what the sweep is about ---------------------------------------------------------------------------------

    def save_spec(self, spec: dict[str, Any], inputs: dict[str, Any], images: str) -> None:
        """Keep the resolved spec, its inputs and where its images lie, unless they are what was kept last."""
        if (self.load_spec(), self.load_images_folder()) != ((spec, inputs), images):
            self.connection.execute(
                "INSERT INTO specs (stored_at, spec, inputs, images) VALUES (?, ?, ?, ?)",
                (_now(), json.dumps(spec), json.dumps(inputs), images),
            )

    def load_spec(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return the spec and inputs kept last."""
        row = self.connection.execute("SELECT spec, inputs FROM specs ORDER BY spec_id DESC LIMIT 1").fetchone()
        with self._unpacking("its spec"):
            return (json.loads(row[0]), json.loads(row[1])) if row else None

    def load_images_folder(self) -> str | None:
        """Return where the images of the spec kept last lie."""
        row = self.connection.execute("SELECT images FROM specs ORDER BY spec_id DESC LIMIT 1").fetchone()
        return str(row[0]) if row else None

    def save_images(self, fingerprint: str, images: Images) -> None:
        """Keep the images' names, labels and patients: a report never needs the data set itself.

        What is said last holds: patients may be named anew without any change of the images.
        """
        row = (
            fingerprint,
            json.dumps(images.names),
            images.labels.astype("<i8").tobytes(),
            json.dumps(images.patients),
            images.copies,
            images.contradictions,
        )
        self.connection.execute("INSERT OR REPLACE INTO datasets VALUES (?, ?, ?, ?, ?, ?)", row)

    def load_images(self, fingerprint: str) -> Images | None:
        """Return what is known of a data set's images."""
        row = self.connection.execute(
            "SELECT names, labels, patients, copies, contradictions FROM datasets WHERE fingerprint = ?",
            (fingerprint,),
        ).fetchone()
        if row is None:
            return None
        with self._unpacking("its list of images"):
            names, patients = (tuple(json.loads(text)) for text in (row[0], row[2]))
            return Images(names, np.frombuffer(row[1], "<i8"), patients, *row[3:])

    def save_partition(self, fingerprint: str, identity: Mapping[str, Any], partition: Partition) -> None:
        """Keep which image went where. `identity` is all that decides it, given the images: `partition_identity`."""
        parts = (part.astype("<i8").tobytes() for part in (partition.training, partition.validation, partition.test))
        text = canonical_json(identity)
        self.connection.execute(
            "INSERT OR IGNORE INTO partitions VALUES (?, ?, ?, ?, ?, ?)", (fingerprint, short_hash(text), text, *parts)
        )

    def load_partition(self, fingerprint: str, identity: Mapping[str, Any]) -> Partition | None:
        """Return which image went where."""
        text = canonical_json(identity)
        row = self.connection.execute(
            "SELECT training, validation, test FROM partitions WHERE (data, partition) = (?, ?)",
            (fingerprint, short_hash(text)),
        ).fetchone()
        with self._unpacking(f"the partition {text}"):
            return Partition(*(np.frombuffer(part, "<i8") for part in row)) if row else None

    def save_complexity(self, features: str, backbone: Backbone, complexity: Complexity) -> None:
        """Keep what was counted in the built model behind a feature set (its folder's name)."""
        row = (features, backbone.family, backbone.alpha, backbone.resolution, *asdict(complexity).values())
        self.connection.execute("INSERT OR REPLACE INTO complexities VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def load_complexity(self, features: str) -> Complexity | None:
        """Return what was counted in the built model behind a feature set, if it was built."""
        row = self.connection.execute(
            "SELECT mult_adds, parameters, trainable_parameters FROM complexities WHERE features = ?", (features,)
        ).fetchone()
        return Complexity(*row) if row else None

    def save_origin(self, run_id: int, features: str, provenance: Mapping[str, Any] | None) -> None:
        """Keep under what a feature set was made that a run fitted heads on; None: the cache does not say."""
        row = (run_id, features, canonical_json(provenance))
        self.connection.execute("INSERT OR IGNORE INTO origins VALUES (?, ?, ?)", row)

    def load_origins(self) -> list[tuple[str, dict[str, Any], dict[str, Any] | None]]:
        """Return (feature set, provenance of the run that fitted on it, that of the features) of all runs, in order."""
        rows = self.connection.execute(
            """SELECT features, runs.provenance, origins.provenance FROM origins JOIN runs USING (run_id)
               ORDER BY run_id, features, origins.provenance"""
        )
        with self._unpacking("the origin of a feature set"):
            return [(features, json.loads(fitted), json.loads(made)) for features, fitted, made in rows]

    # -- what was done -------------------------------------------------------------------------------------------

    def begin_run(self, provenance: dict[str, Any]) -> int:
        """Open a run: one call of the driver. Returns its id."""
        cursor = self.connection.execute(
            "INSERT INTO runs (started_at, provenance) VALUES (?, ?)", (_now(), json.dumps(provenance))
        )
        return int(cursor.lastrowid or 0)

    def end_run(self, run_id: int) -> None:
        """Close a run; one that was killed stays open for ever."""
        self.connection.execute("UPDATE runs SET ended_at = ? WHERE run_id = ?", (_now(), run_id))

    def load_runs(self) -> list[tuple[str, str | None, dict[str, Any]]]:
        """Return (started_at, ended_at, provenance) of every run, in order."""
        rows = self.connection.execute("SELECT started_at, ended_at, provenance FROM runs ORDER BY run_id")
        with self._unpacking("the provenance of a run"):
            return [(started, ended, json.loads(provenance)) for started, ended, provenance in rows]

    def record(
        self,
        run_id: int,
        unit: UnitRecord,
        outcomes: Iterable[tuple[Trial, Outcome]] = (),
        curves: Iterable[Curve] = (),
    ) -> None:
        """Keep a unit and all it yielded, in one transaction: after a crash either all of it is there or nothing."""
        now, status = _now(), "failure" if unit.has_failed else "success"
        with self._transaction():
            self.connection.execute(
                "INSERT INTO units VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (unit.unit, unit.kind, run_id, unit.worker, float(unit.cost), unit.duration_s, now, status),
            )
            for trial, outcome in outcomes:
                self._record_outcome(run_id, now, trial, outcome)
            for curve in curves:
                self._record_curve(curve)

    def _record_outcome(self, run_id: int, now: str, trial: Trial, outcome: Outcome) -> None:
        row: dict[str, Any] = {
            "trial_id": trial.id,
            "head_id": trial.head_id,
            "run_id": run_id,
            "finished_at": now,
            **asdict(trial.backbone),
            "split": str(trial.split),
            "learning_rate": trial.learning_rate,
            "shuffle": trial.shuffle,
            "steps": trial.steps,
            "status": "success" if isinstance(outcome, Success) else "failure",
        }
        if isinstance(outcome, Success):
            row |= {name: getattr(outcome, name) for name in MEASURES}
            scores = (part.astype("<f4").tobytes() for part in (outcome.validation_scores, outcome.test_scores))
            self.connection.execute("INSERT INTO scores VALUES (?, ?, ?)", (trial.id, *scores))
        else:
            row["reason"] = outcome.reason
        columns, places = ", ".join(row), ", ".join(f":{column}" for column in row)
        self.connection.execute(f"INSERT INTO results ({columns}) VALUES ({places})", row)  # noqa: S608 - own names

    def _record_curve(self, curve: Curve) -> None:
        """Keep a head's curve, and the points that an earlier run read out at other budgets."""
        known = self.load_curve(curve.head_id) or curve
        steps, chosen = np.unique(np.concatenate([curve.steps, known.steps]), return_index=True)
        accuracy = np.concatenate([curve.accuracy, known.accuracy])[chosen]
        log_loss = np.concatenate([curve.log_loss, known.log_loss])[chosen]
        values = (steps.astype("<i4"), accuracy.astype("<f4"), log_loss.astype("<f4"))
        self.connection.execute(
            "INSERT OR REPLACE INTO curves VALUES (?, ?, ?, ?)", (curve.head_id, *(part.tobytes() for part in values))
        )

    # -- what is there -------------------------------------------------------------------------------------------

    def finished_ids(self) -> set[str]:
        """Ids of the trials that succeeded."""
        return {
            trial_id for (trial_id,) in self.connection.execute("SELECT trial_id FROM results WHERE status = 'success'")
        }

    def failures(self) -> dict[str, str]:
        """Id -> latest reason of the trials that failed and have not succeeded since."""
        rows = self.connection.execute(
            """SELECT trial_id, reason FROM results AS failed WHERE status = 'failure' AND NOT EXISTS (
                   SELECT 1 FROM results AS good WHERE good.trial_id = failed.trial_id AND good.status = 'success')
               ORDER BY rowid"""
        )
        return dict(rows.fetchall())

    def load_scores(self, trial_id: str, classes: int) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        """Return a trial's (validation, test) logits, each (images, classes) float32."""
        row = self.connection.execute("SELECT validation, test FROM scores WHERE trial_id = ?", (trial_id,)).fetchone()
        if row is None:
            return None
        with self._unpacking(f"the scores of trial {trial_id}"):
            validation, test = (np.frombuffer(part, "<f4").reshape(-1, classes) for part in row)
        return validation, test

    def load_curve(self, head_id: str) -> Curve | None:
        """Return a head's validation curve."""
        row = self.connection.execute(
            "SELECT steps, accuracy, log_loss FROM curves WHERE head_id = ?", (head_id,)
        ).fetchone()
        if row is None:
            return None
        with self._unpacking(f"the curve of head {head_id}"):
            return Curve(head_id, np.frombuffer(row[0], "<i4"), *(np.frombuffer(values, "<f4") for values in row[1:]))

    def load_durations(self) -> list[tuple[str, str, float]]:
        """Return (unit, kind, seconds on its worker) of every work unit when it last succeeded."""
        return self.connection.execute(
            """SELECT unit, kind, duration_s FROM units
               WHERE rowid IN (SELECT MAX(rowid) FROM units WHERE status = 'success' GROUP BY unit) ORDER BY rowid"""
        ).fetchall()

    def seconds_per_cost(self) -> dict[str, float]:
        """Kind of unit -> measured seconds per mult-add on one worker."""
        rows = self.connection.execute("SELECT kind, TOTAL(duration_s) / TOTAL(cost) FROM units GROUP BY kind")
        return dict(rows.fetchall())

    def damage(self, what: str) -> UserError:
        """Make the error of a store that does not hold what it should."""
        return UserError(f"{self.where}: is damaged ({what}); put a copy in its place, or move it away and run again")

    @contextmanager
    def _unpacking(self, what: str) -> Iterator[None]:
        """Turn JSON or an array that cannot be read into one line."""
        try:
            yield
        except ValueError as error:
            raise self.damage(f"{what}: {error}") from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
