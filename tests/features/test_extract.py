"""Images go through the backbone in fixed batches, and nothing that is not a number comes out."""

import re

import numpy as np
import pytest

from sweep.catalogue import Backbone, FeatureKind, WeightsSource
from sweep.features.extract import BATCH_IMAGES, FeaturesNotFinite, extract_features
from sweep.models.build import BuiltBackbone, build_backbone
from sweep.models.weights import WeightsBlob

TINY = Backbone("tiny", 1.0, 16)


def build_tiny():
    return build_backbone(TINY, FeatureKind.POOLED, WeightsBlob(WeightsSource.RANDOM, "random", b""))


def draw_images(count):
    return np.random.default_rng(0).integers(0, 256, (count, 16, 16, 3), dtype=np.uint8)


@pytest.mark.parametrize("count", [1, BATCH_IMAGES, BATCH_IMAGES + 1, 3 * BATCH_IMAGES - 1])
def test_each_image_yields_one_row_in_order(count):
    images, built = draw_images(count), build_tiny()
    features = extract_features(images, built)
    assert (features.shape, features.dtype) == ((count, 16), np.float32)
    np.testing.assert_allclose(features, built.predict(images), rtol=1e-5)


def test_batches_never_depend_on_how_many_images_there_are():
    sizes = []
    built = build_tiny()

    def predict(images):
        sizes.append(len(images))
        return built.predict(images)

    extract_features(draw_images(2 * BATCH_IMAGES + 5), BuiltBackbone(predict, built.complexity))
    assert sizes == [BATCH_IMAGES, BATCH_IMAGES, 5]


def test_images_may_be_read_only():
    """Arrays from a worker pool's shared memory are."""
    images = draw_images(3)
    images.flags.writeable = False
    assert np.isfinite(extract_features(images, build_tiny())).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_no_number_is_an_error_that_names_the_image(value):
    built = build_tiny()

    def predict(images):
        features = built.predict(images)
        features[2, 5] = value
        return features

    with pytest.raises(FeaturesNotFinite, match=re.escape("1 of 5 images have values that are not finite")) as caught:
        extract_features(draw_images(5), BuiltBackbone(predict, built.complexity))
    assert "the first is number 2 " in str(caught.value)
