"""What of a point can change which of its results. Pure.

Each layer's identity holds only what lies below it, so that what trials share is found by comparing ids.
"""

from collections.abc import Mapping
from typing import Any

from sweep.axes import Value
from sweep.inputs import Inputs, Weighted, WeightsId
from sweep.methods.probe.axes import features_of, network_of, pixels_of
from sweep.networks.table import WeightsSource

# Raised when the code computes something else for the same configuration; every id above changes with it.
DECODE_VERSION = 1
SOURCE_VERSION = 1
FEATURES_VERSION = 2  # 2: LiteRT instead of TensorFlow
BATCHES_VERSION = 2  # 2: common to the heads of a partition
START_VERSION = 2
TRAINING_VERSION = 3  # 3: an image's scores are a product of their own

Identity = dict[str, Any]
NetworkPoint = Mapping[str, Value]


def weights_of(inputs: Inputs, point: NetworkPoint) -> WeightsId:
    """Return the weights of a point's network."""
    return inputs.weights[Weighted(network_of(point), WeightsSource(str(point["weights"])), features_of(point))]


def images_identity(inputs: Inputs, point: NetworkPoint) -> Identity:
    """Everything that can change a network's decoded images."""
    return {
        "data": inputs.data.fingerprint,
        "preprocessing": _preprocessing_identity(point),
        "resolution": point["resolution"],
    }


def _preprocessing_identity(point: NetworkPoint) -> Identity:
    return {"antialias": point["antialias"], "resize": point["resize"], "version": DECODE_VERSION}


def source_identity(inputs: Inputs, point: NetworkPoint) -> Identity:
    """What features are of: images and a network with its weights, however the network is run on them."""
    weights = weights_of(inputs, point)
    network = network_of(point).to_json()
    return {
        "backbone": {"family": network.pop("name"), **network},
        "data": inputs.data.fingerprint,
        "features": {"kind": features_of(point).value, "version": SOURCE_VERSION},
        "preprocessing": _preprocessing_identity(point),
        "weights": {"sha256": weights.sha256, "source": weights.source.value},
    }


def features_identity(inputs: Inputs, point: NetworkPoint) -> Identity:
    """Everything that can change features."""
    pixels = pixels_of(point, weights_of(inputs, point).source)
    return {"pixels": list(pixels), "source": source_identity(inputs, point), "version": FEATURES_VERSION}


def converted_identity(inputs: Inputs, point: NetworkPoint, *, is_calibrated: bool) -> Identity:
    """Everything that can change a network made ready to run: the images only where batch norm is set to them."""
    features = features_identity(inputs, point)
    if not is_calibrated:
        features["source"] = {**features["source"], "data": None, "preprocessing": None}
    return features


def batches_identity(inputs: Inputs, partition: Identity, fit: Mapping[str, Value]) -> Identity:
    """Everything that decides which images stand in which batch: neither the network nor the learning rate."""
    return {
        "batch_size": fit["batch_size"],
        "data": inputs.data.fingerprint,
        "partition": partition,
        "sampling": fit["sampling"],
        "version": BATCHES_VERSION,
    }


def start_identity(source: Identity, partition: Identity) -> Identity:
    """Everything that decides the initial weights, their deviation apart: not how a head is trained from there."""
    return {**source, "partition": partition, "version": START_VERSION}


def fit_identity(network_id: str, partition: Identity, fit: Mapping[str, Value]) -> Identity:
    """Everything that can change a head in training. The network's id stands for data and features."""
    return {"network": network_id, "partition": partition, "training": {**fit, "version": TRAINING_VERSION}}


def trial_identity(fit_id: str, steps: int) -> Identity:
    """Everything that can change a trial's result.

    Paths, worker counts, executors and how trials were grouped are no part of any identity.
    """
    return {"fit": fit_id, "steps": steps}
