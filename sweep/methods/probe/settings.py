"""Settings of work units that are too long to keep in a plan: made when a unit is handed out. Pure."""

from typing import Any

from sweep.axes import Layer
from sweep.identity import identify
from sweep.methods.probe.axes import NAMES, OF_LAYER
from sweep.methods.probe.identity import Identity, batches_identity, source_identity, start_identity
from sweep.methods.probe.plan import partition_of
from sweep.planning.plan import Plan
from sweep.planning.units import WorkUnit


def prepare_decode(_: Plan, unit: WorkUnit) -> dict[str, Any]:
    """Return what a decoding needs to know: the resolutions of what is still to be made."""
    sides = unit.settings["sides"]
    rest = {name: value for name, value in unit.settings.items() if name != "sides"}
    return {**rest, "resolutions": [sides[key.folder] for key in unit.makes]}


def prepare_fit(plan: Plan, unit: WorkUnit) -> dict[str, Any]:
    """Return what a fit needs to know of each of its heads."""
    heads: dict[str, dict[str, Any]] = {}
    sources: dict[str, Identity] = {}
    for trial in unit.trials:
        point = dict(zip(NAMES, trial.point, strict=True))
        steps = str(point.pop("steps"))
        if trial.fit_id not in heads:
            partition = partition_of(trial)
            source = sources.setdefault(trial.network_id, source_identity(plan.inputs, point))
            heads[trial.fit_id] = {
                "fit_id": trial.fit_id,
                "partition_id": trial.partition_id,
                "batches_id": identify(batches_identity(plan.inputs, partition, point)),
                "start_id": identify(start_identity(source, partition)),
                **{name: point[name] for name in OF_LAYER[Layer.FIT]},
                "readouts": {},
            }
        heads[trial.fit_id]["readouts"][steps] = trial.id
    needs = [key for key in unit.needs if key.kind == "partitions"]
    return {
        "shards": sum(key.kind == "features" for key in unit.needs),
        "classes": len(plan.inputs.data.classes),
        "partitions": [key.folder for key in needs],
        "heads": list(heads.values()),
    }
