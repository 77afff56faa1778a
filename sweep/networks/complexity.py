"""What a network really costs, counted from its graph. `sweep.networks.table` has the same by arithmetic."""

from math import prod
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from sweep.networks.table import Complexity

CONVOLUTIONS = {"Conv2D", "DepthwiseConv2dNative"}
PRODUCTS = {"MatMul", "BatchMatMulV2"}


def count_complexity_of(function: Any) -> Complexity:
    """Cost for one image of a `tf.ConcreteFunction` of a batch of images, nested calls and SavedModels included.

    Parameters are those of the variables the function reads.
    """
    # Freezing inlines nested functions, whose operations would otherwise have no static shapes.
    operations = convert_variables_to_constants_v2(function).graph.get_operations()
    return Complexity(
        mult_adds=sum(_count_mult_adds(operation) for operation in operations),
        parameters=sum(_count_values(variable) for variable in function.graph.variables),
        trainable_parameters=sum(_count_values(variable) for variable in function.graph.trainable_variables),
    )


def _count_values(variable: tf.Variable) -> int:
    return prod(variable.shape.as_list())


def _count_mult_adds(operation: Any) -> int:
    """Output values of one image, times the kernel weights that each of them sums over."""
    if operation.type not in CONVOLUTIONS | PRODUCTS:
        return 0
    outputs = prod(operation.outputs[0].shape.as_list()[1:])
    kernel = operation.inputs[1].shape.as_list()
    if operation.type == "Conv2D":
        return int(outputs * prod(kernel[:3]))
    if operation.type == "DepthwiseConv2dNative":
        return int(outputs * prod(kernel[:2]))
    is_transposed = operation.get_attr("transpose_b" if operation.type == "MatMul" else "adj_y")
    return int(outputs * kernel[-1 if is_transposed else -2])
