"""The table of metrics: name, unit, direction, format, and their computation from stored scores. Pure.

Of two classes the second is the positive one: sensitivity, specificity, predictive values, F1, ROC AUC and average
precision are those of that class. Of more, they are macro averages: the mean over the classes, each against the rest.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from sweep.measures import (
    Floats,
    Influence,
    Labels,
    Logits,
    Measure,
    Parts,
    influence_average_precision,
    influence_balanced_accuracy,
    influence_calibration_error,
    influence_kappa,
    influence_ratio,
    influence_roc_auc,
    measure_average_precision,
    measure_balanced_accuracy,
    measure_calibration_error,
    measure_kappa,
    measure_ratio,
    measure_roc_auc,
    split_accuracy,
    split_f1,
    split_log_loss,
    split_negative_predictive_value,
    split_precision,
    split_sensitivity,
    split_specificity,
)

POSITIVE = 1  # of two classes


class Direction(StrEnum):
    """Which way is better."""

    HIGHER = "higher"
    LOWER = "lower"

    @property
    def sign(self) -> int:
        """1 or -1: what to multiply values with so that higher is better."""
        return 1 if self is Direction.HIGHER else -1

    def best(self, values: Iterable[float]) -> float:
        """Return the best of some values."""
        return max(values) if self is Direction.HIGHER else min(values)


@dataclass(frozen=True, slots=True)
class Metric:
    """How a metric is called, printed and computed.

    `is_of_class`: it is of one class against the rest; else of all classes at once. `share`, where the metric is a
    share of some images, says of which and which of them are hits.
    """

    name: str
    title: str
    unit: str
    direction: Direction
    scale: float  # from the computed value to the printed unit
    decimals: int
    bounds: tuple[float, float]  # of the printed unit
    measure_class: Measure
    influence_class: Influence
    is_of_class: bool = False
    share: Parts | None = None

    def measure(self, logits: Logits, labels: Labels) -> float:
        """Compute the metric; NaN where it is not defined. logits: (images, classes), labels: (images,)."""
        return float(np.mean(self.measure_classes(logits, labels, self._list_classes(logits))))

    def measure_classes(self, logits: Logits, labels: Labels, classes: Iterable[int]) -> list[float]:
        """Compute the metric for some classes, each against the rest."""
        if not np.isfinite(logits).all():
            return [float("nan") for _ in classes]
        return [self.measure_class(logits, labels, index) for index in classes]

    def influence(self, logits: Logits, labels: Labels) -> Floats:
        """Say what each image adds to the metric, (images,); see `sweep.measures`. NaN where it is not defined."""
        if not np.isfinite(logits).all():
            return np.full(len(labels), np.nan)
        found = [self.influence_class(logits, labels, index) for index in self._list_classes(logits)]
        return np.asarray(np.mean(found, axis=0))

    def count_images(self, logits: Logits, labels: Labels) -> np.typing.NDArray[np.bool_]:
        """Whether an image is one of those that the metric is a share of; of other metrics, of the smallest class."""
        classes = self._list_classes(logits)
        if self.share is not None and len(classes) == 1:
            return np.asarray(self.share(logits, labels, classes[0])[1] > 0)
        counts = np.bincount(labels, minlength=logits.shape[1])
        return np.asarray(labels == counts.argmin())

    def _list_classes(self, logits: Logits) -> tuple[int, ...]:
        classes = logits.shape[1]
        return tuple(range(classes)) if self.is_of_class and classes > 2 else (POSITIVE,)

    @property
    def is_percentage(self) -> bool:
        """Whether it lies between 0 and 1, as computed."""
        return self.unit == "%"

    @property
    def whole(self) -> float:
        """What its printed values are parts of: 100 %; 0 where it is no percentage."""
        return self.scale if self.is_percentage else 0.0

    @property
    def label(self) -> str:
        """Title with its unit in brackets."""
        return with_unit(self.title, self.unit)

    @property
    def difference_unit(self) -> str:
        """Unit of a difference or a deviation: percentages differ by points."""
        return "points" if self.is_percentage else self.unit

    def say(self, value: float) -> str:
        """Print a value, which is in the printed unit, with that unit."""
        return with_blank(f"{value:.{self.decimals}f}", self.unit)

    def say_difference(self, value: float, sign: str = "") -> str:
        """Print a difference with its unit; sign "+": also of those above 0."""
        return with_blank(f"{value:{sign}.{self.decimals}f}", self.difference_unit)

    def say_range(self, lower: float, upper: float) -> str:
        """Print two bounds without their unit."""
        return f"{lower:.{self.decimals}f} to {upper:.{self.decimals}f}"

    @property
    def mean_column(self) -> str:
        """Column of means in files, for example `accuracy_mean_percent`."""
        return _join_words(self.name, "mean", "percent" if self.is_percentage else self.unit)

    @property
    def std_column(self) -> str:
        """Column of standard deviations in files, for example `accuracy_std_points`."""
        return _join_words(self.name, "std", self.difference_unit)


def with_unit(title: str, unit: str) -> str:
    """Put a unit in brackets behind a title; no unit, no brackets."""
    return f"{title} ({unit})" if unit else title


def with_blank(number: str, unit: str) -> str:
    """Put a unit behind a printed number; no unit, no blank."""
    return f"{number} {unit}" if unit else number


def _join_words(*words: str) -> str:
    return "_".join(word for word in words if word)


def _percent(name: str, title: str, decimals: int = 1, **more: Any) -> Metric:
    values = {"unit": "%", "direction": Direction.HIGHER, "scale": 100.0, "bounds": (0.0, 100.0), **more}
    return Metric(name, title, decimals=decimals, **values)


def _ratio(parts: Parts, **more: Any) -> dict[str, Any]:
    return {"measure_class": measure_ratio(parts), "influence_class": influence_ratio(parts), **more}


def _share(parts: Parts, **more: Any) -> dict[str, Any]:
    return _ratio(parts, share=parts, **more)


METRICS = {
    metric.name: metric
    for metric in (
        _percent("accuracy", "accuracy", **_share(split_accuracy)),
        _percent(
            "balanced_accuracy",
            "balanced accuracy",
            measure_class=measure_balanced_accuracy,
            influence_class=influence_balanced_accuracy,
        ),
        _percent("sensitivity", "sensitivity", **_share(split_sensitivity, is_of_class=True)),
        _percent("specificity", "specificity", **_share(split_specificity, is_of_class=True)),
        _percent("precision", "precision", **_share(split_precision, is_of_class=True)),
        _percent(
            "negative_predictive_value",
            "negative predictive value",
            **_share(split_negative_predictive_value, is_of_class=True),
        ),
        _percent("f1", "F1", **_ratio(split_f1, is_of_class=True)),
        _percent(
            "roc_auc",
            "ROC AUC",
            2,
            measure_class=measure_roc_auc,
            influence_class=influence_roc_auc,
            is_of_class=True,
        ),
        _percent(
            "average_precision",
            "average precision",
            2,
            measure_class=measure_average_precision,
            influence_class=influence_average_precision,
            is_of_class=True,
        ),
        Metric(
            "cohen_kappa",
            "Cohen's kappa",
            "",
            Direction.HIGHER,
            1.0,
            3,
            (-1.0, 1.0),
            measure_kappa,
            influence_kappa,
        ),
        Metric(
            "log_loss",
            "log loss",
            "nats",
            Direction.LOWER,
            1.0,
            3,
            (0.0, float("inf")),
            **_ratio(split_log_loss),
        ),
        _percent(
            "calibration_error",
            "calibration error",
            direction=Direction.LOWER,
            measure_class=measure_calibration_error,
            influence_class=influence_calibration_error,
        ),
    )
}
