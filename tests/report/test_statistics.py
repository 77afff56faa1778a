import numpy as np
import pandas as pd
import pytest
import statsmodels.api
import statsmodels.formula.api
from scipy import stats

from sweep.report.statistics.comparisons import left_out_best, pareto_front, rank_correlation
from sweep.report.statistics.intervals import Interval, share_interval, student_interval
from sweep.report.statistics.variance import variance_shares

# Intervals


def test_the_interval_of_a_share_agrees_with_r():
    # R: prop.test(81, 100, correct = FALSE)$conf.int, for an error that 100 images have
    interval = share_interval(0.81, np.sqrt(0.81 * 0.19 / 100), 1e9, 100)
    assert (interval.lower, interval.upper) == pytest.approx((0.722211546209, 0.874852484902))


def test_fewer_degrees_of_freedom_widen_the_interval_of_a_share():
    many, few = (share_interval(0.9, 0.01, freedom, 900) for freedom in (1000, 2))
    assert few.lower < many.lower < 0.9 < many.upper < few.upper


@pytest.mark.parametrize("counted", [60, 3654])
def test_all_correct_is_no_proof_of_perfection(counted):
    interval = share_interval(1.0, 0.0, 100, counted)
    assert interval.upper == pytest.approx(1)
    assert interval.lower == pytest.approx(counted / (counted + stats.norm.ppf(0.975) ** 2))  # Wilson's at 1


def test_all_wrong_is_bounded_likewise():
    assert share_interval(0.0, 0.0, 100, 60).lower == 0
    assert 0.04 < share_interval(0.0, 0.0, 100, 60).upper < 0.08


def test_a_share_whose_error_is_not_known_has_no_interval():
    assert share_interval(0.9, np.inf, 1, 5) is None
    assert share_interval(0.9, 0.0, 1, 0) is None


def test_an_interval_is_cut_at_the_bounds_of_its_metric():
    assert Interval(-2.0, 0.2).clip(-1, 1) == Interval(-1, 0.2)
    assert Interval(0.9, 1.2).scale(100).clip(0, 100) == Interval(90, 100)
    assert 0.95 in Interval(0.9, 1.0)


def test_a_mean_has_the_interval_of_student():
    data = np.array([1.0, 2.0, 4.0, 7.0])
    expected = stats.ttest_1samp(data, 0).confidence_interval(0.95)
    interval = student_interval(data.mean(), stats.sem(data), 3)
    assert (interval.lower, interval.upper) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(("error", "freedom"), [(0.0, 5), (1e-18, 5), (np.inf, 5), (0.1, 0)])
def test_a_mean_whose_error_is_not_known_has_no_interval(error, freedom):
    assert student_interval(1.0, error, freedom) is None


# Shares of variance


def make_grid(seed, missing):
    rng = np.random.default_rng(seed)
    axes = pd.MultiIndex.from_product([range(5), range(3), range(3), range(4)])
    grid = axes.to_frame(index=False, name=["model", "split", "shuffle", "rate"])
    effects = [rng.normal(size=9)[grid[name]] for name in ("model", "rate")]
    grid["value"] = sum(effects) + rng.normal(size=9)[3 * grid["split"] + grid["shuffle"]] + rng.normal(size=len(grid))
    return grid.sample(frac=1 - missing, random_state=seed)


def share(grid):
    factors = {name: grid[name] for name in ("model", "split", "shuffle", "rate")}
    return variance_shares(grid["value"], factors, {"shuffle": ("split",)})


@pytest.mark.parametrize("missing", [0, 0.3])
def test_shares_are_the_type_ii_sums_of_squares_of_statsmodels(missing):
    grid = make_grid(0, missing)
    model = "value ~ C(model) + C(rate) + C(split) + C(split):C(shuffle)"
    table = statsmodels.api.stats.anova_lm(statsmodels.formula.api.ols(model, grid).fit(), typ=2)["sum_sq"]
    total = ((grid["value"] - grid["value"].mean()) ** 2).sum()
    found = share(grid)
    terms = {"model": "C(model)", "split": "C(split)", "shuffle": "C(split):C(shuffle)", "rate": "C(rate)"}
    assert found.shares == pytest.approx({name: table[term] / total for name, term in terms.items()})
    assert found.rest == pytest.approx(table["Residual"] / total)


def test_shares_of_a_full_grid_add_up():
    found = share(make_grid(1, 0))
    assert sum(found.shares.values()) + found.rest == pytest.approx(1)


def test_a_factor_of_one_level_has_no_share():
    found = variance_shares([1.0, 2.0, 4.0], {"rate": ["x", "y", "z"], "split": [1, 1, 1]})
    assert found.shares == {"rate": pytest.approx(1), "split": None}
    assert found.ranges == {"rate": 3, "split": 0}
    assert found.rest == pytest.approx(0, abs=1e-12)


def test_factors_that_tell_each_other_have_no_share():
    found = variance_shares([1.0, 2.0, 4.0, 3.0], {"rate": [0, 0, 1, 1], "steps": [7, 7, 9, 9]})
    assert found.shares == {"rate": None, "steps": None}


def test_one_shuffle_in_each_split_has_no_share():
    found = variance_shares([1.0, 2.0, 4.0], {"split": [0, 1, 1], "shuffle": [0, 0, 0]}, {"shuffle": ("split",)})
    assert found.shares["shuffle"] is None
    assert found.shares["split"] is not None


def test_equal_values_have_no_variance_to_share():
    found = variance_shares(np.full(6, 0.1), {"rate": [0, 1, 2, 0, 1, 2]})
    assert (found.shares, found.rest) == ({"rate": None}, None)
    assert found.ranges["rate"] == pytest.approx(0)


def test_the_range_of_a_nested_factor_is_within_its_parent():
    found = variance_shares(
        [1.0, 2.0, 10.0, 14.0], {"split": [0, 0, 1, 1], "shuffle": [0, 1, 0, 1]}, {"shuffle": ("split",)}
    )
    assert found.ranges == {"split": 10.5, "shuffle": 4}


# Orders


def test_the_rank_correlation_is_spearmans():
    assert rank_correlation([1, 2, 3, 4], [1, 3, 2, 9]) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("first", "second"), [([1, 2], [1, 2]), ([], []), ([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [0, 0, 0])]
)
def test_too_little_has_no_rank_correlation(first, second):
    assert rank_correlation(first, second) is None


def test_the_front_holds_what_nothing_cheaper_matches():
    costs, values = [1, 2, 3, 3, 4, 5], [0.7, 0.8, 0.8, 0.75, 0.9, 0.6]
    assert pareto_front(costs, values).tolist() == [True, True, False, False, True, False]


def test_of_equal_cost_the_higher_value_is_on_the_front():
    assert pareto_front([1, 1], [0.7, 0.8]).tolist() == [False, True]


def test_twins_share_the_front():
    assert pareto_front([1, 1, 2], [0.7, 0.7, 0.7]).tolist() == [True, True, False]


def test_the_best_is_scored_where_it_was_not_chosen():
    # Without shuffle 0 the second is best and has 0.7 there; without 1 the first, 0.6; without 2 they tie.
    assert left_out_best([[0.9, 0.6, 0.8], [0.7, 0.8, 0.8]]) == pytest.approx((0.7 + 0.6 + 0.8) / 3)


@pytest.mark.parametrize("values", [[[0.9, 0.8]], [[0.9], [0.8]]])
def test_one_model_or_one_shuffle_leaves_nothing_out(values):
    assert left_out_best(values) is None


# Input


@pytest.mark.parametrize(
    "call",
    [
        lambda: left_out_best([[0.9, np.nan], [0.8, 0.7]]),
        lambda: variance_shares([0.9, np.nan], {"rate": [0, 1]}),
        lambda: pareto_front([1, 2], [0.9, np.nan]),
        lambda: rank_correlation([1, 2, 3], [np.nan, 2, 3]),
    ],
)
def test_missing_numbers_are_refused(call):
    with pytest.raises(ValueError, match=r"1 of \d+ are NaN or infinite \(allowed: none\)"):
        call()
