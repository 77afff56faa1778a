"""Cost counted from the graph and cost by arithmetic, two independent ways, must agree."""

from itertools import pairwise, product

import pytest

from sweep.catalogue import FAMILIES, Backbone, Complexity, count_complexity

pytestmark = pytest.mark.tf
MOBILENETS = [
    Backbone("mobilenet", *variant)
    for variant in product(FAMILIES["mobilenet"].alphas, FAMILIES["mobilenet"].resolutions)
]
FULL_BLOCKS = ((1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512), *((1, 512),) * 5, (2, 1024), (1, 1024))


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    from sweep.models.build import limit_threads

    limit_threads()


def count(call, side):
    import tensorflow as tf

    from sweep.models.complexity import count_complexity_of

    signature = [tf.TensorSpec((None, side, side, 3), tf.float32)]
    return count_complexity_of(tf.function(call, signature).get_concrete_function())


def build_mobilenet(backbone):
    import keras

    shape = (backbone.resolution, backbone.resolution, 3)
    return keras.applications.MobileNet(
        input_shape=shape, alpha=backbone.alpha, include_top=False, pooling="avg", weights=None
    )


def build_full_convolution(side):
    """MobileNet 1.0 with every separable block replaced by one full 3 x 3 convolution."""
    import keras

    layers = [keras.Input((side, side, 3))]
    for stride, filters in ((2, 32), *FULL_BLOCKS):
        layers.append(keras.layers.Conv2D(filters, 3, stride, padding="same", use_bias=False))
        layers.append(keras.layers.BatchNormalization())
    return keras.Sequential([*layers, keras.layers.GlobalAveragePooling2D()])


@pytest.mark.parametrize("backbone", MOBILENETS, ids=str)
def test_every_mobilenet_costs_what_the_catalogue_says(backbone):
    assert count(build_mobilenet(backbone), backbone.resolution) == count_complexity(backbone)


def test_full_convolution_costs_what_the_catalogue_says():
    backbone = Backbone("mobilenet", 1.0, 224)
    assert count(build_full_convolution(224), 224) == count_complexity(backbone, separable=False)


def test_dense_layers_count_whichever_way_their_kernel_lies():
    import tensorflow as tf

    widths = (3, 5, 7, 11)
    first, second, third = (tf.Variable(tf.ones(shape)) for shape in pairwise(widths))
    transposed = tf.Variable(tf.transpose(second), trainable=False)

    def call(images):
        hidden = tf.matmul(tf.reduce_mean(images, (1, 2)), first)
        return tf.matmul(tf.matmul(hidden, transposed, transpose_b=True), third)

    assert count(call, 4) == Complexity(15 + 35 + 77, 15 + 35 + 77, 15 + 77)
