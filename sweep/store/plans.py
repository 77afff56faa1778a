"""Plans as the store keeps them: points as JSON objects, and back."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import Any

from sweep.axes import Axis, Point, Value, freeze
from sweep.planning.trial import Trial

TRIALS_AT_A_TIME = 5_000  # points that are read as one JSON text: faster than each for itself, small beside them all


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan as it was kept. `spec` and `inputs` are JSON objects; images: where the images lay."""

    method: str
    spec: dict[str, Any]
    inputs: dict[str, Any]
    axes: tuple[Axis, ...]
    trials: tuple[Trial, ...]
    images: str


def hash_trials(trials: Iterable[Trial]) -> str:
    """64 hex digits that name the trials and their order."""
    return sha256("\n".join(trial.id for trial in trials).encode()).hexdigest()


def read_object(text: str) -> dict[str, Any]:
    """Read a JSON object. Raises ValueError or TypeError where it is none."""
    values = json.loads(text)
    if not isinstance(values, dict):
        raise ValueError(f"a JSON object was expected, not {text[:40]}")  # noqa: TRY004 - the text has a wrong value
    return values


def pack_axes(axes: Iterable[Axis]) -> str:
    """Write axes as JSON."""
    return json.dumps([axis.to_json() for axis in axes])


def unpack_axes(text: str) -> tuple[Axis, ...]:
    """Read what `pack_axes` wrote. Raises ValueError, TypeError or KeyError where it is damaged."""
    return tuple(Axis.from_json(values) for values in json.loads(text))


def pack_trials(trials: Iterable[Trial], axes: Sequence[Axis], method: str) -> Iterator[tuple[str, ...]]:
    """Yield rows of the table `trials`."""
    names = [axis.name for axis in axes]
    dump = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
    for trial in trials:
        point = dump(dict(zip(names, trial.point, strict=True)))
        yield trial.id, trial.fit_id, trial.network_id, trial.partition_id, method, point


def unpack_trials(rows: Iterable[tuple[str, str, str, str, str]], axes: Sequence[Axis]) -> Iterator[Trial]:
    """Yield trials from rows (id, fit, network, partition, point). Equal texts and values are one object in memory.

    Raises ValueError or TypeError where a row is damaged.
    """
    rows = iter(rows)
    texts: dict[str, str] = {}
    share = texts.setdefault
    points = _PointReader(axes)
    while chunk := list(islice(rows, TRIALS_AT_A_TIME)):
        for row, point in zip(chunk, points.read([row[-1] for row in chunk]), strict=True):
            trial_id, fit_id, network_id, partition_id, _ = row
            yield Trial(
                trial_id, share(fit_id, fit_id), share(network_id, network_id), share(partition_id, partition_id), point
            )


class _PointReader:
    """Reads points, each parallel to the axes; an axis that a point does not name is None."""

    def __init__(self, axes: Sequence[Axis]) -> None:
        self._names = [axis.name for axis in axes]
        self._values: dict[tuple[type, Value], Value] = {}

    def read(self, texts: Sequence[str]) -> Iterator[Point]:
        """Yield the point of each JSON object."""
        share = self._values.setdefault
        for values in json.loads(f"[{','.join(texts)}]"):
            if not isinstance(values, dict):
                raise ValueError(f"a point was expected, not {str(values)[:40]}")  # noqa: TRY004 - as above
            frozen = [freeze(values.get(name)) for name in self._names]
            yield tuple([share((value.__class__, value), value) for value in frozen])  # 1 and 1.0 are two values
