"""Files that appear whole or not at all, also across a power cut."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from uuid import uuid4

from sweep.errors import FatalError

SUFFIX = ".part"
ABANDONED_S = 3600.0  # no array takes so long to write


def name_beside(path: Path) -> Path:
    """Return a name beside `path` that no process has: process numbers repeat where containers share a disk."""
    return path.with_name(f".{path.name}.{uuid4().hex}{SUFFIX}")


def remove_leftovers(folder: Path, *, deep: bool = True) -> None:
    """Remove the files and folders that killed processes have left half-written in a folder, and below where `deep`."""
    for path in list((folder.rglob if deep else folder.glob)(f".*{SUFFIX}")):
        with suppress(OSError):  # a living process has just renamed it, or it may not be removed
            if time.time() - _last_change(path) > ABANDONED_S:
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink()


def _last_change(path: Path) -> float:
    """Time of the last writing: of a folder the latest of what lies in it, as new files below that change."""
    inside = path.iterdir() if path.is_dir() else ()
    return max(float(each.stat().st_mtime) for each in (path, *inside))


@contextmanager
def write_beside(path: Path) -> Iterator[IO[bytes]]:
    """Write to a neighbour of `path`, then rename it into place.

    Raises:
        FatalError: the disk is full or cannot be written; nothing is left under the final name.
    """
    beside = name_beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)  # noqa: PTH105 - the name the rule is known by
    except OSError as error:
        raise FatalError(
            f"{path}: cannot be written ({error.strerror or error}); what was stored before is intact: "
            "make room, mend the disk or take another folder, then run again"
        ) from error
    finally:
        with suppress(OSError):  # the disk may refuse even that, which must not hide why
            beside.unlink()
