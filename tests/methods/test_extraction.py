"""The kinds `convert` and `extract`: settings and arrays in, a network, features and facts out."""

import re

import numpy as np
import pytest

from sweep.errors import UserError
from sweep.methods.probe import convert, extract
from sweep.methods.probe.extract import FeaturesNotFinite, extract_features
from sweep.networks.table import Network, count_complexity

NONE = np.zeros(0, np.uint8)
TINY = Network.of("tiny", alpha=1.0, resolution=16)
MOBILENET = Network.of("mobilenet", alpha=0.25, resolution=128)


def settle(network, **others):
    """Return settings of a unit, as JSON has them."""
    settings = {"features": "pooled", "source": "random", "scaling": "native", "name": "w", "subject": "id"}
    return {"network": network.to_json(), **settings, **others}


def draw_images(count, side=16):
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def test_a_network_is_made_and_its_cost_noted_under_its_subject():
    made = convert.run(settle(TINY), [NONE])
    cost = count_complexity(TINY)
    assert made.facts == {
        ("id", "mult_adds"): cost.mult_adds,
        ("id", "parameters"): cost.parameters,
        ("id", "trainable_parameters"): cost.trainable_parameters,
        ("id", "engine"): "numpy",
    }
    (payload,) = made.arrays
    assert (payload.dtype, payload.ndim) == (np.uint8, 1)


@pytest.mark.tf
def test_random_weights_are_calibrated_on_the_images_that_come_along():
    images = draw_images(5, 128)
    first, again, other = (convert.run(settle(MOBILENET), [NONE, images[:count]]) for count in (4, 4, 5))
    assert first.facts["id", "engine"] == "litert"
    assert first.facts["id", "mult_adds"] == count_complexity(MOBILENET).mult_adds
    np.testing.assert_array_equal(first.arrays[0], again.arrays[0])
    assert not np.array_equal(first.arrays[0], other.arrays[0])


@pytest.mark.tf
def test_damaged_weights_are_named_as_where_they_came_from():
    settings = settle(MOBILENET, source="imagenet", name="models/mine.h5")
    with pytest.raises(UserError, match=r"^models/mine.h5 \(6 bytes\): not usable as weights: "):
        convert.run(settings, [np.frombuffer(b"<html>", np.uint8)])


def test_a_worker_opens_a_network_once_for_all_its_shards():
    (payload,) = convert.run(settle(TINY), [NONE]).arrays
    images = draw_images(35)
    (features,) = extract.run({"converted": "a", "network_id": "x"}, [images, payload]).arrays
    assert (features.shape, features.dtype) == ((35, 16), np.float32)
    (shard,) = extract.run({"converted": "a", "network_id": "x"}, [images[30:], NONE]).arrays  # nothing to open
    np.testing.assert_array_equal(shard, features[30:])
    (other,) = convert.run(settle(TINY, scaling="unit"), [NONE]).arrays
    assert not np.allclose(extract.run({"converted": "b", "network_id": "y"}, [images, other]).arrays[0], features)
    assert list(extract._opened) == ["b"]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_no_number_is_an_error_that_names_the_image(value):
    def predict(images):
        features = np.zeros((len(images), 16), np.float32)
        features[2, 5] = value
        return features

    with pytest.raises(FeaturesNotFinite, match=re.escape("1 of 5 images have values that are not finite")) as caught:
        extract_features(draw_images(5), predict)
    assert "the first is number 2 " in str(caught.value)
