"""Table 1 counts images as the paper does, and says what crosses the split."""

from dataclasses import replace

import numpy as np
import pytest
from study_example import make_example, read_notes

from sweep.data.dataset import Images
from sweep.data.splits import Partition
from sweep.identity import partition_identity
from sweep.methods.table import make_plan
from sweep.report.frames import read_sweep
from sweep.report.inference import infer
from sweep.report.tables.images import make_images, measure_parts
from sweep.testing import fill_store, make_inputs, make_spec, make_store

SPLIT = "60/20/20"


def read_images(**options):
    return make_example(**{"has_images": False, **options})


def change_images(study, **changes):
    frames = study.frames
    return replace(study, frames=replace(frames, images=replace(frames.images, **changes)))


def tabulate_images(study):
    (table,) = make_images(study, infer(study))
    return table


def test_table_1_is_that_of_the_paper_for_its_5216_images():
    splits = ["80/10/10", "70/15/15", "60/20/20"]
    rows = tabulate_images(
        read_images(split=splits, classes=(1341, 3875), learning_rate=0.1, steps=10, has_images=True)
    ).rows
    assert [[cell.value for cell in row[:4]] for row in rows] == [
        ["80/10/10", 4172, 522, 522],
        ["70/15/15", 3652, 782, 782],
        ["60/20/20", 3130, 1043, 1043],
    ]


def test_table_1_gives_class_shares_of_the_stored_test_parts():
    unknown = tabulate_images(read_images()).rows[0]
    assert [cell.value for cell in unknown[1:]] == [None] * 5
    known = tabulate_images(read_images(has_images=True)).rows[0]
    assert sum(cell.value for cell in known[4:]) == pytest.approx(100)


def test_table_1_notes_copies_and_patients_on_both_sides():
    assert read_notes(tabulate_images(read_images())) == (
        "All 100 images: NORMAL 26 (26.0 %), PNEUMONIA 74 (74.0 %). "
        "How many files are copies of another is not known: the store has no list of the images. "
        "How many test images show a patient who also has training images is not known yet."
    )
    study = change_images(read_images(has_images=True), copies=3)
    notes = read_notes(tabulate_images(study))
    assert (
        "Files that are byte-identical copies of another: 3 of 100; files byte-identical to one of another class "
        "(contradictory labels): 0."
    ) in notes
    mean = measure_parts(study.frames, SPLIT)["shared_test_images"]
    assert f"on average over the shuffles: {mean:.1f} of 20 (60/20/20)." in notes


def test_contradictory_labels_are_counted_or_said_not_to_be():
    study = read_images(has_images=True)
    for contradictions, words in ((4, "(contradictory labels): 4."), (None, "; of another class: not counted yet.")):
        assert words in read_notes(tabulate_images(change_images(study, contradictions=contradictions)))


def test_where_no_patient_is_known_table_1_says_so_and_counts_none():
    notes = read_notes(tabulate_images(change_images(read_images(has_images=True), patients=(None,) * 100)))
    assert notes.endswith(
        "Patients unknown: neither file names nor data.patients tell them. Intervals count an image of an "
        "unknown patient as one of its own."
    )
    assert "of 20" not in notes


def test_where_some_patients_are_known_table_1_says_of_how_many_images_and_counts_at_least_theirs():
    study = read_images(has_images=True)
    study = change_images(study, patients=(None,) * 40 + study.frames.images.patients[40:])
    notes = read_notes(tabulate_images(study))
    assert "Patients known for 60 of 100 images, by file names or data.patients." in notes
    mean = measure_parts(study.frames, SPLIT)["shared_test_images"]
    assert f"over the shuffles: at least {mean:.1f} of 20 (60/20/20)." in notes


def test_partitions_that_the_store_does_not_know_are_not_measured():
    study = read_images()
    assert list(study.frames.blocks) == [SPLIT]
    assert measure_parts(study.frames, SPLIT) == {}
    assert [cell.value for cell in tabulate_images(study).rows[0]] == [SPLIT, None, None, None, None, None]


def test_partitions_tell_how_many_test_images_share_a_patient_with_training():
    spec = make_spec(shuffle=0)
    plan, store = make_plan(spec, make_inputs(spec, (2, 3))), make_store()
    fill_store(store, plan, lambda _: None)
    patients = ("one", "two", "one", "two", "three")
    fingerprint = plan.inputs.data.fingerprint
    store.save_images(fingerprint, Images(tuple("abcde"), np.array([0, 0, 1, 1, 1]), patients, copies=0))
    identity = partition_identity(SPLIT, 0)
    store.save_partition(fingerprint, identity, Partition(np.array([0, 1, 4]), np.array([3]), np.array([2])).parts)
    partition = measure_parts(read_sweep(store), SPLIT)
    assert partition["shared_test_images"] == 1  # image 2 shows patient one, who is in training
    assert (partition["test_NORMAL"], partition["test_PNEUMONIA"]) == (0, 1)
    assert (partition["training"], partition["validation"], partition["test"]) == (3, 1, 1)


def test_a_store_without_results_still_has_its_table():
    assert tabulate_images(read_images(become=lambda _: None)).rows
