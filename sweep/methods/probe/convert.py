"""The kind `convert`: a network is built once, counted, and made into the bytes that every extraction runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from sweep.networks.build import build_network
from sweep.networks.recipe import Recipe
from sweep.networks.table import FeatureKind, Network, Scaling, WeightsSource
from sweep.networks.weights import WeightsBlob
from sweep.outcome import Yield


def run(settings: Mapping[str, Any], arrays: Sequence[NDArray[Any]]) -> Yield:
    """Yield one array, the network as (bytes,) uint8, and its cost as facts about the `subject`.

    settings: the `network` as JSON, its `features`, the weights' `source` and `name` (where they came from), `scaling`,
    `subject`. arrays: the weights as (bytes,) uint8, empty for random ones, which are calibrated on the second, images
    (n, r, r, 3) uint8. UserError for weights that are damaged or of another network.
    """
    payload, *calibration = arrays
    recipe = Recipe(
        network=Network.from_json(settings["network"]),
        kind=FeatureKind(settings["features"]),
        weights=WeightsBlob(WeightsSource(settings["source"]), settings["name"], payload.tobytes()),
        scaling=Scaling(settings["scaling"]),
        calibration=calibration[0] if calibration else None,
    )
    built = build_network(recipe)
    facts = {
        "mult_adds": built.complexity.mult_adds,
        "parameters": built.complexity.parameters,
        "trainable_parameters": built.complexity.trainable_parameters,
        "engine": built.engine.value,
    }
    return Yield((built.payload,), facts={(settings["subject"], name): value for name, value in facts.items()})
