"""Connections to a store's file, and what can be wrong with the file in a line."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sweep.errors import FatalError, UserError
from sweep.store.lock import try_lock
from sweep.store.migrations import SCHEMA_VERSION, check_version, migrate

PATIENCE_S = 60.0  # a long report holds the file while it reads


@contextmanager
def open_for_writing(path: Path) -> Iterator[sqlite3.Connection]:
    """Make or upgrade a store where needed and yield a connection; in WAL mode, so that others read meanwhile."""
    with closing(_connect(path.as_posix())) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # a committed result outlives a power cut
        _upgrade(connection, path)
        try:
            yield connection
        finally:
            with suppress(sqlite3.OperationalError):  # somebody is reading just now: leave it as it is
                connection.execute("PRAGMA busy_timeout = 5000")
                connection.execute("PRAGMA journal_mode = DELETE")  # readable in a folder that is not writable


@contextmanager
def open_for_reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection to a store of this version that writes nothing.

    An older store is upgraded first: in its place where no driver runs and the folder can be written, else as a copy
    in memory.

    Raises:
        UserError: the store is newer than this release, or holds nothing yet.
    """
    if 0 < read_version(path) < SCHEMA_VERSION:
        _upgrade_in_place(path)
    with closing(_connect_to_read(path)) as connection:
        version = check_version(connection, str(path))
        if not version:
            raise UserError(f"{path}: holds nothing yet; run the sweep first")
        if version == SCHEMA_VERSION:
            yield connection
            return
        with closing(_copy_upgraded(connection, str(path))) as copy:
            yield copy


def read_version(path: Path) -> int:
    """Return a store's version, 0 where it is still being made. UserError where it is newer than this release."""
    with closing(_connect_to_read(path)) as connection:
        return check_version(connection, str(path))


@contextmanager
def reporting_failures(where: str) -> Iterator[None]:
    """Turn SQLite's word for a busy, full or broken disk, or a file that is no store, into one line."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise FatalError(
                f"{where}: another process has been reading or writing it for {PATIENCE_S:g} s ({error}); what was "
                "stored before is intact: wait for its end, or end it, then run again"
            ) from error
        raise FatalError(
            f"{where}: cannot be read or written ({error}); what was stored before is intact: "
            "make room, mend the disk or take another folder, then run again"
        ) from error
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorname", "") not in {"SQLITE_NOTADB", "SQLITE_CORRUPT"}:
            raise
        raise UserError(f"{where}: is no store of sweep ({error}); move it away, or name another folder") from error


def _upgrade(connection: sqlite3.Connection, path: Path) -> None:
    """Bring a store to this version; where that moved its rows, give the room they took back to the disk."""
    if migrate(connection, str(path)):
        with suppress(sqlite3.OperationalError):  # the disk has no room for a second copy: later rows take the first's
            connection.execute("VACUUM")


def _upgrade_in_place(path: Path) -> None:
    """Upgrade a store in its place, or leave it as it is where that cannot be done now."""
    with try_lock(path.parent) as is_mine, suppress(sqlite3.OperationalError):
        if is_mine:
            with closing(_connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)) as connection:
                _upgrade(connection, path)


def _copy_upgraded(source: sqlite3.Connection, where: str) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", isolation_level=None)
    source.backup(copy)
    migrate(copy, where)
    copy.execute("PRAGMA query_only = ON")
    return copy


def _connect_to_read(path: Path) -> sqlite3.Connection:
    """Connect without writing; but for what a killed process left half-written, which is rolled back first."""
    where = path.resolve().as_uri()
    connection = _connect(f"{where}?mode=ro", uri=True)
    try:
        connection.execute("PRAGMA user_version")
    except sqlite3.OperationalError as error:
        connection.close()
        if not getattr(error, "sqlite_errorname", "").startswith("SQLITE_READONLY"):
            raise
        with closing(_connect(f"{where}?mode=rw", uri=True)) as writer:
            writer.execute("PRAGMA user_version")
        return _connect(f"{where}?mode=ro", uri=True)
    return connection


def _connect(where: str, *, uri: bool = False) -> sqlite3.Connection:
    return sqlite3.connect(where, timeout=PATIENCE_S, isolation_level=None, uri=uri)
