"""Which models may be the best, and how far the others are from it at most."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from sweep.report.statistics.arrays import NEGLIGIBLE, Bools, Floats, read_floats
from sweep.report.statistics.errors import Errors
from sweep.report.statistics.intervals import LEVEL

DRAWS = 20_000
FEWEST_DRAWS = 2_000
DRAWN_AT_MOST = 40_000_000  # draws times pairs
RULE_OF_THREE = 3.0  # nothing seen among n: at most 3/n, at 95 % (Hanley and Lippman-Hand 1983)
NORMAL_QUANTILE, NORMAL_QUANTILE_ONE_SIDED = 1.959964, 1.644854  # at 95 %; the least that any critical value is


class Verdict(StrEnum):
    """What is shown of a model, at 95 % for all models together."""

    MAY_BE_BEST = "may be the best"  # and is within the margin of it
    WITHIN = "within the margin"  # not the best, but within the margin of it
    WORSE = "worse"  # not the best, and not shown to be within the margin
    CANNOT_TELL = "cannot tell"  # may be the best, and may be further behind than the margin


@dataclass(frozen=True, slots=True)
class Pairs:
    """All pairs of K models; entry (k, l) is about model k minus model l. The arrays are (models, models).

    `lower` and `upper` hold all true differences at once in 95 % of studies; `p_values` are two-sided and adjusted
    likewise, 1 on the diagonal.
    """

    differences: Floats
    standard_errors: Floats
    lower: Floats
    upper: Floats
    p_values: Floats

    @property
    def is_distinct(self) -> Bools:
        """Whether the interval of a difference leaves out 0."""
        return np.asarray((self.lower > 0) | (self.upper < 0))


@dataclass(frozen=True, slots=True)
class Ranks:
    """K models against the best of the others; all of it holds at once in 95 % of studies.

    `lower` and `upper`, (models,), bound the model less the best of the others, from -inf to 0 and from 0 to inf.
    """

    lower: Floats
    upper: Floats

    def judge(self, margin: float) -> list[Verdict]:
        """Say of every model what is shown under a margin in the unit of the means."""
        verdicts = {
            (True, True): Verdict.MAY_BE_BEST,
            (False, True): Verdict.WITHIN,
            (False, False): Verdict.WORSE,
            (True, False): Verdict.CANNOT_TELL,
        }
        within = self.lower >= -margin
        return [verdicts[bool(upper > 0), bool(near)] for upper, near in zip(self.upper, within, strict=True)]


@dataclass(frozen=True, slots=True)
class Draws:
    """Draws of the error of K means: (draws, models), of a t distribution; and the errors of the differences."""

    values: Floats
    of_differences: Floats

    @classmethod
    def of(cls, errors: Errors, whole: float = 0.0) -> "Draws":
        """Draw from a multivariate t with the covariance and degrees of freedom of some errors."""
        models = len(errors.of_patients)
        count = int(np.clip(DRAWN_AT_MOST // models**2, FEWEST_DRAWS, DRAWS))
        generator = np.random.default_rng(0)  # the same numbers for the same errors, whenever they are asked for
        values, vectors = np.linalg.eigh(errors.covariance)
        scale = vectors * np.sqrt(np.maximum(values, 0.0))
        normal = generator.standard_normal((count, models)) @ scale.T
        freedom = errors.freedom_of_all
        tails = np.sqrt(generator.chisquare(freedom, (count, 1)) / freedom)
        return cls(normal / tails, bound_errors(errors, whole))

    def find_critical(self) -> Floats:
        """Return Dunnett's (1955) one-sided critical value with each model as the control, (models,)."""
        models = len(self.of_differences)
        limits = np.empty(models)
        for control in range(models):
            others = np.arange(models) != control
            ratios = (self.values[:, others] - self.values[:, [control]]) / self.of_differences[control, others]
            limits[control] = np.quantile(ratios.max(axis=1), LEVEL)
        return np.maximum(limits, NORMAL_QUANTILE_ONE_SIDED)


def bound_errors(errors: Errors, whole: float = 0.0) -> Floats:
    """Return the standard errors of all differences, (models, models); infinite where nothing can be told.

    whole: what the means are parts of, such as 100 %; no difference is then known better than by the rule of three:
    models that never differ in G patients may differ in 3 of G.
    """
    floor = whole * RULE_OF_THREE / NORMAL_QUANTILE_ONE_SIDED / max(errors.counted, 1)
    found = np.maximum(errors.of_differences, floor)
    is_zero = found <= NEGLIGIBLE * float(found.max())
    return np.where(is_zero | np.eye(len(found), dtype=bool), np.inf, found)


def compare_pairs(means: ArrayLike, draws: Draws) -> Pairs:
    """Compare all pairs of models with the studentised maximum of the draws (max-t; Hothorn et al. 2008).

    Where the error of a difference is zero nothing can be told: its interval is infinite, its p-value 1.
    """
    from scipy import special

    data = read_floats("means", means)
    errors = draws.of_differences
    first, second = np.triu_indices(len(data), 1)
    most = np.zeros(len(draws.values))
    for start in range(0, len(first), 256):
        one, other = first[start : start + 256], second[start : start + 256]
        ratios = np.abs(draws.values[:, one] - draws.values[:, other]) / errors[one, other]
        np.maximum(most, ratios.max(axis=1), out=most)
    most.sort()
    differences = data[:, None] - data[None, :]
    observed = np.abs(differences) / errors
    above = len(most) - np.searchsorted(most, observed, side="left")
    p_values = np.maximum((above + 1) / (len(most) + 1), special.erfc(observed / np.sqrt(2)))  # as the bounds below
    np.fill_diagonal(p_values, 1.0)
    half = max(float(np.quantile(most, LEVEL)), NORMAL_QUANTILE) * errors
    np.fill_diagonal(half, 0.0)
    return Pairs(differences, errors, differences - half, differences + half, p_values)


def compare_with_best(means: ArrayLike, of_differences: Floats, critical: Floats) -> Ranks:
    """Compare each model with the best of the others (Hsu 1981; unequal errors: Hsu 1996, section 4.2).

    Args:
        means: (models,), higher is better; two models or more.
        of_differences: (models, models), standard errors of the differences.
        critical: (models,), Dunnett's critical value with each model as the control.
    """
    data = read_floats("means", means)
    # [k, l]: by how much model k may be better than model l at most, at k's own critical value
    margins = data[:, None] - data[None, :] + critical[:, None] * of_differences
    np.fill_diagonal(margins, np.inf)
    upper = np.maximum(margins.min(axis=1), 0.0)
    candidates = np.flatnonzero(upper > 0)
    lower = np.zeros(len(data))
    for model in range(len(data)):
        others = candidates[candidates != model]
        if len(others):
            shown = data[model] - data[others] - critical[others] * of_differences[others, model]
            lower[model] = min(float(shown.min()), 0.0)
    return Ranks(lower, upper)
