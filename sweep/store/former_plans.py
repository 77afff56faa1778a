"""The plans of store versions 1 and 2, which kept spec and inputs alone, as their releases made them.

Frozen: ids must stay those that the results are kept under, whatever today's planner does.
"""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from itertools import product
from typing import Any

TRAINING_VERSIONS = (2, 1)  # the later first: it is taken for a plan without results
DATA_VERSION = 1  # of partitions, decoding and features: the one there was

# (name, role, layer, title, unit, order) of each axis
AXES = (
    ("network", "compared", "network", "network", "", 9),
    ("alpha", "compared", "network", "alpha", "", 9),
    ("resolution", "compared", "network", "resolution", "px", 9),
    ("weights", "compared", "network", "weights", "", 9),
    ("features", "compared", "network", "features", "", 9),
    ("resize", "compared", "network", "resize", "", 9),
    ("antialias", "compared", "network", "antialias", "", 9),
    ("scaling", "compared", "network", "scaling", "", 9),
    ("split", "compared", "partition", "split", "", 9),
    ("shuffle", "repeated", "partition", "shuffle", "", 9),
    ("optimizer", "compared", "fit", "optimizer", "", 9),
    ("learning_rate", "tuned", "fit", "learning rate", "", 1),
    ("momentum", "tuned", "fit", "momentum", "", 3),
    ("batch_size", "tuned", "fit", "batch size", "", 2),
    ("sampling", "compared", "fit", "sampling", "", 9),
    ("weight_decay", "tuned", "fit", "weight decay", "", 4),
    ("hidden", "compared", "fit", "hidden layers", "", 9),
    ("dropout", "tuned", "fit", "dropout", "", 5),
    ("initial_stddev", "tuned", "fit", "initial stddev", "", 6),
    ("steps", "tuned", "readout", "steps", "", 0),
)

Json = dict[str, Any]
Row = tuple[str, str, str, str, str]  # id, fit, network, partition, point as JSON


def translate_spec(spec: Json) -> Json:
    """Return the spec as version 3 has it."""
    data = {name: value for name, value in spec["data"].items() if name != "antialias"}
    grid = {"network" if name == "backbone" else name: values for name, values in spec["grid"].items()}
    preprocessing = {"resize": "bilinear", "antialias": spec["data"]["antialias"], "scaling": "native"}
    changed = {"data": data, "preprocessing": preprocessing, "grid": grid}
    return {"name": spec["name"], "method": "probe", **spec, **changed}


def translate_inputs(spec: Json, inputs: Json) -> Json:
    """Return the inputs as version 3 has them."""
    weights = [
        {
            "network": {"name": row["backbone"]["family"], **_size(row["backbone"])},
            "features": spec["features"],
            "asked": spec["weights"]["source"],
            "source": row["source"],
            "sha256": row["sha256"],
        }
        for row in inputs["weights"]
    ]
    return {**inputs, "weights": weights}


def list_axes(spec: Json, inputs: Json) -> list[Json]:
    """Return the plan's axes: those of the old grid, and the fields that had one value."""
    common = _common_values(spec)
    values = {
        **{name: [value] for name, value in common.items()},
        **{"network" if name == "backbone" else name: found for name, found in spec["grid"].items()},
        "weights": list(dict.fromkeys(row["source"] for row in _find_weights(spec, inputs).values())),
    }
    fields = ("name", "role", "layer", "title", "unit", "order")
    return [{**dict(zip(fields, axis, strict=True)), "values": values[axis[0]]} for axis in AXES]


def list_trials(spec: Json, inputs: Json, training_version: int) -> Iterator[Row]:
    """Yield the plan's trials in its order: network by network, fit by fit."""
    grid, common = spec["grid"], _common_values(spec)
    training = {**spec["training"], "version": training_version}
    partitions = []
    for split, shuffle in product(grid["split"], grid["shuffle"]):
        partition = {"by": "image", "shuffle": shuffle, "split": split, "version": DATA_VERSION}
        partitions.append((partition, _identify(partition)))
    for (family, alpha, resolution), weights in _find_weights(spec, inputs).items():
        network = _network_identity(spec, inputs, weights)
        network_id = _identify(network)
        place = {"network": family, "alpha": alpha, "resolution": resolution, "weights": weights["source"]}
        for (partition, partition_id), rate in product(partitions, grid["learning_rate"]):
            fit = {**network, "head": {"learning_rate": rate, "partition": partition, "training": training}}
            fit_id = _identify(fit)
            moved = {"split": partition["split"], "shuffle": partition["shuffle"], "learning_rate": rate}
            for steps in grid["steps"]:
                point = json.dumps({**common, **place, **moved, "steps": steps})
                yield _identify({**fit, "steps": steps}), fit_id, network_id, partition_id, point


def _common_values(spec: Json) -> Json:
    """Return the values that all points share, in the axes' order, with places for the others."""
    training = spec["training"]
    values = {
        "features": spec["features"],
        "resize": "bilinear",
        "antialias": spec["data"]["antialias"],
        "scaling": "native",
        **{name: training[name] for name in ("optimizer", "batch_size", "sampling", "initial_stddev")},
        "momentum": None,
        "weight_decay": 0.0,
        "hidden": [],
        "dropout": 0.0,
    }
    return {name: values.get(name) for name, *_ in AXES}


def _network_identity(spec: Json, inputs: Json, weights: Json) -> Json:
    return {
        "backbone": weights["backbone"],
        "data": inputs["data"]["fingerprint"],
        "features": {"kind": spec["features"], "version": DATA_VERSION},
        "preprocessing": {"antialias": spec["data"]["antialias"], "resize": "bilinear", "version": DATA_VERSION},
        "weights": {"sha256": weights["sha256"], "source": weights["source"]},
    }


def _find_weights(spec: Json, inputs: Json) -> dict[tuple[str, float, int], Json]:
    """Return (family, alpha, resolution) -> row of the inputs, of every network of the grid in its order."""
    rows = {(row["backbone"]["family"], *_size(row["backbone"]).values()): row for row in inputs["weights"]}
    grid = spec["grid"]
    return {network: rows[network] for network in product(grid["backbone"], grid["alpha"], grid["resolution"])}


def _size(backbone: Mapping[str, Any]) -> Json:
    return {"alpha": backbone["alpha"], "resolution": backbone["resolution"]}


def _identify(identity: Json) -> str:
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return sha256(text.encode()).hexdigest()[:16]
