"""Planning a million trials, and finding what is missing among a million stored results.

Planning is the whole command `sweep plan` on a spec of 16 networks x 5 splits x 5 learning rates x 5 step budgets and
as many shuffles as it takes; its memory is the peak RSS of that process. Missing: a store is filled with a result for
every trial, one in 50 of them a failure. Then the ids of the finished trials and of the failures are read and the
units found that would run the failures again, with nothing cached. Filling the store is not timed.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from measuring import Bound, Measurement, print_heading, print_measurements, run_sweep

import sweep
from sweep.planning.plan import Plan
from sweep.planning.schedule import find_missing_units
from sweep.store.store import Store

PLAN_BOUND = Bound(30)
MEMORY_BOUND = Bound(3)
MISSING_BOUND = Bound(10)
FAILURE_INTERVAL = 50
AXES: dict[str, Any] = {
    "network": "mobilenet",
    "alpha": [1.0, 0.75, 0.5, 0.25],
    "resolution": [224, 192, 160, 128],
    "split": ["80/10/10", "70/15/15", "60/20/20", "50/25/25", "40/30/30"],
    "learning_rate": [0.1, 0.03, 0.01, 0.003, 0.001],
    "steps": [500, 1000, 1500, 2000, 2500],
}
TRIALS_PER_SHUFFLE = 4 * 4 * 5 * 5 * 5
INSERT = """
    INSERT INTO results (trial_id, run_id, finished_at, status, reason)
    VALUES (?, ?, '2020-01-01T00:00:00.000+00:00', ?, ?)"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1_000_000, help=f"rounded to a multiple of {TRIALS_PER_SHUFFLE}")
    shuffles = max(1, round(parser.parse_args().trials / TRIALS_PER_SHUFFLE))
    print_heading(
        "planning",
        f"trials   {shuffles * TRIALS_PER_SHUFFLE:,}",
        "data     DEMO IMAGES, as few as leave every class some in every part",
    )
    with tempfile.TemporaryDirectory(prefix="sweep-benchmark-") as folder:
        print_measurements(measure(Path(folder), shuffles))


def measure(folder: Path, shuffles: int) -> list[Measurement]:
    """Plan as a command, then fill a store and find what is missing in it."""
    spec = write_spec(folder / "planning.yaml", shuffles)
    planned_s = run_sweep("plan", spec, "--results", folder)
    # In kB on Linux, and of the largest child; there has been no other but a `git describe` of its own.
    peak_gb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
    plan = sweep.plan(spec, results=folder)
    with Store.open(folder) as store:
        fill_results(store, plan)
    missing_s = time_search(folder, plan)
    return [
        Measurement("sweep plan", planned_s, "s", PLAN_BOUND),
        Measurement("sweep plan, peak RSS", peak_gb, "GB", MEMORY_BOUND),
        Measurement("finding what is missing", missing_s, "s", MISSING_BOUND),
    ]


def write_spec(path: Path, shuffles: int) -> Path:
    """Write a spec of demo images and random weights, so that planning needs neither a folder nor the network."""
    data = {"source": "demo", "demo": {"images": 100}}
    spec = {"name": path.stem, "data": data, "weights": "random", "grid": {**AXES, "shuffle": list(range(shuffles))}}
    path.write_text(json.dumps(spec))
    return path


def fill_results(store: Store, plan: Plan) -> None:
    """Keep a result for every trial, in plain SQL and one transaction."""
    run_id = store.begin_run({})
    store.connection.execute("BEGIN")
    store.connection.executemany(INSERT, list_rows(plan, run_id))
    store.connection.execute("COMMIT")


def list_rows(plan: Plan, run_id: int) -> Iterator[tuple[Any, ...]]:
    """Yield a row for each trial; one in FAILURE_INTERVAL is a failure."""
    for number, trial in enumerate(plan.trials):
        end = ("success", None) if number % FAILURE_INTERVAL else ("failure", "diverged: cross-entropy nan")
        yield (trial.id, run_id, *end)


def time_search(folder: Path, plan: Plan) -> float:
    """Return the seconds from opening the store to the units that would run its failures again."""
    started = time.perf_counter()
    with Store.read(folder) as store:
        ids = {trial.id for trial in plan.trials}
        done = ids & store.finished_ids()
        failed = ids & store.failures().keys() - done
        units = find_missing_units(plan.units, ids - done, lambda _: False)
    elapsed_s = time.perf_counter() - started
    found = {trial.id for unit in units for trial in unit.trials}
    if found != failed or len(failed) != -(-len(ids) // FAILURE_INTERVAL):
        raise RuntimeError(f"found {len(found):,} trials to run, and {len(failed):,} failures")
    return elapsed_s


if __name__ == "__main__":
    main()
