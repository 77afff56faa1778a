"""A traced network as the bytes that a worker runs: a LiteRT model, or a frozen graph of what LiteRT lacks."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.lite.python.convert_phase import ConverterError
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from sweep.networks.payload import Engine, Header, pack


def convert_function(function: Any) -> NDArray[np.uint8]:
    """Convert a `tf.function` of one traced signature, images (batch, r, r, 3) uint8 to features (batch, width).

    float32 throughout: nothing is quantised. The payload names its engine.
    """
    concrete = function.get_concrete_function()
    batch, resolution, *_ = concrete.inputs[0].shape.as_list()
    width = concrete.output_shapes.as_list()[1] or _measure_width(function, batch, resolution)
    try:
        model = tf.lite.TFLiteConverter.from_concrete_functions([concrete], function).convert()
    except ConverterError:
        frozen = convert_variables_to_constants_v2(concrete)
        tensors = {"input": frozen.inputs[0].name, "output": frozen.outputs[0].name}
        header = Header(Engine.TENSORFLOW, resolution, width, batch, tensors)
        return pack(header, frozen.graph.as_graph_def().SerializeToString())
    return pack(Header(Engine.LITERT, resolution, width, batch), model)


def _measure_width(function: Any, batch: int, resolution: int) -> int:
    """Run it once: not every SavedModel tells the shape of what it yields."""
    return int(function(np.zeros((batch, resolution, resolution, 3), np.uint8)).shape[1])
