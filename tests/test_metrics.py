"""Metrics computed from stored scores agree with scikit-learn's, and stay finite wherever the scores are."""

import numpy as np
import pytest
from sklearn import metrics as reference

from sweep.measures import count_answers, log_odds, measure_accuracy, measure_log_loss, softmax
from sweep.metrics import METRICS, Direction

BIG = np.finfo(np.float32).max


def scores(*rows):
    return np.array(rows, np.float32)


def labels(*values):
    return np.array(values, np.int64)


def draw(classes, scale=1.0, images=200):
    generator = np.random.default_rng(classes)
    logits = (scale * generator.standard_normal((images, classes))).astype(np.float32)
    return logits, generator.integers(classes, size=images)


def by_scikit_learn(name, logits, truth):
    """The same metric by scikit-learn: of the second of two classes, else macro-averaged."""
    answers, probabilities = logits.argmax(axis=1), softmax(logits)
    classes = logits.shape[1]
    average = {"average": "binary" if classes == 2 else "macro"}
    shown = probabilities[:, 1] if classes == 2 else probabilities
    one_hot = truth if classes == 2 else np.eye(classes)[truth]

    def measure_specificity():
        (tn, fp), _ = np.moveaxis(reference.multilabel_confusion_matrix(truth, answers), 0, -1)
        return (tn / (tn + fp))[1:].mean() if classes == 2 else (tn / (tn + fp)).mean()

    def measure_negative_predictive_value():
        (tn, _), (fn, _) = np.moveaxis(reference.multilabel_confusion_matrix(truth, answers), 0, -1)
        return (tn / (tn + fn))[1:].mean() if classes == 2 else (tn / (tn + fn)).mean()

    return {
        "accuracy": lambda: reference.accuracy_score(truth, answers),
        "balanced_accuracy": lambda: reference.balanced_accuracy_score(truth, answers),
        "sensitivity": lambda: reference.recall_score(truth, answers, **average),
        "specificity": measure_specificity,
        "precision": lambda: reference.precision_score(truth, answers, **average),
        "negative_predictive_value": measure_negative_predictive_value,
        "f1": lambda: reference.f1_score(truth, answers, **average),
        "roc_auc": lambda: reference.roc_auc_score(truth, shown, multi_class="ovr"),
        "average_precision": lambda: reference.average_precision_score(one_hot, shown),
        "cohen_kappa": lambda: reference.cohen_kappa_score(truth, answers),
        "log_loss": lambda: reference.log_loss(truth, probabilities, labels=range(classes)),
    }[name]()


@pytest.mark.parametrize("name", sorted(METRICS.keys() - {"calibration_error"}))
@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize("scale", [0.1, 5.0])
def test_they_agree_with_scikit_learn(name, classes, scale):
    logits, truth = draw(classes, scale)
    assert METRICS[name].measure(logits, truth) == pytest.approx(by_scikit_learn(name, logits, truth), rel=1e-12)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_rankings_with_ties_agree_with_scikit_learn(name):
    logits, truth = draw(2)
    logits = np.round(logits)
    assert METRICS[name].measure(logits, truth) == pytest.approx(by_scikit_learn(name, logits, truth), rel=1e-12)


def test_of_two_classes_the_second_is_the_positive_one():
    logits, truth = scores([0, 1], [0, 1], [1, 0], [0, 1]), labels(1, 1, 1, 0)
    assert METRICS["sensitivity"].measure(logits, truth) == pytest.approx(2 / 3)
    assert METRICS["specificity"].measure(logits, truth) == 0
    assert METRICS["precision"].measure(logits, truth) == pytest.approx(2 / 3)


def test_of_more_classes_a_metric_is_the_mean_of_those_of_each_class():
    logits, truth = draw(4)
    for metric in METRICS.values():
        if metric.is_of_class:
            each = metric.measure_classes(logits, truth, range(4))
            assert metric.measure(logits, truth) == pytest.approx(np.mean(each))


def test_the_confusion_matrix_has_true_classes_in_rows():
    counts = count_answers(scores([0, 1, 0], [1, 0, 0], [0, 0, 1]), labels(0, 0, 2))
    assert counts.tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]


def test_log_odds_keep_apart_what_probabilities_round_together():
    logits = scores([0, 60], [0, 50])
    assert softmax(logits)[0, 1] == softmax(logits)[1, 1] == 1.0
    assert log_odds(logits, 1).tolist() == [60, 50]


@pytest.mark.parametrize("name", ["sensitivity", "roc_auc", "average_precision"])
def test_a_class_without_images_has_no_such_rate(name):
    assert np.isnan(METRICS[name].measure(scores([0, 1], [1, 0]), labels(0, 0)))


def test_a_class_that_was_never_answered_has_no_precision():
    assert np.isnan(METRICS["precision"].measure(scores([1, 0], [1, 0]), labels(0, 1)))


def test_calibration_error_is_the_gap_between_confidence_and_accuracy():
    logits = np.log(scores([0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.3, 0.7]))  # bins of 0.9 and of 0.7
    expected = 3 / 4 * abs(2 / 3 - 0.9) + 1 / 4 * abs(1 - 0.7)
    assert METRICS["calibration_error"].measure(logits, labels(0, 0, 1, 1)) == pytest.approx(expected, rel=1e-6)


def test_full_confidence_falls_into_the_last_bin():
    assert METRICS["calibration_error"].measure(scores([1000, 0]), labels(0)) == 0


def test_a_confidence_on_the_border_of_two_bins_falls_into_the_lower_one():
    """Bins are (lower, upper], as in Guo et al. 2017: 1/3 belongs to the fifth of 15, and 0.36 to the sixth."""
    logits = np.concatenate([scores([0, 0, 0]), np.log(scores([0.36, 0.32, 0.32]))])
    apart = (1 / 3 + (1 - 0.36)) / 2
    assert METRICS["calibration_error"].measure(logits, labels(1, 0)) == pytest.approx(apart)


def test_rows_that_differ_by_a_constant_are_ties_among_many_classes_too():
    logits = scores([2, 1, 0], [3, 2, 1], [5, 4, 3], [7, 6, 5])
    assert len(set(log_odds(logits, 0))) == 1
    assert METRICS["roc_auc"].measure_classes(logits, labels(0, 1, 0, 2), [0]) == [0.5]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", METRICS)
def test_a_metric_of_scores_that_are_not_finite_is_not_defined(name, value):
    logits, truth = draw(2)
    logits[3, 1] = value
    assert np.isnan(METRICS[name].measure(logits, truth))
    assert np.isnan(METRICS[name].influence(logits, truth)).all()


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("classes", [2, 3])
def test_the_influence_of_an_image_is_what_a_little_less_of_it_takes_away(name, classes):
    """Of a data set of forty copies, one copy of one image is left out."""
    metric, copies = METRICS[name], 40
    logits, truth = draw(classes, 2.0)
    logits = np.round(logits, 1)  # with ties
    influences = metric.influence(logits, truth)
    many, labelled = np.repeat(logits, copies, axis=0), np.repeat(truth, copies)
    whole = metric.measure(logits, truth)
    for image in range(0, 200, 20):
        kept = np.arange(len(many)) != copies * image
        taken = copies * (whole - metric.measure(many[kept], labelled[kept]))
        assert influences[image] == pytest.approx(taken, abs=2e-3 * np.abs(influences).max())
    assert influences.sum() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", ["accuracy", "log_loss"])
def test_the_influences_on_a_mean_are_deviations_from_it(name):
    logits, truth = draw(3)
    metric = METRICS[name]
    each = np.array([metric.measure(logits[[image]], truth[[image]]) for image in range(200)])
    assert metric.influence(logits, truth) == pytest.approx((each - each.mean()) / 200)


def test_the_influences_on_roc_auc_give_the_variance_of_delong():
    # Sun and Xu 2014, from the midranks: var(V10) / m + var(V01) / n, here with 1 / m for 1 / (m - 1)
    logits, truth = draw(2)
    odds = log_odds(logits, 1)
    below = (odds[truth == 1][:, None] > odds[truth == 0][None, :]).astype(float)
    expected = below.mean(axis=1).var() / len(below) + below.mean(axis=0).var() / below.shape[1]
    assert (METRICS["roc_auc"].influence(logits, truth) ** 2).sum() == pytest.approx(expected)


def test_a_share_counts_the_images_it_is_a_share_of():
    logits, truth = scores([0, 1], [0, 1], [1, 0], [0, 1]), labels(1, 1, 1, 0)
    counted = {name: METRICS[name].count_images(logits, truth).tolist() for name in ("accuracy", "sensitivity")}
    assert counted == {"accuracy": [True] * 4, "sensitivity": [True, True, True, False]}
    assert METRICS["precision"].count_images(logits, truth).tolist() == [True, True, False, True]
    assert METRICS["roc_auc"].count_images(logits, truth).tolist() == [False, False, False, True]


def test_a_uniform_guess_costs_the_log_of_the_classes():
    assert measure_log_loss(np.zeros((5, 3), np.float32), labels(0, 1, 2, 0, 1)) == pytest.approx(np.log(3))


def test_a_constant_added_to_an_images_scores_changes_nothing():
    one, other = scores([1, 2], [0, -1]), scores([101, 102], [-50, -51])
    for metric in METRICS.values():
        assert metric.measure(one, labels(0, 1)) == pytest.approx(metric.measure(other, labels(0, 1)), nan_ok=True)


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
    lower = {name for name, metric in METRICS.items() if metric.direction is Direction.LOWER}
    assert lower == {"log_loss", "calibration_error"}
    accuracy = METRICS["accuracy"]
    value = accuracy.scale * accuracy.measure(scores([1, 0], [1, 0], [0, 1]), labels(0, 1, 1))
    assert f"{value:.{accuracy.decimals}f} {accuracy.unit}" == "66.7 %"


def test_columns_of_files_name_the_unit():
    columns = {name: (metric.mean_column, metric.std_column) for name, metric in METRICS.items()}
    assert columns["accuracy"] == ("accuracy_mean_percent", "accuracy_std_points")
    assert columns["log_loss"] == ("log_loss_mean_nats", "log_loss_std_nats")
    assert columns["cohen_kappa"] == ("cohen_kappa_mean", "cohen_kappa_std")


def test_the_best_of_some_values_depends_on_the_direction():
    assert (Direction.HIGHER.best([1, 3, 2]), Direction.LOWER.best([1, 3, 2])) == (3, 1)
    assert (Direction.HIGHER.sign, Direction.LOWER.sign) == (1, -1)
