"""The table of networks: axes, feature length, sources of weights, pixel ranges, and cost by arithmetic.

Pure: specs are checked and plans are costed without TensorFlow. What a built network really costs is counted by
`sweep.networks.complexity`; a test holds the two against each other. A new network is a new row of NETWORKS.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Self

Number = int | float
PixelRange = tuple[float, float]  # what the pixels 0 and 255 become


class WeightsSource(StrEnum):
    """Where a network's weights come from."""

    IMAGENET = "imagenet"  # the files of keras.applications
    HUB = "hub"  # a TensorFlow Hub handle or a local SavedModel
    FILE = "file"  # a Keras weights file of the user's
    RANDOM = "random"  # drawn from a fixed seed, batch norm calibrated on the images


class FeatureKind(StrEnum):
    """Which output of the network the heads are trained on."""

    POOLED = "pooled"  # the globally averaged last convolution
    LOGITS = "logits"  # the ImageNet class scores before the softmax


class Scaling(StrEnum):
    """What becomes of the pixels 0 to 255 before the first layer."""

    NATIVE = "native"  # as the weights were trained: by row and source
    SYMMETRIC = "symmetric"  # -1 to 1
    UNIT = "unit"  # 0 to 1
    NONE = "none"  # 0 to 255


@dataclass(frozen=True, slots=True)
class Complexity:
    """Cost of one forward pass and size of a model.

    `mult_adds` counts fused multiply-additions of convolutions and dense layers for one image (batch norm folds
    away); `parameters` counts all, `trainable_parameters` leaves out the moving statistics of batch norm.
    """

    mult_adds: int
    parameters: int
    trainable_parameters: int


class Convolution(NamedTuple):
    """What one convolution costs: `positions` of its output, `weights` of its kernel, `normalised` channels.

    A depthwise kernel of k x k over c channels has k * k * c weights, a full one k * k * c_in * c_out: either way each
    position takes one multiply-addition for each weight.
    """

    positions: int
    weights: int
    normalised: int  # 0 without batch norm


@dataclass(frozen=True, slots=True, order=True)
class Network:
    """One variant of a network: a row's name, and a value on each of the row's own axes, in their order."""

    name: str
    values: tuple[tuple[str, Number], ...]

    @classmethod
    def of(cls, name: str, **values: Number) -> Self:
        """Return the variant with these values; ValueError where the table does not offer it."""
        if name not in NETWORKS:
            raise ValueError(f"network: {name} is not offered (allowed: {', '.join(NETWORKS)})")
        axes = NETWORKS[name].axes
        if set(values) != set(axes):
            raise ValueError(f"{name}: axes {', '.join(values)} are not its own (allowed: {', '.join(axes)})")
        return cls(name, tuple((axis, _find_value(name, axis, values[axis])) for axis in axes))

    def __str__(self) -> str:
        return "-".join([self.name, *(f"{value:g}" for _, value in self.values)])

    def get(self, axis: str) -> Number | None:
        """Return the value on an axis; None where the row has no such axis."""
        return dict(self.values).get(axis)

    @property
    def resolution(self) -> int:
        """Side of the input images in pixels: an axis of every row."""
        return int(dict(self.values)["resolution"])

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads: the name and the values by axis."""
        return {"name": self.name, **dict(self.values)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` returned; ValueError where the table does not offer it."""
        return cls.of(**values)


@dataclass(frozen=True, slots=True)
class Row:
    """A network's architecture, and the variants its weights are offered in."""

    axes: Mapping[str, tuple[Number, ...]]  # its own, with the allowed values
    sources: tuple[WeightsSource, ...]
    features: tuple[FeatureKind, ...]
    pooled_width: Callable[[Network], int]
    convolutions: Callable[[Network, bool], Iterator[Convolution]]  # of a variant, and whether it is separable
    pixel_ranges: Mapping[WeightsSource, PixelRange]  # as the weights of each source were trained
    builder: str = ""  # in keras.applications; "": not built by Keras
    keras_folder: str = ""  # below KERAS_URL
    keras_file: Callable[[Network, FeatureKind], str] | None = None
    hub_module: Callable[[Network], str] | None = None  # below HUB_URL


IMAGENET_CLASSES = 1000
KERAS_URL = "https://storage.googleapis.com/tensorflow/keras-applications"
HUB_URL = "https://tfhub.dev/google/imagenet"

# Howard et al. 2017, arXiv:1704.04861, Table 1: (stride of the depthwise, filters of the pointwise convolution).
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
# Sandler et al. 2018, arXiv:1801.04381, Table 2: (expansion t, filters c, repeats n, stride s of the first repeat).
_MOBILENET_V2_BLOCKS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
_STEM = 32  # filters of the first convolution of either
_TINY_LAYERS = 3
_TINY_KERNEL = 2


def feature_width(network: Network, kind: FeatureKind) -> int:
    """Length of the feature vector of one image (TensorFlow Hub's logits have a 1,001st class, background)."""
    if kind is FeatureKind.LOGITS:
        return IMAGENET_CLASSES
    return NETWORKS[network.name].pooled_width(network)


def count_complexity(network: Network, classes: int = 0, *, separable: bool = True) -> Complexity:
    """Cost by arithmetic, with a dense classifier over `classes` (0: none).

    `separable=False` replaces every depthwise convolution and the pointwise one behind it by a full 3 x 3 one,
    the "full convolution" row of the MobileNet paper. Source: Howard et al. 2017, section 3.1, equations 2 and 5.
    """
    mult_adds = parameters = trainable = 0
    row = NETWORKS[network.name]
    for positions, weights, normalised in row.convolutions(network, separable):
        mult_adds += positions * weights
        trainable += weights + 2 * normalised  # batch norm: scale and shift
        parameters += weights + 4 * normalised  # and its moving mean and variance
    width = row.pooled_width(network)
    head = (width + 1) * classes
    return Complexity(mult_adds + width * classes, parameters + head, trainable + head)


def pixel_range(network: Network, source: WeightsSource, scaling: Scaling) -> PixelRange:
    """What the pixels 0 and 255 become."""
    match scaling:
        case Scaling.NATIVE:
            return NETWORKS[network.name].pixel_ranges[source]
        case Scaling.SYMMETRIC:
            return (-1.0, 1.0)
        case Scaling.UNIT:
            return (0.0, 1.0)
        case Scaling.NONE:
            return (0.0, 255.0)


def keras_file_name(network: Network, kind: FeatureKind) -> str:
    """File under `$KERAS_HOME/models` in which keras.applications keeps the ImageNet weights."""
    name = NETWORKS[network.name].keras_file
    if name is None:
        raise ValueError(f"{network}: keras.applications has no weights of it")
    return name(network, kind)


def keras_file_url(network: Network, kind: FeatureKind) -> str:
    """Where keras.applications downloads the ImageNet weights from."""
    return f"{KERAS_URL}/{NETWORKS[network.name].keras_folder}/{keras_file_name(network, kind)}"


def hub_handle(network: Network, kind: FeatureKind) -> str:
    """TensorFlow Hub handle of the ImageNet weights."""
    module = NETWORKS[network.name].hub_module
    if module is None:
        raise ValueError(f"{network}: TensorFlow Hub has no weights of it")
    output = "feature_vector" if kind is FeatureKind.POOLED else "classification"
    return f"{HUB_URL}/{module(network)}/{output}/5"


def name_weights(source: WeightsSource, path: str | None, kind: FeatureKind, network: Network) -> str:
    """Say in a word where weights come from: the user's path, the file of keras.applications, the handle."""
    match source:
        case WeightsSource.RANDOM:
            return f"random weights of {network} ({kind})"
        case WeightsSource.IMAGENET:
            return keras_file_name(network, kind)
    return path or hub_handle(network, kind)


def _find_value(name: str, axis: str, value: Number) -> Number:
    """Return the table's own value, so that 1 and 1.0 are written alike."""
    allowed = NETWORKS[name].axes[axis]
    if value not in allowed:
        offer = ", ".join(f"{one:g}" for one in allowed)
        raise ValueError(f"{axis}: {value} is not offered for {name} (allowed: {offer})")
    return allowed[allowed.index(value)]


def _alpha(network: Network) -> float:
    return float(dict(network.values)["alpha"])


def _hub_variant(network: Network) -> str:
    return f"{round(_alpha(network) * 100):03d}_{network.resolution}"


def _top_suffix(kind: FeatureKind) -> str:
    return "_no_top" if kind is FeatureKind.POOLED else ""


def _list_mobilenet(network: Network, separable: bool) -> Iterator[Convolution]:  # noqa: FBT001 - a field's signature
    side = -(-network.resolution // 2)
    previous = int(_STEM * _alpha(network))
    yield Convolution(side**2, 9 * 3 * previous, previous)
    for stride, base_filters in _MOBILENET_BLOCKS:
        filters = int(base_filters * _alpha(network))
        side = -(-side // stride)
        yield from _list_spatial(side, previous, filters, separable)
        previous = filters


def _list_mobilenet_v2(network: Network, separable: bool) -> Iterator[Convolution]:  # noqa: FBT001 - a field's signature
    side = -(-network.resolution // 2)
    previous = _make_divisible(_STEM * _alpha(network))
    yield Convolution(side**2, 9 * 3 * previous, previous)
    for expansion, base_filters, repeats, first_stride in _MOBILENET_V2_BLOCKS:
        filters = _make_divisible(int(base_filters * _alpha(network)))
        for stride in (first_stride, *(1,) * (repeats - 1)):
            expanded = expansion * previous
            if expansion > 1:
                yield Convolution(side**2, previous * expanded, expanded)
            side = -(-side // stride)
            yield from _list_spatial(side, expanded, filters, separable)
            previous = filters
    width = _mobilenet_v2_width(network)
    yield Convolution(side**2, previous * width, width)


def _list_spatial(side: int, inputs: int, filters: int, separable: bool) -> Iterator[Convolution]:  # noqa: FBT001
    """3 x 3 over `inputs` channels to `filters`: a depthwise and a pointwise convolution, or a full one."""
    if separable:
        yield Convolution(side**2, 9 * inputs, inputs)
        yield Convolution(side**2, inputs * filters, filters)
    else:
        yield Convolution(side**2, 9 * inputs * filters, filters)


def _list_tiny(network: Network, separable: bool) -> Iterator[Convolution]:  # noqa: ARG001, FBT001 - nothing to separate
    side, previous, width = network.resolution, 3, _tiny_width(network)
    for _ in range(_TINY_LAYERS):
        side //= _TINY_KERNEL
        yield Convolution(side**2, _TINY_KERNEL**2 * previous * width, 0)
        previous = width


def _mobilenet_v2_width(network: Network) -> int:
    """Width of the last convolution, which is not made narrower: Sandler et al. 2018, section 4.1."""
    return _make_divisible(1280 * max(_alpha(network), 1.0))


def _tiny_width(network: Network) -> int:
    return int(16 * _alpha(network))


def _make_divisible(filters: float) -> int:
    """Round to a multiple of 8 that is at most 10 % less: `_make_divisible` of keras.applications."""
    rounded = max(8, int(filters + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * filters else rounded


def _mobilenet_file(network: Network, kind: FeatureKind) -> str:
    width = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0", 0.25: "2_5"}[_alpha(network)]
    return f"mobilenet_{width}_{network.resolution}_tf{_top_suffix(kind)}.h5"


def _mobilenet_v2_file(network: Network, kind: FeatureKind) -> str:
    variant = f"{_alpha(network)}_{network.resolution}"
    return f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{variant}{_top_suffix(kind)}.h5"


# TensorFlow Hub's convention differs from Keras's.
_IMAGENET_RANGES = {source: (0.0, 1.0) if source is WeightsSource.HUB else (-1.0, 1.0) for source in WeightsSource}

NETWORKS: Mapping[str, Row] = {
    "mobilenet": Row(
        axes={"alpha": (0.25, 0.5, 0.75, 1.0), "resolution": (128, 160, 192, 224)},
        sources=tuple(WeightsSource),
        features=tuple(FeatureKind),
        pooled_width=lambda network: int(1024 * _alpha(network)),
        convolutions=_list_mobilenet,
        pixel_ranges=_IMAGENET_RANGES,
        builder="MobileNet",
        keras_folder="mobilenet",
        keras_file=_mobilenet_file,
        hub_module=lambda network: f"mobilenet_v1_{_hub_variant(network)}",
    ),
    # At alpha 1.3 and 1.4 weights were published for 224 pixels only.
    "mobilenet_v2": Row(
        axes={"alpha": (0.35, 0.5, 0.75, 1.0, 1.3, 1.4), "resolution": (96, 128, 160, 192, 224)},
        sources=tuple(WeightsSource),
        features=tuple(FeatureKind),
        pooled_width=_mobilenet_v2_width,
        convolutions=_list_mobilenet_v2,
        pixel_ranges=_IMAGENET_RANGES,
        builder="MobileNetV2",
        keras_folder="mobilenet_v2",
        keras_file=_mobilenet_v2_file,
        hub_module=lambda network: f"mobilenet_v2_{_hub_variant(network)}",
    ),
    # Three layers with fixed random weights, computed with NumPy: for trying a spec out and for tests.
    "tiny": Row(
        axes={"alpha": (0.5, 1.0), "resolution": (16, 32)},
        sources=(WeightsSource.RANDOM,),
        features=(FeatureKind.POOLED,),
        pooled_width=_tiny_width,
        convolutions=_list_tiny,
        pixel_ranges={WeightsSource.RANDOM: (-1.0, 1.0)},
    ),
}
