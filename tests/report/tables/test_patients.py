"""Test images of patients who are in training too are told apart from those of others."""

import numpy as np
import pytest
from study_example import MODELS, TRUE, make_example, read_example, read_notes, read_rows, tabulate


def list_parts(study, split):
    """Scores and labels of every readout of a split: (of patients in training, of others)."""
    patients = np.array(study.frames.images.patients)
    for (_, at), readouts in study.readouts.items():
        for readout in readouts if at == split else ():
            training = patients[study.frames.partitions[split, readout.shuffle].training]
            is_known = np.isin(patients[readout.images], training)
            yield [(readout.scores[mask], readout.labels[mask]) for mask in (is_known, ~is_known)]


@pytest.mark.parametrize("metric", ["accuracy", "log_loss"])
def test_the_two_groups_are_measured_apart_over_all_models_and_shuffles(models, metric):
    study = read_example(models, metric)
    measure, scale = study.metric.measure, study.metric.scale
    for (split,), row in read_rows(tabulate(study)["patients"]).items():
        known, other = zip(*list_parts(study, split), strict=True)
        assert row["known_images"] == pytest.approx(np.mean([len(labels) for _, labels in known]))
        assert row["other_images"] == pytest.approx(np.mean([len(labels) for _, labels in other]))
        assert row["known"] == pytest.approx(scale * np.mean([measure(*part) for part in known]))
        assert row["other"] == pytest.approx(scale * np.mean([measure(*part) for part in other]))
        assert row["difference"] == pytest.approx(row["known"] - row["other"])
        assert row["known_majority_percent"] == pytest.approx(
            100 * np.mean([np.mean(labels == 1) for _, labels in known])
        )
        assert row["other_majority_percent"] == pytest.approx(
            100 * np.mean([np.mean(labels == 1) for _, labels in other])
        )


def test_every_split_has_a_row_and_its_numbers_stand_in_the_finding(compared):
    rows = read_rows(compared["patients"])
    assert list(rows) == [(split,) for split in MODELS["split"]]
    for (split,), row in rows.items():
        known = f"{row['known']:.1f} % ({row['known_majority_percent']:.0f} % PNEUMONIA)"
        other = f"{row['other']:.1f} % ({row['other_majority_percent']:.0f} %) at {split}"
        assert f"{known} and {other}" in read_notes(compared["patients"])


def test_images_of_both_groups_are_all_test_images(compared):
    for (split,), row in read_rows(compared["patients"]).items():
        assert row["known_images"] + row["other_images"] == {"60/20/20": 20, "80/10/10": 10}[split]


@pytest.mark.parametrize("options", [{"become": lambda _: None}, {"has_images": False}])
def test_nothing_is_said_where_nothing_is_known(options):
    table = tabulate(make_example(**options))["patients"]
    (row,) = read_rows(table).values()
    assert (row["known"], row["other"], row["difference"]) == (None, None, None)
    assert read_notes(table) == ""


def test_a_partial_sweep_says_how_many_trials_stand_behind():
    table = tabulate(make_example(become=lambda trial: None if trial.steps == 20 else TRUE))["patients"]
    (row,) = read_rows(table).values()
    assert (row["known_finished"], row["known_planned"]) == (6, 12)


def test_models_without_all_shuffles_say_nothing_of_patients():
    table = tabulate(make_example(become=lambda trial: None if trial.shuffle == 2 else TRUE))["patients"]
    (row,) = read_rows(table).values()
    assert (row["known"], row["known_finished"], row["known_planned"]) == (None, 0, 12)
