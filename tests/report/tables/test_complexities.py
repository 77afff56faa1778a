"""Table 3 counts as the paper does, and marks where the paper's figures are others."""

import pytest

from sweep.methods.table import make_plan
from sweep.metrics import METRICS
from sweep.report.cells import Mark, Selection
from sweep.report.frames import read_sweep
from sweep.report.inference import infer
from sweep.report.profiles import PROFILES
from sweep.report.published import load_costs
from sweep.report.study import read_study
from sweep.report.tables.cost import make_complexities
from sweep.testing import fill_complexities, fill_store, make_inputs, make_spec, make_store

PAPER = "duong-trung-2019"
PAPER_GRID = {"network": "mobilenet", "alpha": [1.0, 0.75, 0.5, 0.25], "resolution": [224, 192, 160, 128]}


def tabulate_costs(*, published=None, is_built=False, **grid):
    spec = make_spec(published=published, **grid)
    plan, store = make_plan(spec, make_inputs(spec)), make_store()
    fill_store(store, plan, lambda _: None)
    if is_built:
        fill_complexities(store, plan)
    study = read_study(store, read_sweep(store), METRICS["accuracy"], Selection.VALIDATION)
    (table,) = make_complexities(study, infer(study))
    return table


@pytest.fixture(scope="module")
def paper_table3():
    return tabulate_costs(published=PAPER, is_built=True, **PAPER_GRID)


def list_columns(table):
    return {column.key: index for index, column in enumerate(table.columns)}


def test_table_3_has_the_papers_order_and_ends_with_the_full_convolution(paper_table3):
    names = [row[0].value for row in paper_table3.rows]
    assert names == list(load_costs(PROFILES[PAPER]))


def test_table_3_marks_the_published_mult_adds_that_differ(paper_table3):
    index = list_columns(paper_table3)["mult_adds_published_m"]
    marked = {row[0].value: row[index].value for row in paper_table3.rows if Mark.DIFFERS in row[index].marks}
    assert marked == {
        "mobilenet-0.75-224": 317,
        "mobilenet-0.75-192": 233,
        "mobilenet-0.75-160": 162,
        "mobilenet-0.75-128": 104,
        "mobilenet-0.25-192": 34,
        "full convolution": 4866,
    }


def test_table_3_counts_with_both_classifiers(paper_table3):
    columns = list_columns(paper_table3)
    first, full = paper_table3.rows[0], paper_table3.rows[-1]
    assert first[columns["mult_adds_m"]].value == pytest.approx(568.74, abs=0.005)
    assert first[columns["trainable_parameters_m"]].value == pytest.approx(4.232, abs=0.0005)
    assert first[columns["parameters_m"]].value == pytest.approx(4.254, abs=0.0005)
    assert first[columns["own_mult_adds_m"]].value == pytest.approx(568.74 - 1.024 + 0.002048, abs=0.005)
    assert first[columns["own_parameters_m"]].value == pytest.approx((3_228_864 + 2 * 1025) / 1e6)
    assert full[columns["mult_adds_m"]].value == pytest.approx(4867.3, abs=0.05)


def test_table_3_finds_the_published_parameters_between_trainable_and_all(paper_table3):
    index = list_columns(paper_table3)["parameters_published_m"]
    assert not any(row[index].marks for row in paper_table3.rows)


def test_table_3_names_the_differing_rows_and_the_misprint(paper_table3):
    assert any("mobilenet-0.25-192, full convolution." in note for note in paper_table3.notes)
    assert any('"244" in the paper\'s tables is a misprint of 224' in note for note in paper_table3.notes)


def test_table_3_says_which_rows_were_not_counted_in_a_built_model(paper_table3):
    assert [row[0].value for row in paper_table3.rows if row[0].marks] == ["full convolution"]
    (row,) = tabulate_costs().rows
    assert row[0].marks == (Mark.BY_ARITHMETIC,)


def test_published_columns_and_the_full_convolution_are_left_out_where_no_paper_is_named():
    table = tabulate_costs(network="mobilenet", resolution=224, is_built=True)
    assert (table.name, table.title) == ("complexities", "Mult-adds and parameters, in millions")
    assert not [column.key for column in table.columns if "published" in column.key]
    assert [row[0].value for row in table.rows] == ["mobilenet-1-224"]


def test_the_head_stands_on_the_classifier_where_the_features_are_logits():
    table = tabulate_costs(network="mobilenet", resolution=224, features="logits")
    columns, row = list_columns(table), table.rows[0]
    assert row[columns["parameters_m"]].value == pytest.approx(4.253864)
    assert row[columns["own_parameters_m"]].value == pytest.approx(4.253864 + 2 * 1001 / 1e6)


def test_hidden_layers_count_as_part_of_the_head_and_other_axes_of_the_training_make_no_row():
    table = tabulate_costs(hidden=[[], [8]], optimizer=["sgd", "adam"], is_built=True)
    columns = list_columns(table)
    assert [row[0].value for row in table.rows] == ["tiny-1-16, hidden layers none", "tiny-1-16, hidden layers 8"]
    plain, deep = (row[columns["own_parameters_m"]].value for row in table.rows)
    assert deep - plain == pytest.approx((16 * 8 + 8 + 8 * 2 + 2 - (16 * 2 + 2)) / 1e6)


def test_a_store_without_results_still_has_its_table():
    assert tabulate_costs().rows
