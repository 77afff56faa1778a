"""What thirty shuffles cost beside three, and what it takes to add them to a finished sweep.

Three sweeps as a user starts them, each a process of its own:

* cold: mobilenet16.yaml on an empty results folder;
* cold: mobilenet16_30.yaml on another;
* added: mobilenet16.yaml with `grid.shuffle={count: 30}` in the first folder.

The images were read once before, so they come from memory; demo images are drawn before. The added sweep must compute
the new trials and nothing else, and end with the bits of the second one.

Images come from --data or $SWEEP_DATA, weights from $KERAS_HOME. Where they are missing, demo images and random
weights stand in, and the table says so. Of another grid, say a small one:

    python benchmarks/repetitions.py --set grid.alpha=0.25 --set grid.resolution=128
"""

import argparse
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cold_and_warm import prepare
from measuring import GRID_SPECS, Bound, Measurement, print_heading, print_measurements, run_sweep

from sweep.execution.places import Places
from sweep.execution.prepare import Prepared
from sweep.networks.table import WeightsSource
from sweep.planning.plan import Plan
from sweep.store.store import Store
from sweep.summary import describe_data, describe_start, describe_weights

FEW, MANY = GRID_SPECS / "mobilenet16.yaml", GRID_SPECS / "mobilenet16_30.yaml"
ADDED = ["grid.shuffle={count: 30}"]
COLD_BOUND = Bound(2)
NONE = Bound(0)
ALL = Bound(100, is_floor=True)


@dataclass(frozen=True, slots=True)
class Work:
    """What a store says was done: seconds of workers and number of units by kind, and all results by trial."""

    seconds: Counter[str]
    units: Counter[str]
    results: dict[str, tuple[object, ...]]  # id of the run first, then figures and scores


def main() -> None:
    """Measure and print."""
    options = parse_options()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    with tempfile.TemporaryDirectory(prefix="sweep-benchmark-") as folder:
        few = prepare(FEW, options.overrides, Places(Path(folder, "few"), options.data))
        many = prepare(MANY, options.overrides, Places(Path(folder, "many"), options.data))
        print_heading("repetitions", *describe(options.overrides, few[1].plan, many[1].plan))
        print_measurements(measure(few, many))


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of images; else $SWEEP_DATA")
    parser.add_argument("--set", dest="overrides", metavar="KEY=VALUE", action="append", default=[])
    return parser.parse_args()


def describe(overrides: Sequence[str], few: Plan, many: Plan) -> list[str]:
    """Return lines on what is run; other sweeps than those the bounds are about are called a trial run."""
    inputs = few.inputs
    lines = [describe_start(few), describe_start(many)]
    lines += [f"data     {describe_data(inputs)}", f"weights  {describe_weights(inputs)}"]
    sources = {weights.source for weights in inputs.weights.values()}
    if overrides or inputs.data.is_demo or WeightsSource.RANDOM in sources:
        lines.append("TRIAL RUN: the bounds are about the whole grids on real images and weights")
    return lines


def measure(few: tuple[list[str | Path], Prepared], many: tuple[list[str | Path], Prepared]) -> list[Measurement]:
    """Run the three sweeps, and compare what they stored."""
    few_s = run_sweep(*few[0])
    before = read_work(few[1])
    many_s = run_sweep(*many[0])
    target = read_work(many[1])
    added_s = run_sweep(*few[0], *(part for override in ADDED for part in ("--set", override)))
    after = read_work(few[1])
    new = after.results.keys() - before.results.keys()
    again = sum(after.results[trial] != result for trial, result in before.results.items())
    prepared_again = sum(after.units[kind] - before.units[kind] for kind in ("decode", "extract"))
    alike = sum(after.results.get(trial, ())[1:] == result[1:] for trial, result in target.results.items())
    return [
        Measurement(f"cold run, {len(before.results):,} trials", few_s, "s"),
        Measurement(f"cold run, {len(target.results):,} trials", many_s, "s"),
        Measurement(f"{len(new):,} trials added to the first", added_s, "s"),
        Measurement("cold run of many / of few shuffles", many_s / few_s, "x", COLD_BOUND),
        Measurement("seconds of workers in fits, few shuffles", before.seconds["fit"], "s"),
        Measurement("seconds of workers in fits, many shuffles", target.seconds["fit"], "s"),
        Measurement("seconds of workers in extractions, many shuffles", target.seconds["extract"], "s"),
        Measurement("finished trials computed again when shuffles are added", again, "", NONE),
        Measurement("decodings and extractions done again", prepared_again, "", NONE),
        Measurement("trials that equal those of the cold run bit for bit", 100 * alike / len(target.results), "%", ALL),
    ]


def read_work(prepared: Prepared) -> Work:
    """Read a store."""
    seconds: Counter[str] = Counter()
    units: Counter[str] = Counter()
    with Store.read(prepared.folder) as store:
        for kind, duration_s, count in store.connection.execute(
            "SELECT kind, SUM(duration_s), COUNT(*) FROM units GROUP BY kind"
        ):
            seconds[kind], units[kind] = duration_s, count
        rows = store.connection.execute(
            """SELECT trial_id, run_id, validation_log_loss, test_log_loss, validation, test
               FROM results JOIN scores USING (trial_id) WHERE status = 'success'"""
        ).fetchall()
    return Work(seconds, units, {trial: tuple(result) for trial, *result in rows})


if __name__ == "__main__":
    main()
