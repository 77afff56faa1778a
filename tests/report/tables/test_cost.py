"""What results cost, and which models no cheaper one beats."""

import pytest
from study_example import (
    MODELS,
    TRUE,
    fill_example,
    make_example,
    make_success,
    read_example,
    read_notes,
    read_rows,
    tabulate,
)

from sweep.methods.table import make_plan
from sweep.report.render import list_records
from sweep.store.store import UnitRecord
from sweep.testing import fill_complexities, make_inputs, make_spec, make_store

SPLIT = "60/20/20"
FOUR = {"alpha": [0.5, 1.0], "resolution": [16, 32]}
BY_COST = ["tiny-0.5-16", "tiny-1-16", "tiny-0.5-32", "tiny-1-32"]
ACCURACIES = {"tiny-0.5-16": 0.80, "tiny-1-16": 0.70, "tiny-0.5-32": 0.95, "tiny-1-32": 0.90}


def answer_known(trial):
    accuracy = ACCURACIES[trial.network]
    return make_success(trial, accuracy, accuracy)


@pytest.fixture(scope="module")
def known():
    """Accuracies set by hand; without images, since there are no true scores."""
    return tabulate(make_example(become=answer_known, has_images=False, **FOUR))


@pytest.fixture(scope="module")
def by_loss():
    return tabulate(make_example("log_loss", become=answer_known, has_images=False, **FOUR))


def list_marked(table, column="pareto_60/20/20"):
    return [name for (name,), row in read_rows(table).items() if row[column] == "yes"]


def test_models_stand_in_the_order_of_their_mult_adds(known):
    rows = list(read_rows(known["cost"]).values())
    costs = [row["mult_adds_m"] for row in rows]
    assert costs == sorted(costs)
    assert [row["model"] for row in rows] == BY_COST


def test_a_model_that_a_cheaper_one_beats_is_not_marked(known):
    assert list_marked(known["cost"]) == ["tiny-0.5-16", "tiny-0.5-32"]


def test_of_a_metric_where_lower_is_better_the_lower_ones_are_marked(by_loss):
    assert list_marked(by_loss["cost"]) == ["tiny-0.5-16", "tiny-0.5-32"]


def test_the_marked_models_of_every_split_are_better_the_dearer_they_are(compared):
    means = {(row["model"], row["split"]): row["accuracy_mean_percent"] for row in list_records(compared["means"])}
    for split in MODELS["split"]:
        marked = [means[name, split] for name in list_marked(compared["cost"], f"pareto_{split}")]
        assert marked
        assert marked == sorted(marked)


def test_seconds_are_summed_over_the_units_of_a_backbone():
    store = fill_example(make_store(), alpha=[0.5, 1.0])
    spec = make_spec(alpha=[0.5, 1.0])
    plan = make_plan(spec, make_inputs(spec))
    run, seconds = store.begin_run({}), {"extract": 12.5, "fit": 2.25}
    for unit in plan.units:
        if unit.kind in seconds and unit.settings["label"] == "tiny-1-16":
            took = seconds[unit.kind]
            store.record(run, UnitRecord(unit.key, unit.kind, "worker 0", unit.cost, took, subject=unit.subject), [])
    rows = {name: row for (name,), row in read_rows(tabulate(read_example(store))["cost"]).items()}
    assert rows["tiny-1-16"]["extract_s"] == 12.5
    assert rows["tiny-1-16"]["fit_s"] == pytest.approx(2.25 + 1.0)  # each time a fit does what is missing
    assert rows["tiny-0.5-16"]["extract_s"] is None


def test_seconds_are_unknown_where_the_features_came_from_the_cache(known):
    rows = read_rows(known["cost"]).values()
    assert {row["extract_ms_per_image"] for row in rows} == {None}
    assert {row["fit_s"] for row in rows} == {1.0}
    assert "-: not measured" in read_notes(known["cost"])


def test_costs_are_those_of_table_3_with_the_head_of_the_sweep(known):
    ours = {name: (row["mult_adds_m"], row["parameters_m"]) for (name,), row in read_rows(known["cost"]).items()}
    theirs = {
        name: (row["own_mult_adds_m"], row["own_parameters_m"])
        for (name,), row in read_rows(known["complexities"]).items()
    }
    assert ours == theirs


def test_counting_in_the_built_models_changes_no_cost_of_the_tiny_family():
    store = fill_example(make_store(), **FOUR)
    before = read_rows(tabulate(read_example(store))["cost"])
    spec = make_spec(**FOUR)
    fill_complexities(store, make_plan(spec, make_inputs(spec)))
    after = read_rows(tabulate(read_example(store))["cost"])
    assert [row["mult_adds_m"] for row in after.values()] == [row["mult_adds_m"] for row in before.values()]


def test_models_without_a_result_are_not_marked():
    tables = tabulate(make_example(become=lambda trial: None if trial.resolution == 32 else TRUE, **FOUR))
    assert not [name for name in list_marked(tables["cost"]) if name.endswith("32")]


def test_where_nothing_is_finished_nothing_is_marked():
    tables = tabulate(make_example(become=lambda _: None, **FOUR))
    assert list_marked(tables["cost"]) == []


def test_a_metric_without_a_unit_is_named_without_brackets():
    tables = tabulate(make_example("cohen_kappa", **FOUR))
    titles = [column.title for column in tables["cost"].columns]
    assert not [title for title in titles if "()" in title]
