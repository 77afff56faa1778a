"""The error of means over repeats: patients and runs, from definitions and reference values."""

import numpy as np
import pytest
import statsmodels.api
from resplits import World

from sweep.report.statistics.errors import About, Design, Errors, Evidence

DESIGN = Design(trained=0.6, tested=0.2)
PATIENTS = np.repeat(np.arange(40), 3)


def answer(correct, patients=PATIENTS, weights=1.0):
    """What (models, images) answers say of the models' accuracy."""
    correct = np.asarray(correct, float)
    values = correct.mean(axis=1)
    return Evidence(values, (correct - values[:, None]) / correct.shape[1], patients, np.ones(correct.shape[1], bool))


def draw(repeats=3, models=4, images=120, seed=0, skill=0.8):
    rng = np.random.default_rng(seed)
    return [answer(rng.random((models, images)) < skill) for _ in range(repeats)]


def test_the_error_between_patients_is_that_of_a_regression_clustered_by_patient():
    (tested,) = draw(repeats=1, models=1)
    errors = Errors.estimate([tested], DESIGN)
    answers = tested.influences[0] * 120 + tested.values[0]
    clusters = {"groups": PATIENTS, "use_correction": False}
    fit = statsmodels.api.OLS(answers, np.ones(120)).fit(cov_type="cluster", cov_kwds=clusters)
    assert errors.of_means[0] == pytest.approx(fit.bse[0] * np.sqrt(40 / 39))


def test_the_same_answers_in_another_repetition_are_no_new_evidence():
    once = draw(repeats=1)
    again = Errors.estimate(once * 5, DESIGN)
    assert again.of_patients == pytest.approx(Errors.estimate(once, DESIGN).of_patients)


def test_images_of_one_patient_count_together():
    rng = np.random.default_rng(0)
    alike = np.repeat(rng.random((2, 40)) < 0.8, 3, axis=1)
    clustered = Errors.estimate([answer(alike)], DESIGN)
    apart = Errors.estimate([answer(alike, np.arange(120))], DESIGN)
    assert clustered.of_means == pytest.approx(np.sqrt(3) * apart.of_means, rel=0.02)


def test_the_order_of_the_models_and_repeats_makes_no_difference():
    tested = draw()
    order = [2, 0, 3, 1]
    turned = [Evidence(each.values[order], each.influences[order], each.patients, each.counts) for each in tested[::-1]]
    found, expected = Errors.estimate(turned, DESIGN), Errors.estimate(tested, DESIGN)
    assert found.of_differences == pytest.approx(expected.of_differences[np.ix_(order, order)])
    assert found.of_means == pytest.approx(expected.of_means[order])


def test_of_two_models_the_runs_add_half_the_variance_of_their_difference_beyond_the_patients():
    tested = draw(repeats=6, models=2)
    errors = Errors.estimate(tested, DESIGN)
    differences = [each.values[0] - each.values[1] for each in tested]
    within = np.mean([((each.influences[0] - each.influences[1]) ** 2).sum() for each in tested])
    expected = np.var(differences, ddof=1) / 2 - 0.8 * within / 2
    assert errors.of_runs == pytest.approx(max(expected, 0))


def test_runs_that_scatter_are_found_and_divided_by_the_repeats():
    rng = np.random.default_rng(1)
    found = [Errors.estimate(World(rng, noise=0.1).draw(20), DESIGN) for _ in range(5)]
    spread = 0.1 * np.exp(-(1.81**2) / 2) / np.sqrt(2 * np.pi)  # of thresholds, as accuracies at 96.5 %
    assert np.sqrt(np.mean([errors.of_runs for errors in found])) == pytest.approx(spread, rel=0.1)
    errors = found[0]
    alone = Errors(**{name: getattr(errors, name) for name in Errors.__slots__} | {"of_runs": 0.0})
    assert errors.of_differences[0, 1] ** 2 - alone.of_differences[0, 1] ** 2 == pytest.approx(2 * errors.of_runs / 20)


def test_runs_that_do_not_scatter_add_next_to_nothing():
    rng = np.random.default_rng(2)
    found = [Errors.estimate(World(rng, noise=0.0).draw(10), DESIGN).of_runs for _ in range(5)]
    assert np.mean(found) < 0.05**2 / 100


def test_what_all_models_of_a_repetition_share_is_in_the_error_of_a_mean_but_not_of_a_difference():
    rng = np.random.default_rng(3)
    shifts = 0.2 * rng.standard_normal(8)
    plain = [answer(rng.random((4, 120)) < 0.7) for _ in shifts]
    shifted = [
        Evidence(each.values + shift, each.influences, each.patients, each.counts)
        for each, shift in zip(plain, shifts, strict=True)
    ]
    without, common = Errors.estimate(plain, DESIGN), Errors.estimate(shifted, DESIGN)
    assert common.of_differences == pytest.approx(without.of_differences)
    assert common.of_repeats == pytest.approx(np.var(shifts, ddof=1), rel=0.6)
    assert (common.of_means > 2 * without.of_means).all()


def test_one_repetition_knows_the_test_images_and_nothing_of_training():
    errors = Errors.estimate(draw(repeats=1), DESIGN)
    assert (errors.of_runs, errors.of_repeats) == (0, 0)
    assert 10 < errors.freedom_of_all < 39  # of 40 patients those that the models differ on
    assert errors.is_known
    assert not Errors.estimate(draw(repeats=1), Design(0.6, 0.2, About.PROCEDURE)).is_known


def test_few_patients_that_carry_a_difference_leave_few_degrees_of_freedom():
    alike = np.ones((2, 120))
    alike[0, :6] = 0  # two of forty patients tell the models apart
    assert Errors.estimate([answer(alike)], DESIGN).freedom_of_differences < 3


def test_a_single_patient_has_no_known_error():
    assert not Errors.estimate([answer(np.eye(2, 5), np.zeros(5, int))], DESIGN).is_known


def test_a_repetition_that_tests_a_single_patient_leaves_the_error_unknown():
    alone = Evidence(np.array([0.5]), np.array([[0.5, -0.5]]), np.array([7, 7]), np.ones(2, bool))
    assert not Errors.estimate([*draw(repeats=2, models=1), alone], DESIGN).is_known


def test_another_pool_of_images_may_add_as_much_of_the_runs_as_was_trained_on():
    tested = World(np.random.default_rng(4)).draw(10)
    pool, any_pool = (Errors.estimate(tested, Design(0.6, 0.2, about)) for about in About)
    added = any_pool.of_differences[0, 1] ** 2 - pool.of_differences[0, 1] ** 2
    assert added == pytest.approx(2 * 0.6 * pool.of_runs)


def test_a_projection_to_the_same_number_of_repeats_is_what_is_known():
    errors = Errors.estimate(World(np.random.default_rng(5)).draw(5), DESIGN)
    assert errors.project(5).of_differences == pytest.approx(errors.of_differences)


def test_a_projection_foresees_the_error_of_more_repeats():
    worlds = [World(np.random.default_rng(seed)) for seed in range(6)]
    tested = [world.draw(40) for world in worlds]
    upper = np.triu_indices(16, 1)
    foreseen = [Errors.estimate(each[:5], DESIGN).project(40).of_differences[upper].mean() for each in tested]
    found = [Errors.estimate(each, DESIGN).of_differences[upper].mean() for each in tested]
    assert np.mean(foreseen) == pytest.approx(np.mean(found), rel=0.1)


def test_levels_that_were_split_anew_share_their_patients_and_not_their_runs():
    tested = draw(repeats=4, models=1)
    apart = Errors.estimate_apart([(tested, DESIGN), (tested, DESIGN)])
    alone = Errors.estimate(tested, DESIGN)
    assert apart.of_patients[0, 1] == pytest.approx(alone.of_patients[0, 0])
    assert apart.of_differences[0, 1] == pytest.approx(np.sqrt(2 * alone.of_runs / 4))


def test_a_damaged_value_is_refused():
    (tested,) = draw(repeats=1)
    damaged = Evidence(np.full(4, np.nan), tested.influences, tested.patients, tested.counts)
    with pytest.raises(ValueError, match=r"4 of 4 are NaN or infinite \(allowed: none\)"):
        Errors.estimate([damaged], DESIGN)
