"""The axes of the method `probe`, and the points on them, layer by layer. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from sweep.axes import Axis, Layer, Point, Role, Value
from sweep.networks.table import NETWORKS, FeatureKind, Network, Scaling, WeightsSource, pixel_range
from sweep.planning.grid import Axes
from sweep.spec.values import Optimizer, Resize

_LAST = 9  # the order of axes that no tie is broken by in particular


@dataclass(frozen=True, slots=True)
class _Field:
    """An axis before its values are known."""

    name: str
    layer: Layer
    role: Role = Role.COMPARED
    title: str = ""
    unit: str = ""
    order: int = _LAST


FIELDS = (
    _Field("network", Layer.NETWORK),
    _Field("alpha", Layer.NETWORK),
    _Field("resolution", Layer.NETWORK, unit="px"),
    _Field("weights", Layer.NETWORK),
    _Field("features", Layer.NETWORK),
    _Field("resize", Layer.NETWORK),
    _Field("antialias", Layer.NETWORK),
    _Field("scaling", Layer.NETWORK),
    _Field("split", Layer.PARTITION),
    _Field("shuffle", Layer.PARTITION, Role.REPEATED),
    _Field("optimizer", Layer.FIT),
    _Field("learning_rate", Layer.FIT, Role.TUNED, "learning rate", order=1),
    _Field("momentum", Layer.FIT, Role.TUNED, order=3),
    _Field("batch_size", Layer.FIT, Role.TUNED, "batch size", order=2),
    _Field("sampling", Layer.FIT),
    _Field("weight_decay", Layer.FIT, Role.TUNED, "weight decay", order=4),
    _Field("hidden", Layer.FIT, title="hidden layers"),
    _Field("dropout", Layer.FIT, Role.TUNED, order=5),
    _Field("initial_stddev", Layer.FIT, Role.TUNED, "initial stddev", order=6),
    _Field("steps", Layer.READOUT, Role.TUNED, order=0),
)
NAMES = tuple(field.name for field in FIELDS)
OF_LAYER = {layer: tuple(field.name for field in FIELDS if field.layer is layer) for layer in Layer}


@dataclass(frozen=True, slots=True)
class LayeredPoints:
    """The points of a product, layer by layer: each a mapping of the layer's axes. What does not apply is None."""

    networks: tuple[Mapping[str, Value], ...]
    partitions: tuple[Mapping[str, Value], ...]
    fits: tuple[Mapping[str, Value], ...]
    steps: tuple[int, ...]

    @classmethod
    def of(cls, axes: Axes) -> "LayeredPoints":
        """Spell a product out; points that come to the same are one."""
        return cls(
            networks=_list_unique(map(_resolve_network, _cross(axes, Layer.NETWORK))),
            partitions=_list_unique(_cross(axes, Layer.PARTITION)),
            fits=_list_unique(map(_resolve_fit, _cross(axes, Layer.FIT))),
            steps=axes["steps"],  # type: ignore[arg-type]
        )


def list_axes(products: Iterable[LayeredPoints], roles: Mapping[str, Role]) -> tuple[Axis, ...]:
    """Return every axis with all values that any product has on it, in the order of the spec."""
    values: dict[str, dict[Value, None]] = {name: {} for name in NAMES}
    for points in products:
        for point in (*points.networks, *points.partitions, *points.fits):
            for name, value in point.items():
                values[name][value] = None
        values["steps"] |= dict.fromkeys(points.steps)
    return tuple(
        Axis(
            name=field.name,
            values=tuple(values[field.name]),
            role=roles.get(field.name, field.role),
            layer=field.layer,
            title=field.title or field.name,
            unit=field.unit,
            order=field.order,
        )
        for field in FIELDS
    )


def network_of(point: Mapping[str, Value]) -> Network:
    """Return the network of a point."""
    name = str(point["network"])
    return Network.from_json({"name": name, **{axis: point[axis] for axis in NETWORKS[name].axes}})


def pixels_of(point: Mapping[str, Value], source: WeightsSource) -> tuple[float, float]:
    """Return what the pixels 0 and 255 become before the network of a point, whose weights are of a source."""
    return pixel_range(network_of(point), source, Scaling(str(point["scaling"])))


def features_of(point: Mapping[str, Value]) -> FeatureKind:
    """Return which output of the network heads are fitted on."""
    return FeatureKind(str(point["features"]))


def _cross(axes: Axes, layer: Layer) -> Iterator[dict[str, Any]]:
    names = OF_LAYER[layer]
    for values in product(*(axes.get(name) or (None,) for name in names)):
        yield dict(zip(names, values, strict=True))


def _resolve_network(point: dict[str, Any]) -> dict[str, Any]:
    """Take away what does not apply: axes of other networks, and a choice of averaging where there is none."""
    own = NETWORKS[point["network"]].axes
    foreign = {axis for row in NETWORKS.values() for axis in row.axes} - set(own)
    has_choice = point["resize"] == Resize.BILINEAR
    return point | dict.fromkeys(foreign) | ({} if has_choice else {"antialias": None})


def _resolve_fit(point: dict[str, Any]) -> dict[str, Any]:
    """Take away what does not apply: the momentum of others, the initial weights' deviation of hidden layers."""
    gone = {"momentum": point["optimizer"] != Optimizer.MOMENTUM, "initial_stddev": bool(point["hidden"])}
    return point | dict.fromkeys(name for name, is_gone in gone.items() if is_gone)


def _list_unique(points: Iterable[Mapping[str, Value]]) -> tuple[Mapping[str, Value], ...]:
    unique: dict[Point, Mapping[str, Value]] = {}
    for point in points:
        unique.setdefault(tuple(point.values()), point)
    return tuple(unique.values())
