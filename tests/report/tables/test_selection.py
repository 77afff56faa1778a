"""What choosing on the test images would have added is never negative, and said."""

import re

import pytest
from study_example import MODELS, TRUE, make_example, make_success, read_notes, read_rows, tabulate

from sweep.report.cells import Selection
from sweep.report.choices import make_mean_cells

SCORES = {(0.1, 10): (0.8, 0.99), (0.1, 20): (0.9, 0.70), (0.01, 10): (0.7, 0.6), (0.01, 20): (0.6, 0.5)}


def select(metric="accuracy", **options):
    return tabulate(make_example(metric, **options))["selection"]


def answer_known(trial):
    validation, test = SCORES[trial.learning_rate, trial.steps]
    return make_success(trial, validation, test)


@pytest.fixture(scope="module")
def known():
    """Accuracies set by hand; without images, since there are no true scores."""
    return tabulate(make_example(become=answer_known, has_images=False))["selection"]


def test_the_optimism_is_the_best_on_test_less_what_was_chosen(known):
    (row,) = read_rows(known).values()
    assert (row["chosen_on_validation"], row["best_on_test"]) == (pytest.approx(70.0), pytest.approx(99.0))
    assert row["optimism"] == pytest.approx(29.0)
    assert (row["chosen_configuration"], row["best_configuration"]) == ("0.1, 20", "0.1, 10")


def test_the_notes_say_how_large_the_optimism_is_and_how_far_validation_lies_above_test(known):
    notes = read_notes(known)
    assert "29.00 points on average, 29.00 at most" in notes
    assert "0 of 1 cells" in notes
    assert "better than its test mean by 20.00 points" in notes


@pytest.mark.parametrize("metric", ["accuracy", "roc_auc", "cohen_kappa", "log_loss", "calibration_error"])
def test_the_optimism_is_never_negative(metric):
    table = select(metric, **MODELS, skill=lambda _: 0.8)
    values = [row["optimism"] for row in read_rows(table).values()]
    assert len(values) == 8
    assert all(value >= 0 for value in values)
    assert "-0" not in " ".join(map(str, values))
    assert not re.search(r"-\d", read_notes(table))
    assert any(values)


def test_where_nothing_is_tuned_there_is_no_selection():
    assert "selection" not in tabulate(make_example(learning_rate=0.1, steps=10))


def test_both_choices_stand_there_however_table_4_was_chosen():
    first, second = (
        tabulate(make_example(select=choice, **MODELS))["selection"]
        for choice in (Selection.VALIDATION, Selection.TEST)
    )
    assert read_rows(first) == read_rows(second)


def test_choices_are_those_of_table_4_under_either_rule():
    study = make_example(**MODELS)
    rows = read_rows(tabulate(study)["selection"])
    for choice, column in ((Selection.VALIDATION, "chosen_on_validation"), (Selection.TEST, "best_on_test")):
        cells = make_mean_cells(study.frames, study.metric, choice)
        assert {key: row[column] for key, row in rows.items()} == {key: cell.value for key, cell in cells.items()}


def test_cells_without_a_result_have_no_optimism():
    table = select(become=lambda trial: None if trial.alpha == 0.5 else TRUE, alpha=[0.5, 1.0])
    rows = read_rows(table)
    assert rows["tiny-0.5-16", "60/20/20"]["optimism"] is None
    assert rows["tiny-1-16", "60/20/20"]["optimism"] is not None
    assert "annot tell" in read_notes(select(become=lambda _: None))


def test_a_metric_that_validation_images_cannot_define_gives_no_gap():
    table = select("sensitivity", classes=(15, 3))  # every validation part lacks the second class
    (row,) = read_rows(table).values()
    assert row["chosen_on_validation"] is not None
    assert "nan" not in read_notes(table)


def test_a_metric_without_a_unit_is_named_without_brackets():
    table = select("cohen_kappa")
    assert not [column.title for column in table.columns if "()" in column.title]
    assert "  " not in read_notes(table)
