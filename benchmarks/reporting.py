"""Reports of a sweep of the paper's size and of one of 100,000 trials: all tables, every image's scores in the store.

The stores are filled with drawn scores for 5,216 images of two classes, of as many patients as the real ones have;
filling is not timed. The small sweep is the paper's grid. The large one has 10 learning rates, 21 shuffles and 10 step
budgets. Timed is the whole command `sweep report`, the start of Python included; for information also by another
metric, where the scores of every trial are read, and the small one as a web page, where the figures are drawn. One more
report tells which heavy packages it had imported at its end: there should be none.
"""

import argparse
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Bound, Measurement, list_imports, print_heading, print_measurements, run_sweep
from numpy.typing import NDArray

from sweep.data.dataset import Images
from sweep.data.splits import Partition, partition_images
from sweep.methods.table import make_plan
from sweep.metrics import METRICS
from sweep.outcome import TEST, VALIDATION, Success
from sweep.planning.plan import Plan
from sweep.planning.trial import Trial
from sweep.spec.load import make_spec
from sweep.spec.values import Split
from sweep.store.store import Store
from sweep.testing import fill_images, fill_store, make_images, make_inputs, read_point

SMALL_BOUND, LARGE_BOUND, NO_IMPORT_BOUND = Bound(5), Bound(20), Bound(0)
IMAGES_PER_CLASS = (1341, 3875)
SMALL: dict[str, Any] = {
    "network": "mobilenet",
    "alpha": [1.0, 0.75, 0.5, 0.25],
    "resolution": [224, 192, 160, 128],
    "split": ["80/10/10", "70/15/15", "60/20/20"],
    "learning_rate": [0.1, 0.01, 0.001],
    "shuffle": [0, 1, 2],
    "steps": [1500, 2000, 2500],
}
LARGE = {
    **SMALL,
    "learning_rate": [0.1 / 2**power for power in range(10)],
    "shuffle": list(range(21)),
    "steps": list(range(250, 2501, 250)),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only-small", action="store_true", help="leave the sweep of 100,000 trials out")
    only_small = parser.parse_args().only_small
    print_heading("reporting", "scores   DRAWN, for 5,216 images")
    with tempfile.TemporaryDirectory(prefix="sweep-benchmark-") as name:
        folder = Path(name)
        print_measurements(measure_small(folder))
        if not only_small:
            print_measurements(measure_large(folder))


def measure_small(folder: Path) -> list[Measurement]:
    """Time reports of the paper's grid."""
    trials = fill_sweep(folder / "small", SMALL)
    arguments = ["report", "small", "--results", folder, "--output", folder / "reports"]
    imported = list_imports(arguments)
    return [
        Measurement(f"report of {trials:,} trials", run_sweep(*arguments), "s", SMALL_BOUND),
        Measurement(
            f"heavy packages it imported ({', '.join(imported) or 'none'})", len(imported), "", NO_IMPORT_BOUND
        ),
        Measurement("the same by ROC AUC", run_sweep(*arguments, "--metric", "roc_auc"), "s"),
        Measurement("the same as a web page", run_sweep(*arguments, "--format", "html"), "s"),
    ]


def measure_large(folder: Path) -> list[Measurement]:
    """Time reports of 100,000 trials."""
    trials = fill_sweep(folder / "large", LARGE)
    arguments = ["report", "large", "--results", folder, "--output", folder / "reports"]
    size_gb = (folder / "large" / "sweep.db").stat().st_size / 1e9
    return [
        Measurement(f"report of {trials:,} trials", run_sweep(*arguments), "s", LARGE_BOUND),
        Measurement("size of its store", size_gb, "GB"),
        Measurement("the same by ROC AUC", run_sweep(*arguments, "--metric", "roc_auc"), "s"),
    ]


def fill_sweep(folder: Path, grid: dict[str, Any]) -> int:
    """Fill a store with drawn scores; return the number of trials."""
    spec = make_spec({"name": folder.name, "published": "duong-trung-2019", "weights": "imagenet", "grid": grid})
    inputs = make_inputs(spec, IMAGES_PER_CLASS)
    plan = make_plan(spec, replace(inputs, data=replace(inputs.data, is_demo=True)))
    images = make_images(plan.inputs)
    folder.mkdir()
    (folder / "lock").touch()
    with Store.open(folder) as store:
        fill_images(store, plan, images)
        fill_store(store, plan, Scores(plan, images))
    return len(plan.trials)


class Scores:
    """Draws outcomes with true scores, quickly: a partition is cut once, and margins are normal."""

    def __init__(self, plan: Plan, images: Images) -> None:
        self.plan = plan
        self.images = images
        self.cut = cache(self._cut)

    def __call__(self, trial: Trial) -> Success:
        point = read_point(self.plan, trial)
        partition = self.cut(point["split"], point["shuffle"])
        generator = np.random.default_rng(int(trial.id, 16))
        skill = 1.7 + 0.1 * point["alpha"] + 1e-4 * point["steps"] - 1.0 * (point["learning_rate"] < 1e-3)
        labels = {VALIDATION: self.images.labels[partition.validation], TEST: self.images.labels[partition.test]}
        scores = {part: self._draw(generator, own, skill) for part, own in labels.items()}
        measures = {
            (part, name): METRICS[name].measure(scores[part], own)
            for name in ("accuracy", "log_loss")
            for part, own in labels.items()
        }
        return Success(trial.id, scores, measures)

    def _cut(self, split: str, shuffle: int) -> Partition:
        fingerprint = self.plan.inputs.data.fingerprint
        return partition_images(self.images.labels, fingerprint, Split.parse(split), shuffle)

    def _draw(self, generator: np.random.Generator, labels: NDArray[np.int64], skill: float) -> NDArray[np.float32]:
        margins = (skill + generator.standard_normal(len(labels))) * (1 - 2 * labels)
        return np.column_stack([margins, np.zeros_like(margins)]).astype(np.float32)


if __name__ == "__main__":
    main()
