"""A trial and its identity."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sweep.catalogue import Backbone
from sweep.planning.inputs import Inputs
from sweep.spec.schema import Spec, Split, TrainingSpec

# Raised when the code computes something else for the same configuration; every id changes with it.
SPLIT_VERSION = 1
DECODE_VERSION = 1
FEATURES_VERSION = 1
TRAINING_VERSION = 2


@dataclass(frozen=True, slots=True)
class Trial:
    """One fully resolved configuration with one result.

    `id` is 16 hex digits of SHA-256 over the canonical JSON of `trial_identity`; `head_id` the same without the
    step budget: trials that share it are read-outs of one training run. `batches_id` and `start_id` hash the
    identities of those names and seed what they name: heads share their batches over learning rates and backbones,
    their initial weights over learning rates.
    """

    id: str
    head_id: str
    batches_id: str
    start_id: str
    backbone: Backbone
    split: Split
    learning_rate: float
    shuffle: int
    steps: int


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no blanks, so that equal values have equal texts."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def short_hash(text: str) -> str:
    """16 hex digits of SHA-256."""
    return sha256(text.encode()).hexdigest()[:16]


def preprocessing_identity(spec: Spec) -> dict[str, Any]:
    """Everything that can change a decoded image, its file and resolution apart."""
    return {"antialias": spec.data.antialias, "resize": "bilinear", "version": DECODE_VERSION}


def features_identity(spec: Spec, inputs: Inputs, backbone: Backbone) -> dict[str, Any]:
    """Everything that can change the features of a backbone."""
    weights = inputs.weights[backbone]
    return {
        "backbone": {"alpha": backbone.alpha, "family": backbone.family, "resolution": backbone.resolution},
        "data": inputs.data.fingerprint,
        "features": {"kind": spec.features.value, "version": FEATURES_VERSION},
        "preprocessing": preprocessing_identity(spec),
        "weights": {"sha256": weights.sha256, "source": weights.source.value},
    }


def training_identity(spec: Spec) -> dict[str, Any]:
    """Everything about the training that all trials of a spec share."""
    return {**spec.training.model_dump(mode="json"), "version": TRAINING_VERSION}


def partition_identity(split: Split, shuffle: int) -> dict[str, Any]:
    """Which image goes where, given the data set."""
    return {"by": "image", "shuffle": shuffle, "split": str(split), "version": SPLIT_VERSION}


def batches_identity(fingerprint: str, training: TrainingSpec, partition: dict[str, Any]) -> dict[str, Any]:
    """Everything that decides which images stand in which batch: neither the learning rate nor the backbone."""
    return {
        "batch_size": training.batch_size,
        "data": fingerprint,
        "partition": partition,
        "sampling": training.sampling.value,
        "version": TRAINING_VERSION,
    }


def start_identity(features: dict[str, Any], partition: dict[str, Any]) -> dict[str, Any]:
    """Everything that decides the initial weights, their deviation apart: not the learning rate."""
    return {**features, "partition": partition, "version": TRAINING_VERSION}


def trial_identity(
    features: dict[str, Any],
    training: dict[str, Any],
    partition: dict[str, Any],
    learning_rate: float,
    steps: int | None = None,
) -> dict[str, Any]:
    """Everything that can change a trial's result, resolved; without `steps`, everything about its head.

    Paths, worker counts, executors and how trials were grouped are no part of it.
    """
    head = {"learning_rate": learning_rate, "partition": partition, "training": training}
    return {**features, "head": head} if steps is None else {**features, "head": head, "steps": steps}
