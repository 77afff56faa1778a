"""The table of backbones: widths, resolutions, feature length, sources of weights, and their cost by arithmetic.

Pure: specs are checked and plans are costed without TensorFlow. What a built model really costs is counted by
`sweep.models.complexity`; a test holds the two against each other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha1


class WeightsSource(StrEnum):
    """Where a backbone's weights come from."""

    IMAGENET = "imagenet"  # the files of keras.applications
    HUB = "hub"  # a TensorFlow Hub handle or a local SavedModel
    FILE = "file"  # a Keras weights file of the user's
    RANDOM = "random"  # drawn from a fixed seed, batch norm calibrated on the images


class FeatureKind(StrEnum):
    """Which output of the backbone the heads are trained on."""

    POOLED = "pooled"  # the globally averaged last convolution
    LOGITS = "logits"  # the ImageNet class scores before the softmax


@dataclass(frozen=True, slots=True)
class BackboneFamily:
    """A backbone architecture and the variants its weights are offered in."""

    name: str
    alphas: tuple[float, ...]
    resolutions: tuple[int, ...]
    sources: tuple[WeightsSource, ...]
    base_width: int  # length of the pooled feature vector at alpha 1.0


@dataclass(frozen=True, slots=True, order=True)
class Backbone:
    """One variant: a family at a width multiplier `alpha` and an input side of `resolution` pixels."""

    family: str
    alpha: float
    resolution: int

    def __str__(self) -> str:
        return f"{self.family}-{self.alpha:g}-{self.resolution}"


@dataclass(frozen=True, slots=True)
class Complexity:
    """Cost of one forward pass and size of a model.

    `mult_adds` counts fused multiply-additions of convolutions and dense layers for one image (batch norm folds
    away); `parameters` counts all, `trainable_parameters` leaves out the moving statistics of batch norm.
    """

    mult_adds: int
    parameters: int
    trainable_parameters: int


IMAGENET_CLASSES = 1000

# What the pixels 0 and 255 become, as the weights were trained: TensorFlow Hub's convention differs from Keras's.
PIXEL_RANGES = {
    WeightsSource.IMAGENET: (-1.0, 1.0),
    WeightsSource.HUB: (0.0, 1.0),
    WeightsSource.FILE: (-1.0, 1.0),
    WeightsSource.RANDOM: (-1.0, 1.0),
}

FAMILIES = {
    "mobilenet": BackboneFamily(
        name="mobilenet",
        alphas=(0.25, 0.5, 0.75, 1.0),
        resolutions=(128, 160, 192, 224),
        sources=(WeightsSource.IMAGENET, WeightsSource.HUB, WeightsSource.FILE, WeightsSource.RANDOM),
        base_width=1024,
    ),
    # Three layers with fixed random weights, computed with NumPy: for trying a spec out and for tests.
    "tiny": BackboneFamily(
        name="tiny",
        alphas=(0.5, 1.0),
        resolutions=(16, 32),
        sources=(WeightsSource.RANDOM,),
        base_width=16,
    ),
}

# Howard et al. 2017, arXiv:1704.04861, Table 1: (stride of the depthwise, filters of the pointwise convolution).
_MOBILENET_STEM = 32
_MOBILENET_BLOCKS = (
    (1, 64),
    (2, 128),
    (1, 128),
    (2, 256),
    (1, 256),
    (2, 512),
    *((1, 512),) * 5,
    (2, 1024),
    (1, 1024),
)
_TINY_KERNEL = 2


def feature_width(backbone: Backbone, kind: FeatureKind) -> int:
    """Length of the feature vector of one image (TensorFlow Hub's logits have a 1,001st class, background)."""
    if kind is FeatureKind.LOGITS:
        return IMAGENET_CLASSES
    return int(FAMILIES[backbone.family].base_width * backbone.alpha)


def count_complexity(backbone: Backbone, classes: int = 0, *, separable: bool = True) -> Complexity:
    """Cost by arithmetic, with a dense classifier over `classes` (0: none).

    `separable=False` replaces every depthwise separable block of MobileNet by one full 3 x 3 convolution, the
    "full convolution" row of the paper. Source: Howard et al. 2017, section 3.1, equations 2 and 5.
    """
    mult_adds = parameters = trainable = 0
    width = feature_width(backbone, FeatureKind.POOLED)
    for positions, weights, channels in _convolutions(backbone, separable=separable):
        mult_adds += positions * weights
        trainable += weights + 2 * channels  # batch norm: scale and shift
        parameters += weights + 4 * channels  # and its moving mean and variance
    head = (width + 1) * classes
    return Complexity(mult_adds + width * classes, parameters + head, trainable + head)


def _convolutions(backbone: Backbone, *, separable: bool) -> Iterator[tuple[int, int, int]]:
    """Yield (output positions, kernel weights, batch-normalised channels) of each convolution."""
    if backbone.family == "tiny":
        side, previous = backbone.resolution, 3
        for _ in range(3):
            side //= _TINY_KERNEL
            width = feature_width(backbone, FeatureKind.POOLED)
            yield side * side, _TINY_KERNEL**2 * previous * width, 0  # no batch norm
            previous = width
        return
    side = -(-backbone.resolution // 2)
    previous = int(_MOBILENET_STEM * backbone.alpha)
    yield side * side, 9 * 3 * previous, previous
    for stride, base_filters in _MOBILENET_BLOCKS:
        filters = int(base_filters * backbone.alpha)
        side = -(-side // stride)
        if separable:
            yield side * side, 9 * previous, previous
            yield side * side, previous * filters, filters
        else:
            yield side * side, 9 * previous * filters, filters
        previous = filters


def keras_file_name(backbone: Backbone, kind: FeatureKind) -> str:
    """File under `$KERAS_HOME/models` in which keras.applications keeps the ImageNet weights."""
    width = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0", 0.25: "2_5"}[backbone.alpha]
    top = "_no_top" if kind is FeatureKind.POOLED else ""
    return f"mobilenet_{width}_{backbone.resolution}_tf{top}.h5"


def keras_file_url(backbone: Backbone, kind: FeatureKind) -> str:
    """Where keras.applications downloads the ImageNet weights from."""
    return f"https://storage.googleapis.com/tensorflow/keras-applications/mobilenet/{keras_file_name(backbone, kind)}"


def hub_handle(backbone: Backbone, kind: FeatureKind) -> str:
    """TensorFlow Hub handle of the ImageNet weights."""
    output = "feature_vector" if kind is FeatureKind.POOLED else "classification"
    width = f"{round(backbone.alpha * 100):03d}"
    return f"https://tfhub.dev/google/imagenet/mobilenet_v1_{width}_{backbone.resolution}/{output}/5"


def hub_cache_folder_name(handle: str) -> str:
    """Folder under `$TFHUB_CACHE_DIR` in which tensorflow-hub keeps a downloaded handle."""
    return sha1(handle.encode(), usedforsecurity=False).hexdigest()
