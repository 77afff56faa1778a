"""Intervals for the mean of a metric over shuffles."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sweep.report.statistics.arrays import NEGLIGIBLE, read_floats


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval, in the unit of the metric."""

    lower: float
    upper: float

    def __contains__(self, value: float) -> bool:
        return self.lower <= value <= self.upper

    def clip(self, lower: float, upper: float) -> "Interval":
        """Return what lies within the bounds that the metric has."""
        return Interval(min(max(self.lower, lower), upper), max(min(self.upper, upper), lower))


def share_interval(share: float, images: float, level: float = 0.95) -> Interval:
    """Return the score interval of Wilson (1927) for a share (0 to 1) of (effective) images."""
    from statsmodels.stats.proportion import proportion_confint

    lower, upper = proportion_confint(share * images, images, alpha=1 - level, method="wilson")
    return Interval(float(lower), float(upper))


def student_interval(mean: float, error: float, freedom: float, level: float = 0.95) -> Interval | None:
    """Return Student's interval of a mean; None where the standard error is zero, infinite or not known."""
    from scipy import stats

    if freedom < 1 or not NEGLIGIBLE * abs(mean) < error < np.inf:
        return None
    half = float(stats.t.ppf((1 + level) / 2, freedom)) * error
    return Interval(mean - half, mean + half)


def resampled_interval(values: ArrayLike, test_to_training: float, level: float = 0.95) -> Interval | None:
    """Return the corrected resampled t interval of Nadeau and Bengio (2003) for the mean of J shuffles; None below two.

    The variance of the mean is (1/J + n2/n1) S^2, with J - 1 degrees of freedom.

    Args:
        values: (shuffles,), one metric.
        test_to_training: n2/n1, test images over training images.
        level: Confidence level.
    """
    from scipy import stats

    data = read_floats("values", values)
    if data.size < 2:
        return None
    error = float(data.std(ddof=1)) * np.sqrt(1 / data.size + test_to_training)
    half = float(stats.t.ppf((1 + level) / 2, data.size - 1) * error)
    return Interval(float(data.mean()) - half, float(data.mean()) + half)


def widest(*intervals: Interval | None) -> Interval | None:
    """Return the smallest interval around all; None if one is None, since what is unknown may be anything."""
    known = [interval for interval in intervals if interval is not None]
    if not known or len(known) < len(intervals):
        return None
    return Interval(min(interval.lower for interval in known), max(interval.upper for interval in known))
