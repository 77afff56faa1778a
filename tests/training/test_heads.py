"""A head fitted with others is the head fitted alone; the method is softmax regression by plain gradient descent."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from sweep.catalogue import Backbone
from sweep.data.splits import partition_images
from sweep.outcome import Failure, Success
from sweep.planning.trial import Trial, short_hash
from sweep.spec.schema import Sampling, Split, TrainingSpec
from sweep.training.batches import CURVE_STEPS, BatchDraws
from sweep.training.descent import GradientDescent, draw_truncated_normal
from sweep.training.head_data import HeadData
from sweep.training.heads import fit_heads

SPLIT = Split.parse("60/20/20")
TRAINING = TrainingSpec()
SCORES = ("validation_scores", "test_scores")


def make_trial(rate=0.1, steps=60, shuffle=0, split=SPLIT):
    head_id = short_hash(f"{rate} {shuffle} {split}")
    batches_id, start_id = (short_hash(f"{what} {shuffle} {split}") for what in ("batches", "start"))
    backbone = Backbone("tiny", 1.0, 16)
    trial_id = short_hash(f"{head_id} {steps}")
    return Trial(trial_id, head_id, batches_id, start_id, backbone, split, rate, shuffle, steps)


def make_data(images=80, width=5, classes=2, shuffles=1, split=SPLIT):
    """Overlapping clouds, one per class, the first class the largest."""
    generator = np.random.default_rng([images, width, classes])
    labels = np.sort(generator.integers(classes, size=images) * generator.integers(2, size=images))
    centres = generator.standard_normal((classes, width))
    features = (centres[labels] + generator.standard_normal((images, width))).astype(np.float32)
    features.setflags(write=False)  # as arrays from a cache or from another process are
    partitions = {(split, shuffle): partition_images(labels, "0" * 64, split, shuffle) for shuffle in range(shuffles)}
    return HeadData(features, labels, classes, partitions)


def with_features(data, part, value):
    """Give all images of a part other features."""
    features = data.features.copy()
    features[getattr(data.partitions[SPLIT, 0], part)] = value
    return replace(data, features=features)


def evidence_of(fitted):
    """Everything a fit yields, by trial and head, to be compared bit for bit."""
    evidence = {
        (curve.head_id, name): getattr(curve, name).tobytes()
        for curve in fitted.curves
        for name in ("steps", "accuracy", "log_loss")
    }
    for outcome in fitted.outcomes:
        values = [getattr(outcome, name) for name in type(outcome).__slots__]
        evidence[outcome.trial_id] = [value.tobytes() if isinstance(value, np.ndarray) else value for value in values]
    return evidence


def fit_one(trial, data, training=TRAINING):
    (outcome,) = fit_heads([trial], data, training).outcomes
    return outcome


@pytest.mark.parametrize("sampling", Sampling)
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("width", [5, 64])
@pytest.mark.parametrize("heads", [2, 7, 27])
def test_heads_fitted_together_equal_each_fitted_alone_bit_for_bit(heads, width, classes, sampling):
    data = make_data(width=width, classes=classes, shuffles=3)
    training = TrainingSpec(sampling=sampling)
    trials = [make_trial(0.1 / (1 + index), 60, shuffle=index % 3) for index in range(heads)]
    together = evidence_of(fit_heads(trials, data, training))
    assert len(together) == heads * 4
    for trial in trials[:: max(1, heads // 7)]:
        alone = evidence_of(fit_heads([trial], data, training))
        assert alone.items() <= together.items()


@pytest.mark.parametrize("batch_size", [1, 2, 33])
def test_so_they_do_with_batches_of_any_size(batch_size):
    data, training = make_data(shuffles=3), TrainingSpec(batch_size=batch_size)
    trials = [make_trial(rate, shuffle=shuffle) for rate in (0.1, 0.01) for shuffle in range(3)]
    together = evidence_of(fit_heads(trials, data, training))
    for trial in trials:
        assert evidence_of(fit_heads([trial], data, training)).items() <= together.items()


RATES = (0.1, 0.03, 0.01, 0.003, 0.001)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("width", [5, 64, 257])
@pytest.mark.parametrize("rates", [1, 2, 3, 4, 5])
def test_a_learning_rate_added_later_or_tried_again_alone_changes_no_bit(rates, width, classes):
    data = make_data(width=width, classes=classes, shuffles=2)
    trials = [make_trial(rate, steps, shuffle) for rate in RATES for steps in (30, 70) for shuffle in range(2)]
    everything = evidence_of(fit_heads(trials, data, TRAINING))
    for kept in (RATES[:rates], RATES[-rates:], RATES[::-1][:rates]):
        some = [trial for rate in kept for trial in trials if trial.learning_rate == rate]
        assert evidence_of(fit_heads(some, data, TRAINING)).items() <= everything.items()


def test_so_it_is_where_partitions_have_different_rates_and_fits_are_cut_anywhere(monkeypatch):
    data = make_data(width=64, shuffles=4)
    trials = [make_trial(rate, 60, shuffle) for shuffle in range(4) for rate in RATES[: 2 + shuffle % 2]]
    together = evidence_of(fit_heads(trials, data, TRAINING))
    monkeypatch.setattr("sweep.training.heads.BATCHES_BYTES", 1)
    assert evidence_of(fit_heads(trials, data, TRAINING)) == together
    pieces = [evidence_of(fit_heads(trials[start : start + 3], data, TRAINING)) for start in range(0, len(trials), 3)]
    assert {key: value for piece in pieces for key, value in piece.items()} == together


def weights_after(trial, steps, data):
    """Scores are linear in the weights; those of all test images tell heads apart."""
    return fit_one(replace(trial, steps=steps), data).test_scores


def test_heads_on_a_partition_differ_by_their_rate_alone():
    data = make_data()
    one = make_trial(0.1)
    twin = replace(make_trial(0.1 + 1e-17), head_id="0" * 16)
    np.testing.assert_array_equal(weights_after(one, 60, data), weights_after(twin, 60, data))
    for other in (replace(one, batches_id="0" * 16), replace(one, start_id="0" * 16), make_trial(0.05)):
        assert not np.array_equal(weights_after(one, 60, data), weights_after(other, 60, data))


def test_a_step_along_the_same_batch_is_as_long_as_the_rate():
    data, training = make_data(), TrainingSpec(initial_stddev=0.0)
    short, long = (fit_one(make_trial(rate, 1), data, training).test_scores for rate in (0.001, 0.002))
    np.testing.assert_allclose(long, 2 * short, rtol=1e-5, atol=1e-8)


def test_a_head_that_ends_early_is_not_changed_by_one_that_goes_on():
    data = make_data()
    short, long = make_trial(0.1, 20), make_trial(0.01, 120)
    together = evidence_of(fit_heads([short, long], data, TRAINING))
    for trial in (short, long):
        assert evidence_of(fit_heads([trial], data, TRAINING)).items() <= together.items()


def test_the_order_of_the_trials_changes_nothing():
    data = make_data(shuffles=2)
    trials = [make_trial(rate, steps, shuffle) for rate in (0.1, 0.01) for steps in (20, 70) for shuffle in (0, 1)]
    assert evidence_of(fit_heads(trials, data, TRAINING)) == evidence_of(fit_heads(trials[::-1], data, TRAINING))


@pytest.mark.parametrize("steps", [1, 37, 49, 50, 51, 100, 119])
def test_an_earlier_read_out_of_a_longer_run_is_the_shorter_run_bit_for_bit(steps):
    data = make_data(classes=3)
    trials = [make_trial(steps=steps), make_trial(steps=120)]
    longer = fit_heads(trials, data, TRAINING)
    shorter = fit_heads(trials[:1], data, TRAINING)
    assert [outcome.trial_id for outcome in longer.outcomes] == [trial.id for trial in trials]
    assert evidence_of(shorter)[trials[0].id] == evidence_of(longer)[trials[0].id]
    for name in ("steps", "accuracy", "log_loss"):
        whole, beginning = (getattr(fitted.curves[0], name) for fitted in (longer, shorter))
        np.testing.assert_array_equal(whole[: len(beginning)], beginning)


def test_scores_are_logits_of_every_validation_and_test_image():
    data = make_data(classes=3)
    outcome = fit_one(make_trial(), data)
    partition = data.partitions[SPLIT, 0]
    for scores, part in ((outcome.validation_scores, partition.validation), (outcome.test_scores, partition.test)):
        assert (scores.shape, scores.dtype) == ((len(part), 3), np.float32)
    assert outcome.test_accuracy == np.mean(outcome.test_scores.argmax(axis=1) == data.labels[partition.test])


@pytest.mark.parametrize("classes", [2, 3])
def test_a_convex_case_agrees_with_scikit_learn(classes):
    split = Split.parse("80/10/10")
    data = make_data(images=400, width=2, classes=classes, split=split)
    training = TrainingSpec(sampling=Sampling.UNIFORM, batch_size=1000)
    partition = data.partitions[split, 0]
    logits = fit_one(make_trial(0.05, 6000, split=split), data, training).test_scores
    ours = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    theirs = LogisticRegression(C=np.inf, tol=1e-10).fit(
        data.features[partition.training], data.labels[partition.training]
    )
    assert 0.6 < theirs.score(data.features, data.labels) < 0.95, "the classes overlap"
    np.testing.assert_allclose(ours, theirs.predict_proba(data.features[partition.test]), atol=0.02)


@pytest.mark.parametrize("classes", [2, 3])
def test_one_step_is_the_gradient_of_the_mean_cross_entropy_on_each_partitions_batch(classes):
    data = make_data(classes=classes)
    generator = np.random.default_rng(0)
    starts = generator.standard_normal((2, 5, classes)).astype(np.float32)
    rates = np.array([[0.5, 0.01, 0.1], [0.2, 0.3, 1.0]])
    positions = np.array([[[3, 70, 3, 12], [9, 71, 79, 40]]])
    descent = GradientDescent(starts, rates, data, batch_size=4)
    descent.biases += np.float32([0.1, -0.2][: classes - 1])
    before = [(descent.weights.astype(float), descent.biases.astype(float))]
    before = [np.pad(values, ((0, 0), (0, 0), (0, 0), (0, 1))) for values in before[0]]
    descent.take_steps(positions)
    for partition, head in np.ndindex(2, 3):
        batch, truth = (
            values[positions[0, partition]] for values in (data.features.astype(float), np.eye(classes)[data.labels])
        )
        weights, biases = (values[partition, head] for values in before)
        odds = np.exp(batch @ weights + biases)
        slope = (odds / odds.sum(axis=1, keepdims=True) - truth) / 4
        weights = weights - rates[partition, head] * batch.T @ slope
        biases = biases - rates[partition, head] * slope.sum(axis=0, keepdims=True)
        for ours, theirs in ((descent.weights, weights), (descent.biases, biases)):
            relative = theirs[:, :-1] - theirs[:, -1:]
            np.testing.assert_allclose(ours[partition, head], relative, rtol=1e-5, atol=1e-6)


def test_heads_start_at_small_random_weights_that_the_rates_share_and_no_bias():
    data = make_data(width=64)
    starts = draw_truncated_normal(np.random.default_rng(0), (2, 64, 2), 0.001)
    descent = GradientDescent(starts, np.array([[0.1, 0.01]] * 2), data, 100)
    assert not descent.biases.any()
    assert starts.std() == pytest.approx(0.001 * np.sqrt(0.774), rel=0.15)
    for head in range(2):
        np.testing.assert_array_equal(descent.weights[:, head], starts[..., :1] - starts[..., 1:])
    assert not np.array_equal(descent.weights[0], descent.weights[1])


@pytest.mark.parametrize("others", ["validation", "test"])
def test_only_training_images_are_trained_on(others):
    data = make_data()
    judged = "validation_scores" if others == "test" else "test_scores"
    before, after = (fit_one(make_trial(), which) for which in (data, with_features(data, others, 1.5)))
    np.testing.assert_array_equal(getattr(before, judged), getattr(after, judged))
    labels = data.labels.copy()
    labels[getattr(data.partitions[SPLIT, 0], others)] = 0
    relabelled = fit_one(make_trial(), replace(data, labels=labels))
    for scores in SCORES:
        np.testing.assert_array_equal(getattr(before, scores), getattr(relabelled, scores))


def draw(sampling, labels, pool, blocks=20, seed=0):
    draws = BatchDraws(seed, TrainingSpec(sampling=sampling), pool, labels)
    return np.concatenate([draws.draw_block() for _ in range(blocks)])


LABELS = np.repeat([0, 1, 2], [100, 20, 60])
POOL = np.arange(0, 180, 2)  # half of each class


@pytest.mark.parametrize(
    ("sampling", "shares"), [(Sampling.CLASS_BALANCED, [1 / 3] * 3), (Sampling.UNIFORM, [50 / 90, 10 / 90, 30 / 90])]
)
def test_batches_are_balanced_or_follow_the_classes_in_expectation(sampling, shares):
    drawn = draw(sampling, LABELS, POOL)
    assert drawn.shape == (20 * CURVE_STEPS, 100)
    found = np.bincount(LABELS[drawn].ravel()) / drawn.size
    assert found == pytest.approx(shares, abs=5 * 0.5 / np.sqrt(drawn.size))


@pytest.mark.parametrize("sampling", Sampling)
def test_within_a_class_every_training_image_is_drawn_equally_often_and_no_other_ever(sampling):
    counts = np.bincount(draw(sampling, LABELS, POOL).ravel(), minlength=len(LABELS))
    assert not np.delete(counts, POOL).any()
    for label in range(3):
        of_class = counts[POOL][LABELS[POOL] == label]
        np.testing.assert_allclose(of_class, of_class.mean(), atol=5 * np.sqrt(of_class.mean()))


def test_a_batch_repeats_images():
    assert len(np.unique(draw(Sampling.UNIFORM, LABELS, POOL, 1)[0])) < 90, "drawn with replacement"


@pytest.mark.parametrize("sampling", Sampling)
def test_a_longer_run_begins_with_the_shorter_ones_batches(sampling):
    short, long, other = (
        draw(sampling, LABELS, POOL, 1),
        draw(sampling, LABELS, POOL, 3),
        draw(sampling, LABELS, POOL, 1, 5),
    )
    np.testing.assert_array_equal(long[:CURVE_STEPS], short)
    assert not np.array_equal(short, other)
    assert not np.array_equal(long[:CURVE_STEPS], long[CURVE_STEPS : 2 * CURVE_STEPS])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rate", [1e6, 1e38])
def test_a_diverged_head_is_a_failure_and_its_neighbours_are_untouched(rate):
    data = make_data()
    calm = [make_trial(0.1), make_trial(0.01)]
    wild = make_trial(rate)
    fitted = fit_heads([calm[0], wild, calm[1]], data, TRAINING)
    outcomes = {outcome.trial_id: outcome for outcome in fitted.outcomes}
    assert isinstance(outcomes[wild.id], Failure)
    assert outcomes[wild.id].reason.startswith("diverged: cross-entropy ")
    assert outcomes[wild.id].reason.endswith(f" nats after 60 steps at learning rate {rate:g}")
    assert evidence_of(fit_heads(calm, data, TRAINING)).items() <= evidence_of(fitted).items()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("rate", [1e38, 1e308])
def test_infinite_weights_of_one_head_stay_with_it(rate, classes):
    data = make_data(classes=classes, shuffles=2)
    calm = [make_trial(0.1, shuffle=shuffle) for shuffle in range(2)]
    fitted = fit_heads([make_trial(rate), *calm, make_trial(rate, shuffle=1)], data, TRAINING)
    assert [type(outcome) for outcome in fitted.outcomes] == [Failure, Success, Success, Failure]
    assert evidence_of(fit_heads(calm, data, TRAINING)).items() <= evidence_of(fitted).items()


def test_a_head_may_fail_late_and_keep_its_earlier_read_outs():
    data = make_data(shuffles=10)
    rates = 10.0 ** np.arange(3, 4, 0.1)
    trials = [make_trial(float(rate), steps, shuffle) for rate in rates for shuffle in range(10) for steps in (50, 60)]
    kinds = {outcome.trial_id: type(outcome) for outcome in fit_heads(trials, data, TRAINING).outcomes}
    assert (Success, Failure) in {
        (kinds[early.id], kinds[late.id]) for early, late in zip(trials[::2], trials[1::2], strict=True)
    }


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("part", ["training", "validation", "test"])
def test_features_that_are_no_numbers_are_a_failure_in_whichever_part(part):
    outcome = fit_one(make_trial(), with_features(make_data(), part, np.nan))
    assert isinstance(outcome, Failure)
    assert outcome.reason.startswith("diverged: cross-entropy ")


@pytest.mark.parametrize(
    ("readouts", "points"),
    [([120], [50, 100, 120]), ([100], [50, 100]), ([37, 120], [37, 50, 100, 120]), ([3], [3]), ([20, 30], [20, 30])],
)
def test_the_curve_has_a_point_every_fifty_steps_and_at_every_read_out(readouts, points):
    trials = [make_trial(steps=steps) for steps in readouts]
    fitted = fit_heads(trials, make_data(), TRAINING)
    (curve,) = fitted.curves
    assert curve.head_id == trials[0].head_id
    assert curve.steps.tolist() == points
    accuracy = dict(zip(points, curve.accuracy, strict=True))
    log_loss = dict(zip(points, curve.log_loss, strict=True))
    for trial, outcome in zip(trials, fitted.outcomes, strict=True):
        assert accuracy[trial.steps] == np.float32(outcome.validation_accuracy)
        assert log_loss[trial.steps] == np.float32(outcome.validation_log_loss)


def test_a_truncated_normal_ends_at_two_standard_deviations():
    values = draw_truncated_normal(np.random.default_rng(0), (400, 500), 0.5)
    assert (values.shape, values.dtype) == ((400, 500), np.float32)
    assert 0.99 < np.abs(values).max() <= 1.0
    # Variance of a normal cut at +-2: 1 - 4 phi(2) / (2 Phi(2) - 1) = 0.77374.
    assert values.var() == pytest.approx(0.25 * 0.77374, rel=0.01)
    assert values.mean() == pytest.approx(0, abs=5 * 0.5 / np.sqrt(values.size))


def test_a_standard_deviation_of_zero_starts_every_head_at_zero():
    assert not draw_truncated_normal(np.random.default_rng(0), (5, 2), 0.0).any()
