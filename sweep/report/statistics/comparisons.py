"""How one list of numbers stands beside another."""

import numpy as np
from numpy.typing import ArrayLike

from sweep.report.statistics.arrays import NEGLIGIBLE, Bools, read_floats


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


SCATTERING = 4.0  # times the others' variance: less is no matter


def find_scattering(values: ArrayLike) -> list[int]:
    """Return the rows that scatter beside the others', from an F test at 1 % for all rows together (Bonferroni).

    What all rows of a repetition share is taken away. values: (models, repeats), three models or more.
    """
    from scipy import stats

    data = read_floats("values", values)
    models, repeats = data.shape
    if models < 3 or repeats < 2:
        return []
    residuals = data - data.mean(axis=1, keepdims=True)
    residuals -= np.median(residuals, axis=0)
    squares = (residuals**2).sum(axis=1)
    others = np.maximum((squares.sum() - squares) / (models - 1), NEGLIGIBLE * np.abs(data).max() ** 2)
    ratios = squares / others
    chances = models * stats.f.sf(ratios, repeats - 1, (models - 1) * (repeats - 1))
    return [int(place) for place in np.flatnonzero((ratios > SCATTERING) & (chances < 0.01))]


def left_out_best(values: ArrayLike) -> float | None:
    """Return what the best model scores in a repetition that did not choose it; None below two models or two repeats.

    The model with the highest mean over the other repeats, on the one left out, averaged over all repeats; models
    that share the highest mean, averaged too. values: (models, repeats), higher is better.
    """
    data = read_floats("values", values)
    models, repeats = data.shape
    if models < 2 or repeats < 2:
        return None
    others = np.round((data.sum(axis=1, keepdims=True) - data) / (repeats - 1), 12)
    is_best = others == others.max(axis=0)
    return float(((data * is_best).sum(axis=0) / is_best.sum(axis=0)).mean())
