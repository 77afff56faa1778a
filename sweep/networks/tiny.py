"""A three-layer network in NumPy alone, with fixed random weights: for trying a spec out and for tests.

Three 2 x 2 convolutions of stride 2 with ReLU and no bias, then the mean over all positions.
"""

import numpy as np
from numpy.typing import NDArray

from sweep.networks.table import Complexity, FeatureKind, Network, PixelRange, feature_width
from sweep.networks.weights import random_weights_sha256

LAYERS = 3
KERNEL_SIDE = 2

Kernels = tuple[NDArray[np.float32], ...]  # each (4 x input channels, output channels)


def draw_kernels(network: Network) -> Kernels:
    """Draw the fixed He normal kernels of a variant."""
    generator = np.random.default_rng(int(random_weights_sha256(network, FeatureKind.POOLED), 16))
    return tuple(
        (generator.standard_normal(shape) * np.sqrt(2 / shape[0])).astype(np.float32)
        for shape in _list_shapes(feature_width(network, FeatureKind.POOLED))
    )


def write_kernels(kernels: Kernels) -> bytes:
    """Return their values as bytes, one kernel after the other."""
    return b"".join(kernel.astype("<f4").tobytes() for kernel in kernels)


def read_kernels(values: bytes, width: int) -> Kernels:
    """Read what `write_kernels` returned, of kernels with `width` output channels."""
    shapes = _list_shapes(width)
    ends = np.cumsum([rows * columns for rows, columns in shapes])
    parts = np.split(np.frombuffer(values, "<f4"), ends[:-1])
    return tuple(part.reshape(shape) for part, shape in zip(parts, shapes, strict=True))


def predict_with(kernels: Kernels, pixels: PixelRange, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pooled features of images (n, side, side, 3): (n, width). `pixels` is what 0 and 255 become."""
    low, high = pixels
    values = images.astype(np.float32) / np.float32(255 / (high - low)) + np.float32(low)
    for kernel in kernels:
        # einsum and not matmul: no BLAS, whose last bits change with the number of threads.
        values = np.maximum(np.einsum("nhwi,io->nhwo", _cut_patches(values), kernel), 0)
    pooled: NDArray[np.float32] = values.mean(axis=(1, 2))
    return pooled


def count_complexity_of_kernels(kernels: Kernels, resolution: int) -> Complexity:
    """Cost for one image of `resolution` pixels a side."""
    parameters = sum(kernel.size for kernel in kernels)
    sides = [resolution // KERNEL_SIDE ** (layer + 1) for layer in range(len(kernels))]
    mult_adds = sum(side**2 * kernel.size for side, kernel in zip(sides, kernels, strict=True))
    return Complexity(mult_adds, parameters, parameters)


def _list_shapes(width: int) -> list[tuple[int, int]]:
    return [(KERNEL_SIDE**2 * channels, width) for channels in (3, *[width] * (LAYERS - 1))]


def _cut_patches(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lay the pixels of every 2 x 2 patch side by side: (n, h, w, c) to (n, h / 2, w / 2, 4 c)."""
    images, height, width, channels = values.shape
    blocks = values.reshape(images, height // KERNEL_SIDE, KERNEL_SIDE, width // KERNEL_SIDE, KERNEL_SIDE, channels)
    return blocks.transpose(0, 1, 3, 2, 4, 5).reshape(images, height // KERNEL_SIDE, width // KERNEL_SIDE, -1)
