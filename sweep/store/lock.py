"""One driver per sweep folder."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sweep.errors import UserError

LOCK_NAME = "lock"


@contextmanager
def hold_lock(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the kernel lets go of it when the process ends, however it ends.

    Raises:
        UserError: another process holds it; the message names the process.
    """
    descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"{folder}: already being run by {_name_holder(descriptor)}; wait for it, "
                "or watch it with `sweep status`"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        yield
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


def _name_holder(descriptor: int) -> str:
    return os.read(descriptor, 200).decode(errors="replace").strip() or "an unknown process"
