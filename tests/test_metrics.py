"""Metrics computed from stored scores agree with scikit-learn's, and stay finite wherever the scores are."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

from sweep.metrics import METRICS, Direction, measure_accuracy, measure_log_loss

BIG = np.finfo(np.float32).max


def scores(*rows):
    return np.array(rows, np.float32)


def labels(*values):
    return np.array(values, np.int64)


@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize("scale", [0.0, 0.1, 5.0])
def test_they_agree_with_scikit_learn(classes, scale):
    generator = np.random.default_rng(classes)
    logits = (scale * generator.standard_normal((200, classes))).astype(np.float32)
    truth = generator.integers(classes, size=200)
    probabilities = np.exp(logits.astype(np.float64))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    assert measure_accuracy(logits, truth) == accuracy_score(truth, logits.argmax(axis=1))
    expected = log_loss(truth, probabilities, labels=range(classes))
    assert measure_log_loss(logits, truth) == pytest.approx(expected, rel=1e-12)


def test_a_uniform_guess_costs_the_log_of_the_classes():
    assert measure_log_loss(np.zeros((5, 3), np.float32), labels(0, 1, 2, 0, 1)) == pytest.approx(np.log(3))


def test_a_constant_added_to_an_images_scores_changes_nothing():
    one, other = scores([1, 2], [0, -1]), scores([101, 102], [-50, -51])
    assert measure_log_loss(one, labels(0, 1)) == pytest.approx(measure_log_loss(other, labels(0, 1)), rel=1e-12)


def test_extreme_scores_have_a_finite_loss():
    with np.errstate(all="raise", under="ignore"):
        assert measure_log_loss(scores([1e4, -1e4]), labels(1)) == 2e4
        assert measure_log_loss(scores([1e4, -1e4]), labels(0)) == 0
        assert measure_log_loss(scores([BIG, -BIG]), labels(1)) == pytest.approx(2 * float(BIG))


def test_a_small_loss_is_not_lost_to_rounding():
    assert measure_log_loss(scores([20, 0]), labels(0)) == pytest.approx(np.log1p(np.exp(-20)), rel=1e-6)


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_scores_that_are_no_numbers_have_no_loss(value):
    assert np.isnan(measure_log_loss(scores([value, 0]), labels(0)))


def test_of_equal_scores_the_first_class_is_the_answer():
    assert measure_accuracy(np.zeros((4, 2), np.float32), labels(0, 0, 0, 1)) == 0.75


def test_every_metric_says_which_way_is_better_and_how_it_is_printed():
    assert {name: metric.direction for name, metric in METRICS.items()} == {
        "accuracy": Direction.HIGHER,
        "log_loss": Direction.LOWER,
    }
    accuracy = METRICS["accuracy"]
    value = accuracy.scale * accuracy.measure(scores([1, 0], [1, 0], [0, 1]), labels(0, 1, 1))
    assert f"{value:.{accuracy.decimals}f} {accuracy.unit}" == "66.7 %"
