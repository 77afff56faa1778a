"""The table of metrics: name, unit, direction, format, and their computation from stored scores. Pure.

Of two classes the second is the positive one: sensitivity, specificity, precision, F1, ROC AUC and average precision
are those of that class. Of more, they are macro averages: the mean over the classes, each against the rest. NaN stands
where a metric is not defined, for example the precision of a class that was never answered.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32]
Labels = NDArray[np.int64]
Measure = Callable[[Logits, Labels], float]
ClassMeasure = Callable[[Logits, Labels, int], float]

POSITIVE = 1  # of two classes
CALIBRATION_BINS = 15


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


def count_answers(logits: Logits, labels: Labels) -> NDArray[np.int64]:
    """Confusion matrix, (true class, answered class). logits: (images, classes), labels: (images,)."""
    classes = logits.shape[1]
    pairs = labels * classes + logits.argmax(axis=1)
    return np.asarray(np.bincount(pairs, minlength=classes**2).reshape(classes, classes))


def softmax(logits: Logits) -> NDArray[np.float64]:
    """Probabilities in double precision, (images, classes)."""
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def log_odds(logits: Logits, positive: int) -> NDArray[np.float64]:
    """Logit of a class less the log-sum-exp of all others, (images,): ranks as its probability does, without ties."""
    others = np.delete(logits.astype(np.float64), positive, axis=1)
    return np.asarray(logits[:, positive] - np.logaddexp.reduce(others, axis=1))


# -- means over images -------------------------------------------------------------------------------------------


def mark_correct(logits: Logits, labels: Labels) -> NDArray[np.float64]:
    """1.0 for an image whose largest score is the true class, else 0.0; (images,)."""
    return np.asarray(logits.argmax(axis=1) == labels, np.float64)


def measure_losses(logits: Logits, labels: Labels) -> NDArray[np.float64]:
    """Cross-entropy of every image in nats, computed in double precision; (images,)."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    log_normaliser = np.log(np.exp(shifted).sum(axis=1))
    return np.asarray(log_normaliser - shifted[np.arange(len(labels)), labels])


def measure_accuracy(logits: Logits, labels: Labels) -> float:
    """Share of images whose largest score is the true class. logits: (images, classes), labels: (images,)."""
    return float(np.mean(mark_correct(logits, labels)))


def measure_log_loss(logits: Logits, labels: Labels) -> float:
    """Mean cross-entropy in nats. logits: (images, classes), labels: (images,)."""
    return float(np.mean(measure_losses(logits, labels)))


# -- from the confusion matrix -----------------------------------------------------------------------------------


def measure_sensitivity(logits: Logits, labels: Labels, positive: int) -> float:
    """Recall: the share of the images of a class that are answered with it."""
    counts = count_answers(logits, labels)
    return _divide(counts[positive, positive], counts[positive].sum())


def measure_specificity(logits: Logits, labels: Labels, positive: int) -> float:
    """Share of the images of all other classes that are not answered with a class."""
    others = np.delete(count_answers(logits, labels), positive, axis=0)
    return _divide(others.sum() - others[:, positive].sum(), others.sum())


def measure_precision(logits: Logits, labels: Labels, positive: int) -> float:
    """Share of the images answered with a class that are of it."""
    counts = count_answers(logits, labels)
    return _divide(counts[positive, positive], counts[:, positive].sum())


def measure_f1(logits: Logits, labels: Labels, positive: int) -> float:
    """Harmonic mean of precision and sensitivity."""
    counts = count_answers(logits, labels)
    return _divide(2 * counts[positive, positive], counts[positive].sum() + counts[:, positive].sum())


def measure_balanced_accuracy(logits: Logits, labels: Labels) -> float:
    """Mean sensitivity over all classes."""
    counts = count_answers(logits, labels)
    return float(np.mean([_divide(counts[index, index], counts[index].sum()) for index in range(len(counts))]))


def measure_kappa(logits: Logits, labels: Labels) -> float:
    """Agreement beyond chance (Cohen 1960): 1 is perfect, 0 what the class frequencies alone give."""
    counts = count_answers(logits, labels)
    by_chance = counts.sum(axis=1) @ counts.sum(axis=0) / counts.sum() ** 2
    return _divide(np.trace(counts) / counts.sum() - by_chance, 1 - by_chance)


def _divide(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


# -- from the ranking and the probabilities ----------------------------------------------------------------------


def measure_roc_auc(logits: Logits, labels: Labels, positive: int) -> float:
    """Area under the ROC curve of a class against the rest, by its rank sum (Hanley and McNeil 1982)."""
    from scipy.stats import rankdata

    truth = labels == positive
    positives, negatives = int(truth.sum()), int((~truth).sum())
    rank_sum = rankdata(log_odds(logits, positive))[truth].sum()
    return _divide(rank_sum - positives * (positives + 1) / 2, positives * negatives)


def measure_average_precision(logits: Logits, labels: Labels, positive: int) -> float:
    """Mean precision over all recalls of a class: the sum of precision times step in recall, without interpolation."""
    scores = log_odds(logits, positive)
    order = np.argsort(-scores, kind="stable")
    is_last = np.append(np.diff(scores[order]) != 0, True)  # of the images that share a score
    answered, found = np.flatnonzero(is_last) + 1, np.cumsum((labels == positive)[order])[is_last]
    return _divide((np.diff(found, prepend=0) * found / answered).sum(), found[-1])


def measure_calibration_error(logits: Logits, labels: Labels) -> float:
    """Expected calibration error (Guo et al. 2017): |accuracy - confidence| over 15 equal bins of the confidence."""
    confidence = softmax(logits).max(axis=1)
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, mark_correct(logits, labels) - confidence)
    return float(np.abs(gaps).sum() / len(labels))


# -- the table ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Metric:
    """How a metric is called, printed and computed.

    Either `measure_all` gives it for all classes at once, or `measure_class` for one class against the rest.
    `per_image`, where the metric is a mean over images, gives their values: (images,).
    """

    name: str
    title: str
    unit: str
    direction: Direction
    scale: float  # from the computed value to the printed unit
    decimals: int
    bounds: tuple[float, float]  # of the printed unit
    measure_all: Measure | None = None
    measure_class: ClassMeasure | None = None
    per_image: Callable[[Logits, Labels], NDArray[np.float64]] | None = None

    def measure(self, logits: Logits, labels: Labels) -> float:
        """Compute the metric. logits: (images, classes), labels: (images,)."""
        if self.measure_all is not None:
            return self.measure_all(logits, labels)
        classes = logits.shape[1]
        values = self.measure_classes(logits, labels, (POSITIVE,) if classes == 2 else range(classes))
        return float(np.mean(values))

    def measure_classes(self, logits: Logits, labels: Labels, classes: Iterable[int]) -> list[float]:
        """Compute the metric for some classes, each against the rest."""
        if self.measure_class is None:
            raise TypeError(f"{self.name} is no metric of one class")
        return [self.measure_class(logits, labels, index) for index in classes]

    @property
    def is_share(self) -> bool:
        """Whether it is a share of the images: their values are 0 or 1."""
        return self.per_image is not None and self.unit == "%"

    @property
    def label(self) -> str:
        """Title with its unit in brackets."""
        return with_unit(self.title, self.unit)

    @property
    def difference_unit(self) -> str:
        """Unit of a difference or a deviation: percentages differ by points."""
        return "points" if self.unit == "%" else self.unit

    @property
    def mean_column(self) -> str:
        """Column of means in files, for example `accuracy_mean_percent`."""
        return _join_words(self.name, "mean", "percent" if self.unit == "%" else self.unit)

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


def _percent(name: str, title: str, decimals: int, direction: Direction = Direction.HIGHER, **measures: Any) -> Metric:
    return Metric(name, title, "%", direction, 100.0, decimals, (0.0, 100.0), **measures)


METRICS = {
    metric.name: metric
    for metric in (
        _percent("accuracy", "accuracy", 1, measure_all=measure_accuracy, per_image=mark_correct),
        _percent("balanced_accuracy", "balanced accuracy", 1, measure_all=measure_balanced_accuracy),
        _percent("sensitivity", "sensitivity", 1, measure_class=measure_sensitivity),
        _percent("specificity", "specificity", 1, measure_class=measure_specificity),
        _percent("precision", "precision", 1, measure_class=measure_precision),
        _percent("f1", "F1", 1, measure_class=measure_f1),
        _percent("roc_auc", "ROC AUC", 2, measure_class=measure_roc_auc),
        _percent("average_precision", "average precision", 2, measure_class=measure_average_precision),
        Metric("cohen_kappa", "Cohen's kappa", "", Direction.HIGHER, 1.0, 3, (-1.0, 1.0), measure_kappa),
        Metric(
            "log_loss",
            "log loss",
            "nats",
            Direction.LOWER,
            1.0,
            3,
            (0.0, float("inf")),
            measure_log_loss,
            per_image=measure_losses,
        ),
        _percent(
            "calibration_error",
            "calibration error",
            1,
            direction=Direction.LOWER,
            measure_all=measure_calibration_error,
        ),
    )
}
