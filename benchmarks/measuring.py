"""What the benchmarks share: a measurement, its bound, and a run of `sweep` in a process of its own."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from tabulate import tabulate

from sweep.execution.provenance import describe_machine

GRID_SPECS = Path(__file__).parents[1] / "grid_specs"
COMMAND = (sys.executable, "-m", "sweep")
WATCH_INTERVAL_S = 3.0  # counting the pages of a process stops it for a moment
HEAVY_PACKAGES = ("tensorflow", "keras", "ray")
PROBE = f"""
import sys
from sweep.cli import run_command
code = run_command(sys.argv[1:])
print(*(name for name in {HEAVY_PACKAGES} if name in sys.modules))
sys.exit(code)
"""

Arguments = Sequence[str | Path]


@dataclass(frozen=True, slots=True)
class Bound:
    """What was promised of a value: at most `limit`, or, as a floor, at least."""

    limit: float
    is_floor: bool = False

    def holds(self, value: float) -> bool:
        """Whether a value keeps the promise."""
        return value >= self.limit if self.is_floor else value <= self.limit


@dataclass(frozen=True, slots=True)
class Measurement:
    """A value with its unit; without a bound it is there for information."""

    name: str
    value: float
    unit: str
    bound: Bound | None = None

    def cells(self) -> list[str]:
        """Return name, value, bound and verdict as text."""
        cells = [self.name, f"{self.value:,.2f} {self.unit}".rstrip()]
        if self.bound is None:
            return cells
        kind = "at least" if self.bound.is_floor else "at most"
        verdict = "within the bound" if self.bound.holds(self.value) else "OVER the bound"
        return [*cells, f"{kind} {self.bound.limit:g} {self.unit}".rstrip(), verdict]


def print_heading(title: str, *notes: str) -> None:
    """Print what is about to be measured, on which machine, and how busy it is: others' load spoils a measurement."""
    machine = describe_machine()
    load = f"load {psutil.getloadavg()[0]:.1f} before"
    print(title, f"  machine  {machine['cpu']}, {machine['cores']} cores, {load}", sep="\n")
    print(*(f"  {note}" for note in notes), sep="\n", flush=True)


def print_measurements(measurements: Iterable[Measurement]) -> None:
    """Print a table of them."""
    rows = [measurement.cells() for measurement in measurements]
    print(tabulate(rows, tablefmt="plain", colalign=("left", "right"), disable_numparse=True))


def run_sweep(*arguments: str | Path, watch: Callable[[int], None] = lambda _: None) -> float:
    """Run a command of `sweep` and return its seconds, the start of Python included.

    `watch` is called with the process's id every WATCH_INTERVAL_S. A command that fails ends the benchmark.
    """
    command = [*COMMAND, *map(str, arguments)]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        output = None
        while output is None:
            try:
                output, _ = process.communicate(timeout=WATCH_INTERVAL_S)
            except subprocess.TimeoutExpired:
                watch(process.pid)
        elapsed_s = time.perf_counter() - started
    if process.returncode:
        sys.exit(f"{' '.join(command)}: exit code {process.returncode}\n{output}")
    return elapsed_s


def list_imports(arguments: Arguments) -> list[str]:
    """Run a command and return the heavy packages that are imported when it ends."""
    command = [sys.executable, "-c", PROBE, *map(str, arguments)]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    return finished.stdout.splitlines()[-1].split()
