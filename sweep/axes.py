"""Axes, and points on them: what a grid is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Self

Value = str | int | float | bool | tuple[int, ...] | None  # None: the axis does not apply to the point
Point = tuple[Value, ...]  # one value on each axis, in the axes' order


class Role(StrEnum):
    """What an axis is for: all that a report needs to know of it."""

    COMPARED = "compared"  # rows, columns, panels
    TUNED = "tuned"  # chosen on validation
    REPEATED = "repeated"  # the ± is over it


class Layer(IntEnum):
    """How deep a value reaches into the work: all that the planner needs to know of an axis. Set by the method."""

    PARTITION = 0
    NETWORK = 1
    FIT = 2
    READOUT = 3


@dataclass(frozen=True, slots=True)
class Axis:
    """A name with values, a role and a layer.

    `title` and `unit` are how readers call it. Among tuned values that do equally well, the smaller one on the axis of
    the lowest `order` wins: numbers by size, others by their place.
    """

    name: str
    values: tuple[Value, ...]
    role: Role
    layer: Layer
    title: str
    unit: str = ""
    order: int = 0

    @property
    def count(self) -> int:
        """Number of its values, points that it does not apply to aside."""
        return len(self.values) - (None in self.values)

    @property
    def varies(self) -> bool:
        """Whether it has more than one value."""
        return self.count > 1

    def rank(self, value: Value) -> float:
        """Return what values are ordered by."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if is_number else float(self.values.index(value))  # type: ignore[arg-type]

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads, as JSON values."""
        return {
            "name": self.name,
            "values": list(self.values),
            "role": self.role.value,
            "layer": self.layer.name.lower(),
            "title": self.title,
            "unit": self.unit,
            "order": self.order,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` returned."""
        return cls(
            name=values["name"],
            values=tuple(freeze(value) for value in values["values"]),
            role=Role(values["role"]),
            layer=Layer[values["layer"].upper()],
            title=values["title"],
            unit=values["unit"],
            order=values["order"],
        )


def freeze(value: Any) -> Value:
    """Turn a value as JSON has it, with lists, into one as points have it."""
    return tuple(value) if isinstance(value, list) else value


def show_value(value: Value) -> str:
    """Spell a value as labels and tables do: 0.25, 80/10/10, 1024-512, none (no hidden layers), - (does not apply)."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case tuple():
            return "-".join(map(str, value)) or "none"
    return str(value)
