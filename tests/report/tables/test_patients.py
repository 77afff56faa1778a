"""Patients are counted by class and part, and so are those on both sides of a split; where unknown, nothing is."""

from dataclasses import replace

import numpy as np
import pytest
from study_example import MODELS, make_example, read_notes, read_rows, tabulate

from sweep.report.tables.images import make_patients


def rename(study, patients):
    images = replace(study.frames.images, patients=tuple(patients))
    return replace(study, frames=replace(study.frames, images=images))


def tabulate_patients(study):
    (table,) = make_patients(study, None)  # which needs no inference
    return table


def find_partitions(frames, split):
    ids = frames.trials.loc[frames.trials["split"] == split, "partition_id"].unique()
    return [frames.partitions[each] for each in ids]


def test_patients_of_each_class_and_part_are_means_over_the_shuffles(models, compared):
    frames = make_example(**MODELS).frames
    patients = np.array(frames.images.patients)
    rows = read_rows(compared["patients"])
    assert list(rows) == [(split, part) for split in MODELS["split"] for part in ("training", "validation", "test")]
    for (split, part), row in rows.items():
        parts = [partition.parts[part] for partition in find_partitions(frames, split)]
        for label, name in enumerate(("NORMAL", "PNEUMONIA")):
            of_class = [images[frames.images.labels[images] == label] for images in parts]
            counts = [len(set(patients[images])) for images in of_class]
            assert row[f"{name}_patients"] == pytest.approx(np.mean(counts))
        assert row["patients"] == pytest.approx(np.mean([len(set(patients[images])) for images in parts]))
        assert row["images"] == len(parts[0])


def test_images_and_patients_that_are_also_in_training_are_counted(compared):
    frames = make_example(**MODELS).frames
    patients = np.array(frames.images.patients)
    for (split, part), row in read_rows(compared["patients"]).items():
        if part == "training":
            assert (row["shared_patients"], row["shared_images"]) == (None, None)
            continue
        shared = []
        for partition in find_partitions(frames, split):
            training = set(patients[partition.training])
            shared.append([patient for patient in patients[getattr(partition, part)] if patient in training])
        assert row["shared_images"] == pytest.approx(np.mean([len(each) for each in shared]))
        assert row["shared_patients"] == pytest.approx(np.mean([len(set(each)) for each in shared]))


def test_a_patient_with_images_of_two_classes_counts_in_both_and_once_in_all(models):
    study = rename(make_example(), ["one"] * 100)
    notes = read_notes(tabulate_patients(study))
    assert notes.startswith(
        "All 1 patients: NORMAL 1, PNEUMONIA 1. A patient with images of several classes counts in each. "
    )
    for row in read_rows(tabulate_patients(study)).values():
        assert (row["NORMAL_patients"], row["PNEUMONIA_patients"], row["patients"]) == (1, 1, 1)


def test_no_readout_is_needed_so_an_undefined_metric_drops_none():
    rows = read_rows(tabulate(make_example("sensitivity", become=lambda _: None))["patients"])
    assert rows["60/20/20", "test"]["images"] == 20


def test_partitions_not_cut_yet_leave_the_counts_open():
    study = make_example()
    for row in read_rows(tabulate_patients(replace(study, frames=replace(study.frames, partitions={})))).values():
        assert row["patients"] is None


@pytest.mark.parametrize("patients", [[None] * 100, ["one"] * 99 + [None]])
def test_nothing_is_counted_where_any_patient_is_unknown(patients):
    assert "patients" not in tabulate(rename(make_example(), patients))


def test_nothing_is_counted_where_the_images_are_not_known():
    assert "patients" not in tabulate(make_example(has_images=False))


def test_nothing_is_said_of_what_known_patients_are_worth(compared):
    text = " ".join((read_notes(compared["patients"]), *compared["patients"].methods))
    assert "hint" not in text
    assert "What that is worth cannot be told from these splits" in text
