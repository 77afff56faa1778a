"""Which models can be told apart, and which are beaten."""

from dataclasses import dataclass
from itertools import product
from string import ascii_lowercase

import numpy as np
from numpy.typing import ArrayLike

from sweep.report.statistics.arrays import NEGLIGIBLE, Bools, Floats, read_floats
from sweep.report.statistics.sampling import SamplingError

ALPHA = 0.05  # of a family of comparisons


@dataclass(frozen=True, slots=True)
class Comparisons:
    """All pairs of K models; entry (k, l) is about model k minus model l. The arrays are (K, K).

    `p_values` are two-sided and adjusted for the number of pairs; 1 on the diagonal.
    """

    differences: Floats
    standard_errors: Floats
    p_values: Floats
    is_distinct: Bools
    degrees_of_freedom: int


def compare_models(
    values: ArrayLike, test_to_training: float, sampling: SamplingError | None = None
) -> Comparisons | None:
    """Compare all pairs of models; None below two models or two shuffles.

    Models and shuffles form randomised blocks: the residual mean square MS is pooled over all models and has
    (K - 1)(J - 1) degrees of freedom. A difference of two means has the variance 2 MS (1/J + n2/n1), corrected for
    the overlap of re-splits (Nadeau and Bengio 2003), or that of the images if larger. P-values are those of t,
    adjusted by Holm (1979) over all K (K - 1) / 2 pairs. Where the standard error is zero, the p-value is 1: nothing
    can be told.

    Args:
        values: (models, shuffles), one metric.
        test_to_training: n2/n1, test images over training images.
        sampling: what of the error stems from the test images.
    """
    data = read_floats("values", values)
    models, shuffles = data.shape
    if models < 2 or shuffles < 2:
        return None
    means = data.mean(axis=1)
    residuals = data - means[:, None] - data.mean(axis=0) + data.mean()
    freedom = (models - 1) * (shuffles - 1)
    mean_square = float((residuals**2).sum()) / freedom
    errors = np.full((models, models), np.sqrt(2 * mean_square * (1 / shuffles + test_to_training)))
    freedoms = np.full((models, models), float(freedom))
    if sampling is not None:
        is_larger = sampling.of_differences > errors
        freedoms[is_larger] = min(freedom, max(sampling.degrees_of_freedom, 1))
        errors = np.maximum(errors, sampling.of_differences)
    np.fill_diagonal(errors, 0.0)
    return _compare(means, errors, freedoms)


def compare_classifiers(means: ArrayLike, sampling: SamplingError) -> Comparisons:
    """Compare the classifiers at hand, as they are: only the test images are random, no training.

    Dietterich (1998) sets the two questions apart. P-values are those of t with the degrees of freedom of the
    images, adjusted by Holm (1979). means: (models,).
    """
    data = read_floats("means", means)
    errors = sampling.of_differences
    return _compare(data, errors, np.full_like(errors, max(sampling.degrees_of_freedom, 1)))


def _compare(means: Floats, errors: Floats, freedoms: Floats) -> Comparisons:
    from scipy import stats
    from statsmodels.stats.multitest import multipletests

    differences = means[:, None] - means[None, :]
    upper = np.triu_indices(len(means), 1)
    difference, error = np.abs(differences[upper]), errors[upper]
    negligible = NEGLIGIBLE * float(np.abs(means).max())  # what rounding leaves of a zero
    can_tell = (error > negligible) & (difference > negligible)
    ratios = np.divide(difference, error, out=np.zeros_like(difference), where=can_tell)
    p_values = np.ones_like(differences)
    p_values[upper] = multipletests(2 * stats.t.sf(ratios, freedoms[upper]), method="holm")[1]
    p_values = np.minimum(p_values, p_values.T)
    return Comparisons(differences, errors, p_values, p_values < ALPHA, int(freedoms.max()))


def detectable_difference(
    standard_error: float, degrees_of_freedom: float, comparisons: int, power: float = 0.8
) -> float:
    """Return the smallest true difference that the first step of Holm finds with probability `power`.

    (t(1 - alpha / 2m) + t(power)) SE for m comparisons: the usual approximation (Cohen 1988) at Bonferroni's level.
    """
    from scipy import stats

    critical = stats.t.ppf(1 - ALPHA / (2 * comparisons), degrees_of_freedom)
    return float((critical + stats.t.ppf(power, degrees_of_freedom)) * standard_error)


def letter_groups(means: ArrayLike, is_distinct: ArrayLike) -> list[str]:
    """Return letters for each model, such that two models share one exactly if they are not distinct.

    A compact letter display (Piepho 2004), by growing cliques (Gramm et al. 2007): insert and absorb may need
    exponentially many letters on the way. "a" is a group of the best model. With more than 26 groups, letters go
    on with "aa", "ab", and those of a model are separated by blanks.

    Args:
        means: (models,), higher is better.
        is_distinct: (models, models), symmetric.
    """
    alike = ~np.asarray(is_distinct, dtype=bool) | np.eye(len(np.asarray(means)), dtype=bool)
    order = np.argsort(-read_floats("means", means), kind="stable")
    groups = _cover_pairs(alike[np.ix_(order, order)])
    names = ["".join(letters) for length in (1, 2, 3) for letters in product(ascii_lowercase, repeat=length)]
    separator = "" if len(groups) <= len(ascii_lowercase) else " "
    return [
        separator.join(name for name, group in zip(names, groups, strict=False) if group[place])
        for place in np.argsort(order)
    ]


def rank_correlation(first: ArrayLike, second: ArrayLike) -> float | None:
    """Return Spearman's (1904) rank correlation of two (n,) arrays; None below three points or if one is constant."""
    from scipy import stats

    a, b = read_floats("first", first), read_floats("second", second)
    if a.size < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    return float(stats.spearmanr(a, b).statistic)


def pareto_front(costs: ArrayLike, values: ArrayLike) -> Bools:
    """Return (n,) whether no other is at least as good on both counts and better on one: lower cost, higher value."""
    cost, value = read_floats("costs", costs), read_floats("values", values)
    no_dearer, no_worse = cost[:, None] <= cost[None, :], value[:, None] >= value[None, :]
    at_least_as_good = no_dearer & no_worse
    return np.logical_not((at_least_as_good & ~at_least_as_good.T).any(axis=0))


def _cover_pairs(alike: Bools) -> list[Bools]:
    """Return groups, (models,) whether a member, that together hold each pair of models alike and no other."""
    covered = np.zeros_like(alike)
    groups: list[Bools] = []
    for first, second in np.argwhere(np.triu(alike)):
        if covered[first, second]:
            continue
        group = np.isin(np.arange(len(alike)), [first, second])
        for candidate in range(len(alike)):
            group[candidate] |= bool(alike[candidate, group].all())
        covered |= np.outer(group, group)
        groups.append(group)
    return _drop_redundant(groups)


def _drop_redundant(groups: list[Bools]) -> list[Bools]:
    """Return the groups without those whose pairs other groups hold, the best model's first."""
    holders = sum((np.outer(group, group).astype(int) for group in groups), start=np.zeros((), dtype=int))
    kept = []
    for group in sorted(groups, key=lambda members: int(members.sum())):
        pairs = np.outer(group, group)
        if holders[pairs].min() > 1:
            holders = holders - pairs
        else:
            kept.append(group)
    return sorted(kept, key=lambda members: np.flatnonzero(members).tolist())
