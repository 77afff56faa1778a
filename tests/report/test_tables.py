"""Tables hold the numbers a reader may rely on, and the words against misreading them."""

from dataclasses import replace

import pytest

from sweep.catalogue import FeatureKind, WeightsSource
from sweep.outcome import Failure
from sweep.planning.expand import make_plan
from sweep.report.cells import Mark, Selection
from sweep.report.frames import read_sweep
from sweep.report.published import load_published
from sweep.report.tables import make_header, make_table1, make_table3, make_table4
from sweep.testing import (
    fill_complexities,
    fill_images,
    fill_store,
    make_images,
    make_inputs,
    make_spec,
    make_store,
    make_success,
)

PAPER_GRID = {"backbone": "mobilenet", "alpha": [0.25, 1.0, 0.5, 0.75], "resolution": [128, 224, 192, 160]}


def read_frames(spec, accuracy=lambda _: (0.9, 0.8), *, is_built=False, has_images=False, **inputs):
    plan = make_plan(spec, make_inputs(spec, **inputs))
    store = make_store()
    fill_store(store, plan, accuracy)
    if is_built:
        fill_complexities(store, plan)
    if has_images:
        fill_images(store, plan, make_images(plan.inputs))
    return read_sweep(store)


def read_cell(accuracy, select=Selection.VALIDATION, **grid):
    table = make_table4(read_frames(make_spec(**grid), accuracy), select)
    return table.rows[0][1]


# -- Table 4 -----------------------------------------------------------------------------------------------------


def test_a_cell_is_the_mean_and_sample_deviation_over_the_shuffles():
    tests = {0: 0.90, 1: 0.92, 2: 0.97}
    cell = read_cell(lambda trial: (0.5, tests[trial.shuffle]), learning_rate=0.1, steps=10)
    assert cell.value == pytest.approx(93.0)
    assert cell.std == pytest.approx(3.605551275)  # sqrt((9 + 1 + 16) / 2)
    assert (cell.shuffles, cell.finished, cell.planned) == (3, 3, 3)


def test_rate_and_steps_are_chosen_on_validation_not_on_test():
    scores = {(0.1, 10): (0.8, 0.99), (0.1, 20): (0.9, 0.70), (0.01, 10): (0.7, 0.6), (0.01, 20): (0.6, 0.5)}
    cell = read_cell(lambda trial: scores[trial.learning_rate, trial.steps])
    assert (cell.learning_rate, cell.steps, cell.value) == (0.1, 20, pytest.approx(70.0))


def test_selection_on_test_takes_the_best_test_mean_and_says_so():
    scores = {(0.1, 10): (0.8, 0.99), (0.1, 20): (0.9, 0.70), (0.01, 10): (0.7, 0.6), (0.01, 20): (0.6, 0.5)}
    frames = read_frames(make_spec(), lambda trial: scores[trial.learning_rate, trial.steps])
    table = make_table4(frames, Selection.TEST)
    cell = table.rows[0][1]
    assert (cell.learning_rate, cell.steps, cell.value) == (0.1, 10, pytest.approx(99.0))
    assert table.title.endswith("best on test, as papers often print; optimistic")


def test_one_configuration_serves_all_shuffles_of_a_cell():
    best_steps = {0: 10, 1: 10, 2: 20}
    cell = read_cell(
        lambda trial: (0.9 if trial.steps == best_steps[trial.shuffle] else 0.5, trial.steps / 100), learning_rate=0.1
    )
    assert cell.steps == 10
    assert cell.value == pytest.approx(10.0)


def test_a_tie_goes_to_the_lower_validation_log_loss():
    log_losses = {(0.1, 10): 0.3, (0.1, 20): 0.1, (0.01, 10): 0.2, (0.01, 20): 0.2}
    cell = read_cell(
        lambda trial: make_success(trial, validation_log_loss=log_losses[trial.learning_rate, trial.steps])
    )
    assert (cell.learning_rate, cell.steps) == (0.1, 20)


def test_a_further_tie_goes_to_fewer_steps_then_to_the_smaller_rate():
    cell = read_cell(make_success)
    assert (cell.learning_rate, cell.steps) == (0.01, 10)


def test_means_that_differ_by_rounding_alone_tie():
    values = {10: (0.4, 0.4, 0.58), 20: (0.46, 0.46, 0.46)}  # 0.45999999999999996 and 0.46
    cell = read_cell(
        lambda trial: make_success(trial, values[trial.steps][trial.shuffle], validation_log_loss=0.1),
        learning_rate=0.1,
    )
    assert cell.steps == 10


def test_the_best_mean_of_each_split_is_marked_and_ties_all_are():
    tests = {("60/20/20", 1.0): 0.8, ("60/20/20", 0.5): 0.8, ("80/10/10", 1.0): 0.8, ("80/10/10", 0.5): 0.7}
    spec = make_spec(alpha=[1.0, 0.5], split=["60/20/20", "80/10/10"])
    frames = read_frames(spec, lambda trial: (0.9, tests[str(trial.split), trial.backbone.alpha]))
    first, second = make_table4(frames, Selection.VALIDATION).rows
    assert [cell.marks for cell in first[1:]] == [(Mark.BEST,), (Mark.BEST,)]
    assert [cell.marks for cell in second[1:]] == [(Mark.BEST,), ()]


def test_rows_are_the_backbones_and_columns_the_splits_in_the_order_of_the_grid():
    table = make_table4(read_frames(make_spec(alpha=[0.5, 1.0], split=["80/10/10", "60/20/20"])), Selection.VALIDATION)
    assert [row[0].value for row in table.rows] == ["tiny-0.5-16", "tiny-1-16"]
    assert [column.title for column in table.columns] == ["backbone", "80/10/10", "60/20/20"]


def test_a_partial_cell_counts_what_is_there_and_prefers_configurations_with_more_shuffles():
    cell = read_cell(
        lambda trial: (
            (0.99, 0.99) if trial.steps == 20 and trial.shuffle == 0 else (0.9, 0.8) if trial.steps == 10 else None
        ),
        learning_rate=0.1,
    )
    assert (cell.finished, cell.planned, cell.shuffles) == (4, 6, 3)
    assert (cell.steps, cell.value) == (10, pytest.approx(80.0))


def test_a_cell_without_any_result_has_no_value():
    frames = read_frames(make_spec(alpha=[1.0, 0.5]), lambda trial: (0.9, 0.8) if trial.backbone.alpha == 1.0 else None)
    first, second = make_table4(frames, Selection.VALIDATION).rows
    assert first[1].value == pytest.approx(80.0)
    assert (second[1].value, second[1].std, second[1].finished, second[1].planned) == (None, None, 0, 12)


def test_a_store_without_results_still_has_its_tables():
    frames = read_frames(make_spec(), lambda _: None)
    assert make_table4(frames, Selection.VALIDATION).rows[0][1].value is None
    assert make_table1(frames).rows
    assert make_table3(frames).rows
    header = make_header(frames)
    assert (header.succeeded, header.missing, header.made_at) == (0, 12, None)


def test_one_shuffle_has_a_mean_and_no_deviation():
    cell = read_cell(lambda _: (0.9, 0.98), shuffle=0)
    assert (cell.value, cell.std, cell.shuffles) == (pytest.approx(98.0), None, 1)


def test_failures_are_counted_with_their_most_frequent_reason_in_one_line():
    reasons = iter(["loss is\nnot finite", "loss is\nnot finite", "out of memory"])
    frames = read_frames(
        make_spec(),
        lambda trial: (
            Failure(trial.id, next(reasons)) if trial.learning_rate == 0.1 and trial.steps == 20 else (0.9, 0.8)
        ),
    )
    notes = make_table4(frames, Selection.VALIDATION).notes
    assert "Failed trials, left out: 3; most frequent reason (2): loss is not finite" in notes


def test_the_majority_class_is_the_baseline():
    notes = make_table4(read_frames(make_spec(), images_per_class=(26, 74)), Selection.VALIDATION).notes
    assert notes[0] == "Baseline: always answering PNEUMONIA is right for 74.0 % of all images."


# -- Table 1 -----------------------------------------------------------------------------------------------------


def test_table_1_is_that_of_the_paper_for_its_5216_images():
    spec = make_spec(split=["80/10/10", "70/15/15", "60/20/20"])
    rows = make_table1(read_frames(spec, images_per_class=(1341, 3875))).rows
    assert [[cell.value for cell in row[:4]] for row in rows] == [
        ["80/10/10", 4172, 522, 522],
        ["70/15/15", 3652, 782, 782],
        ["60/20/20", 3130, 1043, 1043],
    ]


def test_table_1_gives_class_shares_of_the_stored_test_parts():
    unknown = make_table1(read_frames(make_spec())).rows[0]
    assert [cell.value for cell in unknown[4:]] == [None, None]
    known = make_table1(read_frames(make_spec(), has_images=True)).rows[0]
    assert sum(cell.value for cell in known[4:]) == pytest.approx(100)


def test_table_1_notes_copies_and_patients_on_both_sides():
    assert make_table1(read_frames(make_spec())).notes == (
        "All 100 images: NORMAL 26 (26.0 %), PNEUMONIA 74 (74.0 %).",
        "How many files are copies of another is not known: the store has no list of the images.",
        "How many test images show a patient who also has training images is not known yet.",
    )
    frames = read_frames(make_spec(), has_images=True)
    frames = replace(frames, images=replace(frames.images, copies=3))
    _, copies, patients = make_table1(frames).notes
    assert copies == "Files that are byte-identical copies of another: 3 of 100."
    mean = frames.partitions["shared_test_images"].mean()
    assert patients.endswith(f"on average over the shuffles: {mean:.1f} of 20 (60/20/20).")


# -- Table 3 -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def paper_table3():
    return make_table3(
        read_frames(make_spec(published="duong-trung-2019", **PAPER_GRID), lambda _: None, is_built=True)
    )


def list_columns(table):
    return {column.key: index for index, column in enumerate(table.columns)}


def test_table_3_has_the_papers_order_and_ends_with_the_full_convolution(paper_table3):
    names = [row[0].value for row in paper_table3.rows]
    assert names == list(load_published("duong-trung-2019").table3["backbone"])


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
    (row,) = make_table3(read_frames(make_spec())).rows
    assert row[0].marks == (Mark.BY_ARITHMETIC,)


def test_table_3_leaves_published_columns_out_where_no_paper_is_named():
    table = make_table3(read_frames(make_spec(backbone="mobilenet", resolution=224), is_built=True))
    assert not [column.key for column in table.columns if "published" in column.key]
    assert [row[0].value for row in table.rows] == ["mobilenet-1-224", "full convolution"]
    smaller = make_table3(read_frames(make_spec(backbone="mobilenet", resolution=128), is_built=True))
    assert [row[0].value for row in smaller.rows] == ["mobilenet-1-128"]


def test_table_3_puts_the_head_on_the_classifier_where_the_features_are_logits():
    frames = read_frames(make_spec(backbone="mobilenet", resolution=224), lambda _: None)
    logits = frames.spec.model_copy(update={"features": FeatureKind.LOGITS})
    table = make_table3(replace(frames, spec=logits))
    columns, row = list_columns(table), table.rows[0]
    assert row[columns["parameters_m"]].value == pytest.approx(4.253864)
    assert row[columns["own_parameters_m"]].value == pytest.approx(4.253864 + 2 * 1001 / 1e6)


# -- header and stamp --------------------------------------------------------------------------------------------


def test_the_header_counts_what_is_done_failed_and_missing():
    frames = read_frames(
        make_spec(),
        lambda trial: None if trial.shuffle == 2 else Failure(trial.id, "x") if trial.shuffle == 1 else (0.9, 0.8),
    )
    header = make_header(frames)
    assert (header.succeeded, header.failed, header.missing, header.planned) == (4, 4, 4, 12)


def test_the_header_names_each_code_and_machine_once():
    frames = read_frames(make_spec())
    twice = replace(frames, runs=(*frames.runs, *frames.runs, {"sweep": "0.2.0"}))
    header = make_header(twice)
    assert header.code[0] == "sweep 0.1.0, Python 3.11.9, numpy 2.0.0"
    assert header.machines[0] == "Example CPU, 2 cores, 8 GiB, no GPU, Linux; inline executor, workers: 1"
    assert (len(header.code), len(header.machines)) == (2, 2)


def test_the_report_is_dated_by_its_newest_result_not_by_the_clock():
    frames = read_frames(make_spec())
    assert make_header(frames).made_at == frames.trials["finished_at"].max()


@pytest.mark.parametrize(
    ("is_demo", "source", "accuracy", "stamp"),
    [
        (False, WeightsSource.IMAGENET, (0.9, 0.8), ""),
        (True, WeightsSource.IMAGENET, (0.9, 0.8), "DEMO IMAGES"),
        (False, WeightsSource.RANDOM, (0.9, 0.8), "RANDOM WEIGHTS"),
        (True, WeightsSource.RANDOM, (0.9, 0.8), "DEMO IMAGES, RANDOM WEIGHTS"),
        (True, WeightsSource.RANDOM, None, "DEMO IMAGES, RANDOM WEIGHTS, PARTIAL SWEEP"),
    ],
)
def test_every_table_says_what_its_numbers_are_not(is_demo, source, accuracy, stamp):
    frames = read_frames(make_spec(), lambda _: accuracy, is_demo=is_demo)
    weights = {backbone: replace(each, source=source) for backbone, each in frames.inputs.weights.items()}
    frames = replace(frames, inputs=replace(frames.inputs, weights=weights))
    tables = [make_table1(frames), make_table3(frames), make_table4(frames, Selection.VALIDATION)]
    assert {table.stamp for table in tables} == {stamp}
    assert make_header(frames).stamp == stamp


def test_weights_that_are_random_in_part_are_stamped_so():
    frames = read_frames(make_spec(alpha=[1.0, 0.5]))
    first, *_ = frames.inputs.weights
    weights = {**frames.inputs.weights, first: replace(frames.inputs.weights[first], source=WeightsSource.FILE)}
    frames = replace(frames, inputs=replace(frames.inputs, weights=weights))
    assert make_header(frames).stamp == "SOME WEIGHTS RANDOM"


def test_the_published_tables_have_every_row_of_the_paper():
    published = load_published("duong-trung-2019")
    assert (len(published.table3), len(published.table4)) == (17, 48)
    best = published.table4.loc[published.table4["accuracy_mean_percent"].idxmax()]
    assert (best["backbone"], best["split"], best["accuracy_std_points"]) == ("mobilenet-1-224", "80/10/10", 0.17)
