"""One point on the tuned axes is chosen for each cell, by the rule and by nothing else."""

import pytest
from study_example import ONE_CONFIGURATION, TRUE, make_example, make_success

from sweep.report.cells import Selection
from sweep.report.choices import rank_configurations
from sweep.report.frames import Status

SCORES = {(0.1, 10): (0.8, 0.99), (0.1, 20): (0.9, 0.70), (0.01, 10): (0.7, 0.6), (0.01, 20): (0.6, 0.5)}


def choose(answer, select=Selection.VALIDATION, metric="accuracy", **grid):
    """The only cell of a sweep whose results are set by hand."""
    (cell,) = make_example(metric, select, become=answer, has_images=False, **grid).cells.values()
    return cell


def answer_scores(trial):
    return make_success(trial, *SCORES[trial.learning_rate, trial.steps])


def test_a_cell_is_the_mean_and_sample_deviation_over_the_shuffles():
    tests = {0: 0.90, 1: 0.92, 2: 0.97}
    cell = choose(lambda trial: make_success(trial, 0.5, tests[trial.shuffle]), **ONE_CONFIGURATION)
    assert cell.value == pytest.approx(93.0)
    assert cell.std == pytest.approx(3.605551275)  # sqrt((9 + 1 + 16) / 2)
    assert cell.validation == pytest.approx(50.0)
    assert (cell.repeats, cell.finished, cell.planned) == (3, 3, 3)


def test_rate_and_steps_are_chosen_on_validation_not_on_test():
    cell = choose(answer_scores)
    assert (*cell.choice.values(), cell.value) == (0.1, 20, pytest.approx(70.0))


def test_selection_on_test_takes_the_best_test_mean():
    cell = choose(answer_scores, Selection.TEST)
    assert (*cell.choice.values(), cell.value) == (0.1, 10, pytest.approx(99.0))


def test_of_a_metric_where_lower_is_better_the_lowest_is_chosen():
    losses = {(0.1, 10): 0.3, (0.1, 20): 0.1, (0.01, 10): 0.2, (0.01, 20): 0.4}
    on_test = {(0.1, 10): 0.3, (0.1, 20): 0.9, (0.01, 10): 0.05, (0.01, 20): 0.4}

    def answer(trial):
        key = trial.learning_rate, trial.steps
        return make_success(trial, validation_log_loss=losses[key], test_log_loss=on_test[key])

    assert choose(answer, metric="log_loss").value == pytest.approx(0.9)
    assert choose(answer, Selection.TEST, "log_loss").value == pytest.approx(0.05)


def test_the_metric_decides_the_choice():
    """Rate 0.1 is right more often on validation images, but less sure of it."""

    def answer(trial):
        good = trial.learning_rate == 0.1
        return make_success(trial, 0.9 if good else 0.8, validation_log_loss=0.5 if good else 0.2)

    assert choose(answer).choice["learning_rate"] == 0.1
    assert choose(answer, metric="log_loss").choice["learning_rate"] == 0.01


def test_a_metric_that_the_store_does_not_keep_is_measured_on_the_scores_and_chooses():
    study = make_example("roc_auc")
    (key,) = study.cells
    trials = study.frames.trials
    means = trials.groupby(["learning_rate", "steps"])[["validation_roc_auc", "test_roc_auc"]].mean()
    best = means.loc[means["validation_roc_auc"].idxmax()]
    assert study.cells[key].validation == pytest.approx(100 * best["validation_roc_auc"])
    assert study.cells[key].value == pytest.approx(100 * best["test_roc_auc"])


def test_one_configuration_serves_all_shuffles_of_a_cell():
    best_steps = {0: 10, 1: 10, 2: 20}
    cell = choose(
        lambda trial: make_success(trial, 0.9 if trial.steps == best_steps[trial.shuffle] else 0.5, trial.steps / 100),
        learning_rate=0.1,
    )
    assert cell.choice["steps"] == 10
    assert cell.value == pytest.approx(10.0)


def test_a_tie_goes_to_the_lower_validation_log_loss():
    losses = {(0.1, 10): 0.3, (0.1, 20): 0.1, (0.01, 10): 0.2, (0.01, 20): 0.2}
    cell = choose(lambda trial: make_success(trial, validation_log_loss=losses[trial.learning_rate, trial.steps]))
    assert tuple(cell.choice.values()) == (0.1, 20)


def test_a_further_tie_goes_to_fewer_steps_then_to_the_smaller_rate():
    cell = choose(make_success)
    assert tuple(cell.choice.values()) == (0.01, 10)


def test_means_that_differ_by_rounding_alone_tie():
    values = {10: (0.4, 0.4, 0.58), 20: (0.46, 0.46, 0.46)}  # 0.45999999999999996 and 0.46
    cell = choose(
        lambda trial: make_success(trial, values[trial.steps][trial.shuffle], validation_log_loss=0.1),
        learning_rate=0.1,
    )
    assert cell.choice["steps"] == 10


def test_a_partial_cell_counts_what_is_there_and_prefers_configurations_with_more_shuffles():
    def answer(trial):
        if trial.steps == 10:
            return make_success(trial, 0.9, 0.8)
        return make_success(trial, 0.99, 0.99) if trial.shuffle == 0 else None

    cell = choose(answer, learning_rate=0.1)
    assert (cell.finished, cell.planned, cell.repeats) == (4, 6, 3)
    assert (cell.choice["steps"], cell.value) == (10, pytest.approx(80.0))


def test_one_shuffle_has_a_mean_and_no_deviation():
    cell = choose(lambda trial: make_success(trial, 0.9, 0.98), shuffle=0)
    assert (cell.value, cell.std, cell.repeats) == (pytest.approx(98.0), None, 1)


def test_nothing_finished_chooses_nothing():
    cell = choose(lambda _: None)
    assert (cell.value, cell.repeats, cell.choice, cell.finished, cell.planned) == (None, 0, {}, 0, 12)


def test_configurations_are_ranked_with_the_chosen_one_first():
    study = make_example(become=answer_scores, has_images=False)
    trials = study.frames.trials
    ranked = rank_configurations(trials[trials["status"] == Status.SUCCESS], study.metric, Selection.VALIDATION)
    assert [tuple(study.frames.choices[place].values()) for place in ranked["choice"]] == [
        (0.1, 20),
        (0.1, 10),
        (0.01, 10),
        (0.01, 20),
    ]
    assert ranked["validation"].tolist() == pytest.approx([90, 80, 70, 60])


def test_a_metric_that_a_shuffle_cannot_define_has_no_mean():
    study = make_example("sensitivity", classes=(13, 3), shuffle=[0, 1, 2, 3], become=lambda _: TRUE)
    values = study.frames.trials["test_sensitivity"]
    assert values.isna().any()
    assert values.notna().any()
    (cell,) = study.cells.values()
    assert cell.value is None
    assert cell.repeats == 4
