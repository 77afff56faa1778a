"""What a sweep costs beyond the forward passes that it cannot do without, and what it costs with its features there.

Bare passes: every backbone of the spec over every image, compiled, in batches of 32, in one process with
TensorFlow's own threads (all cores). Only the passes count: the images lie decoded in the sweep's cache, networks
are built before, and the first call of each is left out. For information the same with a process of one thread for
each core.

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
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import psutil
from measuring import GRID_SPECS, Bound, Measurement, print_heading, print_measurements, run_sweep

from sweep.catalogue import Backbone, WeightsSource
from sweep.execution.provenance import count_cores
from sweep.execution.resolve import Places, Prepared, locate_sweep, open_weights, prepare_sweep
from sweep.features.cache import ArrayCache
from sweep.features.extract import BATCH_IMAGES
from sweep.models.weights import locate_weights
from sweep.planning.expand import Plan, list_backbones
from sweep.planning.units import ExtractShard
from sweep.spec.load import load_spec
from sweep.store.store import STORE_NAME
from sweep.summary import describe_data, describe_start, describe_weights

DEFAULT_SPEC = GRID_SPECS / "mobilenet16.yaml"
COLD_BOUND = Bound(1.25)
WARM_BOUND = Bound(0.2)
DEFAULT_THREADS = 0  # TensorFlow's word for one a core


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
    if any(locate_weights(spec.weights, spec.features, backbone) is None for backbone in list_backbones(spec)):
        overrides = [*overrides, "weights=random"]
        spec = load_spec(path, overrides)
    prepared = prepare_sweep(spec, locate_sweep(spec, places, print), places, print, download=False)
    (places.cache / "hashes.json").unlink()  # fingerprinting the images is part of a cold run
    arguments: list[str | Path] = ["run", path, "--results", places.results]
    arguments += [argument for override in overrides for argument in ("--set", override)]
    return arguments + (["--data", places.data] if places.data else []), prepared


def measure(arguments: list[str | Path], prepared: Prepared) -> list[Measurement]:
    """Run cold and warm, and the bare passes between."""
    peaks = MemoryPeaks()
    cold_s = run_sweep(*arguments, watch=peaks.sample)
    bare_s = run_passes(prepared, processes=1, threads=DEFAULT_THREADS)
    split_s = run_passes(prepared, processes=count_cores(), threads=1)
    for file in prepared.folder.glob(f"{STORE_NAME}*"):
        file.unlink()
    warm_s = run_sweep(*arguments)
    return [
        Measurement("bare passes, one process", bare_s, "s"),
        Measurement(f"bare passes, {count_cores()} processes of one thread", split_s, "s"),
        Measurement("cold run", cold_s, "s"),
        Measurement("warm run", warm_s, "s"),
        Measurement("cold / bare passes in one process", cold_s / bare_s, "x", COLD_BOUND),
        Measurement("warm / cold", warm_s / cold_s, "x", WARM_BOUND),
        Measurement("driver, peak RSS", peaks.driver_rss / 1e6, "MB"),
        Measurement("largest worker, peak RSS", peaks.worker_rss / 1e6, "MB"),
        Measurement("largest worker, peak USS", peaks.worker_uss / 1e6, "MB"),
    ]


def run_passes(prepared: Prepared, processes: int, threads: int) -> float:
    """Share the batches out among fresh processes; return the seconds that the slowest spent in its passes."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return max(pool.map(partial(time_passes, prepared, threads, processes), range(processes)))


def time_passes(prepared: Prepared, threads: int, processes: int, part: int) -> float:
    """Return the seconds of this process's forward passes: every batch of number `part` modulo `processes`."""
    import tensorflow as tf

    from sweep.models.mobilenet import compile_mobilenet

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    cache = ArrayCache(prepared.cache)
    elapsed_s = 0.0
    for backbone, shards in group_by_backbone(prepared).items():
        calibration = cache.read(shards[0].calibration) if shards[0].calibration else None
        weights = open_weights(prepared, backbone)
        predict = compile_mobilenet(backbone, prepared.plan.spec.features, weights, calibration)
        images = [cache.read(shard.images) for shard in shards]
        starts = [(shard, start) for shard in images for start in range(0, len(shard), BATCH_IMAGES)][part::processes]
        predict(images[0][:BATCH_IMAGES])
        started = time.perf_counter()
        for shard, start in starts:
            np.asarray(predict(shard[start : start + BATCH_IMAGES]))
        elapsed_s += time.perf_counter() - started
    return elapsed_s


def group_by_backbone(prepared: Prepared) -> dict[Backbone, list[ExtractShard]]:
    """Return the extractions of each backbone, in the order of the plan."""
    groups = defaultdict(list)
    for unit in prepared.plan.units:
        if isinstance(unit, ExtractShard):
            groups[unit.backbone].append(unit)
    return groups


if __name__ == "__main__":
    main()
