"""What the user sees while a sweep runs, and what goes to the log instead."""

import io
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from sweep.execution.progress import Progress

LOG_NAME = "sweep.log"
PLAIN_INTERVAL_S = 5.0  # between two plain lines


class Console(io.TextIOWrapper):
    """A terminal, file or pipe that may go away: a sweep does not end because nobody is watching any more."""

    def write(self, text: str) -> int:
        """Write, or do not where nobody listens."""
        with suppress(OSError):
            return super().write(text)
        return len(text)


@contextmanager
def divert_chatter(log: Path) -> Iterator[TextIO]:
    """Send all that this process and its children print to `log`; yield the console, which alone stays visible.

    TensorFlow and Ray write to the process's descriptors from C++, so the descriptors themselves are exchanged.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    handler = logging.FileHandler(log)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("sweep")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    with log.open("ab", buffering=0) as sink, Console(io.FileIO(os.dup(kept[0]), "w"), write_through=True) as console:
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
        try:
            yield console
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for descriptor, original in zip((1, 2), kept, strict=True):
                os.dup2(original, descriptor)
                os.close(original)
            logger.removeHandler(handler)
            handler.close()


class PlainProgress:
    """Lines of progress for logs and pipes: the first, the last, and one every few seconds between."""

    def __init__(self, console: TextIO) -> None:
        self._console = console
        self._last = float("-inf")

    def __call__(self, progress: Progress) -> None:
        """Take notice of a unit."""
        now = time.monotonic()
        is_last = progress.units_done == progress.units
        if progress.units and (is_last or now - self._last >= PLAIN_INTERVAL_S):
            self._last = now
            print(describe_progress(progress), file=self._console)


class LiveProgress:
    """A bar on a terminal."""

    def __init__(self, console: TextIO) -> None:
        from rich.console import Console as RichConsole
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        columns = (BarColumn(bar_width=30), TextColumn("{task.description}"))
        self._bar = Bar(*columns, console=RichConsole(file=console, force_terminal=True), transient=True)
        self._task = self._bar.add_task("starting", total=None)

    def __call__(self, progress: Progress) -> None:
        """Take notice of a unit."""
        if progress.units:
            self._bar.start()
            self._bar.update(
                self._task,
                total=progress.units,
                completed=progress.units_done,
                description=describe_progress(progress),
            )

    def close(self) -> None:
        """Take the bar away."""
        self._bar.stop()


@contextmanager
def show_progress(console: TextIO) -> Iterator[PlainProgress | LiveProgress]:
    """Yield the watcher that suits the console."""
    if not console.isatty():
        yield PlainProgress(console)
        return
    live = LiveProgress(console)
    try:
        yield live
    finally:
        live.close()


def describe_progress(progress: Progress) -> str:
    """Return done of total, rate, time left and failures in one line."""
    parts = [f"{progress.done:,}/{progress.trials:,} trials", f"{progress.units_done}/{progress.units} units"]
    computed = progress.done - progress.done_before
    if computed and progress.elapsed_s:
        parts.append(f"{computed / progress.elapsed_s:.1f} trials/s")
    parts.append(
        "about " + describe_duration(progress.left_s) + " left" if progress.left_s is not None else "measuring"
    )
    parts.append(f"{progress.failed:,} failed")
    return ", ".join(parts)


def describe_duration(seconds: float) -> str:
    """Return `42 s`, `3 min 5 s` or `2 h 4 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
