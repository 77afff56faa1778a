"""Intervals and comparisons are those of the procedures they name, fed with the sweep's own trials."""

from dataclasses import replace

import numpy as np
import pytest
from study_example import MODELS, ONE_CONFIGURATION, TRUE, make_example, read_example

from sweep.metrics import METRICS
from sweep.report.inference import infer
from sweep.report.statistics.comparisons import compare_models
from sweep.report.statistics.intervals import resampled_interval

SPLIT = "60/20/20"
BOUNDS = {"cohen_kappa": (-1, 1), "log_loss": (0, np.inf)}  # of all others: 0 to 100 %
FOUR = {"alpha": [0.5, 1.0], "resolution": [16, 32], **ONE_CONFIGURATION}


@pytest.mark.parametrize("metric", METRICS)
def test_an_interval_holds_the_mean_and_never_is_narrower_than_that_over_the_re_splits(models, metric):
    study = read_example(models, metric)
    found = infer(study).intervals
    assert set(found) == set(study.cells)
    assert any(found.values())
    for (backbone, split), interval in found.items():
        narrow = resampled_interval(
            [study.metric.scale * readout.value for readout in study.readouts[backbone, split]],
            {"60/20/20": 20 / 60, "80/10/10": 10 / 80}[split],
        ).clip(*BOUNDS.get(metric, (0, 100)))
        if interval is not None:
            assert BOUNDS.get(metric, (0, 100))[0] <= interval.lower
            assert interval.upper <= BOUNDS.get(metric, (0, 100))[1]
            assert interval.lower - 1e-9 <= study.cells[backbone, split].value <= interval.upper + 1e-9
            assert interval.lower - 1e-9 <= narrow.lower <= narrow.upper <= interval.upper + 1e-9


def test_a_perfect_model_still_has_an_interval_below_100():
    study = make_example(skill=lambda _: 1 - 1e-9, **ONE_CONFIGURATION)
    (interval,) = infer(study).intervals.values()
    assert next(iter(study.cells.values())).value == 100
    assert interval.lower < 99
    assert interval.upper == 100


def test_the_comparison_of_a_split_is_that_of_its_values(models):
    study = read_example(models)
    ranking = infer(study).rankings[SPLIT]
    values = [[100 * readout.value for readout in study.readouts[name, SPLIT]] for name in ranking.backbones]
    alone = compare_models(values, 20 / 60)
    assert ranking.comparisons.differences == pytest.approx(alone.differences)
    assert np.all(ranking.comparisons.standard_errors >= alone.standard_errors - 1e-9)
    assert ranking.comparisons.degrees_of_freedom == 3 * 2


@pytest.mark.parametrize("metric", ["accuracy", "log_loss", "f1"])
def test_the_first_letter_belongs_to_the_best_model_whichever_way_is_better(models, metric):
    study = read_example(models, metric)
    ranking = infer(study).rankings[SPLIT]
    means = {name: study.cells[name, SPLIT].value for name in ranking.backbones}
    best = study.metric.direction.best(means.values())
    (first,) = (name for name, mean in means.items() if mean == best)
    assert "a" in ranking.letters[first]


def test_one_shuffle_has_no_interval_and_no_comparison():
    found = infer(make_example(**FOUR, shuffle=0))
    assert set(found.intervals.values()) == {None}
    assert found.rankings[SPLIT].comparisons is None
    assert found.rankings[SPLIT].detectable is None


def test_one_model_has_an_interval_but_nothing_to_be_compared_with():
    found = infer(make_example())
    assert None not in found.intervals.values()
    assert found.rankings[SPLIT].backbones == ("tiny-1-16",)
    assert found.rankings[SPLIT].comparisons is None


def test_only_models_with_every_shuffle_are_compared():
    study = make_example(**FOUR, become=lambda trial: None if trial.backbone.alpha == 0.5 and trial.shuffle else TRUE)
    assert infer(study).rankings[SPLIT].backbones == ("tiny-1-16", "tiny-1-32")


def test_nothing_finished_can_not_be_told():
    found = infer(make_example(become=lambda _: None, **FOUR))
    assert set(found.intervals.values()) == {None}
    assert found.rankings[SPLIT].backbones == ()


@pytest.mark.parametrize("metric", ["accuracy", "sensitivity", "precision", "cohen_kappa", "log_loss"])
@pytest.mark.parametrize("classes", [(3, 7), (3, 7, 3), (15, 3)])
@pytest.mark.filterwarnings("error")
def test_tiny_test_sets_give_intervals_or_none_but_never_nan(metric, classes):
    found = infer(make_example(metric, classes=classes, alpha=[0.5, 1.0], **ONE_CONFIGURATION))
    for interval in found.intervals.values():
        assert interval is None or np.isfinite([interval.lower, interval.upper]).all()
    for ranking in found.rankings.values():
        assert ranking.detectable is None or np.isfinite(ranking.detectable)


def test_images_of_a_patient_count_together():
    """The same answers, said to be of fewer patients, tell less."""
    study = make_example(**ONE_CONFIGURATION, classes=(260, 740))
    images = study.frames.images
    (apart,) = infer(replace_patients(study, [str(index) for index in range(len(images.names))])).intervals.values()
    (together,) = infer(replace_patients(study, [str(index // 100) for index in range(1000)])).intervals.values()
    assert together.upper - together.lower >= apart.upper - apart.lower


def test_images_of_unknown_patients_count_each_for_itself():
    study = make_example(**ONE_CONFIGURATION)
    apart = infer(replace_patients(study, [f"p{index:03}" for index in range(100)])).intervals
    assert infer(replace_patients(study, [None] * 100)).intervals == apart


def replace_patients(study, patients):
    images = replace(study.frames.images, patients=tuple(patients))
    return replace(study, frames=replace(study.frames, images=images))


def test_every_split_has_its_ranking(models):
    assert list(infer(read_example(models)).rankings) == MODELS["split"]
