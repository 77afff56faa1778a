"""Do the report's statements hold as often as they say? Studies drawn at random, judged against the truth.

`python benchmarks/coverage.py [STUDIES]`: per number of shuffles the share of studies (%) in which the interval of one
model, of one pair, and of all pairs at once hold the truth; in which equal models are told apart; the pairs that differ
by a point or more that are told apart; studies whose true best is among the candidates; and studies in which a model is
said to be within one point of the best and is not.
"""

import sys
from pathlib import Path

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "report"))

from resplits import World

from sweep.report.statistics.best import Draws, compare_pairs, compare_with_best
from sweep.report.statistics.errors import About
from sweep.report.statistics.intervals import share_interval

MARGIN = 0.01
COLUMNS = ("one model", "one pair", "all pairs", "told apart", "power", "best among", "wrongly within", "SE", "true SD")


def judge(world: World, shuffles: int, about: About = About.POOL) -> list[float]:
    """Judge one study by each of the columns."""
    means, errors = world.estimate(world.draw(shuffles), about)
    truth = world.truth if about is About.POOL else world.procedure
    draws = Draws.of(errors, 1.0)
    pairs = compare_pairs(means, draws)
    ranks = compare_with_best(means, draws.of_differences, draws.find_critical())
    upper = np.triu_indices(len(truth), 1)
    true = (truth[:, None] - truth[None, :])[upper]
    misses = pairs.differences[upper] - true
    half = stats.t.ppf(0.975, errors.freedom_of_differences) * draws.of_differences[upper]
    told, is_large = pairs.is_distinct[upper], np.abs(true) >= 0.01
    bounds = zip(means, errors.of_means, errors.freedom_of_means, truth, strict=True)
    return [
        100 * float(np.mean([value in share_interval(mean, se, df, errors.counted) for mean, se, df, value in bounds])),
        100 * float((np.abs(misses) <= half).mean()),
        100.0 * bool(((pairs.lower[upper] <= true) & (true <= pairs.upper[upper])).all()),
        100.0 * bool(told.any()),
        100 * float(told[is_large].mean()) if is_large.any() else np.nan,
        100.0 * bool(ranks.upper[truth.argmax()] > 0),
        100.0 * bool((truth.max() - truth)[ranks.lower >= -MARGIN].max(initial=0.0) > MARGIN),
        100 * float(draws.of_differences[upper].mean()),
        100 * float(misses.std()),
    ]


def main(studies: int) -> None:
    """Print a line for each design."""
    equal = {"lowest": 0.965, "highest": 0.965, "pool": 0.0}
    narrow = {"trained": 0.8, "tested": 0.1}
    designs = [
        *((f"60/20/20, {count} shuffles", count, {}, About.POOL) for count in (3, 5, 10, 20, 50)),
        *((f"80/10/10, {count} shuffles", count, narrow, About.POOL) for count in (5, 20)),
        *((f"equal models, {count} shuffles", count, equal, About.POOL) for count in (3, 5, 10, 20, 50)),
        ("60/20/20, 20 shuffles, any pool", 20, {}, About.PROCEDURE),
        ("80/10/10, 20 shuffles, any pool", 20, narrow, About.PROCEDURE),
    ]
    print(f"{studies} studies a line, %; SE and true SD of a difference in points")
    print(f"{'':34}" + "".join(f"{column:>15}" for column in COLUMNS))
    for number, (name, shuffles, options, about) in enumerate(designs):
        rng = np.random.default_rng(number)
        rows = [judge(World(rng, **options), shuffles, about) for _ in range(studies)]
        known = np.ma.masked_invalid(rows)  # the power is of worlds in which models differ by a point
        figures = known.mean(axis=0).filled(np.nan)
        print(f"{name:34}" + "".join(f"{figure:15.2f}" for figure in figures), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
