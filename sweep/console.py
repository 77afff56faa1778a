"""What the user sees while a sweep runs."""

import os
import re
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

from sweep.durations import describe_duration
from sweep.execution.chatter import Consoles
from sweep.execution.progress import Progress, count

if TYPE_CHECKING:
    from rich.console import RenderableType

PLAIN_INTERVAL_S = 5.0  # between two plain lines
REFRESHES_PER_S = 4
NARROWEST_BAR, WIDEST_BAR = 10, 40  # cells
FALLBACK_COLUMNS = 80


class Screen(Protocol):
    """Where a run says what it does."""

    def say(self, text: str) -> None:
        """Say what the command was asked for."""
        ...

    def note(self, line: str) -> None:
        """Say something that the user must know besides."""
        ...

    def begin(self, step: str) -> None:
        """Take notice of a step before the first work unit."""
        ...

    def watch(self, progress: Progress) -> None:
        """Take notice of a unit."""
        ...


class PlainScreen:
    """Lines for logs and pipes; of progress the first, the last, and one every few seconds between."""

    def __init__(self, consoles: Consoles) -> None:
        self._consoles = consoles
        self._last = float("-inf")

    def say(self, text: str) -> None:
        """Print to standard output."""
        print(wrap(text, self._consoles.out), file=self._consoles.out)

    def note(self, line: str) -> None:
        """Print to standard error."""
        print(wrap(line, self._consoles.err), file=self._consoles.err)

    def begin(self, step: str) -> None:
        """Say nothing: the units tell."""

    def watch(self, progress: Progress) -> None:
        """Print a line, unless one was printed just now."""
        now = time.monotonic()
        is_last = progress.units_done == progress.units
        if progress.units and (is_last or now - self._last >= PLAIN_INTERVAL_S):
            self._last = now
            self.say(describe_progress(progress))


class LiveScreen:
    """Two moving lines at the bottom of a terminal: the current step with the time, and a bar."""

    def __init__(self, consoles: Consoles) -> None:
        from rich.console import Console as RichConsole
        from rich.live import Live
        from rich.spinner import Spinner

        self._consoles = consoles
        self._console = RichConsole(file=consoles.out, force_terminal=True, highlight=False, markup=False, emoji=False)
        self._spinner = Spinner("dots", style="cyan")
        self._started = self._counted = time.monotonic()
        self._step = "starting"
        self._progress: Progress | None = None
        self._live = Live(
            console=self._console,
            refresh_per_second=REFRESHES_PER_S,
            transient=True,
            redirect_stdout=False,  # else what Ray prints in this process would come back from the log
            redirect_stderr=False,
            get_renderable=self._render,
        )
        self._live.start()

    def say(self, text: str) -> None:
        """Print above the moving lines."""
        self._console.print(wrap(text, self._consoles.out), soft_wrap=True)

    def note(self, line: str) -> None:
        """Print above the moving lines, or where standard error goes."""
        if self._consoles.err.isatty():
            self.say(line)
        else:
            print(line, file=self._consoles.err)

    def begin(self, step: str) -> None:
        """Show a step."""
        self._step = step

    def watch(self, progress: Progress) -> None:
        """Show how far the run is from now on; what changes in `progress` is seen by itself."""
        self._progress = progress
        self._counted = time.monotonic()

    def close(self) -> None:
        """Take the moving lines away."""
        self._live.stop()

    def _render(self) -> "RenderableType":
        """Draw anew, several times a second, whether or not anything has happened."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        width = count_columns(self._consoles.out)
        self._console.width = width
        now, progress = time.monotonic(), self._progress
        step = progress.step if progress and progress.step else self._step
        head = Table.grid(padding=(0, 1, 0, 0))
        head.add_row(self._spinner, Text(fit_step(step, now - self._started, width - 2), no_wrap=True))
        if progress is None or not progress.units:
            return head
        text = fit_fields(list_fields(progress, now - self._counted), width - NARROWEST_BAR - 1)
        bar = ProgressBar(
            total=1.0,
            completed=progress.share,
            width=max(1, min(WIDEST_BAR, width - len(text) - 1)),
            complete_style="green",
            finished_style="green",
        )
        line = Table.grid(padding=(0, 1, 0, 0))
        line.add_row(bar, Text(text, no_wrap=True))
        return Group(head, line)


@contextmanager
def show_progress(consoles: Consoles) -> Iterator[Screen]:
    """Yield the screen that suits the console."""
    if not consoles.out.isatty() or os.environ.get("TERM") in {"dumb", "unknown"}:
        yield PlainScreen(consoles)
        return
    live = LiveScreen(consoles)
    try:
        yield live
    finally:
        live.close()


def describe_progress(progress: Progress) -> str:
    """Return done of total, rate, time left or taken and failures in one line."""
    parts = [
        f"{progress.done:,}/{count(progress.trials, 'trial')}",
        f"{progress.units_done}/{count(progress.units, 'unit')}",
    ]
    computed = progress.done - progress.done_before
    if computed and progress.elapsed_s:
        parts.append(describe_rate(computed / progress.elapsed_s))
    if progress.units_done == progress.units:
        parts.append(f"in {describe_duration(progress.elapsed_s)}")
    else:
        parts += [f"after {describe_duration(progress.elapsed_s)}"] if progress.units_done else []
        parts.append("measuring" if progress.left_s is None else f"about {describe_duration(progress.left_s)} left")
    parts.append(f"{progress.failed:,} failed")
    return ", ".join(parts)


def list_fields(progress: Progress, since_s: float) -> list[str]:
    """Return what stands beside the bar, the most telling first; `since_s`: seconds since a unit ended.

    Share and bar are of the work; trials come in bundles, when a fit ends.
    """
    fields = [f"{int(100 * progress.share)} %", f"{progress.done:,}/{count(progress.trials, 'trial')}"]
    if progress.left_s is not None and progress.work_left:
        fields.append(f"about {describe_duration(max(1.0, progress.left_s - since_s))} left")
    if progress.failed:
        fields.insert(1, f"{progress.failed:,} failed")
    return fields


def fit_fields(fields: list[str], width: int) -> str:
    """Join as many fields as a width in cells takes, at least the first one."""
    taken = len(fields)
    while taken > 1 and len(", ".join(fields[:taken])) > width:
        taken -= 1
    return ", ".join(fields[:taken])


def fit_step(step: str, elapsed_s: float, width: int) -> str:
    """Return a step and the time since the start; where the width in cells is too small, the step is cut."""
    clock = f", {describe_duration(elapsed_s)}"
    room = max(0, width - len(clock))
    return (step if len(step) <= room else step[: max(0, room - 1)] + "…") + clock


def wrap(text: str, stream: TextIO) -> str:
    """Wrap lines at words where a terminal would cut them; files and pipes get them as they are."""
    if not stream.isatty():
        return text
    columns = count_columns(stream)
    return "\n".join(_wrap_line(line, columns) for line in text.splitlines())


def wrap_for_output(text: str) -> str:
    """Wrap what goes to standard output."""
    return wrap(text, sys.stdout)


def wrap_for_errors(text: str) -> str:
    """Wrap what goes to standard error."""
    return wrap(text, sys.stderr)


def count_columns(stream: TextIO) -> int:
    """Width of a terminal in cells."""
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return columns or shutil.get_terminal_size((FALLBACK_COLUMNS, 24)).columns


def describe_rate(per_second: float) -> str:
    """Return trials in the unit of time that makes them a number to read."""
    for seconds, unit in ((1, "s"), (60, "min")):
        if per_second * seconds >= 1:
            return f"{per_second * seconds:.1f} trials/{unit}"
    return f"{per_second * 3600:.1f} trials/h"


def _wrap_line(line: str, columns: int) -> str:
    """Wrap one line; what follows a label (`  data     ...`) stays in its column."""
    label = re.match(r"  \w+ {2,}", line)
    hang = " " * len(label[0]) if label else ""
    wrapped = textwrap.wrap(
        line, columns, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
    return "\n".join(wrapped) or line
