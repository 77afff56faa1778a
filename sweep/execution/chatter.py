"""What libraries print goes to a sweep's log, whatever they print it with."""

import io
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, TypeVar

LOG_NAME = "sweep.log"
OUT, ERR = 1, 2  # descriptors of standard output and standard error

Given = TypeVar("Given")
_one_at_a_time = threading.Lock()  # descriptors belong to the process


class Console(io.TextIOWrapper):
    """A terminal, file or pipe that may go away: a sweep does not end because nobody is watching any more."""

    def write(self, text: str) -> int:
        """Write, or do not where nobody listens."""
        with suppress(OSError):
            return super().write(text)
        return len(text)


@dataclass(frozen=True, slots=True)
class Consoles:
    """What stays visible: the command's own standard output and standard error."""

    out: TextIO
    err: TextIO


@contextmanager
def divert_chatter(log: Path) -> Iterator[Consoles]:
    """Send all that this process and its children print to `log`; yield the consoles, which alone stay visible.

    TensorFlow and Ray write to the process's descriptors from C++, so the descriptors themselves are exchanged.
    """
    with _exchange(log, (OUT, ERR)) as (out, err), _open_console(out) as visible, _open_console(err) as errors:
        yield Consoles(visible, errors)


@contextmanager
def divert_errors(log: Path) -> Iterator[Callable[[Callable[[Given], None]], Callable[[Given], None]]]:
    """Send to `log` what libraries print to standard error; for a caller that is no command of ours.

    Standard output is left alone. Yields a function that wraps the caller's own callbacks: what they print is seen.
    Within another such block, in another thread, nothing is diverted.
    """
    if not _one_at_a_time.acquire(blocking=False):
        yield lambda callback: callback
        return
    try:
        with _exchange(log, (ERR,)) as (kept,):
            diverted = os.dup(ERR)

            def aloud(callback: Callable[[Given], None]) -> Callable[[Given], None]:
                def call(given: Given) -> None:
                    _point(ERR, kept)
                    try:
                        callback(given)
                    finally:
                        _point(ERR, diverted)

                return call

            try:
                yield aloud
            finally:
                os.close(diverted)
    finally:
        _one_at_a_time.release()


@contextmanager
def _exchange(log: Path, descriptors: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Let descriptors, and the logger of this package, write to `log`; yield copies of what they were."""
    log.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(log)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("sweep")
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    kept = tuple(os.dup(descriptor) for descriptor in descriptors)
    try:
        with log.open("ab", buffering=0) as sink:
            for descriptor in descriptors:
                _point(descriptor, sink.fileno())
        yield kept
    finally:
        for descriptor, original in zip(descriptors, kept, strict=True):
            _point(descriptor, original)
            os.close(original)
        logger.setLevel(level)
        logger.removeHandler(handler)
        handler.close()


def _point(descriptor: int, target: int) -> None:
    with suppress(OSError, ValueError):  # a console that has gone away, or was closed
        (sys.stdout if descriptor == OUT else sys.stderr).flush()
    os.dup2(target, descriptor)


def _open_console(descriptor: int) -> Console:
    return Console(io.FileIO(os.dup(descriptor), "w"), write_through=True)
