"""Intervals for means over repeats."""

from dataclasses import dataclass

import numpy as np

from sweep.report.statistics.arrays import NEGLIGIBLE

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval, in the unit of the metric."""

    lower: float
    upper: float

    def __contains__(self, value: float) -> bool:
        return self.lower <= value <= self.upper

    def scale(self, factor: float) -> "Interval":
        """Return the interval of a value that is multiplied by a factor above 0."""
        return Interval(factor * self.lower, factor * self.upper)

    def clip(self, lower: float, upper: float) -> "Interval":
        """Return what lies within the bounds that the metric has."""
        return Interval(min(max(self.lower, lower), upper), max(min(self.upper, upper), lower))


def share_interval(share: float, error: float, freedom: float, counted: float) -> Interval | None:
    """Return Wilson's (1927) score interval of a part of 1, with the number of images that its error is worth.

    p (1 - p) / V images for the variance V, times (z / t)^2 with the quantiles of the normal and of t, as Korn and
    Graubard (1998) and Dean and Pagano (2015) do for clustered samples. At 0 and at 1, where no error shows, as many
    as there are patients that could have been answered otherwise: `counted`. None where nothing is known.
    """
    from scipy import stats
    from statsmodels.stats.proportion import proportion_confint

    if not np.isfinite(error) or counted < 1:
        return None
    images, spread = float(counted), share * (1 - share)
    if spread > NEGLIGIBLE and error**2 > NEGLIGIBLE * spread:
        quantile = (1 + LEVEL) / 2
        images = spread / error**2 * float(stats.norm.ppf(quantile) / stats.t.ppf(quantile, max(freedom, 1))) ** 2
    lower, upper = proportion_confint(share * images, images, alpha=1 - LEVEL, method="wilson")
    return Interval(float(lower), float(upper))


def student_interval(mean: float, error: float, freedom: float) -> Interval | None:
    """Return Student's interval of a mean; None where the standard error is zero, infinite or not known."""
    from scipy import stats

    if freedom < 1 or not NEGLIGIBLE * abs(mean) < error < np.inf:
        return None
    half = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * error
    return Interval(mean - half, mean + half)
