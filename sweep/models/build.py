"""Backbones ready to run, from a variant's name and its weights."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sweep.catalogue import Backbone, Complexity, FeatureKind
from sweep.errors import UserError
from sweep.models import tiny
from sweep.models.weights import WeightsBlob


@dataclass(frozen=True, slots=True)
class BuiltBackbone:
    """A frozen backbone. `predict`: images (n, r, r, 3) uint8 to features (n, width) float32."""

    predict: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
    complexity: Complexity


def build_backbone(
    backbone: Backbone, kind: FeatureKind, weights: WeightsBlob, calibration: NDArray[np.uint8] | None = None
) -> BuiltBackbone:
    """Build a backbone; bit for bit the same for the same arguments.

    `calibration` (n, r, r, 3) are the images that random weights are calibrated on. UserError for weights that are
    damaged or of another model, and where TensorFlow already runs with other threads.
    """
    if backbone.family == "tiny":
        kernels = tiny.draw_kernels(backbone)
        complexity = tiny.count_complexity_of_kernels(kernels, backbone.resolution)
        return BuiltBackbone(partial(tiny.predict_with, kernels), complexity)
    limit_threads()
    from sweep.models.complexity import count_complexity_of  # TensorFlow, which tiny does without
    from sweep.models.mobilenet import compile_mobilenet

    function = compile_mobilenet(backbone, kind, weights, calibration)
    complexity = count_complexity_of(function.get_concrete_function())
    return BuiltBackbone(lambda images: np.asarray(function(images)), complexity)


def limit_threads() -> None:
    """Make TensorFlow compute with one thread: sums over several threads differ in their last bits.

    Raises UserError where TensorFlow has already started with other threads in this process.
    """
    import tensorflow as tf  # seconds, and `tiny` does without

    try:
        tf.config.set_visible_devices([], "GPU")  # one GPU cannot be shared by workers that do not know of each other
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError as error:
        raise UserError(
            "TensorFlow: already running with other threads than 1 in this process, so results would not be "
            "repeatable; run the sweep in a fresh process, or call limit_threads() before any TensorFlow operation"
        ) from error
