"""What of a mean's error stems from the test images: the patients they are of might have been others."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sweep.report.statistics.arrays import NEGLIGIBLE, Floats, encode, read_floats


@dataclass(frozen=True, slots=True)
class SamplingError:
    """The (models, models) covariance of K means, infinite where it is not known, and its degrees of freedom."""

    covariance: Floats
    degrees_of_freedom: int

    def scale(self, factor: float) -> "SamplingError":
        """Return the error of means that are multiplied by a factor."""
        return SamplingError(factor**2 * self.covariance, self.degrees_of_freedom)

    @property
    def of_means(self) -> Floats:
        """Standard errors of the means, (models,)."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def of_differences(self) -> Floats:
        """Standard errors of the differences of two means, (models, models); 0 on the diagonal."""
        variances = np.where(np.isinf(self.covariance), 0.0, self.covariance)
        own = np.diag(variances)
        errors = np.sqrt(np.maximum(own[:, None] + own[None, :] - 2 * variances, 0.0))
        errors[np.isinf(self.covariance)] = np.inf
        np.fill_diagonal(errors, 0.0)
        return np.asarray(errors)


def effective_images(correct: ArrayLike, images: ArrayLike, patients: ArrayLike, level: float = 0.95) -> float:
    """Return how many independent images a mean over pairs is worth; all arrays are (pairs,).

    The smaller of two numbers. Kish (1965): (sum c)^2 / sum c^2 for images tested c times each. And p (1 - p) / V,
    V being the variance of the mean p between G patients (see `cluster_by_patient`), times (z / t)^2 with the quantiles
    of the normal and of t with G - 1 degrees of freedom at `level`, as Korn and Graubard (1998) and Dean and Pagano
    (2015) put it into intervals of shares. Where V is zero, nothing shows how alike the images of a patient are: then
    no more than the number of patients. At least 1.
    """
    from scipy import stats

    answers = read_floats("correct", correct)
    counts = np.unique(np.asarray(images), return_counts=True)[1]
    kish = float(counts.sum() ** 2 / (counts.astype(np.float64) ** 2).sum())
    sampling = cluster_by_patient(answers[None, :], patients)
    variance, share = float(sampling.covariance[0, 0]), float(answers.mean())
    if variance <= NEGLIGIBLE * share * (1 - share):
        return min(kish, sampling.degrees_of_freedom + 1.0)
    if np.isinf(variance):
        return 1.0
    quantile = (1 + level) / 2
    few_patients = (stats.norm.ppf(quantile) / stats.t.ppf(quantile, sampling.degrees_of_freedom)) ** 2
    return float(np.clip(share * (1 - share) / variance * few_patients, 1.0, kish))


def cluster_by_patient(values: ArrayLike, patients: ArrayLike) -> SamplingError:
    """Return the error of mean `values` between patients; for a single patient it is not known.

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
        return SamplingError(np.full((len(data), len(data)), np.inf), 0)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(clusters))
    sums = np.add.reduceat((data - data.mean(axis=1, keepdims=True))[:, order], starts, axis=1)
    covariance = sums @ sums.T / data.shape[1] ** 2 * clusters / (clusters - 1)
    return SamplingError(np.asarray(covariance), clusters - 1)


def jackknife(replicates: ArrayLike) -> SamplingError:
    """Return the error of estimates, from estimates that each lack one random group of patients.

    Delete-a-group jackknife (Kott 2001): (G - 1) / G times the sum over the groups of the products of deviations. Not
    known for a model that is not defined without one of the groups.

    Args:
        replicates: (models, groups), NaN where not defined.
    """
    data = np.asarray(replicates, dtype=np.float64)
    models, groups = data.shape
    is_known = np.isfinite(data).all(axis=1)
    covariance = np.full((models, models), np.inf)
    if groups > 1:
        deviations = data[is_known] - data[is_known].mean(axis=1, keepdims=True)
        covariance[np.ix_(is_known, is_known)] = deviations @ deviations.T * (groups - 1) / groups
    return SamplingError(covariance, groups - 1)
