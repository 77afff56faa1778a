"""Where the variance comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sweep.report.statistics.arrays import NEGLIGIBLE, Codes, Floats, encode, read_floats


@dataclass(frozen=True, slots=True)
class VarianceShares:
    """Shares of the total sum of squares, 0 to 1, by factor; None where the data cannot tell, as below two values.

    `ranges` are the largest minus the smallest mean of a factor's levels, in the unit of the metric; for a nested
    factor within the level of its parent where that is largest. `rest` is the share of interactions and chance.
    """

    shares: dict[str, float | None]
    ranges: dict[str, float | None]
    rest: float | None


def variance_shares(
    values: ArrayLike, factors: Mapping[str, ArrayLike], nested: Mapping[str, Sequence[str]] | None = None
) -> VarianceShares:
    """Return how much of the variation of `values` goes with each factor.

    Type II sums of squares (Yates 1934) of the linear model with all main effects: what a factor explains beyond all
    others, save those nested in it. In balanced grids they are those of a plain analysis of variance, and add up with
    `rest` to 1; in unbalanced ones they do not. None: one level, told by the other factors, or values all equal.

    Args:
        values: (runs,), one metric.
        factors: (runs,) labels by the factor's name.
        nested: Parents by nested factor; {"repeat": ("block",)}: repetition 0 of each block is another one.
    """
    data = read_floats("values", values)
    if data.size < 2:
        return VarianceShares(dict.fromkeys(factors), dict.fromkeys(factors), None)
    parents = {name: tuple((nested or {}).get(name, ())) for name in factors}
    codes = {name: encode(factors[level] for level in (name, *parents[name])) for name in factors}
    families = {name: encode(factors[level] for level in parents[name]) for name in factors if parents[name]}
    centred = data - data.mean()
    total = float(centred @ centred)
    ranges: dict[str, float | None] = {name: _range_of_means(data, codes[name], families.get(name)) for name in factors}
    if total <= data.size * (NEGLIGIBLE * float(np.abs(data).max())) ** 2:
        return VarianceShares(dict.fromkeys(factors), ranges, None)
    shares: dict[str, float | None] = {}
    for name in factors:
        others = [codes[other] for other in factors if other != name and name not in parents[other]]
        explained, rank = _explain(centred, [*others, codes[name]])
        explained_without, rank_without = _explain(centred, others)
        shares[name] = max(explained - explained_without, 0.0) / total if rank > rank_without else None
    rest = 1 - _explain(centred, list(codes.values()))[0] / total
    return VarianceShares(shares, ranges, max(rest, 0.0))


def _explain(centred: Floats, codes: Sequence[Codes]) -> tuple[float, int]:
    """Return the sum of squares that main effects explain, and the rank of their model, by normal equations.

    One indicator column for each level; none for the mean, since a factor's columns add up to it.
    """
    from scipy import sparse

    if not codes:
        return 0.0, 1
    rows, ones = np.arange(centred.size + 1), np.ones(centred.size)
    design = sparse.hstack([sparse.csr_array((ones, code, rows)) for code in codes], format="csr")
    values, vectors = np.linalg.eigh((design.T @ design).toarray())
    kept = values > values.max() * NEGLIGIBLE
    moments = vectors.T @ (design.T @ centred)
    return float((moments[kept] ** 2 / values[kept]).sum()), int(kept.sum())


def _range_of_means(data: Floats, codes: Codes, parents: Codes | None) -> float:
    means = np.bincount(codes, data) / np.bincount(codes)
    families = np.zeros(len(means), dtype=np.intp)
    if parents is not None:
        families[codes] = parents
    return max(float(np.ptp(means[families == family])) for family in np.unique(families))
