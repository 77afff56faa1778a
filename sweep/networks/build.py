"""Networks ready to be sent to workers, from a variant's name and its weights."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sweep.networks import tiny
from sweep.networks.payload import BATCH_IMAGES, Engine, Header, pack, unpack
from sweep.networks.recipe import Recipe
from sweep.networks.table import NETWORKS, Complexity
from sweep.networks.threads import limit_threads


@dataclass(frozen=True, slots=True)
class BuiltNetwork:
    """A frozen network as bytes for `sweep.networks.runtime`, what computes it, and what it costs."""

    payload: NDArray[np.uint8]
    engine: Engine
    complexity: Complexity


def build_network(recipe: Recipe) -> BuiltNetwork:
    """Build a network; bit for bit the same for the same recipe.

    UserError for weights that are damaged or of another network, and where TensorFlow already runs with other threads.
    """
    if not NETWORKS[recipe.network.name].builder:
        return _build_tiny(recipe)
    limit_threads()
    from sweep.networks.complexity import count_complexity_of  # TensorFlow, which tiny does without
    from sweep.networks.convert import convert_function
    from sweep.networks.keras_network import compile_network

    function = compile_network(recipe, BATCH_IMAGES)
    complexity = count_complexity_of(function.get_concrete_function())
    payload = convert_function(function)
    return BuiltNetwork(payload, unpack(payload)[0].engine, complexity)


def _build_tiny(recipe: Recipe) -> BuiltNetwork:
    kernels = tiny.draw_kernels(recipe.network)
    resolution, width = recipe.network.resolution, kernels[-1].shape[1]
    header = Header(Engine.NUMPY, resolution, width, details={"pixels": recipe.pixels})
    complexity = tiny.count_complexity_of_kernels(kernels, resolution)
    return BuiltNetwork(pack(header, tiny.write_kernels(kernels)), Engine.NUMPY, complexity)
