"""What a sweep costs beyond the forward passes that it cannot do without, and what it costs with its features there.

Bare passes: every network of the spec over every image as a compiled TensorFlow function, in batches of 32, in one
process with TensorFlow's own threads (all cores). Only the passes count: the images lie decoded in the sweep's cache,
networks are built before, and the first call of each is left out. The sweep itself runs its networks by LiteRT.

Reading, decoding, moving and storing: what the workers did not spend converting, extracting and fitting, from the
first unit on to the last.

Cold: `sweep run` as a user starts it, on an empty results folder. The images were read once before, so they come from
memory; demo images are drawn before. Warm: the same again without the store but with the cache.

Sizes are the largest of samples every half second. A worker's RSS counts arrays shared with others, its USS does not.

Images come from --data or $SWEEP_DATA, weights from $KERAS_HOME. Where they are missing, demo images and random
weights stand in, and the table says so. Of another grid, say a small one:

    python benchmarks/cold_and_warm.py --set grid.alpha=0.25 --set grid.resolution=128
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import psutil
from measuring import GRID_SPECS, Bound, Measurement, print_heading, print_measurements, run_sweep
from numpy.typing import NDArray

from sweep.execution.places import Places, locate_sweep
from sweep.execution.prepare import Prepared, prepare_sweep
from sweep.execution.provenance import count_cores
from sweep.methods.table import find_method
from sweep.networks.recipe import Recipe
from sweep.networks.table import FeatureKind, Network, Scaling, WeightsSource
from sweep.networks.weights import WeightsBlob, locate_weights
from sweep.planning.plan import Plan
from sweep.planning.units import WorkUnit
from sweep.spec.load import load_spec
from sweep.store.store import STORE_NAME, Store
from sweep.summary import describe_data, describe_start, describe_weights

DEFAULT_SPEC = GRID_SPECS / "mobilenet16.yaml"
COLD_BOUND = Bound(0.6)
MOVING_BOUND = Bound(0.1)
WARM_BOUND = Bound(0.2)
BATCH_IMAGES = 32
COMPUTING = ("convert", "extract", "fit")


@dataclass(slots=True)
class MemoryPeaks:
    """Largest sizes seen so far, in bytes."""

    driver_rss: int = 0
    worker_rss: int = 0
    worker_uss: int = 0

    def sample(self, driver_id: int) -> None:
        """Look at the driver and at the Ray workers below it."""
        with suppress(psutil.NoSuchProcess):
            driver = psutil.Process(driver_id)
            self.driver_rss = max(self.driver_rss, driver.memory_info().rss)
            for process in driver.children(recursive=True):
                self._sample_worker(process)

    def _sample_worker(self, process: psutil.Process) -> None:
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if " ".join(process.cmdline()).startswith("ray::"):
                memory = process.memory_full_info()
                self.worker_rss = max(self.worker_rss, memory.rss)
                self.worker_uss = max(self.worker_uss, memory.uss)


def main() -> None:
    """Measure and print."""
    options = parse_options()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    temporary = tempfile.TemporaryDirectory(prefix="sweep-benchmark-")
    with nullcontext(options.results) if options.results else temporary as folder:
        places = Places(Path(folder), options.data)
        arguments, prepared = prepare(options.spec, options.overrides, places)
        print_heading("cold and warm", *describe(options, prepared.plan))
        print_measurements(measure(arguments, prepared))


def describe(options: argparse.Namespace, plan: Plan) -> list[str]:
    """Return lines on what is run; another sweep than the one the bounds are about is called a trial run."""
    inputs = plan.inputs
    lines = [describe_start(plan), f"data     {describe_data(inputs)}", f"weights  {describe_weights(inputs)}"]
    sources = {weights.source for weights in inputs.weights.values()}
    is_real = not inputs.data.is_demo and WeightsSource.RANDOM not in sources
    if options.spec.name == DEFAULT_SPEC.name and not options.overrides and is_real:
        return lines
    return [*lines, f"TRIAL RUN: the bounds are about the whole of {DEFAULT_SPEC.name} on real images and weights"]


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spec", type=Path, default=DEFAULT_SPEC, help="of MobileNets")
    parser.add_argument("--data", type=Path, help="folder of images; else $SWEEP_DATA")
    parser.add_argument("--results", type=Path, help="new folder that keeps the results; else they are removed")
    parser.add_argument("--set", dest="overrides", metavar="KEY=VALUE", action="append", default=[])
    return parser.parse_args()


def prepare(path: Path, overrides: list[str], places: Places) -> tuple[list[str | Path], Prepared]:
    """Choose images and weights without the network; return the arguments of `sweep run`, and what it will run."""
    spec = load_spec(path, overrides)
    asked = find_method(spec.method).list_weights(spec)
    if any(locate_weights(each.source, spec.weights.path, each.features, each.network) is None for each in asked):
        overrides = [*overrides, "weights=random"]
        spec = load_spec(path, overrides)
    prepared = prepare_sweep(spec, locate_sweep(spec, places, print), places, print, download=False)
    (places.drawn / "hashes.json").unlink()  # fingerprinting the images is part of a cold run
    arguments: list[str | Path] = ["run", path, "--results", places.results]
    arguments += [argument for override in overrides for argument in ("--set", override)]
    return arguments + (["--data", places.data] if places.data else []), prepared


def measure(arguments: list[str | Path], prepared: Prepared) -> list[Measurement]:
    """Run cold and warm, and the bare passes between."""
    peaks = MemoryPeaks()
    cold_s = run_sweep(*arguments, watch=peaks.sample)
    moving = measure_moving(prepared.folder)
    bare_s = time_passes(prepared)
    for file in prepared.folder.glob(f"{STORE_NAME}*"):
        file.unlink()
    warm_s = run_sweep(*arguments)
    return [
        Measurement("bare passes", bare_s, "s"),
        Measurement("cold run", cold_s, "s"),
        Measurement("warm run", warm_s, "s"),
        Measurement("cold / bare passes", cold_s / bare_s, "x", COLD_BOUND),
        Measurement("reading, decoding, moving, storing / time of workers", moving, "x", MOVING_BOUND),
        Measurement("warm / cold", warm_s / cold_s, "x", WARM_BOUND),
        Measurement("driver, peak RSS", peaks.driver_rss / 1e6, "MB"),
        Measurement("largest worker, peak RSS", peaks.worker_rss / 1e6, "MB"),
        Measurement("largest worker, peak USS", peaks.worker_uss / 1e6, "MB"),
    ]


def measure_moving(folder: Path) -> float:
    """Return the share of the workers' time, from the first unit to the last, that is not spent computing."""
    with Store.read(folder) as store:
        spent = sum(seconds for _, kind, _, seconds in store.load_durations() if kind in COMPUTING)
    stamps = [line.split(" INFO ")[0] for line in (folder / "sweep.log").read_text().splitlines() if " INFO " in line]
    first, last = (datetime.fromisoformat(stamp.replace(",", ".")) for stamp in (stamps[0], stamps[-1]))
    return 1 - spent / ((last - first).total_seconds() * count_cores())


def time_passes(prepared: Prepared) -> float:
    """Return the seconds of all forward passes; a last batch that is not full counts by its images."""
    from sweep.networks.keras_network import compile_network

    read = prepared.artifacts.read
    elapsed_s = 0.0
    for convert, extracts in list_networks(prepared.plan):
        weights, *calibration = convert.needs
        predict = compile_network(
            make_recipe(convert, prepared.supply(weights), [*map(read, calibration)]), BATCH_IMAGES
        )
        images = [read(unit.needs[0]) for unit in extracts]
        whole = [(shard, start) for shard in images for start in range(0, len(shard) - BATCH_IMAGES + 1, BATCH_IMAGES)]
        predict(images[0][:BATCH_IMAGES])
        started = time.perf_counter()
        for shard, start in whole:
            np.asarray(predict(shard[start : start + BATCH_IMAGES]))
        elapsed_s += (time.perf_counter() - started) * sum(map(len, images)) / (BATCH_IMAGES * len(whole))
    return elapsed_s


def list_networks(plan: Plan) -> Iterator[tuple[WorkUnit, list[WorkUnit]]]:
    """Yield the conversion of each network and its extractions, in the order of the plan."""
    for convert in (unit for unit in plan.units if unit.kind == "convert"):
        yield convert, [unit for unit in plan.units if unit.kind == "extract" and convert.makes[0] in unit.needs]


def make_recipe(convert: WorkUnit, weights: NDArray[np.uint8], calibration: list[NDArray[np.uint8]]) -> Recipe:
    """Return what a network is built from."""
    settings = convert.settings
    return Recipe(
        network=Network.from_json(settings["network"]),
        kind=FeatureKind(settings["features"]),
        weights=WeightsBlob(WeightsSource(settings["source"]), settings["name"], weights.tobytes()),
        scaling=Scaling(settings["scaling"]),
        calibration=calibration[0] if calibration else None,
    )


if __name__ == "__main__":
    main()
