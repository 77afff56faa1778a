"""Compile a spec into the least work that yields every trial. Pure: no I/O, no clock, no randomness.

    decode (all resolutions of some images) -+-> extract (one network, the same images) -> fit (many heads)
                         convert (one network) -+

Borders of the units are fixed here, by the data set's size alone: they may change the last bit of a result, so they
must not depend on who computes it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from sweep.axes import Value
from sweep.identity import identify, partition_identity
from sweep.inputs import Inputs, Weighted
from sweep.methods.probe.axes import NAMES, LayeredPoints, features_of, list_axes, network_of
from sweep.methods.probe.identity import (
    Identity,
    converted_identity,
    features_identity,
    fit_identity,
    images_identity,
    trial_identity,
    weights_of,
)
from sweep.networks.table import NETWORKS, Network, WeightsSource, count_complexity, feature_width, name_weights
from sweep.planning.grid import list_products
from sweep.planning.plan import Plan, Work
from sweep.planning.trial import Trial
from sweep.planning.units import ArtifactKey, WorkUnit, total_cost
from sweep.spec.schema import Spec

IMAGES_PER_SHARD = 1024
HEADS_PER_FIT = 64
DEEP_HEADS_PER_FIT = 4  # with hidden layers: they are trained one by one
CALIBRATION_IMAGES = 64
DECODE_COST = 4 * 3  # mult-adds per pixel: four neighbours, three channels
CONVERT_COST = 1e9  # of one network, whatever its size: about as long as so many mult-adds take
CALIBRATION = "calibration"


@dataclass
class _Network:
    """A network on the images of a spec, with its trials so far."""

    id: str
    point: Mapping[str, Value]
    trials: list[Trial] = field(default_factory=list)

    @cached_property
    def width(self) -> int:
        """Length of the feature vector of an image."""
        return feature_width(network_of(self.point), features_of(self.point))


def make_work(spec: Spec, inputs: Inputs) -> Work:
    """Expand the grid and group it into work units."""
    products = [LayeredPoints.of(axes) for axes in list_products(spec)]
    axes = list_axes(products, spec.roles)
    networks: dict[str, _Network] = {}
    known: set[str] = set()
    for points in products:
        for point in points.networks:
            network_id = identify(features_identity(inputs, point))
            network = networks.setdefault(network_id, _Network(network_id, point))
            for trial in _expand(network, points):
                if trial.id not in known:
                    known.add(trial.id)
                    network.trials.append(trial)
    images = _Images.of(inputs.data.images)
    units = {unit.key: unit for unit in _decode_units(inputs, networks.values(), images)}
    alone = 0.0
    for network in networks.values():
        convert, extracts = _network_units(inputs, network, images, spec.weights.path)
        fits = list(_fit_units(inputs, network, tuple(key for unit in extracts for key in unit.makes)))
        units |= {unit.key: unit for unit in (convert, *extracts, *fits) if unit.key not in units}
        alone += _cost_alone(inputs, network, convert, extracts)
    trials = tuple(trial for network in networks.values() for trial in network.trials)
    return Work(axes, trials, tuple(units.values()), alone)


def list_weights(spec: Spec) -> tuple[Weighted, ...]:
    """Return every network with the weights that the spec asks for, each once."""
    return tuple(
        dict.fromkeys(
            Weighted(network_of(point), WeightsSource(str(point["weights"])), features_of(point))
            for axes in list_products(spec)
            for point in LayeredPoints.of(axes).networks
        )
    )


def partition_of(trial: Trial) -> Identity:
    """Return the identity of a trial's partition."""
    point = dict(zip(NAMES, trial.point, strict=True))
    return partition_identity(str(point["split"]), int(point["shuffle"]))  # type: ignore[arg-type]


def _expand(network: _Network, points: LayeredPoints) -> Iterator[Trial]:
    """Yield a network's trials, fit by fit."""
    of_network = tuple(network.point.values())
    fits = [(tuple(fit.values()), fit) for fit in points.fits]
    for each in points.partitions:
        partition = partition_identity(str(each["split"]), int(each["shuffle"]))  # type: ignore[arg-type]
        partition_id = identify(partition)
        above = (*of_network, *each.values())
        for values, fit in fits:
            fit_id = identify(fit_identity(network.id, partition, fit))
            start = (*above, *values)
            for steps in points.steps:
                trial_id = identify(trial_identity(fit_id, steps))
                yield Trial(trial_id, fit_id, network.id, partition_id, (*start, steps))


# -- images and networks -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Images:
    """How the images are cut into shards: the name and size of each."""

    total: int
    shards: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, total: int) -> "_Images":
        """Cut into the fewest shards of at most IMAGES_PER_SHARD, as even as can be."""
        count = -(-total // IMAGES_PER_SHARD)
        borders = [total * index // count for index in range(count + 1)]
        return cls(total, tuple((f"{start:07d}-{stop:07d}", stop - start) for start, stop in pairwise(borders)))


def list_positions(part: str, images: int) -> range | list[int]:
    """Return the positions in the data set of the images that a part of an artifact covers."""
    if part == CALIBRATION:
        wanted = min(images, CALIBRATION_IMAGES)
        return [images * index // wanted for index in range(wanted)]
    start, stop = map(int, part.split("-"))
    return range(start, stop)


def _images_key(inputs: Inputs, point: Mapping[str, Value], part: str) -> ArtifactKey:
    return ArtifactKey("images", identify(images_identity(inputs, point)), part)


def _decode_units(inputs: Inputs, networks: Iterable[_Network], images: _Images) -> Iterator[WorkUnit]:
    """Yield a unit for each shard and way of resizing: an image is decoded once for all resolutions."""
    by_way: dict[tuple[Value, Value], dict[Value, Mapping[str, Value]]] = {}
    calibrated: dict[tuple[Value, Value], set[Value]] = {}
    for network in networks:
        point = network.point
        way = point["resize"], point["antialias"]
        by_way.setdefault(way, {}).setdefault(point["resolution"], point)
        if _needs_calibration(inputs, point):
            calibrated.setdefault(way, set()).add(point["resolution"])
    sample = len(list_positions(CALIBRATION, images.total))
    for way, points in by_way.items():
        sides = sorted(points, key=lambda side: -int(side or 0))  # type: ignore[arg-type]
        for part, count in ((CALIBRATION, sample), *images.shards):
            wanted = [points[side] for side in sides if part != CALIBRATION or side in calibrated.get(way, ())]
            if wanted:
                yield _decode_unit(inputs, wanted, part, count)


def _decode_unit(inputs: Inputs, points: Sequence[Mapping[str, Value]], part: str, count: int) -> WorkUnit:
    makes = {_images_key(inputs, point, part): int(point["resolution"]) for point in points}  # type: ignore[arg-type]
    first = next(iter(makes))
    return WorkUnit(
        kind="decode",
        key=f"decode/{first.folder}/{part}",
        needs=(ArtifactKey("files", inputs.data.fingerprint[:16], part),),
        makes=tuple(makes),
        trials=(),
        cost=_decode_cost(makes.values(), count),
        subject="",
        settings={
            "sides": {key.folder: side for key, side in makes.items()},
            "resize": points[0]["resize"],
            "antialias": bool(points[0]["antialias"]),
            "images": count,
        },
    )


def _decode_cost(sides: Iterable[int], count: int) -> float:
    return float(count * DECODE_COST * sum(side**2 for side in sides))


def _needs_calibration(inputs: Inputs, point: Mapping[str, Value]) -> bool:
    """Whether batch norm must be set to the images, as random weights' is."""
    is_deep = bool(NETWORKS[str(point["network"])].builder)
    return is_deep and weights_of(inputs, point).source is WeightsSource.RANDOM


def _weights_key(inputs: Inputs, point: Mapping[str, Value]) -> ArtifactKey:
    """Name a network's weights by their content, and by what the spec asks for."""
    name = f"{network_of(point)} {point['weights']} {point['features']}"
    return ArtifactKey("weights", weights_of(inputs, point).sha256[:16], name)


def _network_units(
    inputs: Inputs, network: _Network, images: _Images, path: str | None
) -> tuple[WorkUnit, list[WorkUnit]]:
    """Make the unit that converts a network, and those that run it over all images."""
    point, name = network.point, network_of(network.point)
    weights = weights_of(inputs, point)
    calibration = (_images_key(inputs, point, CALIBRATION),) if _needs_calibration(inputs, point) else ()
    converted_id = identify(converted_identity(inputs, point, is_calibrated=bool(calibration)))
    converted = ArtifactKey("networks", converted_id, "model")
    convert = WorkUnit(
        kind="convert",
        key=f"convert/{converted.folder}",
        needs=(_weights_key(inputs, point), *calibration),
        makes=(converted,),
        trials=(),
        cost=CONVERT_COST,
        subject=converted_id,
        settings={
            "network": name.to_json(),
            "features": point["features"],
            "source": weights.source.value,
            "name": name_weights(weights.source, path, features_of(point), name),
            "scaling": point["scaling"],
            "subject": converted_id,
            "label": str(name),
        },
    )
    mult_adds = count_complexity(name).mult_adds
    extracts = [
        WorkUnit(
            kind="extract",
            key=f"extract/{network.id}/{part}",
            needs=(_images_key(inputs, point, part), converted),
            makes=(ArtifactKey("features", network.id, part),),
            trials=(),
            cost=float(count * mult_adds),
            subject=network.id,
            settings={
                "network_id": network.id,
                "converted": converted.folder,
                "label": str(name),
                "images": count,
                "width": network.width,
            },
        )
        for part, count in images.shards
    ]
    return convert, extracts


# -- heads -------------------------------------------------------------------------------------------------------


def _fit_units(inputs: Inputs, network: _Network, features: tuple[ArtifactKey, ...]) -> Iterator[WorkUnit]:
    """Yield fits of at most HEADS_PER_FIT heads, of whole partitions where the heads of one are not more."""
    labels = ArtifactKey("labels", inputs.data.fingerprint[:16], "all")
    for heads in _group_heads(network):
        trials = tuple(trial for head in heads for trial in head)
        partitions = dict.fromkeys(trial.partition_id for trial in trials)
        yield WorkUnit(
            kind="fit",
            key=f"fit/{trials[0].fit_id}",
            needs=(*features, labels, *(ArtifactKey("partitions", each, "all") for each in partitions)),
            makes=(),
            trials=trials,
            cost=sum(_fit_cost(inputs, network.width, head) for head in heads),
            subject=network.id,
            settings={
                "label": str(network_of(network.point)),
                "width": network.width,
            },
        )


def _group_heads(network: _Network) -> Iterator[list[list[Trial]]]:
    """Group a network's trials into heads, and those into what is fitted together; heads of a partition stay so."""
    heads: dict[str, list[Trial]] = {}
    for trial in network.trials:
        heads.setdefault(trial.fit_id, []).append(trial)
    for are_deep, most in ((False, HEADS_PER_FIT), (True, DEEP_HEADS_PER_FIT)):
        of_partition: dict[str, list[list[Trial]]] = {}
        for head in heads.values():
            if bool(head[0].point[_HIDDEN]) is are_deep:
                of_partition.setdefault(head[0].partition_id, []).append(head)
        group: list[list[Trial]] = []
        for own in of_partition.values():
            if group and len(own) <= most < len(group) + len(own):
                yield group
                group = []
            group += own
            while len(group) > most:
                yield group[:most]
                group = group[most:]
        if group:
            yield group


_HIDDEN, _BATCH, _STEPS = (NAMES.index(name) for name in ("hidden", "batch_size", "steps"))


def _fit_cost(inputs: Inputs, width: int, head: Sequence[Trial]) -> float:
    """Mult-adds of fitting a head up to its last read-out."""
    steps: list[int] = [trial.point[_STEPS] for trial in head]  # type: ignore[misc]
    return _step_cost(inputs, width, head[0]) * max(steps)


def _step_cost(inputs: Inputs, width: int, trial: Trial) -> float:
    """Mult-adds of one gradient step of one head: the batch forward, and backward to weights and lower layers."""
    layers = [above * below for below, above in pairwise(_widths(width, trial, inputs.data.classes))]
    return float((2 * layers[0] + 3 * sum(layers[1:])) * int(trial.point[_BATCH]))  # type: ignore[arg-type]


def _widths(width: int, trial: Trial, classes: Sequence[str]) -> tuple[int, ...]:
    """Return the widths of a head's layers, from the features to the classes."""
    hidden: tuple[int, ...] = trial.point[_HIDDEN]  # type: ignore[assignment]
    return (width, *hidden, len(classes))


def _cost_alone(inputs: Inputs, network: _Network, convert: WorkUnit, extracts: Sequence[WorkUnit]) -> float:
    """Cost of a network's trials one by one: each decodes, converts, extracts and fits its own head."""
    decode = _decode_cost([int(network.point["resolution"])], inputs.data.images)  # type: ignore[arg-type]
    whole = decode + convert.cost + total_cost(extracts)
    return sum(whole + _fit_cost(inputs, network.width, [trial]) for trial in network.trials)


def measure_bytes(plan: Plan, unit: WorkUnit) -> int:
    """Bytes that a unit writes: pixels, a network, float32 features, or about what heads score and weigh."""
    data = plan.inputs.data
    match unit.kind:
        case "decode":
            sides = unit.settings["sides"]
            return sum(int(unit.settings["images"] * 3 * sides[key.folder] ** 2) for key in unit.makes)
        case "convert":
            return 4 * count_complexity(Network.from_json(unit.settings["network"])).parameters
        case "extract":
            return int(4 * unit.settings["images"] * unit.settings["width"])
    scored = len(data.classes) * data.images // 2  # validation and test images
    width = int(unit.settings["width"])
    layers = (pair for trial in unit.trials for pair in pairwise(_widths(width, trial, data.classes)))
    return 4 * (scored * len(unit.trials) + sum(below * above for below, above in layers))
