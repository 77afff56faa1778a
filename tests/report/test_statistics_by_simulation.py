"""Statements of a report hold as often as they say, in studies drawn at random whose truth is known."""

import numpy as np
import pytest
from resplits import World
from scipy import stats

from sweep.report.statistics.best import Draws, compare_pairs, compare_with_best
from sweep.report.statistics.errors import About
from sweep.report.statistics.intervals import share_interval

pytestmark = pytest.mark.slow

STUDIES = 80
SHUFFLES = [5, 10, 20, 50]
EQUAL = {"lowest": 0.965, "highest": 0.965, "pool": 0.0}
MARGIN = 0.01


def at_least(share, studies=STUDIES):
    """Return the fewest of some studies that a statement true in such a share holds in, but for one chance in 100."""
    return stats.binom.ppf(0.01, studies, share)


class Judged:
    """What was said in some studies of a design, and what of it was true."""

    def __init__(self, repeats, about=About.POOL, studies=STUDIES, **options):
        rng = np.random.default_rng(repeats)
        self.pairs, self.all, self.told, self.power, self.best, self.wrong, self.single = [], [], [], [], [], [], []
        for _ in range(studies):
            world = World(rng, **options)
            means, errors = world.estimate(world.draw(repeats), about)
            self.judge(means, errors, world.truth if about is About.POOL else world.procedure)

    def judge(self, means, errors, truth):
        draws = Draws.of(errors, 1.0)
        pairs = compare_pairs(means, draws)
        ranks = compare_with_best(means, draws.of_differences, draws.find_critical())
        upper = np.triu_indices(len(truth), 1)
        true = (truth[:, None] - truth[None, :])[upper]
        half = stats.t.ppf(0.975, errors.freedom_of_differences) * draws.of_differences[upper]
        self.pairs.append((np.abs(pairs.differences[upper] - true) <= half).mean())
        self.all.append(((pairs.lower[upper] <= true) & (true <= pairs.upper[upper])).all())
        self.told.append(pairs.is_distinct.any())
        self.power.extend(pairs.is_distinct[upper][np.abs(true) >= MARGIN])
        self.best.append(ranks.upper[truth.argmax()] > 0)
        self.wrong.append(((truth.max() - truth)[ranks.lower >= -MARGIN] > MARGIN).any())
        bounds = zip(means, errors.of_means, errors.freedom_of_means, truth, strict=True)
        self.single.extend(value in share_interval(mean, se, df, errors.counted) for mean, se, df, value in bounds)


@pytest.fixture(scope="module", params=SHUFFLES)
def judged(request):
    return Judged(request.param)


@pytest.fixture(scope="module", params=SHUFFLES)
def equal(request):
    return Judged(request.param, **EQUAL)


def test_the_interval_of_a_pair_and_of_a_model_holds_the_truth_as_often_as_it_says(judged):
    assert 0.93 < np.mean(judged.pairs) < 0.975
    assert 0.92 < np.mean(judged.single) < 0.99


def test_all_pairs_are_held_at_once(judged):
    assert sum(judged.all) >= at_least(0.95)


def test_the_true_best_is_among_the_candidates(judged):
    assert sum(judged.best) >= at_least(0.95)


def test_what_is_said_to_be_within_the_margin_is(judged):
    assert STUDIES - sum(judged.wrong) >= at_least(0.95)


def test_equal_models_are_told_apart_in_at_most_one_of_twenty_studies(equal):
    assert STUDIES - sum(equal.told) >= at_least(0.95)
    assert sum(equal.best) >= at_least(0.95)


def test_a_difference_of_a_point_is_found_in_most_studies_of_twenty_repeats():
    assert np.mean(Judged(20).power) >= 0.7


def test_without_what_runs_add_equal_models_would_be_told_apart():
    """The covariance between patients alone promises too much: training is not in it."""
    rng, told = np.random.default_rng(0), []
    for _ in range(40):
        world = World(rng, noise=0.09, **EQUAL)
        means, errors = world.estimate(world.draw(5))
        alone = type(errors)(**{name: getattr(errors, name) for name in errors.__slots__} | {"of_runs": 0.0})
        told.append(compare_pairs(means, Draws.of(alone, 1.0)).is_distinct.any())
    assert np.mean(told) > 0.2


def test_any_pool_of_images_is_allowed_for_where_it_is_asked_for():
    """With a pool that favours some models, bounds on this pool are too narrow for any other; the wider ones hold."""
    judged = Judged(20, About.PROCEDURE, studies=40)
    assert np.mean(judged.pairs) >= 0.95
    assert sum(judged.all) >= at_least(0.95, 40)


def test_where_patients_have_many_images_and_training_is_unsteady_bounds_hold_at_least_as_often():
    judged = Judged(5, studies=40, patients=1200, noise=0.09, **EQUAL)
    assert np.mean(judged.pairs) >= 0.94
    assert 40 - sum(judged.told) >= at_least(0.95, 40)
