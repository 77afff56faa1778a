"""Files that appear whole or not at all, also across a power cut."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from sweep.errors import FatalError


@contextmanager
def write_beside(path: Path) -> Iterator[IO[bytes]]:
    """Write to a neighbour of `path`, then rename it into place.

    Raises:
        FatalError: the disk is full or cannot be written; nothing is left under the final name.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
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
            "make room or mend the disk, then run again"
        ) from error
    finally:
        with suppress(OSError):  # the disk may refuse even that, which must not hide why
            beside.unlink()
