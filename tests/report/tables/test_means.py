"""Table 4 and the other metrics of its cells hold what the trials' results and scores give."""

import numpy as np
import pytest
from study_example import (
    MODELS,
    TRUE,
    make_example,
    make_success,
    publish,
    read_example,
    read_notes,
    read_rows,
    tabulate,
)

from sweep.methods.probe.axes import network_of
from sweep.metrics import METRICS
from sweep.outcome import Failure
from sweep.report.cells import Mark, Selection
from sweep.report.inference import infer
from sweep.report.render import list_records
from sweep.report.tables.means import make_means

THREE_CLASSES = (26, 40, 34)


def read_table4(answer, select=Selection.VALIDATION, metric="accuracy", **options):
    """Table 4 of results set by hand; without images, since there are no true scores."""
    study = make_example(metric, select, become=answer, has_images=False, **options)
    return next(make_means(study, infer(study)))


# -- Table 4 -----------------------------------------------------------------------------------------------------


def test_selection_on_test_says_so_in_the_title():
    scores = {(0.1, 10): (0.8, 0.99), (0.1, 20): (0.9, 0.70), (0.01, 10): (0.7, 0.6), (0.01, 20): (0.6, 0.5)}
    table = read_table4(lambda trial: make_success(trial, *scores[trial.learning_rate, trial.steps]), Selection.TEST)
    cell = table.rows[0][1]
    assert (*cell.choice.values(), cell.value) == (0.1, 10, pytest.approx(99.0))
    assert table.title.endswith("best on test, as papers often print; optimistic")


def test_every_model_that_may_be_the_best_is_marked():
    skills = {"tiny-0.5-16": 0.6, "tiny-0.5-32": 0.95, "tiny-1-16": 0.95, "tiny-1-32": 0.95}
    options = {**MODELS, "split": "60/20/20", "classes": (260, 740)}
    study = make_example(skill=lambda point: skills[str(network_of(point))], **options)
    inference = infer(study)
    upper = dict(zip(skills, inference.standings["60/20/20"].ranks.upper > 0, strict=True))
    marked = {row[0].value: Mark.BEST in row[1].marks for row in next(make_means(study, inference)).rows}
    assert marked == upper
    assert sum(marked.values()) >= 2
    assert not marked["tiny-0.5-16"]


def test_a_cell_holds_its_interval_its_verdict_and_the_published_mean(models):
    study = read_example(models, published=publish({("tiny-0.5-16", "60/20/20"): 80.25}))
    inference = infer(study)
    (cell, other), *_ = (row[1:] for row in next(make_means(study, inference)).rows)
    assert cell.interval == inference.intervals["tiny-0.5-16", "60/20/20"]
    assert cell.verdict == inference.standings["60/20/20"].verdicts["tiny-0.5-16"]
    assert (cell.published, other.published) == (80.25, None)


def test_rows_are_the_backbones_and_columns_the_splits_in_the_order_of_the_grid():
    table = read_table4(make_success, alpha=[0.5, 1.0], split=["80/10/10", "60/20/20"])
    assert [row[0].value for row in table.rows] == ["tiny-0.5-16", "tiny-1-16"]
    assert [column.title for column in table.columns] == ["model", "80/10/10", "60/20/20"]


def test_a_cell_without_any_result_has_no_value():
    table = read_table4(lambda trial: make_success(trial) if trial.alpha == 1.0 else None, alpha=[1.0, 0.5])
    first, second = table.rows
    assert first[1].value == pytest.approx(80.0)
    assert (second[1].value, second[1].std, second[1].finished, second[1].planned) == (None, None, 0, 12)


def test_failures_are_counted_with_their_most_frequent_reason_in_one_line():
    reasons = iter(["loss is\nnot finite", "loss is\nnot finite", "out of memory"])
    table = read_table4(
        lambda trial: (
            Failure(trial.id, next(reasons))
            if trial.learning_rate == 0.1 and trial.steps == 20
            else make_success(trial)
        ),
    )
    assert "Failed trials, left out: 3; most frequent reason (2): loss is not finite" in read_notes(table)


def test_the_majority_class_is_the_baseline_of_accuracy_alone():
    baseline = "Baseline: always answering PNEUMONIA is right for 74.0 % of all images."
    assert baseline in read_notes(read_table4(make_success))
    assert "Baseline" not in read_notes(read_table4(make_success, metric="log_loss"))


def test_a_store_without_results_still_has_its_table():
    assert read_table4(lambda _: None).rows[0][1].value is None


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss"])
def test_the_metric_asked_for_is_that_of_table_4(models, metric):
    study = read_example(models, metric)
    table = next(make_means(study, infer(study)))
    assert METRICS[metric].label in table.title
    means = table.mean_keys
    assert means == (METRICS[metric].mean_column, METRICS[metric].std_column)
    for record in list_records(table):
        behind = study.readouts[record["model"], record["split"]]
        values = [METRICS[metric].measure(each.scores, each.labels) * METRICS[metric].scale for each in behind]
        assert record[means[0]] == pytest.approx(np.mean(values))
        assert record[means[1]] == pytest.approx(np.std(values, ddof=1))


@pytest.mark.parametrize(("metric", "best"), [("accuracy", max), ("log_loss", min)])
def test_the_best_mean_is_among_those_marked(models, metric, best):
    study = read_example(models, metric)
    table = next(make_means(study, infer(study)))
    for index in (1, 2):
        cells = [row[index] for row in table.rows]
        assert Mark.BEST in next(cell for cell in cells if cell.value == best(each.value for each in cells)).marks


# -- all metrics -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [(26, 74), THREE_CLASSES])
def test_every_metric_is_what_the_scores_give(classes):
    study = make_example(classes=classes, alpha=[0.5, 1.0])
    records = list_records(tabulate(study)["metrics"])
    records = [row for row in records if row.get("class", "all classes") == "all classes"]
    assert len(records) == 2 * len(METRICS)
    for record in records:
        metric = METRICS[record["metric"]]
        behind = study.readouts[record["model"], record["split"]]
        values = [metric.measure(readout.scores, readout.labels) * metric.scale for readout in behind]
        assert (record["mean"], record["std"]) == pytest.approx((np.mean(values), np.std(values, ddof=1)))
        assert (record["repeats"], record["unit"]) == (3, metric.unit)


def test_accuracy_and_log_loss_are_those_of_table_4(models, compared):
    rows = {(row["model"], row["split"], row["metric"]): row for row in list_records(compared["metrics"])}
    for record in list_records(compared["means"]):
        row = rows[record["model"], record["split"], "accuracy"]
        assert row["mean"] == pytest.approx(record["accuracy_mean_percent"])
        assert row["std"] == pytest.approx(record["accuracy_std_points"])
        assert (row["learning_rate"], row["steps"]) == (record["learning_rate"], record["steps"])


def test_of_three_classes_every_class_is_measured_against_the_rest_and_the_macro_average_is_their_mean():
    study = make_example(classes=THREE_CLASSES, alpha=[0.5, 1.0])
    assert "macro averages" in read_notes(tabulate(study)["metrics"])
    rows = list_records(tabulate(study)["metrics"])
    macro = {(row["model"], row["metric"]): row["mean"] for row in rows if row["class"] == "all classes"}
    records = [row for row in rows if row["class"] != "all classes" and row["mean"] is not None]
    assert {row["class"] for row in records} == {"NORMAL", "PNEUMONIA", "CLASS 2"}
    one_against_rest = {name for name, metric in METRICS.items() if metric.is_of_class}
    assert {row["metric"] for row in records} == one_against_rest
    assert {name for _, name in macro} == set(METRICS)
    for (backbone, metric), mean in macro.items():
        if metric in one_against_rest:
            by_class = [row["mean"] for row in records if (row["model"], row["metric"]) == (backbone, metric)]
            assert mean == pytest.approx(np.mean(by_class))


def test_sensitivity_of_a_class_is_its_share_of_right_answers():
    study = make_example(classes=THREE_CLASSES)
    (key,) = study.cells
    for index, name in enumerate(study.frames.inputs.data.classes):
        shares = [
            np.mean(readout.scores[readout.labels == index].argmax(axis=1) == index) for readout in study.readouts[key]
        ]
        (row,) = (
            row
            for row in list_records(tabulate(study)["metrics"])
            if (row["class"], row["metric"]) == (name, "sensitivity")
        )
        assert row["mean"] == pytest.approx(100 * np.mean(shares))


def test_two_classes_have_no_rows_of_their_own_but_the_positive_one_is_named(compared):
    assert "class" not in [column.key for column in compared["metrics"].columns]
    assert "Positive class: PNEUMONIA." in read_notes(compared["metrics"])


def test_metrics_that_are_not_defined_have_no_value():
    study = make_example(classes=(3, 7), skill=lambda _: 0.99)
    for record in list_records(tabulate(study)["metrics"]):
        assert record["mean"] is None or np.isfinite(record["mean"])


def test_metrics_of_a_partial_cell_rest_on_what_is_there():
    study = make_example(become=lambda trial: None if trial.shuffle == 2 else TRUE)
    for record in list_records(tabulate(study)["metrics"]):
        assert (record["repeats"], record["finished"], record["planned"]) == (2, 8, 12)


def test_a_store_without_images_has_means_but_no_other_metrics():
    study = make_example(has_images=False)
    table = next(make_means(study, infer(study)))
    assert next(iter(read_rows(table)))[0] == "tiny-1-16"
    assert table.rows[0][1].value is not None
    assert {record["mean"] for record in list_records(tabulate(study)["metrics"])} == {None}


def test_every_split_of_the_grid_has_a_row_for_every_model(compared):
    keys = [(row[0].value, row[1].value) for row in compared["metrics"].rows]
    assert len(keys) == len(set(keys)) == 4 * len(MODELS["split"])
