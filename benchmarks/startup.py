"""How long the commands take that compute nothing: the median of five calls each, after one that is not counted.

`--help`, `plan` of the paper's spec on demo images that are already drawn, `status` of the smoke sweep, and `run` of
the smoke sweep once more when it is finished. Each is a process of its own, the start of Python included. A further
run of the finished sweep tells which heavy packages it had imported at its end: there should be none.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from measuring import (
    GRID_SPECS,
    Arguments,
    Bound,
    Measurement,
    list_imports,
    print_heading,
    print_measurements,
    run_sweep,
)

from sweep.store.store import Store
from sweep.store.stored_plan import load_sweep
from sweep.summary import describe_data, describe_weights

BLINK_BOUND = Bound(0.5)
AGAIN_BOUND = Bound(3)
NO_IMPORT_BOUND = Bound(0)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=5)
    repetitions = parser.parse_args().repetitions
    with tempfile.TemporaryDirectory(prefix="sweep-benchmark-") as folder:
        results = Path(folder)
        run_sweep("run", GRID_SPECS / "smoke.yaml", "--results", results, "--executor", "inline")
        with Store.read(results / "smoke") as store:
            _, inputs = load_sweep(store)
        notes = f"data     {describe_data(inputs)}", f"weights  {describe_weights(inputs)}"
        print_heading("startup", *notes, f"calls    median of {repetitions}")
        print_measurements(measure(results, repetitions))


def measure(results: Path, repetitions: int) -> list[Measurement]:
    """Time every command, and look at what the run of a finished sweep imports."""
    where: Arguments = ["--results", results]
    plan: Arguments = ["plan", GRID_SPECS / "mobilenet16.yaml", "--set", "data.source=demo", *where]
    again: Arguments = ["run", GRID_SPECS / "smoke.yaml", *where]
    status: Arguments = ["status", "smoke", *where]
    commands: list[tuple[str, Arguments, Bound]] = [
        ("sweep --help", ["--help"], BLINK_BOUND),
        ("sweep plan mobilenet16.yaml", plan, BLINK_BOUND),
        ("sweep status", status, BLINK_BOUND),
        ("sweep run, finished before", again, AGAIN_BOUND),
    ]
    measurements = [
        Measurement(name, time_command(arguments, repetitions), "s", bound) for name, arguments, bound in commands
    ]
    imported = list_imports(again)
    name = f"heavy packages it imported ({', '.join(imported) or 'none'})"
    return [*measurements, Measurement(name, len(imported), "", NO_IMPORT_BOUND)]


def time_command(arguments: Arguments, repetitions: int) -> float:
    """Return the median seconds of a command."""
    run_sweep(*arguments)
    return statistics.median(run_sweep(*arguments) for _ in range(repetitions))


if __name__ == "__main__":
    main()
