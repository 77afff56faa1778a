"""Cost counted from the graph and cost by arithmetic, two independent ways, must agree."""

from itertools import pairwise

import pytest

from sweep.networks.table import NETWORKS, Complexity, Network, count_complexity

pytestmark = pytest.mark.tf
FULL_BLOCKS = ((1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512), *((1, 512),) * 5, (2, 1024), (1, 1024))


def list_variants(name):
    """Every width and every resolution of a network, not all pairs: neither changes what the other does."""
    alphas, sides = NETWORKS[name].axes["alpha"], NETWORKS[name].axes["resolution"]
    pairs = {(alpha, sides[number % len(sides)]) for number, alpha in enumerate(alphas)}
    pairs |= {(alphas[number % len(alphas)], side) for number, side in enumerate(sides)}
    return [Network.of(name, alpha=alpha, resolution=side) for alpha, side in sorted(pairs)]


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    from sweep.networks.threads import limit_threads

    limit_threads()


def count(call, side):
    import tensorflow as tf

    from sweep.networks.complexity import count_complexity_of

    signature = [tf.TensorSpec((None, side, side, 3), tf.float32)]
    return count_complexity_of(tf.function(call, signature).get_concrete_function())


def build_full_convolution(side):
    """MobileNet 1.0 with every separable block replaced by one full 3 x 3 convolution."""
    import keras

    layers = [keras.Input((side, side, 3))]
    for stride, filters in ((2, 32), *FULL_BLOCKS):
        layers.append(keras.layers.Conv2D(filters, 3, stride, padding="same", use_bias=False))
        layers.append(keras.layers.BatchNormalization())
    return keras.Sequential([*layers, keras.layers.GlobalAveragePooling2D()])


@pytest.mark.parametrize("network", [*list_variants("mobilenet"), *list_variants("mobilenet_v2")], ids=str)
def test_every_network_costs_what_the_table_says(network):
    import keras

    build = getattr(keras.applications, NETWORKS[network.name].builder)
    side = network.resolution
    shape = (side, side, 3)
    model = build(input_shape=shape, alpha=network.get("alpha"), include_top=False, pooling="avg", weights=None)
    assert count(model, side) == count_complexity(network)


def test_full_convolution_costs_what_the_table_says():
    network = Network.of("mobilenet", alpha=1.0, resolution=224)
    assert count(build_full_convolution(224), 224) == count_complexity(network, separable=False)


def test_dense_layers_count_whichever_way_their_kernel_lies():
    import tensorflow as tf

    widths = (3, 5, 7, 11)
    first, second, third = (tf.Variable(tf.ones(shape)) for shape in pairwise(widths))
    transposed = tf.Variable(tf.transpose(second), trainable=False)

    def call(images):
        hidden = tf.matmul(tf.reduce_mean(images, (1, 2)), first)
        return tf.matmul(tf.matmul(hidden, transposed, transpose_b=True), third)

    assert count(call, 4) == Complexity(15 + 35 + 77, 15 + 35 + 77, 15 + 77)
