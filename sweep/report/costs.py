"""What the models of a sweep cost: the network, as counted when it was built, and its head. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from sweep.inputs import Weighted
from sweep.networks.table import (
    IMAGENET_CLASSES,
    NETWORKS,
    Complexity,
    FeatureKind,
    Network,
    WeightsSource,
    count_complexity,
    feature_width,
)
from sweep.report.frames import SweepFrames
from sweep.report.layout import NETWORK
from sweep.report.statistics.comparisons import pareto_front
from sweep.report.study import Study

MILLION = 1_000_000
FORWARD = "extract"  # the kind of work that runs a network over all images
HIDDEN = "hidden"  # the axis of the widths of a head's hidden layers


@dataclass(frozen=True, slots=True)
class Cost:
    """What a model costs with the head of the sweep, and its network with the classifier of ImageNet.

    `is_counted`: in the network as it was built; else by arithmetic.
    """

    network: Network
    network_id: str
    own: Complexity
    imagenet: Complexity
    is_counted: bool


def read_weighted(point: Mapping[Any, Any]) -> Weighted:
    """Return the network of a point, and which weights and output of it are asked for."""
    name = str(point[NETWORK])
    network = Network.of(name, **{axis: point[axis] for axis in NETWORKS[name].axes})
    return Weighted(network, WeightsSource(point["weights"]), FeatureKind(point["features"]))


def count_costs(frames: SweepFrames) -> dict[str, Cost]:
    """Return the cost of every model; where something that it depends on is tuned, of the dearest choice."""
    costs: dict[str, Cost] = {}
    points = frames.trials.drop_duplicates(["model", "network_id", HIDDEN])
    for point in points.to_dict("records"):
        cost, known = _count(frames, point), costs.get(point["model"])
        if known is None or cost.own.mult_adds > known.own.mult_adds:
            costs[point["model"]] = cost
    return costs


def list_front(study: Study, mult_adds: Mapping[str, float], block: str) -> set[str]:
    """Return the models with all repetitions that none of as many mult-adds or fewer beats."""
    cells = {model: study.cells[model, block] for model in study.list_models(block) if model in mult_adds}
    known = {model: cell.number for model, cell in cells.items() if cell.is_comparable and cell.number is not None}
    values = study.metric.direction.sign * np.array(list(known.values()))
    front = pareto_front([mult_adds[model] for model in known], values)
    return {model for model, is_in in zip(known, front, strict=True) if is_in}


def _count(frames: SweepFrames, point: Mapping[Any, Any]) -> Cost:
    """Add the classifiers; a network whose features are logits was built with that of ImageNet already."""
    network, _, features = read_weighted(point)
    counted = frames.complexities.get(point["network_id"])
    has_classifier = features is FeatureKind.LOGITS
    built = counted or count_complexity(network, IMAGENET_CLASSES if has_classifier else 0)
    pooled = feature_width(network, FeatureKind.POOLED)
    head = (feature_width(network, features), *point[HIDDEN], len(frames.inputs.data.classes))
    return Cost(
        network=network,
        network_id=point["network_id"],
        own=_add_layers(built, head),
        imagenet=built if has_classifier else _add_layers(built, (pooled, IMAGENET_CLASSES)),
        is_counted=counted is not None,
    )


def _add_layers(complexity: Complexity, widths: tuple[int, ...]) -> Complexity:
    mult_adds = sum(below * above for below, above in pairwise(widths))
    weights = mult_adds + sum(widths[1:])  # and biases
    return Complexity(
        complexity.mult_adds + mult_adds, complexity.parameters + weights, complexity.trainable_parameters + weights
    )
