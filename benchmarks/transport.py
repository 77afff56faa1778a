"""What the driver moves to its workers and back, for each image, and where the bytes go.

The work units of mobilenet16 on images that are not there: every array has its true shape, and no network runs. Arrays
travel in three ways: on this machine, where workers open them; on a cluster (three machines, all of them this one)
whose machines reach a place for them (`--cache`); and on a cluster without one, where they go through the driver. What
does not grow with the images (weights, networks, jobs) is measured with half of them and taken off.

The results of the three must be equal.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Measurement, print_heading, print_measurements
from numpy.typing import NDArray

from sweep.execution.driver import Driver, Task
from sweep.execution.executor import Executor, Source
from sweep.execution.progress import Progress, count
from sweep.methods.table import Kind
from sweep.outcome import Series, Success, Yield
from sweep.planning.trial import Trial
from sweep.planning.units import ArtifactKey, WorkUnit
from sweep.store.artifacts import Artifacts
from sweep.store.store import Store

ALPHAS = {0.25: 1_900_000, 0.5: 5_300_000, 0.75: 10_300_000, 1.0: 17_000_000}  # with bytes of weights, about
RESOLUTIONS = (128, 160, 192, 224)
WIDTH = 1024  # of features, times alpha
SCORED = (0.2, 0.4, 0.6)  # of the images, by split
TRIALS_PER_SPLIT = 27  # 3 shuffles, 3 learning rates, 3 step budgets
CLASSES = 2

KINDS = {
    "decode": Kind(1, "transport:decode", "decoding", "decoding"),
    "convert": Kind(1, "transport:convert", "conversion", "converting"),
    "extract": Kind(2, "transport:extract", "extraction", "extracting"),
    "fit": Kind(0, "transport:fit", "fit", "fitting", prepare="transport:name_trials"),
}


# -- what workers do -------------------------------------------------------------------------------------------------


def decode(_: Mapping[str, Any], arrays: Sequence[Any]) -> Yield:
    """Yield blank images of every resolution."""
    (files,) = arrays
    return Yield(tuple(np.zeros((len(files), side, side, 3), np.uint8) for side in RESOLUTIONS))


def convert(_: Mapping[str, Any], arrays: Sequence[NDArray[Any]]) -> Yield:
    """Yield the weights."""
    return Yield((arrays[0],))


def extract(settings: Mapping[str, Any], arrays: Sequence[NDArray[Any]]) -> Yield:
    """Yield features of an alpha's width."""
    return Yield((np.ones((len(arrays[0]), settings["width"]), np.float32),))


def fit(settings: Mapping[str, Any], arrays: Sequence[NDArray[Any]]) -> Yield:
    """Yield scores of validation and test images, states and curves."""
    *shards, _ = arrays
    images, width = sum(map(len, shards)), shards[0].shape[1]
    outcomes = [
        Success(
            trial_id,
            {"test": np.zeros((int(images * share), CLASSES), np.float32)},
            {("test", "accuracy"): 0.5},
            {"weights": np.zeros((width + 1, CLASSES), np.float32)},
        )
        for trial_id, share in settings["trials"].items()
    ]
    points = np.arange(10)
    series = Series(settings["fit"], "validation", "accuracy", points.astype(np.int32), points.astype(np.float32))
    return Yield(outcomes=tuple(outcomes), series=(series,))


# -- what the driver knows -------------------------------------------------------------------------------------------


def name_trials(_: Any, unit: WorkUnit) -> dict[str, Any]:
    """Return the trials with the share of the images that each is scored on."""
    return {"trials": {trial.id: trial.point[0] for trial in unit.trials}, "fit": unit.key}


@dataclass(frozen=True, slots=True)
class Mock:
    """A sweep of so many images in files of so many bytes."""

    images: int
    file_bytes: int
    images_per_shard: int

    def supply(self, key: ArtifactKey) -> Any:
        """Return an input of the true size."""
        if key.kind == "files":
            return [(f"{number:07}.jpeg", bytes(self.file_bytes)) for number in range(*map(int, key.part.split("-")))]
        return np.zeros(ALPHAS[float(key.folder)], np.uint8) if key.kind == "weights" else np.zeros(self.images, int)

    def make_units(self) -> list[WorkUnit]:
        """Return the units of the whole grid."""
        starts = range(0, self.images, self.images_per_shard)
        shards = [f"{start}-{min(start + self.images_per_shard, self.images)}" for start in starts]
        pixels = {part: [ArtifactKey("images", str(side), part) for side in RESOLUTIONS] for part in shards}
        units = [_unit("decode", part, [ArtifactKey("files", "all", part)], pixels[part]) for part in shards]
        for alpha, (index, side) in product(ALPHAS, enumerate(RESOLUTIONS)):
            name = f"{alpha}-{side}"
            network = ArtifactKey("networks", name, "model")
            units.append(_unit("convert", name, [ArtifactKey("weights", str(alpha), "all")], [network]))
            features = [ArtifactKey("features", name, part) for part in shards]
            width = {"width": int(alpha * WIDTH)}
            units += [
                _unit("extract", f"{name}/{part}", [pixels[part][index], network], [key], width)
                for part, key in zip(shards, features, strict=True)
            ]
            trials = [
                Trial(f"{name}-{share}-{number}", name, name, str(share), (share,))
                for share, number in product(SCORED, range(TRIALS_PER_SPLIT))
            ]
            units.append(_unit("fit", name, [*features, ArtifactKey("labels", "all", "all")], [], {}, trials))
        return units


def _unit(  # noqa: PLR0913, PLR0917 - the fields of a unit that differ
    kind: str,
    name: str,
    needs: Sequence[ArtifactKey],
    makes: Sequence[ArtifactKey],
    settings: Mapping[str, Any] | None = None,
    trials: Sequence[Trial] = (),
) -> WorkUnit:
    return WorkUnit(kind, f"{kind}/{name}", tuple(needs), tuple(makes), tuple(trials), 1.0, name, settings or {})


def run(mock: Mock, executor: Executor) -> tuple[Progress, list[Any]]:
    """Run a sweep in a folder that is removed; return how it ended, and the measures of all trials."""
    units = mock.make_units()
    with tempfile.TemporaryDirectory(prefix="sweep-benchmark-") as name:
        folder = Path(name)
        made = frozenset(key for unit in units for key in unit.makes)
        source = Source(Artifacts(folder / "cache"), mock.supply, made)
        progress = Progress(sum(len(unit.trials) for unit in units), 0, 0, 0, len(units))
        with Store.open(folder) as store:
            Driver(Task(mock, units, KINDS, source, folder), store, executor, progress, lambda _: None).run()
            if progress.failed or progress.missing:
                raise SystemExit(f"{progress.failed} of {progress.trials} trials failed: {store.failures()}")
            return progress, sorted(store.load_measures())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--file-bytes", type=int, default=6_500, help="of an image file")
    parser.add_argument("--shard", type=int, default=128, help="images in a work unit; a sweep takes 1024")
    parser.add_argument("--memory", type=int, default=1_000, help="MB for Ray's objects on the cluster's first machine")
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])])
    os.environ["RAY_AUTH_MODE"] = "disabled"
    mock = Mock(options.images, options.file_bytes, options.shard)
    half = Mock(options.images // 2, options.file_bytes, options.shard)
    print_heading("transport", *describe(mock))
    with ExitStack() as stack:
        measured = {name: measure(make, mock, half) for name, make in executors(stack, options.memory * 10**6).items()}
    if len({str(results) for _, results in measured.values()}) > 1:
        raise SystemExit("the three ways end with other results")
    print_measurements(row for name, (rows, _) in measured.items() for row in name_rows(name, rows))


def describe(mock: Mock) -> list[str]:
    """Return what the arithmetic says of an image, in bytes."""
    pixels = sum(3 * side**2 for side in RESOLUTIONS)
    features = sum(4 * int(alpha * WIDTH) for alpha in ALPHAS) * len(RESOLUTIONS)
    trials = TRIALS_PER_SPLIT * len(ALPHAS) * len(RESOLUTIONS)
    scores = int(sum(SCORED) * trials * 4 * CLASSES)
    return [
        f"{count(mock.images, 'image')} in shards of {mock.images_per_shard:,}; of each image, in bytes:",
        f"file {mock.file_bytes:,}, pixels {pixels:,}, features {features:,}, scores of its trials {scores:,}",
    ]


def executors(stack: ExitStack, memory_bytes: int) -> dict[str, Callable[[], Executor]]:
    """Return how each is started; the cluster ends with the benchmark."""
    from ray.cluster_utils import Cluster

    from sweep.execution.ray_pool import RayPool

    machines = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": memory_bytes})
    stack.callback(machines.shutdown)
    for _ in range(2):
        machines.add_node(num_cpus=1)
    return {
        "this machine": partial(RayPool, 2),
        "cluster with a place": partial(RayPool, None, machines.address, has_place=True),
        "cluster without": partial(RayPool, None, machines.address),
    }


def measure(
    make: Callable[[], Executor], mock: Mock, half: Mock
) -> tuple[Mapping[str, tuple[float, float]], list[Any]]:
    """Return bytes sent and received: of each image, and what does not grow with the images; and the results."""
    executor = make()
    try:
        (few, _), (all_of_them, results) = run(half, executor), run(mock, executor)
    finally:
        executor.close()
    images = mock.images - half.images
    rows = {}
    for name in ("sent", "received"):
        each = (getattr(all_of_them, f"{name}_bytes") - getattr(few, f"{name}_bytes")) / images
        rows[name] = each, getattr(all_of_them, f"{name}_bytes") - each * mock.images
    return rows, results


def name_rows(way: str, rows: Mapping[str, tuple[float, float]]) -> list[Measurement]:
    """Return lines of the table."""
    return [
        measurement
        for name, (each, rest) in rows.items()
        for measurement in (
            Measurement(f"{way}: {name}, an image", each, "bytes"),
            Measurement(f"{way}: {name} whatever the images", rest / 1e6, "MB"),
        )
    ]


if __name__ == "__main__":
    main()
