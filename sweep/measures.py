"""How metrics are computed from scores, and what each image adds to them. Pure.

Scores are logits, (images, classes); labels are (images,). NaN stands where a metric is not defined, for example the
precision of a class that was never answered.

The influence of an image is the derivative of a metric by the image's weight, divided by the number of images: the
infinitesimal jackknife (Jaeckel 1972; Efron 1982). Influences add up to 0; the sum of their squares, over patients,
estimates the variance of the metric between patients.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32]
Labels = NDArray[np.int64]
Floats = NDArray[np.float64]
Measure = Callable[[Logits, Labels, int], float]
Influence = Callable[[Logits, Labels, int], Floats]
Parts = Callable[[Logits, Labels, int], tuple[Floats, Floats]]  # of a ratio: what each image adds above and below

CALIBRATION_BINS = 15


def count_answers(logits: Logits, labels: Labels) -> NDArray[np.int64]:
    """Confusion matrix, (true class, answered class)."""
    classes = logits.shape[1]
    pairs = labels * classes + logits.argmax(axis=1)
    return np.asarray(np.bincount(pairs, minlength=classes**2).reshape(classes, classes))


def softmax(logits: Logits) -> Floats:
    """Probabilities in double precision, (images, classes)."""
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def log_odds(logits: Logits, positive: int) -> Floats:
    """Logit of a class less the log-sum-exp of all others, (images,): ranks as its probability does, without ties.

    Relative to the row's last class, so that rows that differ by a constant are ties to the last bit.
    """
    relative = logits.astype(np.float64) - logits[:, -1:]
    others = np.delete(relative, positive, axis=1)
    return np.asarray(relative[:, positive] - np.logaddexp.reduce(others, axis=1))


# -- ratios of sums over images ----------------------------------------------------------------------------------


def measure_ratio(parts: Parts) -> Measure:
    """Return the metric that is a ratio of two sums over images."""

    def measure(logits: Logits, labels: Labels, positive: int) -> float:
        above, below = parts(logits, labels, positive)
        return _divide(above.sum(), below.sum())

    return measure


def influence_ratio(parts: Parts) -> Influence:
    """Return the influences of a ratio: (above - ratio * below) / sum of below."""

    def influence(logits: Logits, labels: Labels, positive: int) -> Floats:
        above, below = parts(logits, labels, positive)
        whole = float(below.sum())
        return (
            np.asarray((above - _divide(above.sum(), whole) * below) / whole) if whole else np.full(len(below), np.nan)
        )

    return influence


def mark_correct(logits: Logits, labels: Labels) -> Floats:
    """1.0 for an image whose largest score is the true class, else 0.0; (images,)."""
    return np.asarray(logits.argmax(axis=1) == labels, np.float64)


def measure_losses(logits: Logits, labels: Labels) -> Floats:
    """Cross-entropy of every image in nats, computed in double precision; (images,)."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    log_normaliser = np.log(np.exp(shifted).sum(axis=1))
    return np.asarray(log_normaliser - shifted[np.arange(len(labels)), labels])


def split_accuracy(logits: Logits, labels: Labels, _: int = 0) -> tuple[Floats, Floats]:
    """Right answers among all images."""
    return mark_correct(logits, labels), np.ones(len(labels))


def split_log_loss(logits: Logits, labels: Labels, _: int = 0) -> tuple[Floats, Floats]:
    """Losses of all images."""
    return measure_losses(logits, labels), np.ones(len(labels))


def split_sensitivity(logits: Logits, labels: Labels, positive: int) -> tuple[Floats, Floats]:
    """Images answered with a class among those of it (recall)."""
    return _split_share(logits.argmax(axis=1) == positive, labels == positive)


def split_specificity(logits: Logits, labels: Labels, positive: int) -> tuple[Floats, Floats]:
    """Images not answered with a class among those of all others."""
    return _split_share(logits.argmax(axis=1) != positive, labels != positive)


def split_precision(logits: Logits, labels: Labels, positive: int) -> tuple[Floats, Floats]:
    """Images of a class among those answered with it (positive predictive value)."""
    return _split_share(labels == positive, logits.argmax(axis=1) == positive)


def split_negative_predictive_value(logits: Logits, labels: Labels, positive: int) -> tuple[Floats, Floats]:
    """Images of other classes among those not answered with a class."""
    return _split_share(labels != positive, logits.argmax(axis=1) != positive)


def split_f1(logits: Logits, labels: Labels, positive: int) -> tuple[Floats, Floats]:
    """Twice the images of a class that are answered with it, among those of it and those answered with it."""
    is_answered, is_positive = logits.argmax(axis=1) == positive, labels == positive
    return 2.0 * (is_answered & is_positive), is_answered * 1.0 + is_positive


def _split_share(hits: NDArray[np.bool_], counted: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    return np.asarray(hits & counted, np.float64), np.asarray(counted, np.float64)


def measure_accuracy(logits: Logits, labels: Labels) -> float:
    """Share of images whose largest score is the true class."""
    return float(np.mean(mark_correct(logits, labels)))


def measure_log_loss(logits: Logits, labels: Labels) -> float:
    """Mean cross-entropy in nats."""
    return float(np.mean(measure_losses(logits, labels)))


# -- over all classes --------------------------------------------------------------------------------------------


def measure_balanced_accuracy(logits: Logits, labels: Labels, _: int = 0) -> float:
    """Mean sensitivity over all classes."""
    counts = count_answers(logits, labels)
    return float(np.mean([_divide(counts[index, index], counts[index].sum()) for index in range(len(counts))]))


def influence_balanced_accuracy(logits: Logits, labels: Labels, _: int = 0) -> Floats:
    """Mean influence on the sensitivities of all classes."""
    influence = influence_ratio(split_sensitivity)
    return np.asarray(np.mean([influence(logits, labels, index) for index in range(logits.shape[1])], axis=0))


def measure_kappa(logits: Logits, labels: Labels, _: int = 0) -> float:
    """Agreement beyond chance (Cohen 1960): 1 is perfect, 0 what the class frequencies alone give."""
    counts = count_answers(logits, labels)
    by_chance = counts.sum(axis=1) @ counts.sum(axis=0) / counts.sum() ** 2
    return _divide(np.trace(counts) / counts.sum() - by_chance, 1 - by_chance)


def influence_kappa(logits: Logits, labels: Labels, _: int = 0) -> Floats:
    """Derivative of (a - c) / (1 - c) by the agreement a and the chance c."""
    counts = count_answers(logits, labels) / len(labels)
    of_labels, of_answers = counts.sum(axis=1), counts.sum(axis=0)
    agreement, by_chance = float(np.trace(counts)), float(of_labels @ of_answers)
    if by_chance == 1:
        return np.full(len(labels), np.nan)
    answers = logits.argmax(axis=1)
    to_agreement = (answers == labels) - agreement
    to_chance = of_answers[labels] + of_labels[answers] - 2 * by_chance
    slope = (1 - agreement) / (1 - by_chance) ** 2
    return np.asarray((to_agreement / (1 - by_chance) - slope * to_chance) / len(labels))


def measure_calibration_error(logits: Logits, labels: Labels, _: int = 0) -> float:
    """Expected calibration error (Guo et al. 2017): |accuracy - confidence| over 15 equal bins of the confidence."""
    gaps, bins = _find_gaps(logits, labels)
    return float(np.abs(np.bincount(bins, gaps)).sum() / len(labels))


def influence_calibration_error(logits: Logits, labels: Labels, _: int = 0) -> Floats:
    """An image's gap, with the sign of its bin's, less the error."""
    gaps, bins = _find_gaps(logits, labels)
    sums = np.bincount(bins, gaps)
    return np.asarray((np.sign(sums)[bins] * gaps - np.abs(sums).sum() / len(labels)) / len(labels))


def _find_gaps(logits: Logits, labels: Labels) -> tuple[Floats, NDArray[np.int64]]:
    """Return 1 or 0 for a right or wrong answer less its confidence, and the confidence's bin, (lower, upper]."""
    confidence = softmax(logits).max(axis=1)
    bins = np.clip(np.ceil(confidence * CALIBRATION_BINS).astype(int) - 1, 0, CALIBRATION_BINS - 1)
    return mark_correct(logits, labels) - confidence, bins


# -- from the ranking --------------------------------------------------------------------------------------------


def measure_roc_auc(logits: Logits, labels: Labels, positive: int) -> float:
    """Area under the ROC curve of a class against the rest: the mean placement (Hanley and McNeil 1982)."""
    scores, truth = log_odds(logits, positive), labels == positive
    if truth.all() or not truth.any():
        return float("nan")
    return float(_place(scores[truth], scores[~truth]).mean())


def influence_roc_auc(logits: Logits, labels: Labels, positive: int) -> Floats:
    """Placements among the other class, less their mean, over the images of the own class (DeLong et al. 1988)."""
    scores, truth = log_odds(logits, positive), labels == positive
    influences = np.full(len(labels), np.nan)
    if truth.all() or not truth.any():
        return influences
    for mask, sign in ((truth, 1), (~truth, -1)):
        placements = _place(sign * scores[mask], sign * scores[~mask])
        influences[mask] = (placements - placements.mean()) / len(placements)
    return influences


def _place(scores: Floats, others: Floats) -> Floats:
    """Return the part of the others that lies below each score; ties count half."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, scores, side="left") + np.searchsorted(ordered, scores, side="right")
    return np.asarray(below / (2 * len(ordered)))


def measure_average_precision(logits: Logits, labels: Labels, positive: int) -> float:
    """Mean precision over all recalls of a class: the sum of precision times step in recall, without interpolation."""
    found, answered, steps, _ = _rank_answers(logits, labels, positive)
    return _divide((steps * found / answered).sum(), found[-1])


def influence_average_precision(logits: Logits, labels: Labels, positive: int) -> Floats:
    """Derivative of the sum over thresholds of precision times step in recall."""
    found, answered, steps, places = _rank_answers(logits, labels, positive)
    if not found[-1]:
        return np.full(len(labels), np.nan)
    truth = np.asarray(labels == positive, np.float64)
    precision = found / answered
    average = float((steps * precision).sum() / found[-1])
    as_found = np.cumsum((steps / answered)[::-1])[::-1][places]  # at its own threshold and all below
    as_answer = np.cumsum((steps * found / answered**2)[::-1])[::-1][places]
    return np.asarray((truth * (precision[places] + as_found - average) - as_answer) / found[-1])


def _rank_answers(
    logits: Logits, labels: Labels, positive: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Count, for every distinct score from the highest on, images with it and above.

    Returns those of the class, all, those of the class with the very score; and of every image the score's place.
    """
    distinct, places = np.unique(-log_odds(logits, positive), return_inverse=True)
    answered = np.cumsum(np.bincount(places, minlength=len(distinct)))
    steps = np.bincount(places[labels == positive], minlength=len(distinct))
    return np.cumsum(steps), answered, steps, places


def _divide(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")
