"""Files that appear whole or not at all, also across a power cut."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from sweep.errors import FatalError

SUFFIX = ".part"
ABANDONED_S = 3600.0  # no array takes so long to write


def remove_leftovers(folder: Path) -> None:
    """Remove what killed processes have left half-written below a folder."""
    for path in folder.rglob(f".*{SUFFIX}"):
        with suppress(FileNotFoundError):  # a living process has just renamed it
            if time.time() - path.stat().st_mtime > ABANDONED_S:
                path.unlink()


@contextmanager
def write_beside(path: Path) -> Iterator[IO[bytes]]:
    """Write to a neighbour of `path`, then rename it into place.

    Raises:
        FatalError: the disk is full or cannot be written; nothing is left under the final name.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}{SUFFIX}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
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
