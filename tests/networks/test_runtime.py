"""Networks as bytes: what runs them yields what was built, and no image's features depend on its neighbours."""

import subprocess
import sys
from hashlib import sha256

import numpy as np
import pytest

from sweep.errors import FatalError
from sweep.networks.build import build_network
from sweep.networks.payload import BATCH_IMAGES, Engine, Header, pack, unpack
from sweep.networks.recipe import Recipe
from sweep.networks.runtime import open_network
from sweep.networks.table import FeatureKind, Network, Scaling, WeightsSource, count_complexity
from sweep.networks.threads import limit_threads
from sweep.networks.weights import WeightsBlob, locate_weights, read_weights

POOLED, LOGITS = FeatureKind.POOLED, FeatureKind.LOGITS
NO_WEIGHTS = WeightsBlob(WeightsSource.RANDOM, "random", b"")
TINY = Network.of("tiny", alpha=1.0, resolution=16)
V1 = Network.of("mobilenet", alpha=0.25, resolution=128)
V2 = Network.of("mobilenet_v2", alpha=1.0, resolution=224)


def draw_images(count, side, seed=0):
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    return coarse.repeat(side // 8, axis=1).repeat(side // 8, axis=2)


def make_recipe(network, source=WeightsSource.RANDOM, kind=POOLED, scaling=Scaling.NATIVE):
    path = locate_weights(source, None, kind, network)
    if path is None and source is not WeightsSource.RANDOM:
        pytest.skip(f"set KERAS_HOME to a folder with the weights of {network}")
    blob = read_weights(source, kind, network, path)
    return Recipe(network, kind, blob, scaling, draw_images(8, network.resolution, seed=9))


def assert_neighbours_do_not_matter(predict, side):
    images = draw_images(BATCH_IMAGES + 3, side)
    together = predict(images)
    alone = predict(images[:1])[0]
    np.testing.assert_array_equal(together[0], alone)
    np.testing.assert_array_equal(predict(images[BATCH_IMAGES:]), together[BATCH_IMAGES:])
    for place in (1, BATCH_IMAGES // 2, BATCH_IMAGES - 1):
        others = draw_images(BATCH_IMAGES, side, seed=place)
        others[place] = images[0]
        np.testing.assert_array_equal(predict(others)[place], alone)


@pytest.mark.parametrize("count", [1, BATCH_IMAGES, BATCH_IMAGES + 1])
def test_each_image_yields_one_row_in_order(count):
    images = draw_images(count, 16)
    predict = open_network(build_network(make_recipe(TINY)).payload)
    features = predict(images)
    assert (features.shape, features.dtype) == ((count, 16), np.float32)
    np.testing.assert_array_equal(features[-1], predict(images[-1:])[0])


def test_the_tiny_network_has_the_cost_of_the_table_and_is_the_same_bit_for_bit():
    built = build_network(make_recipe(TINY))
    assert (built.engine, built.complexity) == (Engine.NUMPY, count_complexity(TINY))
    np.testing.assert_array_equal(built.payload, build_network(make_recipe(TINY)).payload)
    assert_neighbours_do_not_matter(open_network(built.payload), 16)


def test_the_tiny_network_scales_its_pixels_as_it_is_told():
    images = draw_images(5, 16)
    native, symmetric, unit = (
        open_network(build_network(make_recipe(TINY, scaling=scaling)).payload)(images)
        for scaling in (Scaling.NATIVE, Scaling.SYMMETRIC, Scaling.UNIT)
    )
    np.testing.assert_array_equal(native, symmetric)
    assert not np.allclose(native, unit)


def test_images_may_be_read_only():
    """Arrays from a worker pool's shared memory are."""
    images = draw_images(BATCH_IMAGES, 16)
    images.flags.writeable = False
    assert np.isfinite(open_network(build_network(make_recipe(TINY)).payload)(images)).all()


def test_a_header_survives_and_a_line_break_in_the_body_does_too():
    header = Header(Engine.TENSORFLOW, 96, 7, details={"input": "x:0"})
    assert unpack(pack(header, b"a\nb\n")) == (header, b"a\nb\n")


def test_a_payload_of_another_format_is_refused():
    line = b'{"format": 0, "engine": "numpy"}\n'
    with pytest.raises(FatalError, match=r"another format \(allowed: 1\)\); delete the folder networks"):
        open_network(np.frombuffer(line, np.uint8))


@pytest.mark.tf
@pytest.mark.parametrize("network", [V1, V2], ids=str)
@pytest.mark.parametrize(
    "source", [WeightsSource.RANDOM, pytest.param(WeightsSource.IMAGENET, marks=pytest.mark.real)], ids=str
)
def test_litert_yields_what_keras_does_whatever_the_neighbours(network, source):
    from sweep.networks.keras_network import compile_network

    recipe = make_recipe(network, source)
    built = build_network(recipe)
    assert (built.engine, built.complexity) == (Engine.LITERT, count_complexity(network))
    predict = open_network(built.payload)
    images = draw_images(5, network.resolution)
    expected = np.asarray(compile_network(recipe)(images))
    assert np.linalg.norm(predict(images) - expected) < 1e-5 * np.linalg.norm(expected)
    assert_neighbours_do_not_matter(predict, network.resolution)


@pytest.mark.tf
def test_logits_are_converted_too():
    recipe = make_recipe(V1, kind=LOGITS)
    built = build_network(recipe)
    assert (built.engine, built.complexity) == (Engine.LITERT, count_complexity(V1, classes=1000))
    predict = open_network(built.payload)
    assert predict(draw_images(2, 128)).shape == (2, 1000)
    assert_neighbours_do_not_matter(predict, 128)


def save_what_litert_lacks(folder):
    """Write a SavedModel and return it."""
    limit_threads()
    import tensorflow as tf

    class Module(tf.Module):
        def __init__(self):
            super().__init__()
            self.kernel = tf.Variable(tf.random.stateless_uniform((3, 256), (0, 1)))

        @tf.function(input_signature=[tf.TensorSpec((None, 128, 128, 3), tf.float32)])
        def __call__(self, images):
            return tf.math.digamma(1 + tf.matmul(tf.reduce_mean(images, (1, 2)), self.kernel))

    module = Module()
    tf.saved_model.save(module, str(folder))
    return module


@pytest.mark.tf
def test_what_litert_lacks_runs_in_tensorflow_and_says_so(tmp_path):
    module = save_what_litert_lacks(tmp_path)
    blob = read_weights(WeightsSource.HUB, POOLED, V1, tmp_path)
    built = build_network(Recipe(V1, POOLED, blob))
    assert built.engine is Engine.TENSORFLOW
    predict = open_network(built.payload)
    images = draw_images(5, 128)
    np.testing.assert_allclose(predict(images), module(images.astype(np.float32) / 255), atol=1e-5)
    assert_neighbours_do_not_matter(predict, 128)


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


BUILD = """
import sys
from hashlib import sha256
import numpy as np
from sweep.networks.build import build_network
from sweep.networks.recipe import Recipe
from sweep.networks.runtime import open_network
from sweep.networks.table import FeatureKind, Network, WeightsSource
from sweep.networks.threads import limit_threads
from sweep.networks.weights import WeightsBlob
no_weights = WeightsBlob(WeightsSource.RANDOM, "random", b"")
"""


@pytest.mark.tf
def test_another_process_builds_the_same_bytes_and_runs_them_without_tensorflow(tmp_path):
    images, calibration = draw_images(40, 128), draw_images(8, 128, seed=9)
    recipe = make_recipe(V1)
    built = build_network(recipe)
    np.savez(tmp_path / "given.npz", images=images, calibration=calibration, payload=built.payload)
    build = f"""{BUILD}
given = np.load({str(tmp_path / "given.npz")!r})
network = Network.of("mobilenet", alpha=0.25, resolution=128)
recipe = Recipe(network, FeatureKind.POOLED, no_weights, calibration=given["calibration"])
print(sha256(build_network(recipe).payload).hexdigest())
"""
    assert run_python(build).split()[-1] == sha256(built.payload).hexdigest()
    extract = f"""{BUILD}
given = np.load({str(tmp_path / "given.npz")!r})
features = open_network(given["payload"])(given["images"])
print([name for name in sys.modules if name in ("tensorflow", "keras")], sha256(features).hexdigest())
"""
    features = open_network(built.payload)(images)
    assert run_python(extract).split() == ["[]", sha256(features).hexdigest()]


def test_the_tiny_network_needs_neither_tensorflow_nor_litert():
    code = f"""{BUILD}
recipe = Recipe(Network.of("tiny", alpha=1.0, resolution=16), FeatureKind.POOLED, no_weights)
open_network(build_network(recipe).payload)(np.zeros((1, 16, 16, 3), np.uint8))
print([name for name in sys.modules if name in ("tensorflow", "keras", "ai_edge_litert")])
"""
    assert run_python(code) == "[]\n"


@pytest.mark.tf
def test_tensorflow_that_already_runs_with_more_threads_is_refused():
    code = """
import tensorflow as tf
from sweep.errors import UserError
from sweep.networks.threads import limit_threads
tf.constant(1) + 1
try:
    limit_threads()
except UserError as error:
    print(error)
"""
    assert "run the sweep in a fresh process" in run_python(code)
