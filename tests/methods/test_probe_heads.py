"""Heads fitted together are the heads fitted alone, whatever is mixed; each optimizer is the textbook's."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from fit_example import LEARNING, descend_plainly, evidence_of, fit_heads, fit_one, make_arrays, make_head, name
from sklearn.linear_model import LogisticRegression

from sweep.methods.probe.batches import CURVE_STEPS, BatchDraws, Masks
from sweep.methods.probe.descent import draw_truncated_normal
from sweep.methods.probe.heads import Head, read_data
from sweep.methods.probe.softmax import group_into_stacks
from sweep.outcome import Failure, Success
from sweep.spec.values import Sampling

EVERYTHING = [
    make_head(optimizer, partition=partition, steps=steps, **values)
    for optimizer, partition, (steps, values) in product(
        LEARNING,
        range(2),
        [
            ((60,), {}),
            ((30, 60), {"learning_rate": 0.003}),
            ((120,), {"weight_decay": 0.1}),
            ((60,), {"dropout": 0.5}),
            ((70,), {"dropout": 0.5, "learning_rate": 0.003}),
            ((60,), {"dropout": 0.2}),
            ((50,), {"batch_size": 7}),
            ((60,), {"sampling": "uniform"}),
            ((60,), {"initial_stddev": 0.1}),
            ((60,), {"learning_rate": 1e30}),
        ],
    )
]


def differ(head, **values):
    return {**head, **values, "fit_id": name(head["fit_id"], *values.values())}


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("width", [5, 64, 257])
def test_a_head_among_any_others_is_the_head_fitted_alone_bit_for_bit(width, classes, monkeypatch):
    arrays = make_arrays(width=width, classes=classes)
    together = evidence_of(fit_heads(EVERYTHING, arrays))
    assert len(together) == len(EVERYTHING) * 3 + 6, "a curve by two measures and a trial each, some two"
    for head in EVERYTHING:
        assert evidence_of(fit_heads([head], arrays)).items() <= together.items()
    generator = np.random.default_rng(width)
    for size in (2, 5, 13, 40):
        some = [EVERYTHING[index] for index in generator.permutation(len(EVERYTHING))[:size]]
        assert evidence_of(fit_heads(some, arrays)).items() <= together.items()
    monkeypatch.setattr("sweep.methods.probe.softmax.BATCHES_BYTES", 1)
    assert evidence_of(fit_heads(EVERYTHING, arrays)) == together


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("rates", [1, 2, 3, 4, 5])
def test_a_learning_rate_added_later_changes_no_bit(rates, classes):
    arrays = make_arrays(width=257, classes=classes)
    heads = [make_head(learning_rate=rate, partition=part) for rate in (0.1, 0.03, 0.01, 1e-3, 1e-4) for part in (0, 1)]
    everything = evidence_of(fit_heads(heads, arrays))
    for some in (heads[: 2 * rates], heads[-2 * rates :]):
        assert evidence_of(fit_heads(some, arrays)).items() <= everything.items()


def test_heads_on_the_same_batches_gather_them_once_and_partitions_step_together():
    heads = [Head.from_json(make_head(optimizer, partition=part)) for optimizer in LEARNING for part in range(3)]
    (stack,) = group_into_stacks(heads)
    assert [[head.optimizer.value for head in row] for row in stack] == [["adam", "momentum", "sgd"]] * 3
    assert [len({head.partition_id for head in row}) for row in stack] == [1, 1, 1]
    other = replace(heads[0], batches_id="0" * 16)
    assert len(group_into_stacks([*heads, other])) == 2


def test_plain_descent_is_a_loop_of_these_lines_bit_for_bit():
    """Pins the bits of heads fitted by sweep 0.1.0, which had no other method than this."""
    arrays, head = make_arrays(width=64), make_head(partition=1, learning_rate=0.05)
    data = read_data({"shards": 2, "classes": 2, "partitions": ["p"]}, [*arrays[:3], arrays[4]])
    batches = BatchDraws(Head.from_json(head), data.partitions["p"].training, data.labels)
    start = draw_truncated_normal(np.random.default_rng(int(head["start_id"], 16)), (64, 2), 0.001)
    weights, bias = start[:, :1] - start[:, 1:], np.float32([0])
    for batch in np.concatenate([batches.draw_block(), batches.draw_block()])[:60]:
        chance = 2 / (np.exp(data.features[batch] @ weights + bias) + 1)
        moves = (chance + np.where(data.labels[batch], -2, 0)[:, None].astype(np.float32)) * np.float32(0.05 / 20)
        weights = weights + data.features[batch].T @ moves
        bias = bias + moves.sum(axis=0)
    state = fit_one(head, arrays).state
    np.testing.assert_array_equal(state["weights.0"], weights)
    np.testing.assert_array_equal(state["biases.0"], bias)


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("optimizer", LEARNING)
@pytest.mark.parametrize("values", [{}, {"weight_decay": 0.5}, {"dropout": 0.3}])
def test_every_optimizer_is_the_textbooks_on_a_softmax_over_all_classes(optimizer, classes, values):
    arrays = make_arrays(width=6, classes=classes)
    settings = make_head(optimizer, steps=[40], **values)
    head = Head.from_json(settings)
    data = read_data({"shards": 2, "classes": classes, "partitions": ["p"]}, arrays[:4])
    positions = BatchDraws(head, data.partitions["p"].training, data.labels).draw_block()[:40]
    start = draw_truncated_normal(np.random.default_rng(int(head.start_id, 16)), (6, classes), 0.001)
    masks = np.ones((40, 1, 20, 6), np.float32)
    dropping = Masks([head])
    for mask in masks:
        dropping.drop(mask)
    weights, biases = descend_plainly(settings, arrays, positions, [start, np.zeros(classes)], masks[:, 0])
    state = fit_one(settings, arrays).state
    np.testing.assert_allclose(state["weights.0"], weights[:, :-1] - weights[:, -1:], rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(state["biases.0"], biases[:-1] - biases[-1], rtol=2e-4, atol=2e-5)


def test_dropout_keeps_the_expectation_and_drops_its_share():
    head = Head.from_json(make_head(dropout=0.3))
    masks = Masks([head, replace(head, start_id="0" * 16)])
    kept = np.ones((2, 300, 500), np.float32)
    masks.drop(kept)
    assert np.unique(kept).tolist() == pytest.approx([0, 1 / 0.7], abs=1e-4)
    assert kept.mean() == pytest.approx(1, abs=0.01)
    assert not np.array_equal(kept[0], kept[1])


@pytest.mark.parametrize("optimizer", LEARNING)
@pytest.mark.parametrize("steps", [1, 37, 49, 50, 51, 100, 119])
def test_an_earlier_read_out_of_a_longer_run_is_the_shorter_run_bit_for_bit(steps, optimizer):
    arrays = make_arrays(classes=3)
    longer, shorter = (
        fit_heads([make_head(optimizer, steps=readouts, dropout=0.25)], arrays) for readouts in ([steps, 120], [steps])
    )
    trial = shorter.outcomes[0].trial_id
    assert evidence_of(shorter)[trial] == evidence_of(longer)[trial]
    for whole, beginning in zip(longer.series, shorter.series, strict=True):
        np.testing.assert_array_equal(whole.steps[: len(beginning.steps)], beginning.steps)
        np.testing.assert_array_equal(whole.values[: len(beginning.steps)], beginning.values)


def test_outcomes_come_in_the_order_of_heads_and_steps():
    heads = [make_head("adam", steps=[60, 7]), make_head("sgd"), make_head("adam", partition=1)]
    fitted = fit_heads(heads, make_arrays())
    trials = [
        head["readouts"][str(step)] for head, steps in zip(heads, [[7, 60], [60], [60]], strict=True) for step in steps
    ]
    assert [outcome.trial_id for outcome in fitted.outcomes] == trials
    assert [(series.fit_id, series.part, series.measure) for series in fitted.series] == [
        (head["fit_id"], "validation", measure) for head in heads for measure in ("accuracy", "log_loss")
    ]


def test_scores_are_logits_of_every_validation_and_test_image():
    arrays = make_arrays(classes=3)
    outcome = fit_one(make_head(), arrays)
    for part, place in (("validation", 1), ("test", 2)):
        labels, scores = arrays[2][arrays[3] == place], outcome.scores[part]
        assert (scores.shape, scores.dtype) == ((len(labels), 3), np.float32)
        assert outcome.measures[part, "accuracy"] == np.mean(scores.argmax(axis=1) == labels)
        odds = np.exp(scores.astype(float))
        losses = -np.log((odds / odds.sum(axis=1, keepdims=True))[np.arange(len(labels)), labels])
        assert outcome.measures[part, "log_loss"] == pytest.approx(losses.mean())


@pytest.mark.parametrize("changed", [1, 2, -1])
def test_only_training_images_are_trained_on_and_only_the_scored_parts_scored(changed):
    arrays = make_arrays()
    before = fit_one(make_head(), arrays)
    features = np.concatenate(arrays[:2])
    features[arrays[3] == changed] = 1.5
    labels = np.where(arrays[3] == changed, 1, arrays[2])
    after = fit_one(make_head(), [features[:26], features[26:], labels, *arrays[3:]])
    np.testing.assert_array_equal(before.state["weights.0"], after.state["weights.0"])
    for part, place in (("validation", 1), ("test", 2)):
        assert np.array_equal(before.scores[part], after.scores[part]) == (place != changed)


@pytest.mark.parametrize(
    "values",
    [
        {"learning_rate": 0.05},
        {"batches_id": "0" * 16},
        {"start_id": "0" * 16},
        {"weight_decay": 0.1},
        {"dropout": 0.1},
        {"optimizer": "adam"},
        {"initial_stddev": 0.1},
    ],
)
def test_every_setting_of_a_head_tells(values):
    arrays, head = make_arrays(), make_head()
    one, other = (fit_one(each, arrays).state["weights.0"] for each in (head, differ(head, **values)))
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(("optimizer", "rate"), [("sgd", 0.05), ("momentum", 0.005)])
def test_a_convex_case_agrees_with_scikit_learn(classes, optimizer, rate):
    arrays = make_arrays(images=400, width=2, classes=classes, partitions=1)
    head = make_head(optimizer, learning_rate=rate, steps=[6000], batch_size=1000, sampling="uniform")
    logits = fit_one(head, arrays).scores["test"]
    ours = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    features, training = np.concatenate(arrays[:2]), arrays[3] == 0
    theirs = LogisticRegression(C=np.inf, tol=1e-10).fit(features[training], arrays[2][training])
    assert 0.6 < theirs.score(features, arrays[2]) < 0.95, "the classes overlap"
    np.testing.assert_allclose(ours, theirs.predict_proba(features[arrays[3] == 2]), atol=0.02)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("rate", [1e6, 1e38, 1e308])
@pytest.mark.parametrize("optimizer", LEARNING)
def test_a_diverged_head_is_a_failure_that_says_what_diverged(optimizer, rate, classes):
    calm = [make_head(), make_head("adam"), make_head("momentum")]
    arrays = make_arrays(classes=classes)
    fitted = fit_heads([calm[0], make_head(optimizer, learning_rate=rate, weight_decay=0.1), *calm[1:]], arrays)
    assert [type(outcome) for outcome in fitted.outcomes] == [Success, Failure, Success, Success]
    reason = fitted.outcomes[1].reason
    assert reason.startswith("diverged: cross-entropy ")
    assert reason.endswith(f" nats after 60 steps at learning rate {rate:g}")
    assert evidence_of(fit_heads(calm, arrays)).items() <= evidence_of(fitted).items()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("place", [0, 1, 2])
def test_features_that_are_no_numbers_are_a_failure_in_whichever_part(place):
    arrays = make_arrays()
    features = np.concatenate(arrays[:2])
    features[arrays[3] == place] = np.nan
    outcome = fit_one(make_head(), [features[:26], features[26:], *arrays[2:]])
    assert outcome.reason == "diverged: cross-entropy nan nats after 60 steps at learning rate 0.1"


@pytest.mark.parametrize(
    ("readouts", "points"),
    [([120], [50, 100, 120]), ([100], [50, 100]), ([37, 120], [37, 50, 100, 120]), ([3], [3]), ([20, 30], [20, 30])],
)
def test_the_curve_has_a_point_every_fifty_steps_and_at_every_read_out(readouts, points):
    fitted = fit_heads([make_head(steps=readouts)], make_arrays())
    for series in fitted.series:
        assert series.steps.tolist() == points
        values = dict(zip(points, series.values, strict=True))
        for step, outcome in zip(readouts, fitted.outcomes, strict=True):
            assert values[step] == pytest.approx(outcome.measures["validation", series.measure], rel=1e-5)


LABELS = np.repeat([0, 1, 2], [100, 20, 60])
POOL = np.arange(0, 180, 2)  # half of each class


def draw(sampling, blocks=20, batches_id="0" * 16):
    draws = BatchDraws(
        Head.from_json(make_head(sampling=sampling, batches_id=batches_id, batch_size=100)), POOL, LABELS
    )
    return np.concatenate([draws.draw_block() for _ in range(blocks)])


@pytest.mark.parametrize(
    ("sampling", "shares"), [("class_balanced", [1 / 3] * 3), ("uniform", [50 / 90, 10 / 90, 30 / 90])]
)
def test_batches_are_balanced_or_follow_the_classes_in_expectation(sampling, shares):
    drawn = draw(sampling)
    assert drawn.shape == (20 * CURVE_STEPS, 100)
    found = np.bincount(LABELS[drawn].ravel()) / drawn.size
    assert found == pytest.approx(shares, abs=5 * 0.5 / np.sqrt(drawn.size))


@pytest.mark.parametrize("sampling", [value.value for value in Sampling])
def test_within_a_class_every_training_image_is_drawn_equally_often_and_no_other_ever(sampling):
    counts = np.bincount(draw(sampling).ravel(), minlength=len(LABELS))
    assert not np.delete(counts, POOL).any()
    for label in range(3):
        of_class = counts[POOL][LABELS[POOL] == label]
        np.testing.assert_allclose(of_class, of_class.mean(), atol=5 * np.sqrt(of_class.mean()))


def test_a_batch_repeats_images():
    assert len(np.unique(draw("uniform", 1)[0])) < 90, "drawn with replacement"


def test_a_truncated_normal_ends_at_two_standard_deviations():
    values = draw_truncated_normal(np.random.default_rng(0), (400, 500), 0.5)
    assert (values.shape, values.dtype) == ((400, 500), np.float32)
    assert 0.99 < np.abs(values).max() <= 1.0
    # Variance of a normal cut at +-2: 1 - 4 phi(2) / (2 Phi(2) - 1) = 0.77374.
    assert values.var() == pytest.approx(0.25 * 0.77374, rel=0.01)
    assert values.mean() == pytest.approx(0, abs=5 * 0.5 / np.sqrt(values.size))
