"""The table of metrics: name, unit, direction, format, and their computation from stored scores. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32]
Labels = NDArray[np.int64]


class Direction(StrEnum):
    """Which way is better."""

    HIGHER = "higher"
    LOWER = "lower"


def measure_accuracy(logits: Logits, labels: Labels) -> float:
    """Share of images whose largest score is the true class. logits: (images, classes), labels: (images,)."""
    return float(np.mean(logits.argmax(axis=1) == labels))


def measure_log_loss(logits: Logits, labels: Labels) -> float:
    """Mean cross-entropy in nats, computed in double precision. logits: (images, classes), labels: (images,)."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    log_normaliser = np.log(np.exp(shifted).sum(axis=1))
    return float(np.mean(log_normaliser - shifted[np.arange(len(labels)), labels]))


@dataclass(frozen=True, slots=True)
class Metric:
    """How a metric is called, printed and computed."""

    name: str
    unit: str
    direction: Direction
    scale: float  # from the computed value to the printed unit
    decimals: int
    measure: Callable[[Logits, Labels], float]


METRICS = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "%", Direction.HIGHER, 100.0, 1, measure_accuracy),
        Metric("log_loss", "nats", Direction.LOWER, 1.0, 3, measure_log_loss),
    )
}
