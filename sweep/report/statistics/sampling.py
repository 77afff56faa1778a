"""What of a mean's error stems from the test images: the patients they are of might have been others."""

import numpy as np
from numpy.typing import ArrayLike

from sweep.report.statistics.arrays import Floats, encode, read_floats


def effective_images(correct: ArrayLike, images: ArrayLike, patients: ArrayLike) -> float:
    """Return how many independent images a mean over pairs is worth; all arrays are (pairs,).

    The smaller of two numbers. Kish (1965): (sum c)^2 / sum c^2 for images tested c times each. And p (1 - p) / V,
    V being the variance of the mean p between patients (see `covariance_of_means`), as Korn and Graubard (1998) and
    Dean and Pagano (2015) put it into intervals of shares. A single patient counts as one image. Where all
    answers are right, or all wrong, nothing shows how alike the images of a patient are: Kish alone.
    """
    answers = read_floats("correct", correct)
    counts = np.unique(np.asarray(images), return_counts=True)[1]
    kish = float(counts.sum() ** 2 / (counts.astype(np.float64) ** 2).sum())
    share = float(answers.mean())
    variance = float(covariance_of_means(answers[None, :], patients)[0, 0])
    return kish if variance == 0 else min(kish, max(1.0, share * (1 - share) / variance))


def covariance_of_means(values: ArrayLike, patients: ArrayLike) -> Floats:
    """Return the (models, models) covariance of mean `values` between patients; infinite for a single patient.

    Clustered by patient, so that an image tested in several shuffles counts once: the sum over patients of the
    products of their summed residuals, over pairs^2, times G / (G - 1) for G patients (Liang and Zeger 1986).

    Args:
        values: (models, pairs), such as 1 where the answer was right.
        patients: (pairs,), labels of any type.
    """
    data = read_floats("values", values)
    codes = encode([patients])
    clusters = int(codes.max()) + 1
    if clusters < 2:
        return np.full((len(data), len(data)), np.inf)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(clusters))
    sums = np.add.reduceat((data - data.mean(axis=1, keepdims=True))[:, order], starts, axis=1)
    return np.asarray(sums @ sums.T / data.shape[1] ** 2 * clusters / (clusters - 1))


def jackknife_covariance(replicates: ArrayLike) -> Floats:
    """Return the (models, models) covariance of estimates, from estimates that each lack one group of patients.

    Delete-a-group jackknife (Quenouille 1956, Tukey 1958; Kott 2001): (G - 1) / G times the sum over the groups of the
    products of deviations. Infinite where an estimate without a group is not defined.

    Args:
        replicates: (models, groups).
    """
    data = np.asarray(replicates, dtype=np.float64)
    models, groups = data.shape
    if groups < 2 or not np.isfinite(data).all():
        return np.full((models, models), np.inf)
    deviations = data - data.mean(axis=1, keepdims=True)
    return np.asarray(deviations @ deviations.T * (groups - 1) / groups)


def difference_errors(covariance: ArrayLike) -> Floats:
    """Return the (models, models) standard errors of differences; infinite between models where nothing is known."""
    data = np.asarray(covariance, dtype=np.float64)
    if np.isinf(data).any():
        return np.where(np.eye(len(data), dtype=bool), 0.0, np.inf)
    variances = np.diag(data)
    return np.sqrt(np.maximum(variances[:, None] + variances[None, :] - 2 * data, 0.0))
