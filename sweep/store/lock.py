"""One driver per sweep folder."""

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sweep.errors import UserError

LOCK_NAME = "lock"
TRIES, RETRY_AFTER_S = 5, 0.02  # `sweep status` holds the lock for an instant to see whether it is free


@contextmanager
def hold_lock(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the kernel lets go of it when the process ends, however it ends.

    Raises:
        UserError: another process holds it; the message names the process.
    """
    descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not any(_try_lock(descriptor) for _ in range(TRIES)):
            raise UserError(
                f"{folder}: already being run by {_name_holder(descriptor)}; wait for it, "
                "or watch it with `sweep status`"
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def try_lock(folder: Path) -> Iterator[bool]:
    """Say whether no driver runs in the folder, and keep it so. The file's time goes on telling the last run."""
    try:
        descriptor = os.open(folder / LOCK_NAME, os.O_RDONLY)
    except OSError as error:
        yield isinstance(error, FileNotFoundError)
        return
    try:
        yield _try_lock(descriptor)
    finally:
        os.close(descriptor)


def find_holder(folder: Path) -> str | None:
    """Name the process that runs the sweep at this moment, if one does."""
    try:
        descriptor = os.open(folder / LOCK_NAME, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _name_holder(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(RETRY_AFTER_S)
        return False
    return True


def _name_holder(descriptor: int) -> str:
    return os.read(descriptor, 200).decode(errors="replace").strip() or "an unknown process"
