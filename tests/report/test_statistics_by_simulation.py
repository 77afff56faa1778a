import gc
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr, ndtri

from sweep.report.statistics.comparisons import compare_classifiers, compare_models, detectable_difference
from sweep.report.statistics.intervals import resampled_interval, share_interval, student_interval, widest
from sweep.report.statistics.sampling import cluster_by_patient, effective_images, jackknife

IMAGES, PATIENT_SIZE = 600, 5


@pytest.fixture(autouse=True)
def _fast_multipletests(monkeypatch):
    monkeypatch.setattr(gc, "collect", lambda: 0)  # statsmodels collects all garbage at each call


@dataclass
class Design:
    training: int
    test: int
    shuffles: int = 3

    @property
    def ratio(self):
        return self.test / self.training


LARGE_TRAINING, SMALL_TRAINING = Design(480, 60), Design(360, 120)


def answer_images(rng, design, models, accuracy=0.85, noise=0.05, patient=0.4):
    """One study: a pool of images split again and again. Returns answers (models, shuffles, test), images, patients.

    A latent score is the sum of the image's difficulty (to all, to this model), its patient, the training images,
    the seed and chance; `accuracy` is what it gives on average over all of them.
    """
    patients = np.arange(IMAGES) // PATIENT_SIZE
    noise = np.broadcast_to(noise, models)[:, None]
    common, own, training, count = 0.8, 0.5, 0.05, design.training
    spread = np.sqrt(1 + common**2 + patient**2 + own**2 + training**2 + noise**2)
    scores = ndtri(accuracy) * spread + own * rng.standard_normal((models, IMAGES))
    scores += common * rng.standard_normal(IMAGES) + patient * rng.standard_normal(IMAGES)[patients]
    use = rng.standard_normal((models, IMAGES))
    answers, images = [], []
    for _ in range(design.shuffles):
        order = rng.permutation(IMAGES)
        tested = order[-design.test :]
        learned = training * use[:, order[:count]].sum(1, keepdims=True) / np.sqrt(count)
        learned = learned + noise * rng.standard_normal((models, 1))
        answers.append(scores[:, tested] + learned + rng.standard_normal((models, design.test)) > 0)
        images.append(tested)
    return np.stack(answers, axis=1), np.concatenate(images), patients[np.concatenate(images)]


def draw_blocks(rng, means, shuffles, ratio):
    """Values (models, shuffles) as Nadeau and Bengio assume them, residuals with standard deviation 1."""
    shared = np.sqrt(ratio) * rng.standard_normal((len(means), 1))
    return means[:, None] + shared + rng.standard_normal((1, shuffles)) + rng.standard_normal((len(means), shuffles))


@pytest.mark.parametrize("design", [LARGE_TRAINING, SMALL_TRAINING])
@pytest.mark.parametrize("accuracy", [0.85, 0.97])
def test_the_interval_of_a_model_holds_its_expected_accuracy_as_often_as_it_says(design, accuracy):
    rng = np.random.default_rng(0)
    held = []
    for _ in range(250):
        answers, images, patients = answer_images(rng, design, 3, accuracy)
        for correct in answers:
            independent = effective_images(correct.ravel(), images, patients)
            values = correct.mean(axis=1)
            interval = widest(resampled_interval(values, design.ratio), share_interval(correct.mean(), independent))
            held.append(accuracy in interval)
    assert np.mean(held) >= 0.93


@pytest.mark.parametrize("design", [Design(480, 60, 10), Design(360, 120, 10)])
def test_a_t_interval_without_the_correction_for_overlap_promises_too_much(design):
    rng = np.random.default_rng(0)
    naive, corrected = [], []
    for _ in range(250):
        answers, _, _ = answer_images(rng, design, 3)
        for values in answers.mean(axis=2):
            naive.append(0.85 in resampled_interval(values, 0))
            corrected.append(0.85 in resampled_interval(values, design.ratio))
    assert np.mean(naive) < 0.9
    assert np.mean(corrected) > np.mean(naive)


@pytest.mark.parametrize("design", [LARGE_TRAINING, SMALL_TRAINING])
@pytest.mark.parametrize(
    ("models", "noise", "patient"),
    [(2, 0.05, 0.4), (16, 0.05, 0.4), (16, 0.05, 1.0), (16, np.repeat([0.05, 0.25], [12, 4]), 0.4)],
    ids=["two", "sixteen", "strong patients", "four of sixteen train unsteadily"],
)
def test_equal_models_are_told_apart_in_at_most_one_of_twenty_studies(design, models, noise, patient):
    rng = np.random.default_rng(1)
    studies, wrong = 200, 0
    for _ in range(studies):
        answers, _, patients = answer_images(rng, design, models, noise=noise, patient=patient)
        sampling = cluster_by_patient(answers.reshape(models, -1), patients)
        wrong += compare_models(answers.mean(axis=2), design.ratio, sampling).is_distinct.any()
    assert wrong <= stats.binom.ppf(0.99, studies, 0.05)


def test_where_the_assumptions_hold_the_error_rate_is_close_to_the_promise():
    rng = np.random.default_rng(2)
    wrong = [compare_models(draw_blocks(rng, np.zeros(5), 3, 0.3), 0.3).is_distinct.any() for _ in range(800)]
    assert 0.02 < np.mean(wrong) < 0.06


@pytest.mark.parametrize(("models", "shuffles", "ratio"), [(2, 5, 0.125), (4, 3, 0.3), (16, 3, 0.125)])
def test_a_detectable_difference_is_detected_in_four_of_five_studies(models, shuffles, ratio):
    rng = np.random.default_rng(3)
    freedom, error = (models - 1) * (shuffles - 1), np.sqrt(2 * (1 / shuffles + ratio))
    difference = detectable_difference(error, freedom, models * (models - 1) // 2)
    means = np.full(models, difference / 2)
    means[[0, -1]] = 0, difference
    found = [compare_models(draw_blocks(rng, means, shuffles, ratio), ratio).is_distinct[0, -1] for _ in range(500)]
    assert 0.7 < np.mean(found) < 0.9


def leave_groups_out(answers, patients, groups):
    """Means of (models, pairs) answers without each group of patients."""
    return np.stack([answers[:, patients % groups != group].mean(axis=1) for group in range(groups)], axis=1)


@pytest.mark.parametrize("is_jackknife", [False, True], ids=["clustered", "jackknife"])
def test_equal_classifiers_are_told_apart_in_at_most_one_of_twenty_studies(is_jackknife):
    rng = np.random.default_rng(5)
    studies, wrong = 300, 0
    for _ in range(studies):
        patients = rng.permutation(np.repeat(np.arange(200), 2))
        scores = (
            rng.standard_normal((12, 400))
            + 0.7 * rng.standard_normal(400)
            + rng.standard_normal((12, 200))[:, patients]
        )
        answers = (scores + 1.5 > 0).astype(float)
        sampling = (
            jackknife(leave_groups_out(answers, patients, 50))
            if is_jackknife
            else cluster_by_patient(answers, patients)
        )
        wrong += compare_classifiers(answers.mean(axis=1), sampling).is_distinct.any()
    assert wrong <= stats.binom.ppf(0.99, studies, 0.05)


def test_the_interval_by_the_jackknife_holds_the_true_sensitivity_as_often_as_it_says():
    rng = np.random.default_rng(6)
    held = []
    for _ in range(600):
        patients = rng.permutation(np.repeat(np.arange(150), 2))
        is_positive = (patients % 3 > 0).astype(float)  # of 100 patients
        answers = (rng.standard_normal(300) + 0.7 * rng.standard_normal(150)[patients] + 1.5 > 0).astype(float)
        kept = [patients // 3 % 50 != group for group in range(50)]
        replicates = [(answers * is_positive)[mask].sum() / is_positive[mask].sum() for mask in kept]
        sampling = jackknife([replicates])
        mean = (answers * is_positive).sum() / is_positive.sum()
        held.append(
            ndtr(1.5 / np.sqrt(1.49)) in student_interval(mean, sampling.of_means[0], sampling.degrees_of_freedom)
        )
    assert np.mean(held) >= 0.92
