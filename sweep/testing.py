"""Small sweeps for tests: a spec, its inputs, and a store in memory with results of known accuracy."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.axes import Value
from sweep.data.dataset import Images
from sweep.data.splits import count_parts, partition_images
from sweep.inputs import DataSummary, Inputs, WeightsId
from sweep.methods.table import find_method
from sweep.metrics import METRICS
from sweep.networks.table import count_complexity
from sweep.outcome import TEST, VALIDATION, Failure, Outcome, Success
from sweep.planning.plan import Plan
from sweep.planning.trial import Trial
from sweep.spec.schema import Spec
from sweep.spec.values import Split
from sweep.store.migrations import migrate
from sweep.store.store import Store, UnitRecord

GRID = {
    "network": "tiny",
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
    """Make a spec of the network `tiny` with 12 trials; `grid` replaces axes."""
    source = "random" if grid.get("network", "tiny") == "tiny" else "imagenet"
    values = {"name": name, "published": published, "weights": source, "grid": {**GRID, **grid}}
    return Spec.model_validate(values)


def make_inputs(spec: Spec, images_per_class: tuple[int, ...] = (26, 74), *, is_demo: bool = False) -> Inputs:
    """Make inputs of two or more classes, with hashes that only look like ones."""
    classes = ("NORMAL", "PNEUMONIA", *(f"CLASS {index}" for index in range(2, len(images_per_class))))
    data = DataSummary("demo" if is_demo else "example", _hash("images"), classes, images_per_class, is_demo)
    asked = find_method(spec.method).list_weights(spec)
    return Inputs(data, {each: WeightsId(each.source, _hash(f"weights of {each.network}")) for each in asked})


def read_point(plan: Plan, trial: Trial) -> Mapping[str, Value]:
    """Return a trial's values by axis."""
    return dict(zip((axis.name for axis in plan.axes), trial.point, strict=True))


def make_images(inputs: Inputs, images_per_patient: int = 2) -> Images:
    """Make names, labels and patients in the order of the classes; no file copies another."""
    count = inputs.data.images
    labels = np.repeat(np.arange(len(inputs.data.classes)), inputs.data.images_per_class)
    patients = tuple(f"patient {index // images_per_patient}" for index in range(count))
    return Images(tuple(f"image-{index}.jpeg" for index in range(count)), labels, patients, copies=0, contradictions=0)


def make_success(trial: Trial, validation: float = 0.9, test: float = 0.8, **losses: float) -> Success:
    """Make an outcome of known accuracies (fractions), without true scores; `losses` replace log losses by part."""
    scores = np.zeros((1, 2), np.float32)
    measures = {(VALIDATION, "accuracy"): validation, (TEST, "accuracy"): test}
    measures |= {
        (part, "log_loss"): losses.get(part, 1 - value) for part, value in ((VALIDATION, validation), (TEST, test))
    }
    return Success(trial.id, {VALIDATION: scores, TEST: scores}, measures)


def make_answers(
    plan: Plan, images: Images, skill: Callable[[Mapping[str, Value]], float] = lambda _: 0.9, spread: float = 1.0
) -> Answer:
    """Make outcomes with true scores, whose measures are those of the scores.

    `skill`, of a point, is about the share of images that a trial answers rightly; margins are normal with deviation
    `spread`.
    """
    inputs = plan.inputs

    def answer(trial: Trial) -> Success:
        point = read_point(plan, trial)
        partition = partition_images(
            images.labels, inputs.data.fingerprint, Split.parse(point["split"]), int(str(point["shuffle"]))
        )
        generator = np.random.default_rng(int(trial.id, 16))
        parts = {VALIDATION: images.labels[partition.validation], TEST: images.labels[partition.test]}
        scores = {part: _draw_scores(generator, labels, inputs, skill(point), spread) for part, labels in parts.items()}
        measures = {
            (part, name): METRICS[name].measure(scores[part], parts[part])
            for name in ("accuracy", "log_loss")
            for part in parts
        }
        return Success(trial.id, scores, measures)

    return answer


def _draw_scores(
    generator: np.random.Generator, labels: NDArray[np.int64], inputs: Inputs, skill: float, spread: float
) -> NDArray[np.float32]:
    """Draw (images, classes) logits relative to the last class, as a head's are."""
    logits = generator.normal(0, 0.01, (len(labels), len(inputs.data.classes)))
    logits[np.arange(len(labels)), labels] += generator.normal(NormalDist().inv_cdf(skill), 1, len(labels)) * spread
    return (logits - logits[:, -1:]).astype(np.float32)


def save_plan(store: Store, plan: Plan, images: str = "images") -> None:
    """Keep a plan as a run does."""
    spec = plan.spec
    store.save_plan(spec.method, spec.model_dump(mode="json"), plan.inputs.to_json(), plan.axes, plan.trials, images)


def fill_store(store: Store, plan: Plan, accuracy: Answer = lambda _: (0.9, 0.8)) -> None:
    """Keep the plan and an outcome of every trial.

    `accuracy` says (validation, test) accuracy as fractions, or the outcome itself, or None for a trial not yet run.
    """
    save_plan(store, plan)
    run_id = store.begin_run(PROVENANCE)
    for unit in plan.units:
        if unit.trials:
            outcomes = list(_make_outcomes(plan, unit.trials, accuracy))
            record = UnitRecord(unit.key, unit.kind, "worker 0", unit.cost, 1.0, subject=unit.subject)
            store.record(run_id, record, outcomes)
    store.end_run(run_id)


def fill_images(store: Store, plan: Plan, images: Images) -> None:
    """Keep the images and their partition for every split and shuffle."""
    fingerprint, method = plan.inputs.data.fingerprint, find_method(plan.spec.method)
    store.save_images(fingerprint, images)
    for trial in {trial.partition_id: trial for trial in plan.trials}.values():
        identity = method.partition_of(trial)
        partition = partition_images(
            images.labels, fingerprint, Split.parse(identity["split"]), int(identity["shuffle"])
        )
        store.save_partition(fingerprint, identity, partition.parts)


def make_complexities(plan: Plan) -> Mapping[tuple[str, str], int]:
    """Make the facts of every network's complexity, as if it had been built."""
    facts: dict[tuple[str, str], int] = {}
    networks = {str(weighted.network): weighted.network for weighted in plan.inputs.weights}
    for unit in plan.units:
        if unit.kind == "extract":
            complexity = count_complexity(networks[unit.settings["label"]])
            facts |= {
                (unit.subject, name): getattr(complexity, name)
                for name in ("mult_adds", "parameters", "trainable_parameters")
            }
    return facts


def fill_complexities(store: Store, plan: Plan) -> None:
    """Keep every network's complexity, as if it had been built."""
    run_id = store.begin_run(PROVENANCE)
    unit = next(unit for unit in plan.units if unit.kind == "extract")
    record = UnitRecord(unit.key, unit.kind, "worker 0", unit.cost, 1.0, subject=unit.subject)
    store.record(run_id, record, facts=make_complexities(plan))


def _make_outcomes(plan: Plan, trials: tuple[Trial, ...], accuracy: Answer) -> Iterator[Outcome]:
    for trial in trials:
        match accuracy(trial):
            case Success() | Failure() as outcome:
                yield outcome
            case (validation, test):
                split = Split.parse(read_point(plan, trial)["split"])
                yield _give_scores(make_success(trial, validation, test), plan, split)


def _give_scores(success: Success, plan: Plan, split: Split) -> Success:
    """Give every image of the split scores that say nothing."""
    _, *counts = count_parts(plan.inputs.data.images, split)
    classes = len(plan.inputs.data.classes)
    scores = {
        part: np.zeros((count, classes), np.float32) for part, count in zip((VALIDATION, TEST), counts, strict=True)
    }
    return replace(success, scores=scores)


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
