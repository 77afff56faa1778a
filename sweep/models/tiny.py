"""A three-layer backbone in NumPy alone, with fixed random weights: for trying a spec out and for tests.

Three 2 x 2 convolutions of stride 2 with ReLU and no bias, then the mean over all positions.
"""

import numpy as np
from numpy.typing import NDArray

from sweep.catalogue import PIXEL_RANGES, Backbone, Complexity, FeatureKind, WeightsSource, feature_width
from sweep.models.weights import random_weights_sha256

LAYERS = 3
KERNEL_SIDE = 2

Kernels = tuple[NDArray[np.float32], ...]  # each (4 x input channels, output channels)


def draw_kernels(backbone: Backbone) -> Kernels:
    """Draw the fixed He normal kernels of a variant."""
    generator = np.random.default_rng(int(random_weights_sha256(backbone, FeatureKind.POOLED), 16))
    width = feature_width(backbone, FeatureKind.POOLED)
    inputs = [KERNEL_SIDE**2 * channels for channels in (3, *[width] * (LAYERS - 1))]
    return tuple(
        (generator.standard_normal((count, width)) * np.sqrt(2 / count)).astype(np.float32) for count in inputs
    )


def predict_with(kernels: Kernels, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pooled features of images (n, side, side, 3): (n, width)."""
    low, high = PIXEL_RANGES[WeightsSource.RANDOM]
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


def _cut_patches(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lay the pixels of every 2 x 2 patch side by side: (n, h, w, c) to (n, h / 2, w / 2, 4 c)."""
    images, height, width, channels = values.shape
    blocks = values.reshape(images, height // KERNEL_SIDE, KERNEL_SIDE, width // KERNEL_SIDE, KERNEL_SIDE, channels)
    return blocks.transpose(0, 1, 3, 2, 4, 5).reshape(images, height // KERNEL_SIDE, width // KERNEL_SIDE, -1)
