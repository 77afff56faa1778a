"""What a sweep stands on, as its store keeps it: the plan, the images and how they are parted."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.axes import Axis
from sweep.data.dataset import Images
from sweep.errors import UserError
from sweep.identity import canonical_json, short_hash
from sweep.planning.trial import Trial
from sweep.store.plans import (
    StoredPlan,
    hash_trials,
    pack_axes,
    pack_trials,
    read_object,
    unpack_axes,
    unpack_trials,
)

LAST_PLAN = "FROM plans ORDER BY plan_id DESC LIMIT 1"


class Basis:
    """Reads and writes what is known before anything is computed."""

    def __init__(self, connection: sqlite3.Connection, where: str = "store") -> None:
        self.connection = connection
        self.where = where

    # -- plans ---------------------------------------------------------------------------------------------------

    def save_plan(  # noqa: PLR0913, PLR0917 - the parts of a plan
        self,
        method: str,
        spec: Mapping[str, Any],
        inputs: Mapping[str, Any],
        axes: Sequence[Axis],
        trials: Iterable[Trial],
        images: str,
    ) -> None:
        """Keep a plan, unless it is what was kept last, in one transaction.

        spec, inputs: JSON objects. images: where the images lie. A trial that is known keeps its id and gets the
        values of axes it did not have: its points under an earlier plan stay readable.
        """
        trials = tuple(trials)
        row = (method, json.dumps(spec), json.dumps(inputs), pack_axes(axes), images, hash_trials(trials))
        kept = self.connection.execute(f"SELECT method, spec, inputs, axes, images, trials {LAST_PLAN}").fetchone()
        if kept == row:
            return
        with self._transaction():
            cursor = self.connection.execute(
                """INSERT INTO plans (stored_at, method, spec, inputs, axes, images, trials)
                   VALUES (?, ?, ?, ?, ?, ?, ?)""",
                (now(), *row),
            )
            self.connection.executemany(
                """INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (trial_id) DO UPDATE
                   SET point = json_patch(point, excluded.point) WHERE point <> excluded.point""",
                pack_trials(trials, axes, method),
            )
            self.connection.executemany(
                f"INSERT INTO plan_trials VALUES ({cursor.lastrowid}, ?, ?)",  # noqa: S608 - a number
                ((ordinal, trial.id) for ordinal, trial in enumerate(trials)),
            )

    def load_plan(self) -> StoredPlan | None:
        """Return the plan kept last."""
        row = self.connection.execute(f"SELECT plan_id, method, spec, inputs, axes, images {LAST_PLAN}").fetchone()
        if row is None:
            return None
        plan_id, method, spec, inputs, axes_text, images = row
        rows = self.connection.execute(
            """SELECT plan_trials.trial_id, fit_id, network_id, partition_id, point
               FROM plan_trials LEFT JOIN trials USING (trial_id) WHERE plan_id = ? ORDER BY ordinal""",
            (plan_id,),
        )
        with self._unpacking("its plan"):
            axes = unpack_axes(axes_text)
            trials = tuple(unpack_trials(rows, axes))
            return StoredPlan(method, read_object(spec), read_object(inputs), axes, trials, images)

    def load_spec(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return the spec and inputs of the plan kept last."""
        row = self.connection.execute(f"SELECT spec, inputs {LAST_PLAN}").fetchone()
        with self._unpacking("its spec"):
            return (read_object(row[0]), read_object(row[1])) if row else None

    def load_images_folder(self) -> str | None:
        """Return where the images of the plan kept last lie."""
        row = self.connection.execute(f"SELECT images {LAST_PLAN}").fetchone()
        return str(row[0]) if row else None

    # -- images --------------------------------------------------------------------------------------------------

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

    def save_partition(
        self, fingerprint: str, identity: Mapping[str, Any], parts: Mapping[str, NDArray[np.int64]]
    ) -> None:
        """Keep which image went where, unless it is kept.

        Args:
            fingerprint: of the data set.
            identity: all that decides it, given the images; its hash is the partition's id.
            parts: by name, for example "training", each (images of the part,) positions in the data set.
        """
        text = canonical_json(identity)
        key = (fingerprint, short_hash(text))
        with self._transaction():
            self.connection.execute("INSERT OR IGNORE INTO partitions VALUES (?, ?, ?)", (*key, text))
            self.connection.executemany(
                "INSERT OR IGNORE INTO parts VALUES (?, ?, ?, ?)",
                ((*key, part, images.astype("<i8").tobytes()) for part, images in parts.items()),
            )

    def load_partition(self, fingerprint: str, partition_id: str) -> dict[str, NDArray[np.int64]] | None:
        """Return which image went where: the parts by name, in the order in which they were kept."""
        rows = self.connection.execute(
            "SELECT part, images FROM parts WHERE (data, partition_id) = (?, ?) ORDER BY rowid",
            (fingerprint, partition_id),
        ).fetchall()
        with self._unpacking(f"the partition {partition_id}"):
            return {part: np.frombuffer(images, "<i8") for part, images in rows} or None

    # -- what can be wrong ---------------------------------------------------------------------------------------

    def damage(self, what: str) -> UserError:
        """Make the error of a store that does not hold what it should."""
        return UserError(f"{self.where}: is damaged ({what}); put a copy in its place, or move it away and run again")

    @contextmanager
    def _unpacking(self, what: str) -> Iterator[None]:
        """Turn JSON or an array that cannot be read into one line."""
        try:
            yield
        except KeyError as error:
            raise self.damage(f"{what}: lacks {error}") from error
        except (ValueError, TypeError) as error:
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


def now() -> str:
    """Return the time as stores have it: UTC, ISO 8601, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
