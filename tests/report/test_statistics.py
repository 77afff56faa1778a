import numpy as np
import pandas as pd
import pytest
import statsmodels.api
import statsmodels.formula.api
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from sweep.report.statistics.comparisons import (
    compare_classifiers,
    compare_models,
    detectable_difference,
    letter_groups,
    pareto_front,
    rank_correlation,
)
from sweep.report.statistics.intervals import Interval, resampled_interval, share_interval, student_interval, widest
from sweep.report.statistics.sampling import SamplingError, cluster_by_patient, effective_images, jackknife
from sweep.report.statistics.variance import variance_shares

FOUR_MODELS = np.array([[0.90, 0.87, 0.92], [0.85, 0.84, 0.88], [0.91, 0.86, 0.90], [0.70, 0.74, 0.79]])


# Intervals


def test_the_resampled_interval_agrees_with_r():
    # From R, with x <- c(.90, .87, .92): mean(x) + c(-1, 1) * qt(.975, 2) * sd(x) * sqrt(1/3 + .125)
    interval = resampled_interval([0.90, 0.87, 0.92], 0.125)
    assert (interval.lower, interval.upper) == pytest.approx((0.823360047601, 0.969973285732))


def test_without_overlap_the_resampled_interval_is_students():
    expected = stats.ttest_1samp([0.90, 0.87, 0.92], 0.5).confidence_interval(0.9)
    interval = resampled_interval([0.90, 0.87, 0.92], 0, level=0.9)
    assert (interval.lower, interval.upper) == pytest.approx((expected.low, expected.high))


def test_one_shuffle_gives_no_interval():
    assert resampled_interval([0.9], 0.125) is None
    assert resampled_interval([], 0.125) is None


def test_the_interval_of_a_share_agrees_with_r():
    # R: prop.test(81, 100, correct = FALSE)$conf.int
    interval = share_interval(0.81, 100)
    assert (interval.lower, interval.upper) == pytest.approx((0.722211546209, 0.874852484902))


def test_the_interval_of_a_share_takes_fractions_of_an_image():
    interval = share_interval(0.9, 70.5, level=0.9)
    expected = proportion_confint(0.9 * 70.5, 70.5, alpha=0.1, method="wilson")
    assert (interval.lower, interval.upper) == pytest.approx(expected)


def test_all_correct_is_no_proof_of_perfection():
    interval = share_interval(1.0, 60)
    assert interval.lower < 0.95
    assert interval.upper == pytest.approx(1.0)


def test_the_widest_interval_never_is_narrower_than_its_parts():
    hull = widest(Interval(0.8, 0.9), Interval(0.85, 0.97))
    assert hull == Interval(0.8, 0.97)
    assert 0.97 in hull
    assert 0.98 not in hull


def test_what_is_unknown_makes_the_widest_interval_unknown():
    assert widest(Interval(0.8, 0.9), None) is None
    assert widest() is None


def test_an_interval_is_cut_at_the_bounds_of_its_metric():
    assert Interval(0.9, 1.2).clip(0, 1) == Interval(0.9, 1.0)
    assert Interval(-0.1, 0.2).clip(0, 1) == Interval(0.0, 0.2)
    assert Interval(-2.0, 0.2).clip(-1, 1) == Interval(-1, 0.2)


def test_a_normal_mean_has_the_interval_of_student():
    data = np.array([1.0, 2.0, 4.0, 7.0])
    expected = stats.ttest_1samp(data, 0).confidence_interval(0.95)
    found = student_interval(data.mean(), stats.sem(data), 3)
    assert (found.lower, found.upper) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(("error", "freedom"), [(0.0, 5), (1e-18, 5), (np.inf, 5), (0.1, 0)])
def test_a_mean_whose_error_is_not_known_has_no_interval(error, freedom):
    assert student_interval(0.9, error, freedom) is None


# Effective images


def shrink(patients):
    """What few patients take off: (z / t)^2 of Korn and Graubard."""
    return (stats.norm.ppf(0.975) / stats.t.ppf(0.975, patients - 1)) ** 2


def test_images_tested_once_from_patients_of_their_own_count_nearly_fully():
    correct = np.arange(100) < 80
    # G / (G - 1) takes one image off
    assert effective_images(correct, np.arange(100), np.arange(100)) == pytest.approx(99 * shrink(100))


def test_an_image_tested_again_with_the_same_answer_counts_once():
    correct = np.tile(np.arange(100) < 80, 3)
    images = np.tile(np.arange(100), 3)
    assert effective_images(correct, images, images) == pytest.approx(99 * shrink(100))


def test_patients_whose_images_all_agree_count_as_one_image_each():
    patients = np.repeat(np.arange(40), 5)
    assert effective_images(patients < 30, np.arange(200), patients) == pytest.approx(39 * shrink(40))


def test_patients_whose_images_disagree_do_not_make_more_of_the_images():
    correct = np.tile([1, 1, 1, 1, 0, 1, 1, 1, 0, 0], 20)
    assert effective_images(correct, np.arange(200), np.repeat(np.arange(40), 5)) == 200


@pytest.mark.parametrize("correct", [np.ones(200), np.tile([1, 1, 1, 1, 0], 40)])
def test_where_all_patients_are_alike_there_are_no_more_images_than_patients(correct):
    assert effective_images(correct, np.arange(200), np.repeat(np.arange(40), 5)) == 40


def test_if_all_is_correct_images_tested_again_do_not_count_again():
    # by Kish (1 + 1 + 2)^2 over (1 + 1 + 4)
    assert effective_images(np.ones(4), [0, 1, 2, 2], [0, 1, 2, 2]) == pytest.approx(16 / 6)


@pytest.mark.parametrize("correct", [np.ones(10), np.arange(10) < 5])
def test_a_single_patient_counts_as_one_image(correct):
    assert effective_images(correct, np.arange(10), np.zeros(10)) == 1.0


# Comparisons


def test_comparisons_agree_with_r():
    # R: d <- data.frame(y = as.vector(t(v)), m = factor(rep(1:4, each = 3)), s = factor(rep(1:3, 4)))
    #    ms <- anova(lm(y ~ m + s, d))["Residuals", "Mean Sq"]; se <- sqrt(2 * ms * (1/3 + .125)); mu <- rowMeans(v)
    #    p.adjust(apply(combn(4, 2), 2, function(x) 2 * pt(-abs(mu[x[1]] - mu[x[2]]) / se, 6)), "holm")
    found = compare_models(FOUR_MODELS, 0.125)
    adjusted = [0.37303793026008, 0.77599980627985, 0.00286568178561]
    adjusted += [0.37448020086657, 0.00924064435940, 0.00303300934445]
    error = np.sqrt(2 * 0.000547222222222226 * (1 / 3 + 0.125))
    assert found.standard_errors[~np.eye(4, dtype=bool)] == pytest.approx(error)
    assert found.degrees_of_freedom == 6
    assert found.p_values[np.triu_indices(4, 1)] == pytest.approx(adjusted)
    assert (found.p_values == found.p_values.T).all()
    assert (np.diag(found.p_values) == 1).all()
    assert (found.is_distinct == (found.p_values < 0.05)).all()


def test_two_models_are_compared_like_pairs():
    expected = stats.ttest_rel(FOUR_MODELS[0], FOUR_MODELS[3])
    found = compare_models(FOUR_MODELS[[0, 3]], 0)
    assert found.degrees_of_freedom == expected.df
    assert found.p_values[0, 1] == pytest.approx(expected.pvalue)
    assert found.differences[0, 1] == pytest.approx(-found.differences[1, 0])


def test_the_standard_error_of_a_pair_is_the_larger_of_the_two():
    from_images = SamplingError(np.diag([0.125, 0.0, 0.0, 0.125]), 2)
    alone, found = compare_models(FOUR_MODELS, 0.125), compare_models(FOUR_MODELS, 0.125, from_images)
    assert found.standard_errors[0, 3] == 0.5
    assert not found.is_distinct[0, 3]
    assert found.standard_errors[1, 2] == alone.standard_errors[1, 2]


@pytest.mark.parametrize("values", [np.ones((1, 3)), np.ones((3, 1)), np.ones((0, 3))])
def test_too_few_models_or_shuffles_cannot_be_compared(values):
    assert compare_models(values, 0.125) is None


@pytest.mark.parametrize("level", [0.0, 0.1, 0.9, 1.0])
def test_models_that_never_vary_are_not_told_apart(level):
    found = compare_models([[level] * 3, [level] * 3, [0.3] * 3], 0.125)
    assert (found.p_values == 1).all()
    assert not found.is_distinct.any()


def test_a_single_patient_tells_no_models_apart():
    sampling = cluster_by_patient([[1, 1, 1, 0], [0, 0, 0, 0]], np.zeros(4))
    found = compare_models([[0.9, 0.8, 0.9], [0.1, 0.0, 0.1]], 0.125, sampling)
    assert not found.is_distinct.any()


def test_image_errors_are_those_of_a_regression_clustered_by_patient():
    rng = np.random.default_rng(4)
    correct, patients = rng.random((3, 200)) < 0.8, rng.integers(0, 30, 200)
    difference = correct[0].astype(float) - correct[2]
    fit = statsmodels.api.OLS(difference, np.ones(200)).fit(
        cov_type="cluster", cov_kwds={"groups": patients, "use_correction": False}
    )
    groups = len(np.unique(patients))
    found = cluster_by_patient(correct, patients).of_differences
    assert found[0, 2] == pytest.approx(fit.bse[0] * np.sqrt(groups / (groups - 1)))
    assert found == pytest.approx(found.T)
    assert (np.diag(found) == 0).all()


def test_a_detectable_difference_grows_with_the_number_of_comparisons():
    # qt(1 - .05 / 2, 6) + qt(.8, 6) in R, for one comparison and a standard error of 1
    assert detectable_difference(1, 6, 1) == pytest.approx(2.446911851 + 0.905703285)
    assert detectable_difference(0.02, 6, 6) > detectable_difference(0.02, 6, 1)


def test_few_degrees_of_freedom_of_the_images_weaken_a_pair_whose_error_is_theirs():
    values = [[0.90, 0.901, 0.902], [0.80, 0.801, 0.803]]
    few, many = (compare_models(values, 0.1, SamplingError(np.diag([2e-4, 2e-4]), groups)) for groups in (1, 1000))
    assert few.p_values[0, 1] == pytest.approx(2 * stats.t.sf(-few.differences[1, 0] / 0.02, 1))
    assert many.p_values[0, 1] == pytest.approx(2 * stats.t.sf(-many.differences[1, 0] / 0.02, 2))


def test_classifiers_are_compared_by_the_error_of_the_images_alone():
    sampling = SamplingError(np.diag([1e-4, 3e-4, 1e-4]), 30)
    found = compare_classifiers([0.9, 0.85, 0.9], sampling)
    raw = 2 * stats.t.sf(0.05 / 0.02, 30)
    assert found.p_values[0, 1] == found.p_values[1, 2] == pytest.approx(3 * raw)
    assert found.p_values[0, 2] == 1


def test_the_jackknife_of_a_mean_is_its_standard_error():
    data = np.random.default_rng(0).normal(size=(2, 30))
    replicates = (data.sum(axis=1, keepdims=True) - data) / 29
    found = jackknife(replicates)
    assert found.covariance == pytest.approx(np.cov(data) / 30)
    assert found.degrees_of_freedom == 29
    assert found.of_means == pytest.approx(stats.sem(data, axis=1))


def test_a_model_that_is_not_defined_without_some_patients_leaves_the_others_known():
    found = jackknife([[0.9, 0.8, 0.7], [0.5, np.nan, 0.4], [0.7, 0.6, 0.8]])
    assert np.isinf(found.of_differences[1, [0, 2]]).all()
    assert np.isfinite(found.of_differences[0, 2])
    assert (np.diag(found.of_differences) == 0).all()
    assert np.isinf(found.of_means[1])


def test_one_group_alone_tells_nothing():
    assert np.isinf(jackknife([[0.9], [0.8]]).of_means).all()


# Letters


def share_letter(first, second):
    """Tell whether two entries share a letter, whichever way they are separated."""
    return bool(set(first.split() if " " in first else first) & set(second.split() if " " in second else second))


@pytest.mark.parametrize("seed", range(40))
def test_two_models_share_a_letter_exactly_if_they_are_not_distinct(seed):
    rng = np.random.default_rng(seed)
    models = int(rng.integers(1, 13))
    distinct = np.triu(rng.random((models, models)) < rng.random(), 1)
    distinct |= distinct.T
    letters = letter_groups(rng.random(models), distinct)
    for one in range(models):
        for other in range(models):
            assert share_letter(letters[one], letters[other]) != distinct[one, other]


def test_the_best_model_has_the_letter_a():
    distinct = np.zeros((4, 4), dtype=bool)
    distinct[1, 3] = distinct[3, 1] = True
    assert letter_groups([0.8, 0.7, 0.85, 0.9], distinct) == ["ab", "b", "ab", "a"]
    assert letter_groups([0.8, 0.7], np.zeros((2, 2))) == ["a", "a"]
    assert letter_groups([0.8, 0.7], ~np.eye(2, dtype=bool)) == ["a", "b"]
    assert letter_groups([], np.zeros((0, 0))) == []


def test_letters_go_on_after_z():
    letters = letter_groups(np.arange(30)[::-1], ~np.eye(30, dtype=bool))
    assert letters[:2] == ["a", "b"]
    assert letters[25:28] == ["z", "aa", "ab"]


def test_past_z_the_letters_of_a_model_are_apart():
    steps = np.arange(40)
    letters = letter_groups(-steps, np.abs(steps[:, None] - steps) > 1)
    assert letters[26] == "z aa"


# Shares of variance


def make_grid(seed, missing):
    rng = np.random.default_rng(seed)
    axes = pd.MultiIndex.from_product([range(5), range(3), range(3), range(4)])
    grid = axes.to_frame(index=False, name=["backbone", "split", "shuffle", "rate"])
    effects = [rng.normal(size=9)[grid[name]] for name in ("backbone", "rate")]
    grid["value"] = sum(effects) + rng.normal(size=9)[3 * grid["split"] + grid["shuffle"]] + rng.normal(size=len(grid))
    return grid.sample(frac=1 - missing, random_state=seed)


def share(grid):
    factors = {name: grid[name] for name in ("backbone", "split", "shuffle", "rate")}
    return variance_shares(grid["value"], factors, {"shuffle": "split"})


@pytest.mark.parametrize("missing", [0, 0.3])
def test_shares_are_the_type_ii_sums_of_squares_of_statsmodels(missing):
    grid = make_grid(0, missing)
    model = "value ~ C(backbone) + C(rate) + C(split) + C(split):C(shuffle)"
    table = statsmodels.api.stats.anova_lm(statsmodels.formula.api.ols(model, grid).fit(), typ=2)["sum_sq"]
    total = ((grid["value"] - grid["value"].mean()) ** 2).sum()
    found = share(grid)
    terms = {"backbone": "C(backbone)", "split": "C(split)", "shuffle": "C(split):C(shuffle)", "rate": "C(rate)"}
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
    found = variance_shares([1.0, 2.0, 4.0], {"split": [0, 1, 1], "shuffle": [0, 0, 0]}, {"shuffle": "split"})
    assert found.shares["shuffle"] is None
    assert found.shares["split"] is not None


def test_equal_values_have_no_variance_to_share():
    found = variance_shares(np.full(6, 0.1), {"rate": [0, 1, 2, 0, 1, 2]})
    assert (found.shares, found.rest) == ({"rate": None}, None)
    assert found.ranges["rate"] == pytest.approx(0)


def test_the_range_of_a_nested_factor_is_within_its_parent():
    found = variance_shares(
        [1.0, 2.0, 10.0, 14.0], {"split": [0, 0, 1, 1], "shuffle": [0, 1, 0, 1]}, {"shuffle": "split"}
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


# Input


@pytest.mark.parametrize(
    "call",
    [
        lambda: resampled_interval([0.9, np.nan], 0.1),
        lambda: compare_models([[0.9, np.nan], [0.8, 0.7]], 0.1),
        lambda: variance_shares([0.9, np.nan], {"rate": [0, 1]}),
        lambda: pareto_front([1, 2], [0.9, np.nan]),
        lambda: rank_correlation([1, 2, 3], [np.nan, 2, 3]),
        lambda: effective_images([1, np.nan], [0, 1], [0, 1]),
    ],
)
def test_missing_numbers_are_refused(call):
    with pytest.raises(ValueError, match=r"1 of \d+ are NaN or infinite \(allowed: none\)"):
        call()
