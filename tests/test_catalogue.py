"""The table of backbones and its arithmetic, held against the figures of the papers."""

import pytest

from sweep.catalogue import (
    FAMILIES,
    PIXEL_RANGES,
    Backbone,
    FeatureKind,
    WeightsSource,
    count_complexity,
    feature_width,
    hub_cache_folder_name,
    hub_handle,
    keras_file_name,
    keras_file_url,
)

RESOLUTIONS = (224, 192, 160, 128)
# MobileNet V1 with its 1,000-way classifier: millions of mult-adds at each resolution, of trainable and of all
# parameters; all parameters without the classifier (as in Keras's files); length of the pooled feature vector.
MOBILENETS = {
    1.0: ((568.74, 418.12, 290.68, 186.40), 4.232, 4.254, 3_228_864, 1024),
    0.75: ((325.40, 239.27, 166.40, 106.77), 2.586, 2.602, 1_832_976, 768),
    0.5: ((149.50, 109.97, 76.52, 49.16), 1.332, 1.343, 829_536, 512),
    0.25: ((41.03, 30.21, 21.06, 13.57), 0.470, 0.476, 218_544, 256),
}
FULL = Backbone("mobilenet", 1.0, 224)


@pytest.mark.parametrize("alpha", MOBILENETS)
def test_the_mult_adds_of_mobilenet_are_those_of_its_layers(alpha):
    counted = [count_complexity(Backbone("mobilenet", alpha, side), 1000).mult_adds / 1e6 for side in RESOLUTIONS]
    assert counted == pytest.approx(MOBILENETS[alpha][0], abs=0.005)


@pytest.mark.parametrize("resolution", RESOLUTIONS)
@pytest.mark.parametrize("alpha", MOBILENETS)
def test_the_parameters_of_mobilenet_do_not_depend_on_the_resolution(alpha, resolution):
    _, trainable, every, without_top, width = MOBILENETS[alpha]
    backbone = Backbone("mobilenet", alpha, resolution)
    whole = count_complexity(backbone, 1000)
    assert whole.trainable_parameters / 1e6 == pytest.approx(trainable, abs=0.0005)
    assert whole.parameters / 1e6 == pytest.approx(every, abs=0.0005)
    assert count_complexity(backbone).parameters == without_top
    assert feature_width(backbone, FeatureKind.POOLED) == width


def test_the_full_convolution_is_that_of_the_paper():
    full = count_complexity(FULL, 1000, separable=False)
    assert full.mult_adds / 1e6 == pytest.approx(4867.3, abs=0.05)
    channels = 32 + 64 + 2 * 128 + 2 * 256 + 6 * 512 + 2 * 1024
    assert (full.trainable_parameters - 2 * channels) / 1e6 == pytest.approx(29.28, abs=0.005), "no batch norm counted"
    assert full.parameters - full.trainable_parameters == 2 * channels


def test_a_separable_block_costs_about_a_ninth_of_a_full_convolution():
    separable, full = (count_complexity(FULL, separable=separable).mult_adds for separable in (True, False))
    assert 8 < full / separable < 9


def test_a_head_adds_its_weights_and_biases():
    without, with_head = count_complexity(FULL), count_complexity(FULL, 2)
    assert with_head.mult_adds - without.mult_adds == 1024 * 2
    assert with_head.parameters - without.parameters == (1024 + 1) * 2
    assert with_head.trainable_parameters - without.trainable_parameters == (1024 + 1) * 2


def test_the_tiny_backbone_is_three_layers_of_two_by_two():
    tiny = count_complexity(Backbone("tiny", 0.5, 16))
    assert tiny.parameters == tiny.trainable_parameters == 4 * (3 * 8 + 8 * 8 + 8 * 8)
    assert tiny.mult_adds == 4 * (8 * 8 * 3 * 8 + 4 * 4 * 8 * 8 + 2 * 2 * 8 * 8)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_every_variant_of_every_family_can_be_costed(family):
    for alpha in family.alphas:
        costs = [count_complexity(Backbone(family.name, alpha, side)) for side in family.resolutions]
        assert [cost.mult_adds for cost in costs] == sorted({cost.mult_adds for cost in costs})
        assert feature_width(Backbone(family.name, alpha, family.resolutions[0]), FeatureKind.POOLED) >= 8


def test_every_source_says_what_its_pixels_become():
    assert set(PIXEL_RANGES) == set(WeightsSource)
    assert (PIXEL_RANGES[WeightsSource.IMAGENET], PIXEL_RANGES[WeightsSource.HUB]) == ((-1, 1), (0, 1))


def test_logits_have_the_thousand_classes_of_imagenet():
    assert feature_width(Backbone("mobilenet", 0.25, 128), FeatureKind.LOGITS) == 1000


@pytest.mark.parametrize(("alpha", "keras", "hub"), [(1.0, "1_0", "100"), (0.75, "7_5", "075"), (0.25, "2_5", "025")])
def test_weights_have_the_names_that_keras_and_tensorflow_hub_gave_them(alpha, keras, hub):
    backbone = Backbone("mobilenet", alpha, 192)
    assert keras_file_name(backbone, FeatureKind.POOLED) == f"mobilenet_{keras}_192_tf_no_top.h5"
    assert keras_file_name(backbone, FeatureKind.LOGITS) == f"mobilenet_{keras}_192_tf.h5"
    assert keras_file_url(backbone, FeatureKind.POOLED) == (
        f"https://storage.googleapis.com/tensorflow/keras-applications/mobilenet/mobilenet_{keras}_192_tf_no_top.h5"
    )
    handle = f"https://tfhub.dev/google/imagenet/mobilenet_v1_{hub}_192/feature_vector/5"
    assert hub_handle(backbone, FeatureKind.POOLED) == handle
    assert hub_handle(backbone, FeatureKind.LOGITS) == handle.replace("feature_vector", "classification")


def test_the_cache_folder_of_tensorflow_hub_is_the_sha1_of_the_handle():
    assert hub_cache_folder_name("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d"


def test_a_backbone_is_named_by_family_width_and_resolution():
    assert [str(Backbone("mobilenet", alpha, 224)) for alpha in (1.0, 0.25)] == [
        "mobilenet-1-224",
        "mobilenet-0.25-224",
    ]
