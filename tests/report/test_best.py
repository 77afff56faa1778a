"""Comparisons with the best and of all pairs, held against tables and definitions."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from sweep.report.statistics.best import Draws, Ranks, Verdict, bound_errors, compare_pairs, compare_with_best
from sweep.report.statistics.errors import Design, Errors

UNRELATED = Errors(
    repeats=3,
    design=Design(0.6, 0.2),
    of_patients=np.eye(4),
    of_single=np.eye(4),
    of_runs=0.0,
    of_repeats=0.0,
    residual=0.0,
    spread=0.0,
    counted=100,
    carriers_of_means=np.full(4, 10.0**6),
    carriers_of_differences=10.0**6,
)


def make_errors(models=4, variance=1.0, counted=100, **more):
    identity = variance * np.eye(models)
    return replace(UNRELATED, of_patients=identity, of_single=identity, counted=counted, **more)


def rank(means, errors, whole=0.0):
    draws = Draws.of(errors, whole)
    return compare_with_best(means, draws.of_differences, draws.find_critical())


def with_freedom(freedom, models):
    """Errors of unrelated models with so many degrees of freedom."""
    repeats = freedom // (models - 1) + 1
    return make_errors(models, variance=1e-9, counted=10**6, repeats=repeats, of_runs=1.0, residual=1.0)


def test_the_critical_value_for_all_pairs_is_tukeys_studentised_range():
    errors = with_freedom(21, 4)
    pairs = compare_pairs(np.zeros(4), Draws.of(errors))
    critical = pairs.upper[0, 1] / pairs.standard_errors[0, 1]
    assert critical == pytest.approx(stats.studentized_range.ppf(0.95, 4, 21) / np.sqrt(2), rel=0.02)


def test_the_critical_value_against_a_control_is_dunnetts():
    # Dunnett 1955, table 1a, one-sided, 95 %, three treatments: 2.19 at 20 degrees of freedom, 2.18 at 21
    assert Draws.of(with_freedom(21, 4)).find_critical() == pytest.approx(np.full(4, 2.18), abs=0.04)


def test_adjusted_p_values_are_those_of_tukey():
    errors = with_freedom(21, 4)
    means = np.array([0.0, 0.0, 0.0, 3.0]) * errors.of_differences[0, 1]
    p_values = compare_pairs(means, Draws.of(errors)).p_values
    assert p_values[0, 3] == pytest.approx(stats.studentized_range.sf(3 * np.sqrt(2), 4, 21), rel=0.15)
    assert p_values[0, 1] == pytest.approx(1)


def test_a_pair_is_told_apart_where_its_interval_leaves_out_zero():
    pairs = compare_pairs([0.0, 1.0, 20.0, 21.0], Draws.of(make_errors()))
    expected = [[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0]]
    assert pairs.is_distinct.tolist() == np.array(expected, bool).tolist()
    assert ((pairs.p_values < 0.05) == pairs.is_distinct).all()
    assert pairs.lower == pytest.approx(-pairs.upper.T)


def test_a_model_far_ahead_is_the_best_and_no_other_may_be():
    ranks = rank([0.0, 1.0, 2.0, 30.0], make_errors())
    assert (ranks.upper > 0).tolist() == [False, False, False, True]
    assert ranks.lower[3] == 0
    assert 30 < ranks.upper[3] < 32
    assert (ranks.lower[:3] < [-30, -29, -28]).all()


def test_models_that_lie_close_may_all_be_the_best():
    ranks = rank([0.0, 0.1, 0.2, 0.3], make_errors())
    assert (ranks.upper > 0).all()
    assert (ranks.lower < 0).all()


def test_equal_errors_give_the_bounds_of_hsu():
    # With a common error SE and critical value d: [-(M - m + d SE)^-, (m - M + d SE)^+], M the best of the others.
    means, errors = np.array([0.0, 2.0, 3.0, 5.0]), make_errors()
    draws = Draws.of(errors)
    critical = np.full(4, 2.0)
    ranks = compare_with_best(means, draws.of_differences, critical)
    half = 2 * np.sqrt(2)
    assert ranks.upper == pytest.approx([0, 0, 3 - 5 + half, 5 - 3 + half])
    assert ranks.lower == pytest.approx([-5 - half, -3 - half, -2 - half, min(0, 2 - half)])


def test_verdicts_say_both_whether_a_model_may_be_the_best_and_whether_it_is_within_the_margin():
    ranks = Ranks(lower=np.array([-0.5, -0.5, -1.5, -1.5, 0.0]), upper=np.array([0.2, 0.0, 0.0, 0.2, 3.0]))
    assert ranks.judge(1.0) == [
        Verdict.MAY_BE_BEST,
        Verdict.WITHIN,
        Verdict.WORSE,
        Verdict.CANNOT_TELL,
        Verdict.MAY_BE_BEST,
    ]


def test_a_wider_margin_never_takes_a_model_out():
    ranks = rank([0.0, 1.0, 2.0, 3.0], make_errors())
    within = [[each in (Verdict.MAY_BE_BEST, Verdict.WITHIN) for each in ranks.judge(margin)] for margin in (1, 4, 9)]
    assert (np.diff(np.array(within, int), axis=0) >= 0).all()


def test_models_that_never_differ_may_differ_by_the_rule_of_three():
    alike = make_errors(2, variance=0.0, counted=300)
    pairs = compare_pairs([90.0, 90.0], Draws.of(alike, 100.0))
    assert 1.0 < pairs.upper[0, 1] < 1.25  # two-sided; exactly 100 * (1 - 0.025 ** (1 / 300)) = 1.22
    ranks = rank([90.0, 90.0], alike, 100.0)
    assert ranks.lower == pytest.approx([-1.0, -1.0])  # one-sided: 3 of 300


def test_without_any_error_nothing_can_be_told():
    assert np.isinf(bound_errors(make_errors(3, variance=0.0))).all()
    pairs = compare_pairs([1.0, 2.0, 3.0], Draws.of(make_errors(3, variance=0.0)))
    assert not pairs.is_distinct.any()
    assert (pairs.p_values == 1).all()
    assert (rank([1.0, 2.0, 3.0], make_errors(3, variance=0.0)).upper == np.inf).all()


def test_the_same_errors_give_the_same_bounds():
    first, second = (compare_pairs([0.0, 1.0, 2.0, 3.0], Draws.of(make_errors())) for _ in range(2))
    assert (first.upper == second.upper).all()


@pytest.mark.parametrize("models", [2, 300])
def test_two_models_and_hundreds_are_compared(models):
    means = np.linspace(0, 50, models)
    ranks = rank(means, make_errors(models))
    assert ranks.upper[-1] > 0
    assert ranks.upper[0] == 0
