"""The store: one SQLite file a sweep, written by the driver alone, holding every result exactly once.

A connection is an argument, so that a test can hold a store in memory.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sweep.errors import UserError
from sweep.identity import canonical_json
from sweep.outcome import Outcome, Series, Success
from sweep.store.basis import Basis, now
from sweep.store.connection import open_for_reading, open_for_writing, read_version, reporting_failures

STORE_NAME = "sweep.db"
SPEC_NAME = "spec.yaml"  # the resolved spec, for people; the store's copy is the one that counts


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """A work unit that was computed, or failed: what it cost in mult-adds, how long it took, and where.

    subject: what the seconds are about, for example a network's id.
    """

    unit: str
    kind: str
    worker: str
    cost: float
    duration_s: float
    has_failed: bool = False
    subject: str = ""


class Store(Basis):
    """Reads and writes one sweep's plan and results."""

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

    # -- what was done -------------------------------------------------------------------------------------------

    def begin_run(self, provenance: Mapping[str, Any]) -> int:
        """Open a run: one call of the driver. Returns its id."""
        cursor = self.connection.execute(
            "INSERT INTO runs (started_at, provenance) VALUES (?, ?)", (now(), json.dumps(provenance))
        )
        return int(cursor.lastrowid or 0)

    def end_run(self, run_id: int) -> None:
        """Close a run; one that was killed stays open for ever."""
        self.connection.execute("UPDATE runs SET ended_at = ? WHERE run_id = ?", (now(), run_id))

    def save_origin(self, run_id: int, subject: str, provenance: Mapping[str, Any] | None) -> None:
        """Keep under what a subject's arrays were made that a run stood on; None: the cache does not say."""
        row = (run_id, subject, canonical_json(provenance))
        self.connection.execute("INSERT OR IGNORE INTO origins VALUES (?, ?, ?)", row)

    def save_facts(self, facts: Mapping[tuple[str, str], Any]) -> None:
        """Keep facts, JSON values by (subject, name). What is said last holds."""
        self.connection.executemany(
            "INSERT OR REPLACE INTO facts VALUES (?, ?, ?)",
            ((subject, name, canonical_json(value)) for (subject, name), value in facts.items()),
        )

    def record(  # noqa: PLR0913, PLR0917 - all that is kept together or not at all
        self,
        run_id: int,
        unit: UnitRecord,
        outcomes: Iterable[Outcome] = (),
        series: Iterable[Series] = (),
        facts: Mapping[tuple[str, str], Any] | None = None,
        states: str | None = None,
    ) -> None:
        """Keep a unit and all it yielded, in one transaction: after a crash either all of it is there or nothing.

        facts: JSON values by (subject, name). states: the file in which the states of the successes lie.
        """
        finished_at, status = now(), "failure" if unit.has_failed else "success"
        with self._transaction():
            self.connection.execute(
                """INSERT INTO units (unit, kind, subject, run_id, worker, cost, duration_s, finished_at, status)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                (
                    *(unit.unit, unit.kind, unit.subject, run_id, unit.worker),
                    *(float(unit.cost), unit.duration_s, finished_at, status),
                ),
            )
            for outcome in outcomes:
                self._record_outcome(run_id, finished_at, outcome)
                if states is not None and isinstance(outcome, Success):
                    self.connection.execute("INSERT OR REPLACE INTO states VALUES (?, ?)", (outcome.trial_id, states))
            for each in series:
                self._record_series(each)
            self.save_facts(facts or {})

    def _record_outcome(self, run_id: int, finished_at: str, outcome: Outcome) -> None:
        trial_id = outcome.trial_id
        insert = "INSERT INTO results (trial_id, run_id, finished_at, status, reason) VALUES (?, ?, ?, ?, ?)"
        if not isinstance(outcome, Success):
            self.connection.execute(insert, (trial_id, run_id, finished_at, "failure", outcome.reason))
            return
        self.connection.execute(insert, (trial_id, run_id, finished_at, "success", None))
        self.connection.executemany(
            "INSERT INTO scores VALUES (?, ?, ?)",
            ((trial_id, part, logits.astype("<f4").tobytes()) for part, logits in outcome.scores.items()),
        )
        self.connection.executemany(
            "INSERT INTO measures VALUES (?, ?, ?, ?)",
            ((trial_id, part, metric, float(value)) for (part, metric), value in outcome.measures.items()),
        )

    def _record_series(self, new: Series) -> None:
        """Keep a series, and the points that an earlier run read out at other budgets."""
        known = next((each for each in self.load_series(new.fit_id) if _is_same(each, new)), new)
        steps, chosen = np.unique(np.concatenate([new.steps, known.steps]), return_index=True)
        values = np.concatenate([new.values, known.values])[chosen]
        self.connection.execute(
            "INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?, ?)",
            (new.fit_id, new.part, new.measure, steps.astype("<i4").tobytes(), values.astype("<f4").tobytes()),
        )

    # -- what is there -------------------------------------------------------------------------------------------

    def finished_ids(self) -> set[str]:
        """Ids of the trials that succeeded."""
        rows = self.connection.execute("SELECT trial_id FROM results WHERE status = 'success'")
        return {trial_id for (trial_id,) in rows}

    def failures(self) -> dict[str, str]:
        """Id -> latest reason of the trials that failed and have not succeeded since."""
        return {trial_id: str(reason) for trial_id, _, status, reason, _ in self.load_results() if status == "failure"}

    def load_results(self) -> list[tuple[str, int, str, str | None, str]]:
        """Return (trial id, run id, status, reason, finished at) of every trial with a result, in their order.

        A success wins over failures; else the latest counts.
        """
        return self.connection.execute(
            """SELECT trial_id, run_id, status, reason, finished_at FROM results
               WHERE status = 'success' OR rowid IN (
                   SELECT MAX(rowid) FROM results WHERE status = 'failure' AND trial_id NOT IN
                       (SELECT trial_id FROM results WHERE status = 'success') GROUP BY trial_id)
               ORDER BY rowid"""
        ).fetchall()

    def load_measures(self) -> list[tuple[str, str, str, float]]:
        """Return (trial id, part, metric, value) of every measure: fractions and nats."""
        return self.connection.execute("SELECT trial_id, part, metric, value FROM measures").fetchall()

    def load_scores(self, trial_id: str, part: str, classes: int) -> NDArray[np.float32] | None:
        """Return a trial's logits of a part, (images, classes) float32, in the partition's order."""
        row = self.connection.execute(
            "SELECT logits FROM scores WHERE (trial_id, part) = (?, ?)", (trial_id, part)
        ).fetchone()
        with self._unpacking(f"the {part} scores of trial {trial_id}"):
            return np.frombuffer(row[0], "<f4").reshape(-1, classes) if row else None

    def load_state_file(self, trial_id: str) -> str | None:
        """Return the name of the file in which a trial's state lies, if it was kept."""
        row = self.connection.execute("SELECT file FROM states WHERE trial_id = ?", (trial_id,)).fetchone()
        return str(row[0]) if row else None

    def uses_state_file(self, name: str) -> bool:
        """Whether the state of any trial lies in a file of this name."""
        return self.connection.execute("SELECT 1 FROM states WHERE file = ? LIMIT 1", (name,)).fetchone() is not None

    def load_series(self, fit_id: str) -> list[Series]:
        """Return how measures ran while a fit was trained, by part and measure."""
        rows = self.connection.execute(
            "SELECT part, measure, steps, series FROM series WHERE fit_id = ? ORDER BY part, measure", (fit_id,)
        ).fetchall()
        with self._unpacking(f"the series of fit {fit_id}"):
            return [_unpack_series(fit_id, *row) for row in rows]

    def load_facts(self) -> dict[str, dict[str, Any]]:
        """Return subject -> name -> value of every fact."""
        facts: dict[str, dict[str, Any]] = defaultdict(dict)
        with self._unpacking("its facts"):
            for subject, name, value in self.connection.execute("SELECT subject, name, value FROM facts"):
                facts[subject][name] = json.loads(value)
        return dict(facts)

    def load_origins(self) -> list[tuple[str, dict[str, Any], dict[str, Any] | None]]:
        """Return (subject, provenance of the run that stood on it, that of its arrays) of all runs, in order."""
        rows = self.connection.execute(
            """SELECT subject, runs.provenance, origins.provenance FROM origins JOIN runs USING (run_id)
               ORDER BY run_id, subject, origins.provenance"""
        )
        with self._unpacking("the origin of an array"):
            return [(subject, json.loads(run), json.loads(made)) for subject, run, made in rows]

    def load_runs(self) -> list[tuple[str, str | None, dict[str, Any]]]:
        """Return (started_at, ended_at, provenance) of every run, in order."""
        rows = self.connection.execute("SELECT started_at, ended_at, provenance FROM runs ORDER BY run_id")
        with self._unpacking("the provenance of a run"):
            return [(started, ended, json.loads(provenance)) for started, ended, provenance in rows]

    def load_durations(self) -> list[tuple[str, str, str, float]]:
        """Return (unit, kind, subject, seconds on its worker) of work units, a row a success, in order."""
        return self.connection.execute(
            "SELECT unit, kind, subject, duration_s FROM units WHERE status = 'success' ORDER BY rowid"
        ).fetchall()

    def seconds_per_cost(self) -> dict[str, float]:
        """Kind of unit -> measured seconds per mult-add on one worker; kinds that cost nothing are left out."""
        rows = self.connection.execute(
            "SELECT kind, TOTAL(duration_s) / TOTAL(cost) FROM units GROUP BY kind HAVING TOTAL(cost) > 0"
        )
        return dict(rows.fetchall())


def _is_same(series: Series, other: Series) -> bool:
    return (series.part, series.measure) == (other.part, other.measure)


def _unpack_series(fit_id: str, part: str, measure: str, steps: bytes, values: bytes) -> Series:
    """Raises ValueError where the lengths differ."""
    series = Series(fit_id, part, measure, np.frombuffer(steps, "<i4"), np.frombuffer(values, "<f4"))
    if len(series.steps) != len(series.values):
        raise ValueError(f"{len(series.steps)} steps with {len(series.values)} values")
    return series
