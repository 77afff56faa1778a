"""Small sweeps for tests: a spec, its inputs, and a store in memory with results of known accuracy."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from itertools import product
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.catalogue import Backbone, WeightsSource, count_complexity
from sweep.data.dataset import Images
from sweep.data.splits import count_parts, partition_images
from sweep.metrics import METRICS
from sweep.outcome import Failure, Outcome, Success
from sweep.planning.expand import Plan, list_backbones
from sweep.planning.inputs import DataSummary, Inputs, WeightsId
from sweep.planning.trial import Trial, partition_identity
from sweep.planning.units import ExtractShard, FitHeads
from sweep.spec.schema import Spec, Split
from sweep.store.migrations import migrate
from sweep.store.store import Store, UnitRecord

GRID = {
    "backbone": "tiny",
    "alpha": 1.0,
    "resolution": 16,
    "split": "60/20/20",
    "learning_rate": [0.1, 0.01],
    "shuffle": [0, 1, 2],
    "steps": [10, 20],
}
PROVENANCE = {
    "sweep": "0.1.0",
    "python": "3.11.9",
    "packages": {"numpy": "2.0.0"},
    "machine": {"cpu": "Example CPU", "cores": 2, "memory_gib": 8, "gpu": None, "platform": "Linux"},
    "executor": "inline",
    "workers": 1,
}

Answer = Callable[[Trial], tuple[float, float] | Outcome | None]


def make_store() -> Store:
    """Make an empty store in memory."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, "memory")
    return Store(connection, "memory")


def make_spec(name: str = "example", published: str | None = None, **grid: Any) -> Spec:
    """Make a spec of the family `tiny` with 12 trials; `grid` replaces axes."""
    source = "random" if grid.get("backbone", "tiny") == "tiny" else "imagenet"
    values = {"name": name, "published": published, "weights": source, "grid": {**GRID, **grid}}
    return Spec.model_validate(values)


def make_inputs(spec: Spec, images_per_class: tuple[int, ...] = (26, 74), *, is_demo: bool = False) -> Inputs:
    """Make inputs of two or more classes, with hashes that only look like ones."""
    classes = ("NORMAL", "PNEUMONIA", *(f"CLASS {index}" for index in range(2, len(images_per_class))))
    data = DataSummary("demo" if is_demo else "example", _hash("images"), classes, images_per_class, is_demo)
    weights = {backbone: _make_weights(spec, backbone) for backbone in list_backbones(spec)}
    return Inputs(data, weights)


def make_images(inputs: Inputs, images_per_patient: int = 2) -> Images:
    """Make names, labels and patients in the order of the classes; no file copies another."""
    count = inputs.data.images
    labels = np.repeat(np.arange(len(inputs.data.classes)), inputs.data.images_per_class)
    patients = tuple(f"patient {index // images_per_patient}" for index in range(count))
    return Images(tuple(f"image-{index}.jpeg" for index in range(count)), labels, patients, copies=0, contradictions=0)


def make_success(trial: Trial, validation: float = 0.9, test: float = 0.8, **measures: float) -> Success:
    """Make an outcome of known accuracies (fractions), without true scores; `measures` replaces others."""
    scores = np.zeros((1, 2), np.float32)
    losses = {"validation_log_loss": 1 - validation, "test_log_loss": 1 - test}
    return Success(trial.id, scores, scores, validation, test, **{**losses, **measures})


def _give_scores(success: Success, plan: Plan, split: Split) -> Success:
    """Give every image of the split scores that say nothing."""
    _, *parts = count_parts(plan.inputs.data.images, split)
    validation, test = (np.zeros((part, len(plan.inputs.data.classes)), np.float32) for part in parts)
    return replace(success, validation_scores=validation, test_scores=test)


def make_answers(
    inputs: Inputs, images: Images, skill: Callable[[Trial], float] = lambda _: 0.9, spread: float = 1.0
) -> Answer:
    """Make outcomes with true scores, whose measures are those of the scores.

    `skill` is about the share of images that a trial answers rightly; margins are normal with deviation `spread`.
    """

    def answer(trial: Trial) -> Success:
        partition = partition_images(images.labels, inputs.data.fingerprint, trial.split, trial.shuffle)
        generator = np.random.default_rng(int(trial.id, 16))
        parts = [images.labels[part] for part in (partition.validation, partition.test)]
        scores = [_draw_scores(generator, labels, inputs, skill(trial), spread) for labels in parts]
        accuracies, log_losses = (
            [METRICS[name].measure(logits, labels) for logits, labels in zip(scores, parts, strict=True)]
            for name in ("accuracy", "log_loss")
        )
        return Success(trial.id, scores[0], scores[1], *accuracies, *log_losses)

    return answer


def _draw_scores(
    generator: np.random.Generator, labels: NDArray[np.int64], inputs: Inputs, skill: float, spread: float
) -> NDArray[np.float32]:
    """Draw (images, classes) logits relative to the last class, as a head's are."""
    logits = generator.normal(0, 0.01, (len(labels), len(inputs.data.classes)))
    logits[np.arange(len(labels)), labels] += generator.normal(NormalDist().inv_cdf(skill), 1, len(labels)) * spread
    return (logits - logits[:, -1:]).astype(np.float32)


def fill_store(store: Store, plan: Plan, accuracy: Answer = lambda _: (0.9, 0.8)) -> None:
    """Keep the plan and an outcome of every trial.

    `accuracy` says (validation, test) accuracy as fractions, or the outcome itself, or None for a trial not yet run.
    """
    store.save_spec(plan.spec.model_dump(mode="json"), plan.inputs.to_json(), "images")
    run_id = store.begin_run(PROVENANCE)
    for unit in plan.units:
        if isinstance(unit, FitHeads):
            outcomes = list(_make_outcomes(plan, unit, accuracy))
            store.record(run_id, UnitRecord(unit.key, "fit", "worker 0", unit.cost, 1.0), outcomes)
    store.end_run(run_id)


def fill_images(store: Store, plan: Plan, images: Images) -> None:
    """Keep the images and their partition for every split and shuffle."""
    fingerprint, grid = plan.inputs.data.fingerprint, plan.spec.grid
    store.save_images(fingerprint, images)
    for split, shuffle in product(grid.split, grid.shuffle):
        partition = partition_images(images.labels, fingerprint, split, shuffle)
        store.save_partition(fingerprint, partition_identity(split, shuffle), partition)


def fill_complexities(store: Store, plan: Plan) -> None:
    """Keep every backbone's complexity, as if it had been built."""
    for unit in plan.units:
        if isinstance(unit, ExtractShard):
            store.save_complexity(unit.output.folder, unit.backbone, count_complexity(unit.backbone))


def _make_outcomes(plan: Plan, unit: FitHeads, accuracy: Answer) -> Iterator[tuple[Trial, Outcome]]:
    for trial in unit.trials:
        match accuracy(trial):
            case Success() | Failure() as outcome:
                yield trial, outcome
            case (validation, test):
                yield trial, _give_scores(make_success(trial, validation, test), plan, trial.split)


def _make_weights(spec: Spec, backbone: Backbone) -> WeightsId:
    return WeightsId(WeightsSource(spec.weights.source), _hash(f"weights of {backbone}"))


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
