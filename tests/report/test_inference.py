"""Intervals and comparisons are those of the errors they name, fed with the sweep's own trials."""

from dataclasses import replace

import numpy as np
import pytest
from study_example import MODELS, ONE_CONFIGURATION, TRUE, make_example, make_success, read_example, read_rows

from sweep.metrics import METRICS
from sweep.report.inference import infer
from sweep.report.statistics.best import Verdict
from sweep.report.statistics.errors import About
from sweep.report.tables.effects import make_effects

SPLIT = "60/20/20"
BOUNDS = {"cohen_kappa": (-1, 1), "log_loss": (0, np.inf)}  # of all others: 0 to 100 %
FOUR = {"alpha": [0.5, 1.0], "resolution": [16, 32], **ONE_CONFIGURATION}


@pytest.mark.parametrize("metric", METRICS)
def test_an_interval_holds_the_mean_and_stays_within_the_bounds_of_its_metric(models, metric):
    study = read_example(models, metric)
    found = infer(study).intervals
    assert set(found) == set(study.cells)
    lowest, highest = BOUNDS.get(metric, (0, 100))
    for key, interval in found.items():
        if study.cells[key].value is not None:
            assert lowest <= interval.lower < study.cells[key].value + 1e-9
            assert study.cells[key].value - 1e-9 < interval.upper <= highest


@pytest.mark.parametrize("metric", ["accuracy", "sensitivity", "specificity", "roc_auc", "precision", "f1"])
def test_a_perfect_model_still_has_an_interval_below_100(metric):
    study = make_example(metric, skill=lambda _: 1 - 1e-9, **ONE_CONFIGURATION)
    (interval,) = infer(study).intervals.values()
    assert next(iter(study.cells.values())).value == 100
    assert interval.lower < 99
    assert interval.upper == pytest.approx(100)


def test_the_fewer_images_a_metric_counts_the_less_a_perfect_model_proves():
    perfect = {"skill": lambda _: 1 - 1e-9, **ONE_CONFIGURATION}  # 26 of one class, 74 of the positive one
    lower = {
        name: infer(make_example(name, **perfect)).intervals["tiny-1-16", SPLIT].lower
        for name in ("accuracy", "sensitivity", "specificity")
    }
    assert lower["specificity"] < lower["sensitivity"] < lower["accuracy"]


@pytest.mark.parametrize("metric", ["accuracy", "log_loss", "f1", "calibration_error"])
def test_the_best_mean_may_be_the_best_whichever_way_is_better(models, metric):
    study = read_example(models, metric)
    standing = infer(study).standings[SPLIT]
    means = {name: study.cells[name, SPLIT].value for name in standing.models}
    (first,) = (name for name, mean in means.items() if mean == study.metric.direction.best(means.values()))
    assert standing.ranks.upper[standing.models.index(first)] > 0
    assert standing.verdicts[first] in (Verdict.MAY_BE_BEST, Verdict.CANNOT_TELL)
    assert standing.pairs.differences[0, 1] == pytest.approx(means[standing.models[0]] - means[standing.models[1]])


def test_the_margin_is_that_of_the_spec(models):
    study = read_example(models)
    wide = replace(study, frames=replace(study.frames, margin=60.0))
    assert infer(study).margin == 1
    assert set(infer(wide).standings[SPLIT].verdicts.values()) <= {Verdict.MAY_BE_BEST, Verdict.WITHIN}
    assert infer(replace(wide, metric=METRICS["log_loss"])).margin == pytest.approx(0.6)


def test_another_pool_of_images_widens_every_comparison(models):
    study = read_example(models)
    pool, any_pool = (infer(study, about).standings[SPLIT] for about in About)
    wider = any_pool.pairs.upper - any_pool.pairs.lower >= pool.pairs.upper - pool.pairs.lower
    assert wider.all()


def test_one_shuffle_tells_what_its_test_images_allow():
    found = infer(make_example(**FOUR, shuffle=0, classes=(260, 740)))
    assert None not in found.intervals.values()
    standing = found.standings[SPLIT]
    assert (standing.errors.repeats, standing.errors.of_runs) == (1, 0)
    assert standing.pairs.is_distinct.any()
    assert standing.left_out is None


def test_one_shuffle_tells_nothing_of_any_other_pool_of_images():
    found = infer(make_example(**FOUR, shuffle=0), About.PROCEDURE)
    assert set(found.intervals.values()) == {None}
    assert found.standings[SPLIT].ranks is None


def test_one_model_has_an_interval_but_nothing_to_be_compared_with():
    found = infer(make_example())
    assert None not in found.intervals.values()
    assert found.standings[SPLIT].models == ("tiny-1-16",)
    assert found.standings[SPLIT].ranks is None


def test_only_models_with_every_shuffle_are_compared():
    study = make_example(**FOUR, become=lambda trial: None if trial.alpha == 0.5 and trial.shuffle else TRUE)
    found = infer(study)
    assert found.standings[SPLIT].models == ("tiny-1-16", "tiny-1-32")
    assert {name for (name, _), interval in found.intervals.items() if interval} == {"tiny-1-16", "tiny-1-32"}


def test_nothing_finished_can_not_be_told():
    found = infer(make_example(become=lambda _: None, **FOUR))
    assert set(found.intervals.values()) == {None}
    assert found.standings[SPLIT].models == ()


@pytest.mark.parametrize("metric", ["accuracy", "sensitivity", "precision", "cohen_kappa", "log_loss"])
@pytest.mark.parametrize("classes", [(3, 7), (3, 7, 3), (15, 3)])
@pytest.mark.filterwarnings("error")
def test_tiny_test_sets_give_intervals_or_none_but_never_nan(metric, classes):
    found = infer(make_example(metric, classes=classes, alpha=[0.5, 1.0], **ONE_CONFIGURATION))
    for interval in found.intervals.values():
        assert interval is None or np.isfinite([interval.lower, interval.upper]).all()


def test_images_of_a_patient_count_together():
    """The same answers, said to be of fewer patients, tell less."""
    study = make_example(**ONE_CONFIGURATION, classes=(260, 740))
    (apart,) = infer(replace_patients(study, [str(index) for index in range(1000)])).intervals.values()
    (together,) = infer(replace_patients(study, [str(index // 100) for index in range(1000)])).intervals.values()
    assert together.upper - together.lower >= apart.upper - apart.lower


def test_images_of_unknown_patients_count_each_for_itself():
    study = make_example(**ONE_CONFIGURATION)
    apart = infer(replace_patients(study, [f"p{index:03}" for index in range(100)])).intervals
    assert infer(replace_patients(study, [None] * 100)).intervals == apart


def replace_patients(study, patients):
    images = replace(study.frames.images, patients=tuple(patients))
    return replace(study, frames=replace(study.frames, images=images))


@pytest.mark.parametrize("bad", [np.inf, -np.inf])
def test_scores_that_are_not_finite_leave_the_other_models_known(bad):
    """As a head's that overflowed on a test image: stored, finite on validation images."""
    study = make_example(**FOUR)
    key = "tiny-0.5-16", SPLIT
    readouts = study.readouts[key]
    scores = readouts[0].scores.copy()
    scores[0, 0] = bad
    value = study.metric.measure(scores, readouts[0].labels)
    damaged = (replace(readouts[0], scores=scores, value=value), *readouts[1:])
    standing = infer(replace(study, readouts={**study.readouts, key: damaged})).standings[SPLIT]
    assert key[0] not in standing.models
    assert len(standing.models) == 3


# -- main effects ------------------------------------------------------------------------------------------------


def find_effects(**options):
    study = make_example(**{**MODELS, "learning_rate": [0.1, 0.01], **options})
    return study, read_effects(study)


def read_effects(study):
    """The effects by axis and split."""
    (table,) = make_effects(study, infer(study))
    return read_rows(table)


def spell_means(means):
    return ", ".join(f"{level}: {mean:.1f}" for level, mean in means.items())


def test_every_axis_with_two_levels_has_a_main_effect_in_each_split():
    _, effects = find_effects()
    splits = {"60/20/20", "80/10/10"}
    axes = {(axis, split) for axis in ("alpha", "resolution", "learning rate") for split in splits}
    assert set(effects) == axes | {("split", "all")}


def test_the_means_of_a_networks_axis_are_those_of_its_models():
    study, effects = find_effects()
    effect = effects["alpha", SPLIT]
    means = {
        alpha: np.mean([study.cells[f"tiny-{alpha}-{side}", SPLIT].value for side in (16, 32)])
        for alpha in ("0.5", "1")
    }
    assert effect["means"] == spell_means(means)
    assert effect["difference"] == pytest.approx(max(means.values()) - min(means.values()))
    assert effect["lower"] < effect["difference"] < effect["upper"]


def test_the_means_of_a_learning_rate_are_over_all_models_at_the_largest_budget():
    study, effects = find_effects()
    trials = study.frames.trials
    trials = trials[(trials["split"] == SPLIT) & (trials["steps"] == 20)]
    expected = 100 * trials.groupby("learning_rate")["test_accuracy"].mean()
    effect = effects["learning rate", SPLIT]
    assert effect["means"] == spell_means({"0.1": expected[0.1], "0.01": expected[0.01]})
    assert effect["difference"] == pytest.approx(abs(expected[0.1] - expected[0.01]))


def test_a_large_effect_is_found_and_none_is_found_where_there_is_none():
    skills = {0.5: 0.7, 1.0: 0.9}
    many = {"classes": (260, 740), "split": SPLIT}
    _, found = find_effects(skill=lambda point: skills[point["alpha"]], **many)
    assert found["alpha", SPLIT]["p_value"] < 0.05
    assert found["resolution", SPLIT]["p_value"] > 0.01


def test_a_split_with_a_missing_trial_has_no_effects():
    lost = lambda trial: None if (trial.split, trial.alpha) == (SPLIT, 0.5) else TRUE  # noqa: E731
    _, effects = find_effects(become=lost)
    assert {split for _, split in effects} == {"80/10/10"}


def test_hand_made_results_without_images_have_no_effects():
    study = make_example(become=make_success, has_images=False, **FOUR)
    assert read_effects(study) == {}


def test_what_a_question_measures_is_what_the_metric_says(models):
    study = read_example(models)
    question = infer(study).ask(METRICS["roc_auc"])
    readouts = study.readouts["tiny-1-32", SPLIT]
    expected = [METRICS["roc_auc"].measure(each.scores, each.labels) for each in readouts]
    assert question.measure("tiny-1-32", SPLIT).tolist() == expected


def test_an_axis_that_is_not_crossed_with_all_others_has_no_effect_of_its_own():
    """A decay that plain descent was not tried with: its levels are of other models."""
    values = {"optimizer": ["sgd", "momentum"], "momentum": [0.5, 0.9], "shuffle": [0, 1], **ONE_CONFIGURATION}
    study = make_example(skill=lambda _: 0.9, **values)
    assert study.layout.choice_words == "momentum"
    assert {axis for axis, _ in read_effects(study)} == {"optimizer"}
