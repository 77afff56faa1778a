"""A state is all that scores are computed with; an image's logits know nothing of its neighbours."""

from itertools import pairwise

import numpy as np
import pytest
from fit_example import fit_one, make_arrays, make_head

from sweep.methods.probe.state import apply_state, apply_states, name_layers

WIDTHS = [(5, 1), (64, 2), (256, 1), (1024, 1), (1025, 3), (1024, 64, 1), (257, 33, 100, 2), (1024, 512, 1)]


def make_state(widths):
    generator = np.random.default_rng(widths)
    shapes = list(pairwise(widths))
    weights = [generator.standard_normal(shape, np.float32) / np.float32(shape[0] ** 0.5) for shape in shapes]
    return name_layers(weights, [generator.standard_normal(outputs, np.float32) for _, outputs in shapes])


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_an_image_has_the_same_bits_alone_and_among_any_others_at_any_place(widths):
    state, generator = make_state(widths), np.random.default_rng(0)
    features = generator.standard_normal((101, widths[0]), np.float32)
    logits = apply_state(state, features)
    assert (logits.shape, logits.dtype) == ((101, widths[-1] + 1), np.float32)
    for index, image in enumerate(features):
        np.testing.assert_array_equal(apply_state(state, image[np.newaxis])[0], logits[index])
    for size in (2, 3, 4, 7, 8, 16, 31, 33, 64, 100, 101):
        some = generator.permutation(101)[:size]
        np.testing.assert_array_equal(apply_state(state, features[some]), logits[some])


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_logits_are_those_of_dense_layers_with_relu_and_the_last_class_is_0(widths):
    state = make_state(widths)
    features = np.random.default_rng(1).standard_normal((9, widths[0]), np.float32)
    values = features.astype(float)
    for layer in range(len(widths) - 1):
        values = (np.maximum(values, 0) if layer else values) @ state[f"weights.{layer}"] + state[f"biases.{layer}"]
    expected = np.pad(values, ((0, 0), (0, 1)))
    np.testing.assert_allclose(apply_state(state, features), expected, rtol=1e-4, atol=1e-5)
    for logits in apply_states([state] * 3, features, 10):
        np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


def test_how_weights_and_features_lie_in_memory_does_not_tell():
    state = make_state((1024, 64, 3))
    features = np.random.default_rng(1).standard_normal((9, 1024), np.float32)
    turned = {key: np.asfortranarray(value) for key, value in state.items()}
    expected = apply_state(state, features)
    np.testing.assert_array_equal(apply_state(turned, np.asfortranarray(features)), expected)
    np.testing.assert_array_equal(apply_state(turned, np.repeat(features, 2, axis=0)[::2]), expected)


@pytest.mark.parametrize("classes", [2, 3])
def test_a_kept_state_gives_an_image_its_stored_score_bit_for_bit(classes):
    arrays = make_arrays(width=257, classes=classes)
    outcome = fit_one(make_head("adam"), arrays)
    features = np.concatenate(arrays[:2])
    for part, place in (("validation", 1), ("test", 2)):
        for index, score in zip(np.flatnonzero(arrays[3] == place), outcome.scores[part], strict=True):
            np.testing.assert_array_equal(apply_state(outcome.state, features[[index]])[0], score)
