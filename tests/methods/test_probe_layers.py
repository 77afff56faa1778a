"""Heads with hidden layers: Keras's training, our start, batches and read-outs."""

import numpy as np
import pytest
from fit_example import LEARNING, descend_plainly, evidence_of, fit_heads, fit_one, make_arrays, make_head

from sweep.errors import UserError
from sweep.methods.probe.batches import BatchDraws
from sweep.methods.probe.heads import Head, read_data
from sweep.methods.probe.state import apply_state
from sweep.outcome import Failure, Success

pytestmark = pytest.mark.tf


@pytest.mark.parametrize("optimizer", LEARNING)
@pytest.mark.parametrize("weight_decay", [0.0, 0.5])
def test_keras_takes_the_textbooks_steps_from_our_start_on_our_batches(optimizer, weight_decay):
    from sweep.methods.probe.layers import draw_glorot_uniform

    arrays = make_arrays(width=6, classes=3)
    settings = make_head(optimizer, steps=[30], hidden=[8, 4], weight_decay=weight_decay)
    head = Head.from_json(settings)
    data = read_data({"shards": 2, "classes": 3, "partitions": ["p"]}, arrays[:4])
    positions = BatchDraws(head, data.partitions["p"].training, data.labels).draw_block()[:30]
    generator = np.random.default_rng(int(head.start_id, 16))
    start = [draw_glorot_uniform(generator, shape) for shape in ((6, 8), (8,), (8, 4), (4,), (4, 3), (3,))]
    trained = descend_plainly(settings, arrays, positions, start)
    trained[-2:] = [value[..., :-1] - value[..., -1:] for value in trained[-2:]]
    state = fit_one(settings, arrays).state
    assert list(state) == [f"{what}.{layer}" for what in ("weights", "biases") for layer in range(3)]
    for ours, theirs in zip(state.values(), trained[::2] + trained[1::2], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


def test_a_head_among_any_others_is_the_head_fitted_alone_bit_for_bit():
    heads = [
        make_head(optimizer, hidden=hidden, partition=partition, learning_rate=rate, dropout=dropout, steps=[30, 70])
        for optimizer, hidden, dropout in (
            ("sgd", [8], 0.0),
            ("adam", [8, 4], 0.5),
            ("sgd", [], 0.0),
            ("adam", [8], 0.0),
        )
        for partition, rate in ((0, 0.1), (1, 0.1), (1, 0.01))
    ]
    arrays = make_arrays(width=64)
    together = evidence_of(fit_heads(heads, arrays))
    assert evidence_of(fit_heads(heads[::-1], arrays)) == together
    for head in heads:
        assert evidence_of(fit_heads([head], arrays)).items() <= together.items()


@pytest.mark.parametrize("steps", [37, 50, 51])
def test_an_earlier_read_out_of_a_longer_run_is_the_shorter_run_bit_for_bit(steps):
    arrays = make_arrays()
    longer, shorter = (
        fit_heads([make_head("adam", hidden=[8, 4], dropout=0.25, steps=readouts)], arrays)
        for readouts in ([steps, 120], [steps])
    )
    assert evidence_of(shorter)[shorter.outcomes[0].trial_id] == evidence_of(longer)[shorter.outcomes[0].trial_id]
    for whole, beginning in zip(longer.series, shorter.series, strict=True):
        assert whole.steps[-1] == 120
        np.testing.assert_array_equal(whole.values[: len(beginning.values)], beginning.values)


def test_a_hidden_layer_learns_what_softmax_regression_cannot():
    generator = np.random.default_rng(0)
    features = generator.uniform(-1, 1, (600, 2)).astype(np.float32)
    labels = (features.prod(axis=1) > 0).astype(np.int64)
    arrays = [features[:100], features[100:], labels, generator.permutation(np.arange(600) % 3).astype(np.int8)]
    shallow, deep = (
        fit_one(make_head("adam", hidden=hidden, steps=[500], learning_rate=0.03), arrays) for hidden in ([], [16])
    )
    assert shallow.measures["test", "accuracy"] < 0.7
    assert deep.measures["test", "accuracy"] > 0.9
    np.testing.assert_array_equal(apply_state(deep.state, features[arrays[3] == 2]), deep.scores["test"])


@pytest.mark.parametrize("values", [{"dropout": 0.5}, {"start_id": "0" * 16}, {"batches_id": "0" * 16}])
def test_dropout_start_and_batches_tell(values):
    arrays = make_arrays()
    one, other = (fit_one(make_head(hidden=[8], **more), arrays) for more in ({}, values))
    assert not np.array_equal(one.state["weights.0"], other.state["weights.0"])


@pytest.mark.filterwarnings("error:::sweep")
def test_a_diverged_head_is_a_failure_and_its_neighbours_are_untouched():
    calm, wild = make_head(hidden=[8]), make_head(hidden=[8], learning_rate=1e30)
    arrays = make_arrays()
    fitted = fit_heads([wild, calm], arrays)
    assert [type(outcome) for outcome in fitted.outcomes] == [Failure, Success]
    assert fitted.outcomes[0].reason == "diverged: cross-entropy nan nats after 60 steps at learning rate 1e+30"
    assert evidence_of(fit_heads([calm], arrays)).items() <= evidence_of(fitted).items()


def test_another_keras_backend_is_refused(monkeypatch):
    import keras

    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(UserError, match=r"KERAS_BACKEND: jax is not offered \(allowed: tensorflow\)"):
        fit_one(make_head(hidden=[8]), make_arrays())
