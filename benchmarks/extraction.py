"""How fast images go through frozen networks: our extraction against TensorFlow's bare compiled pass.

Both take the same decoded images, TensorFlow in batches of 32, in this process and on one thread, by turns, so that
what else the machine does hits both; of the rounds' seconds the median counts. TensorFlow's side is the traced
function alone, ours is `extract_features` with all that it does. Before, each side has run one batch. Also printed:
the seconds of the work unit that makes a network (built, weights loaded, counted, converted; TensorFlow and Keras are
imported before), the seconds to open it, and by how much the features differ: the root mean square of the differences
over that of the features. Rounding to float32 alone leaves TensorFlow's own 2e-6 to 3e-6 away from the same network in
float64.

Images come from --data or $SWEEP_DATA, weights from $KERAS_HOME. Where they are missing, noise and random weights
stand in, and the table says so.
"""

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from measuring import print_heading
from numpy.typing import NDArray
from tabulate import tabulate

from sweep.data.decode import decode_images
from sweep.methods.probe.extract import extract_features
from sweep.networks.build import build_network
from sweep.networks.recipe import Recipe
from sweep.networks.runtime import open_network
from sweep.networks.table import FeatureKind, Network, WeightsSource
from sweep.networks.threads import limit_threads
from sweep.networks.weights import locate_weights, read_weights

NETWORKS = (
    Network.of("mobilenet", alpha=0.25, resolution=128),
    Network.of("mobilenet", alpha=0.5, resolution=160),
    Network.of("mobilenet", alpha=0.75, resolution=192),
    Network.of("mobilenet", alpha=1.0, resolution=224),
    Network.of("mobilenet_v2", alpha=1.0, resolution=224),
)
BATCH_IMAGES = 32  # of TensorFlow's side; ours has its own
ROUND_BATCHES = 2
DIFFERENCE_BOUND = 1e-5
COLUMNS = ("network", "weights", "TensorFlow", "ours", "ratio", "made in", "opened in", "features differ by")

Predict = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was measured of one network: images a second, seconds, and a difference as a fraction."""

    network: Network
    weights: str
    engine: str
    tensorflow_per_s: float
    ours_per_s: float
    make_s: float
    open_s: float
    difference: float

    def cells(self) -> list[str]:
        """Return a row of the table."""
        speeds = [f"{speed:,.0f}/s" for speed in (self.tensorflow_per_s, self.ours_per_s)]
        ratio = f"{self.ours_per_s / self.tensorflow_per_s:.2f} x"
        verdict = "" if self.difference < DIFFERENCE_BOUND else f" OVER the bound of {DIFFERENCE_BOUND:g}"
        seconds = [f"{self.make_s:.1f} s", f"{self.open_s:.2f} s"]
        return [str(self.network), self.weights, *speeds, ratio, *seconds, f"{self.difference:.1e}{verdict}"]


def main() -> None:
    """Measure and print."""
    options = parse_options()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    limit_threads()
    import sweep.networks.keras_network  # noqa: F401 - importing it takes seconds that are no network's

    files = list_files(options.data, options.rounds * ROUND_BATCHES * BATCH_IMAGES)
    pictures = f"{len(files)} of {options.data}" if files else "noise: no data set"
    print_heading("extraction", f"images   {pictures}", "threads  1")
    print(
        tabulate(
            [compare(network, files, options.rounds).cells() for network in NETWORKS],
            COLUMNS,
            "plain",
            disable_numparse=True,
        )
    )


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given = os.environ.get("SWEEP_DATA")
    parser.add_argument("--data", type=Path, default=Path(given) if given else None, help="folder; else $SWEEP_DATA")
    parser.add_argument("--rounds", type=int, default=7, help="by turns, of 64 images each")
    return parser.parse_args()


def list_files(folder: Path | None, count: int) -> list[Path]:
    """Return so many images spread over a data set; none where there is none."""
    found = sorted(folder.rglob("*.jp*g")) if folder else []
    return found[:: max(1, len(found) // count)][:count]


def compare(network: Network, files: list[Path], rounds: int) -> Comparison:
    """Measure one network."""
    from sweep.networks.keras_network import compile_network

    images = read_images(files, network.resolution)
    recipe = choose_recipe(network, images[:BATCH_IMAGES])
    make_s, built = time_call(lambda: build_network(recipe))
    open_s, predict = time_call(lambda: open_network(built.payload))
    function = compile_network(recipe)
    sides: tuple[Predict, Predict] = (
        lambda given: run_bare(function, given),
        lambda given: extract_features(given, predict),
    )
    seconds, features = take_turns(sides, images, rounds)
    per_round = ROUND_BATCHES * BATCH_IMAGES
    bare, ours = features
    return Comparison(
        network,
        recipe.weights.source.value,
        built.engine.value,
        per_round / float(np.median(seconds[0])),
        per_round / float(np.median(seconds[1])),
        make_s,
        open_s,
        float(np.sqrt(np.square(ours - bare).mean() / np.square(bare).mean())),
    )


def read_images(files: list[Path], side: int) -> NDArray[np.uint8]:
    """Return the images decoded as a sweep does, or noise."""
    if not files:
        return np.random.default_rng(0).integers(0, 256, (ROUND_BATCHES * BATCH_IMAGES, side, side, 3), dtype=np.uint8)
    return decode_images([(file.name, file.read_bytes()) for file in files], [side], antialias=True)[0]


def choose_recipe(network: Network, calibration: NDArray[np.uint8]) -> Recipe:
    """Return the ImageNet weights where they are on this machine, else random ones."""
    kind, source = FeatureKind.POOLED, WeightsSource.IMAGENET
    path = locate_weights(source, None, kind, network)
    if path is None:
        source = WeightsSource.RANDOM
    return Recipe(network, kind, read_weights(source, kind, network, path), calibration=calibration)


def take_turns(
    sides: tuple[Predict, Predict], images: NDArray[np.uint8], rounds: int
) -> tuple[tuple[list[float], list[float]], list[NDArray[np.float32]]]:
    """Return the seconds of every round of each side, and each side's features of all images seen."""
    seconds: tuple[list[float], list[float]] = ([], [])
    features: tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]] = ([], [])
    for side in sides:
        side(images[:BATCH_IMAGES])
    size = ROUND_BATCHES * BATCH_IMAGES
    for number in range(rounds):
        start = number * size % max(1, len(images) - size + 1)
        for place in (0, 1) if number % 2 else (1, 0):
            elapsed_s, given = time_call(lambda: sides[place](images[start : start + size]))  # noqa: B023 - called at once
            seconds[place].append(elapsed_s)
            features[place].append(given)
    return seconds, [np.concatenate(side) for side in features]


def run_bare(function: Predict, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Run the traced function over batches."""
    starts = range(0, len(images), BATCH_IMAGES)
    return np.concatenate([np.asarray(function(images[start : start + BATCH_IMAGES])) for start in starts])


def time_call(call: Callable[[], Result]) -> tuple[float, Result]:
    """Return the seconds of a call and what it returned."""
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


if __name__ == "__main__":
    main()
