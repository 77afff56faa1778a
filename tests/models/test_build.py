"""Backbones from every source of weights: what they compute, and what damaged weights say."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sweep.catalogue import (
    Backbone,
    FeatureKind,
    WeightsSource,
    count_complexity,
    hub_cache_folder_name,
    hub_handle,
    keras_file_name,
)
from sweep.data.demo import draw_demo
from sweep.errors import UserError
from sweep.models.build import build_backbone, limit_threads
from sweep.models.weights import WeightsBlob, download_weights, locate_weights, read_weights
from sweep.spec.schema import WeightsSpec

pytestmark = pytest.mark.tf

BACKBONE = Backbone("mobilenet", 0.25, 128)
WIDER = Backbone("mobilenet", 0.5, 128)
POOLED, LOGITS = FeatureKind.POOLED, FeatureKind.LOGITS
NO_WEIGHTS = WeightsBlob(WeightsSource.RANDOM, "random", b"")


def draw_images(count=6, side=128, seed=0):
    """Blotches and not noise: every picture has structure that survives 27 layers."""
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    return coarse.repeat(side // 8, axis=1).repeat(side // 8, axis=2)


@pytest.fixture(scope="module")
def keras_model():
    """MobileNet 0.25-128 without top and with weights that are not the initial ones."""
    limit_threads()
    import keras

    keras.utils.set_random_seed(0)
    model = keras.applications.MobileNet(
        input_shape=(128, 128, 3), alpha=0.25, include_top=False, pooling="avg", weights=None
    )
    generator = np.random.default_rng(0)
    model.set_weights([generator.uniform(0.01, 0.2, weight.shape) for weight in model.weights])
    return model


@pytest.fixture(scope="module")
def weights_file(keras_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "mine.weights.h5"
    keras_model.save_weights(path)
    return path


@pytest.fixture(scope="module")
def saved_model(keras_model, tmp_path_factory):
    """A SavedModel by the convention of TensorFlow Hub: pixels in [0, 1]."""
    import tensorflow as tf

    class HubModule(tf.Module):
        def __init__(self):
            super().__init__()
            self.model = keras_model
            self.parts = keras_model.variables

        @tf.function(input_signature=[tf.TensorSpec((None, 128, 128, 3), tf.float32)])
        def __call__(self, images):
            return self.model(images * 2 - 1, training=False)

    path = tmp_path_factory.mktemp("hub") / "module"
    tf.saved_model.save(HubModule(), str(path))
    return path


def build_from(spec, backbone=BACKBONE, kind=POOLED):
    return build_backbone(backbone, kind, read_weights(spec, kind, backbone, locate_weights(spec, kind, backbone)))


def test_a_weights_file_yields_what_keras_yields(keras_model, weights_file):
    images = draw_images()
    built = build_from(WeightsSpec(source=WeightsSource.FILE, path=str(weights_file)))
    features = built.predict(images)
    assert (features.shape, features.dtype) == ((6, 256), np.float32)
    np.testing.assert_allclose(features, keras_model(images / 127.5 - 1, training=False), rtol=1e-4)
    assert built.complexity == count_complexity(BACKBONE)


def test_a_local_saved_model_gets_pixels_between_0_and_1(keras_model, saved_model):
    images = draw_images()
    built = build_from(WeightsSpec(source=WeightsSource.HUB, path=str(saved_model)))
    np.testing.assert_allclose(built.predict(images), keras_model(images / 127.5 - 1, training=False), rtol=1e-4)
    assert built.complexity == count_complexity(BACKBONE)


def test_a_hub_handle_is_resolved_by_tensorflow_hub_itself(saved_model, tmp_path, monkeypatch):
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    spec = WeightsSpec(source=WeightsSource.HUB)
    assert locate_weights(spec, POOLED, BACKBONE) is None
    cached = tmp_path / hub_cache_folder_name(hub_handle(BACKBONE, POOLED))
    saved_model_copy(saved_model, cached)
    assert download_weights(spec, POOLED, BACKBONE) == cached == locate_weights(spec, POOLED, BACKBONE)
    local = WeightsSpec(source=WeightsSource.HUB, path=str(saved_model))
    images = draw_images()
    np.testing.assert_array_equal(build_from(spec).predict(images), build_from(local).predict(images))


def saved_model_copy(source, target):
    for file in source.rglob("*"):
        if file.is_file():
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())


def test_an_exported_keras_model_runs_through_its_serving_signature(tmp_path):
    import keras

    inputs = keras.Input((128, 128, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(256, 3)(inputs))
    model = keras.Model(inputs, pooled)
    model.export(tmp_path / "exported", verbose=False)
    images = draw_images()
    built = build_from(WeightsSpec(source=WeightsSource.HUB, path=str(tmp_path / "exported")))
    np.testing.assert_allclose(built.predict(images), model(images / 255), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [(lambda payload: payload[: len(payload) // 2], "truncated"), (lambda _: b"<html>", "file signature not found")],
)
def test_a_damaged_file_says_what_to_do_in_one_line(weights_file, damage, problem):
    payload = damage(weights_file.read_bytes())
    blob = WeightsBlob(WeightsSource.IMAGENET, "models/mobilenet_2_5_128_tf_no_top.h5", payload)
    with pytest.raises(UserError) as caught:
        build_backbone(BACKBONE, POOLED, blob)
    message = str(caught.value)
    assert message.startswith(f"{blob.name} ({len(payload):,} bytes): not usable as weights: ")
    assert problem in message
    assert message.endswith("; delete it and run again to download it anew")
    assert "\n" not in message


def test_weights_of_another_width_are_refused(weights_file):
    with pytest.raises(UserError, match=r"mine.weights.h5 \([\d,]+ bytes\): .*; name another file$"):
        build_from(WeightsSpec(source=WeightsSource.FILE, path=str(weights_file)), WIDER)


def test_a_file_that_lacks_a_layer_is_refused_where_keras_would_keep_its_own(weights_file, tmp_path):
    import h5py

    partial = tmp_path / "partial.weights.h5"
    partial.write_bytes(weights_file.read_bytes())
    with h5py.File(partial, "a") as file:
        del file["layers/batch_normalization_7"]
    with pytest.raises(UserError, match=r"partial.weights.h5 .*not usable as weights: "):
        build_from(WeightsSpec(source=WeightsSource.FILE, path=str(partial)))


def test_a_file_with_a_value_that_is_no_number_is_refused(weights_file, tmp_path):
    import h5py

    spoilt = tmp_path / "spoilt.weights.h5"
    spoilt.write_bytes(weights_file.read_bytes())
    with h5py.File(spoilt, "a") as file:
        file["layers/batch_normalization_7/vars/0"][3] = np.nan
    with pytest.raises(UserError, match="yields no numbers for 1 of 135 variables, the first is conv_dw_4_bn/gamma; "):
        build_from(WeightsSpec(source=WeightsSource.FILE, path=str(spoilt)))


def test_a_saved_model_of_another_width_is_refused(saved_model):
    with pytest.raises(UserError, match=r"yields features of shape \[None, 256\], not \[None, 512\]"):
        build_from(WeightsSpec(source=WeightsSource.HUB, path=str(saved_model)), WIDER)


def test_a_saved_model_for_images_of_another_size_is_refused(tmp_path):
    limit_threads()
    import tensorflow as tf

    class ForSmallImages(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 64, 64, 3), tf.float32)])
        def __call__(self, images):
            return tf.reduce_mean(images, axis=(1, 2))

    tf.saved_model.save(ForSmallImages(), str(tmp_path))
    with pytest.raises(UserError, match=r"cannot run on images of 128 x 128"):
        build_from(WeightsSpec(source=WeightsSource.HUB, path=str(tmp_path)))


def test_a_saved_model_that_computes_nothing_is_refused(tmp_path):
    limit_threads()
    import tensorflow as tf

    module = tf.Module()
    module.value = tf.Variable(1.0)
    tf.saved_model.save(module, str(tmp_path))
    with pytest.raises(UserError, match=r"has neither a __call__ nor a serving signature of one output"):
        build_from(WeightsSpec(source=WeightsSource.HUB, path=str(tmp_path)))


def test_a_damaged_saved_model_says_what_to_do(saved_model, tmp_path):
    saved_model_copy(saved_model, tmp_path / "m")
    (tmp_path / "m" / "variables" / "variables.data-00000-of-00001").write_bytes(b"")
    with pytest.raises(
        UserError, match=r"not usable as weights: .*, delete it and run again .*, else name another folder$"
    ):
        build_from(WeightsSpec(source=WeightsSource.HUB, path=str(tmp_path / "m")))


def test_random_weights_are_the_same_bit_for_bit_and_do_not_vanish():
    images = draw_images(16)
    features = build_backbone(BACKBONE, POOLED, NO_WEIGHTS, images).predict(images)
    assert 0.02 < features.std(axis=0).mean() < 2
    np.testing.assert_array_equal(build_backbone(BACKBONE, POOLED, NO_WEIGHTS, images).predict(images), features)


def read_demo(folder, side):
    """Demo pictures (160, side, side, 3) uint8 and whether each shows pneumonia."""
    draw_demo(folder, 160, 0)
    files = sorted(folder.rglob("*.jpeg"))
    pictures = [np.asarray(Image.open(file).convert("RGB").resize((side, side))) for file in files]
    return np.stack(pictures), np.array([file.parent.name == "PNEUMONIA" for file in files])


def test_random_weights_tell_most_of_the_demo_apart(tmp_path):
    """Plain He normal weights do not: their heads hardly beat a coin."""
    images, is_pneumonia = read_demo(tmp_path / "demo", BACKBONE.resolution)
    features = build_backbone(BACKBONE, POOLED, NO_WEIGHTS, images[::4]).predict(images)
    head = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, class_weight="balanced"))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    scores = cross_val_score(head, features, is_pneumonia, cv=folds, scoring="balanced_accuracy")
    assert scores.mean() > 0.68  # measured: 0.76; with plain weights 0.43


def test_random_weights_depend_on_the_images_they_are_calibrated_on():
    images = draw_images()
    first, second = (
        build_backbone(BACKBONE, POOLED, NO_WEIGHTS, draw_images(seed=seed)).predict(images) for seed in (0, 1)
    )
    assert not np.array_equal(first, second)


def test_random_weights_without_calibration_images_are_a_mistake():
    with pytest.raises(ValueError, match="need images"):
        build_backbone(BACKBONE, POOLED, NO_WEIGHTS)


def test_logits_are_a_thousand_class_scores_before_the_softmax():
    images = draw_images()
    built = build_backbone(BACKBONE, LOGITS, NO_WEIGHTS, images)
    scores = built.predict(images)
    assert scores.shape == (6, 1000)
    assert scores.min() < 0
    assert built.complexity == count_complexity(BACKBONE, classes=1000)


@pytest.mark.parametrize("backbone", [Backbone("tiny", 0.5, 16), Backbone("tiny", 1.0, 32)], ids=str)
def test_the_tiny_backbone_has_the_shape_and_cost_of_the_catalogue(backbone):
    images = draw_images(5, backbone.resolution)
    built = build_backbone(backbone, POOLED, NO_WEIGHTS)
    features = built.predict(images)
    assert (features.shape, features.dtype) == ((5, 16 * backbone.alpha), np.float32)
    assert built.complexity == count_complexity(backbone)
    np.testing.assert_array_equal(build_backbone(backbone, POOLED, NO_WEIGHTS).predict(images), features)


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_the_tiny_backbone_needs_no_tensorflow():
    code = """
import sys
from sweep.catalogue import Backbone, FeatureKind, WeightsSource
from sweep.models.build import build_backbone
from sweep.models.weights import WeightsBlob
build_backbone(Backbone("tiny", 1.0, 16), FeatureKind.POOLED, WeightsBlob(WeightsSource.RANDOM, "random", b""))
print([name for name in sys.modules if name in ("tensorflow", "keras")])
"""
    assert run_python(code) == "[]\n"


def test_tensorflow_that_already_runs_with_more_threads_is_refused():
    code = """
import tensorflow as tf
from sweep.errors import UserError
from sweep.models.build import limit_threads
tf.constant(1) + 1
try:
    limit_threads()
except UserError as error:
    print(error)
"""
    assert "run the sweep in a fresh process" in run_python(code)


@pytest.mark.real
def test_the_published_weights_load_and_yield_finite_features():
    spec = WeightsSpec(source=WeightsSource.IMAGENET)
    path = locate_weights(spec, POOLED, BACKBONE)
    if path is None:
        pytest.skip(f"set KERAS_HOME to a folder with models/{keras_file_name(BACKBONE, POOLED)}")
    features = build_backbone(BACKBONE, POOLED, read_weights(spec, POOLED, BACKBONE, path)).predict(draw_images())
    assert np.isfinite(features).all()
    assert (features.std(axis=0) > 0).mean() > 0.5, "the blotches leave some features of photographs at 0"
