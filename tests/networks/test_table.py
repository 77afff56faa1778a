"""The table of networks and its arithmetic, held against the figures of the papers."""

import json
import pickle
import re

import pytest

from sweep.networks.table import (
    NETWORKS,
    FeatureKind,
    Network,
    Scaling,
    WeightsSource,
    count_complexity,
    feature_width,
    hub_handle,
    keras_file_name,
    keras_file_url,
    pixel_range,
)
from sweep.networks.weights import hub_cache_folder_name

POOLED, LOGITS = FeatureKind.POOLED, FeatureKind.LOGITS
RESOLUTIONS = (224, 192, 160, 128)
# MobileNet V1 with its 1,000-way classifier: millions of mult-adds at each resolution, of trainable and of all
# parameters; all parameters without the classifier (as in Keras's files); length of the pooled feature vector.
MOBILENETS = {
    1.0: ((568.74, 418.12, 290.68, 186.40), 4.232, 4.254, 3_228_864, 1024),
    0.75: ((325.40, 239.27, 166.40, 106.77), 2.586, 2.602, 1_832_976, 768),
    0.5: ((149.50, 109.97, 76.52, 49.16), 1.332, 1.343, 829_536, 512),
    0.25: ((41.03, 30.21, 21.06, 13.57), 0.470, 0.476, 218_544, 256),
}
# MobileNet V2 with its 1,000-way classifier, as published with the checkpoints (github.com/tensorflow/models,
# slim/nets/mobilenet/README.md): whole millions of mult-adds at 224, 192, 160, 128 and 96 pixels.
MOBILENETS_V2 = {
    1.4: (582,),
    1.3: (509,),
    1.0: (300, 221, 154, 99, 56),
    0.75: (209, 153, 107, 69, 39),
    0.5: (97, 71, 50, 32, 18),
    0.35: (59, 43, 30, 20, 11),
}
FULL = Network.of("mobilenet", alpha=1.0, resolution=224)
FULL_V2 = Network.of("mobilenet_v2", alpha=1.0, resolution=224)
VARIANTS = [
    Network.of(name, alpha=alpha, resolution=side)
    for name, row in NETWORKS.items()
    for alpha in row.axes["alpha"]
    for side in row.axes["resolution"]
]


@pytest.mark.parametrize("alpha", MOBILENETS)
def test_mobilenet_costs_what_its_layers_do_at_every_resolution(alpha):
    mult_adds, trainable, every, without_top, width = MOBILENETS[alpha]
    networks = [Network.of("mobilenet", alpha=alpha, resolution=side) for side in RESOLUTIONS]
    whole = [count_complexity(network, 1000) for network in networks]
    assert [cost.mult_adds / 1e6 for cost in whole] == pytest.approx(mult_adds, abs=0.005)
    assert {round(cost.trainable_parameters / 1e6, 3) for cost in whole} == {trainable}
    assert {round(cost.parameters / 1e6, 3) for cost in whole} == {every}
    assert {count_complexity(network).parameters for network in networks} == {without_top}
    assert {feature_width(network, POOLED) for network in networks} == {width}


@pytest.mark.parametrize("alpha", MOBILENETS_V2)
def test_mobilenet_v2_costs_what_was_published_with_its_checkpoints(alpha):
    sides = (224, 192, 160, 128, 96)[: len(MOBILENETS_V2[alpha])]
    networks = [Network.of("mobilenet_v2", alpha=alpha, resolution=side) for side in sides]
    assert tuple(count_complexity(network, 1000).mult_adds // 10**6 for network in networks) == MOBILENETS_V2[alpha]


def test_mobilenet_v2_has_the_parameters_that_keras_names():
    """As `keras.applications.MobileNetV2(weights=None).summary()` prints them."""
    whole = count_complexity(FULL_V2, 1000)
    assert (whole.parameters, whole.trainable_parameters) == (3_538_984, 3_504_872)
    assert count_complexity(FULL_V2).parameters == 2_257_984


@pytest.mark.parametrize(("alpha", "width"), [(0.35, 1280), (1.0, 1280), (1.3, 1664), (1.4, 1792)])
def test_the_last_convolution_of_mobilenet_v2_is_widened_but_never_narrowed(alpha, width):
    assert feature_width(Network.of("mobilenet_v2", alpha=alpha, resolution=224), POOLED) == width


def test_the_full_convolution_is_that_of_the_paper():
    full = count_complexity(FULL, 1000, separable=False)
    assert full.mult_adds / 1e6 == pytest.approx(4867.3, abs=0.05)
    channels = 32 + 64 + 2 * 128 + 2 * 256 + 6 * 512 + 2 * 1024
    assert (full.trainable_parameters - 2 * channels) / 1e6 == pytest.approx(29.28, abs=0.005), "no batch norm counted"
    assert full.parameters - full.trainable_parameters == 2 * channels


def test_a_head_adds_its_weights_and_biases():
    without, with_head = count_complexity(FULL_V2), count_complexity(FULL_V2, 2)
    assert with_head.mult_adds - without.mult_adds == 1280 * 2
    assert with_head.parameters - without.parameters == (1280 + 1) * 2
    assert with_head.trainable_parameters - without.trainable_parameters == (1280 + 1) * 2


def test_the_tiny_network_is_three_layers_of_two_by_two():
    tiny = count_complexity(Network.of("tiny", alpha=0.5, resolution=16))
    assert tiny.parameters == tiny.trainable_parameters == 4 * (3 * 8 + 8 * 8 + 8 * 8)
    assert tiny.mult_adds == 4 * (8 * 8 * 3 * 8 + 4 * 4 * 8 * 8 + 2 * 2 * 8 * 8)


def test_every_variant_has_a_cost_and_a_name_of_its_own():
    assert len({count_complexity(network) for network in VARIANTS}) == len(VARIANTS)
    assert len(set(map(str, VARIANTS))) == len(VARIANTS)


@pytest.mark.parametrize(
    ("network", "name"),
    [
        (Network.of("mobilenet", alpha=0.75, resolution=192), "mobilenet-0.75-192"),
        (Network.of("mobilenet_v2", resolution=224, alpha=1), "mobilenet_v2-1-224"),
    ],
)
def test_a_network_is_named_by_its_row_and_values(network, name):
    assert str(network) == name


def test_a_network_survives_json_and_pickle_and_writes_1_as_1_0():
    network = Network.of("mobilenet_v2", alpha=1, resolution=224)
    assert json.dumps(network.to_json()) == '{"name": "mobilenet_v2", "alpha": 1.0, "resolution": 224}'
    assert Network.from_json(json.loads(json.dumps(network.to_json()))) == network
    assert pickle.loads(pickle.dumps(network)) == network


def test_a_network_has_no_value_on_an_axis_that_is_not_its_own():
    assert (FULL.get("alpha"), FULL.get("resolution"), FULL.get("depth")) == (1.0, 224, None)
    assert FULL.resolution == 224


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("vgg", {}, "network: vgg is not offered (allowed: mobilenet, mobilenet_v2, tiny)"),
        ("tiny", {"depth": 3}, "tiny: axes depth are not its own (allowed: alpha, resolution)"),
        (
            "mobilenet",
            {"alpha": 0.6, "resolution": 224},
            "alpha: 0.6 is not offered for mobilenet (allowed: 0.25, 0.5, 0.75, 1)",
        ),
    ],
)
def test_what_the_table_does_not_offer_is_refused(name, values, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Network.of(name, **values)


def test_pixels_are_scaled_as_the_weights_were_trained_unless_a_spec_says_otherwise():
    ranges = {scaling: pixel_range(FULL, WeightsSource.HUB, scaling) for scaling in Scaling}
    assert ranges == {"native": (0, 1), "symmetric": (-1, 1), "unit": (0, 1), "none": (0, 255)}
    assert pixel_range(FULL_V2, WeightsSource.IMAGENET, Scaling.NATIVE) == (-1, 1)


@pytest.mark.parametrize("row", NETWORKS.values(), ids=NETWORKS)
def test_every_row_says_what_its_sources_need(row):
    assert set(row.pixel_ranges) >= set(row.sources)
    assert "resolution" in row.axes
    assert (row.keras_file is None) == (WeightsSource.IMAGENET not in row.sources)
    assert (row.hub_module is None) == (WeightsSource.HUB not in row.sources)


def test_logits_have_the_thousand_classes_of_imagenet():
    assert {feature_width(network, LOGITS) for network in (FULL, FULL_V2)} == {1000}


@pytest.mark.parametrize(("alpha", "keras", "hub"), [(1.0, "1_0", "100"), (0.75, "7_5", "075"), (0.25, "2_5", "025")])
def test_mobilenet_weights_have_the_names_that_keras_and_tensorflow_hub_gave_them(alpha, keras, hub):
    network = Network.of("mobilenet", alpha=alpha, resolution=192)
    assert keras_file_name(network, POOLED) == f"mobilenet_{keras}_192_tf_no_top.h5"
    assert keras_file_name(network, LOGITS) == f"mobilenet_{keras}_192_tf.h5"
    assert keras_file_url(network, POOLED) == (
        f"https://storage.googleapis.com/tensorflow/keras-applications/mobilenet/mobilenet_{keras}_192_tf_no_top.h5"
    )
    handle = f"https://tfhub.dev/google/imagenet/mobilenet_v1_{hub}_192/feature_vector/5"
    assert hub_handle(network, POOLED) == handle
    assert hub_handle(network, LOGITS) == handle.replace("feature_vector", "classification")


def test_mobilenet_v2_weights_have_the_names_that_keras_and_tensorflow_hub_gave_them():
    network = Network.of("mobilenet_v2", alpha=0.35, resolution=96)
    name = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_96_no_top.h5"
    url = f"https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/{name}"
    assert (keras_file_name(network, POOLED), keras_file_url(network, POOLED)) == (name, url)
    assert keras_file_name(FULL_V2, LOGITS) == "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5"
    assert hub_handle(network, POOLED) == "https://tfhub.dev/google/imagenet/mobilenet_v2_035_96/feature_vector/5"


def test_the_cache_folder_of_tensorflow_hub_is_the_sha1_of_the_handle():
    assert hub_cache_folder_name("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d"
