"""The shares of the variance add up, and go with what moved the number."""

import pytest
from study_example import MODELS, TRUE, make_example, make_success, read_notes, read_rows, tabulate

REST = "interactions and chance"


def share(metric="accuracy", **options):
    return tabulate(make_example(metric, **{**MODELS, **options}))["variance"]


def share_rows(metric="accuracy", **options):
    return {name: row for (name,), row in read_rows(share(metric, **options)).items()}


def share_known(answer, **grid):
    table = share(become=lambda trial: make_success(trial, 0.9, answer(trial)), has_images=False, **grid)
    return {name: row for (name,), row in read_rows(table).items()}


@pytest.mark.parametrize("metric", ["accuracy", "f1", "cohen_kappa", "log_loss"])
def test_the_shares_of_a_complete_grid_add_up_to_100_percent(metric):
    shares = [row["share_percent"] for row in share_rows(metric).values() if row["share_percent"] is not None]
    assert sum(shares) == pytest.approx(100)
    assert all(0 <= value <= 100 for value in shares)


def test_all_of_the_variance_goes_with_the_only_factor_that_matters():
    rows = share_known(lambda trial: 0.8 + trial.alpha / 10)
    assert rows["alpha"]["share_percent"] == pytest.approx(100)
    assert rows["alpha"]["range"] == pytest.approx(5.0)
    others = [row["share_percent"] for name, row in rows.items() if name != "alpha"]
    assert all(value is None or abs(value) < 1e-6 for value in others)


def test_two_factors_share_the_variance_by_their_squares():
    rows = share_known(lambda trial: 0.5 + trial.alpha * 0.2 + (trial.learning_rate == 0.1) * 0.2)
    assert (rows["alpha"]["share_percent"], rows["learning rate"]["share_percent"]) == pytest.approx((20, 80))


def test_what_only_a_combination_does_is_an_interaction():
    rows = share_known(lambda trial: 0.9 if (trial.alpha == 1.0) == (trial.steps == 10) else 0.8)
    assert rows[REST]["share_percent"] == pytest.approx(100)


def test_shuffle_0_of_one_split_is_another_than_that_of_the_next():
    values = {("60/20/20", 0): 0.9, ("60/20/20", 1): 0.8, ("80/10/10", 0): 0.8, ("80/10/10", 1): 0.9}
    rows = share_known(lambda trial: values[trial.split, trial.shuffle], shuffle=[0, 1])
    assert rows["shuffle (within its split)"]["share_percent"] == pytest.approx(100)
    assert rows["split"]["share_percent"] == pytest.approx(0, abs=1e-6)


def test_the_axes_that_vary_are_the_factors_with_as_many_levels_as_values():
    rows = share_rows(learning_rate=0.1)
    assert {name: row["levels"] for name, row in rows.items()} == {
        "split": 2,
        "shuffle (within its split)": 3,
        "steps": 2,
        "alpha": 2,
        "resolution": 2,
        REST: None,
    }


def test_axes_of_lists_and_axes_that_do_not_apply_everywhere_are_factors_too():
    rows = share_rows(hidden=[[], [8]], optimizer=["sgd", "momentum"], momentum=[0.8, 0.9])
    assert (rows["hidden layers"]["levels"], rows["momentum"]["levels"]) == (2, 3)


def test_what_helps_all_trials_alike_has_most_of_the_variance():
    rows = share_rows(skill=lambda point: 0.95 if point["learning_rate"] == 0.1 else 0.6)
    assert rows["learning rate"]["share_percent"] > 50


def test_equal_results_have_no_variance_to_share():
    rows = share_known(lambda _: 0.8)
    assert {row["share_percent"] for row in rows.values()} == {None}


@pytest.mark.parametrize("finished", [0, 1])
def test_too_few_trials_cannot_tell(finished):
    left = iter(range(1000))
    table = share(become=lambda _: TRUE if next(left) < finished else None)
    assert {row["share_percent"] for row in read_rows(table).values()} == {None}
    assert "cannot tell" in read_notes(table)


def test_a_partial_grid_says_how_many_trials_its_shares_rest_on():
    rows = share_rows(become=lambda trial: None if trial.shuffle == 2 else TRUE)
    assert {(row["share_percent_finished"], row["share_percent_planned"]) for row in rows.values()} == {(64, 96)}
