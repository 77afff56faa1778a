"""The table of methods, and what each says of itself. A method is imported when it is asked for."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweep.axes import Axis
from sweep.errors import UserError, list_allowed
from sweep.methods.names import import_object
from sweep.planning.trial import Trial
from sweep.planning.units import WorkUnit

METHODS: Mapping[str, str] = {"probe": "sweep.methods.probe.method:PROBE"}

Work = tuple[Sequence[Trial], Sequence[WorkUnit], float]  # trials, units, cost if every trial were computed alone


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of work unit.

    rank: what comes first among units that can start, the lower the earlier. run: `module:function`, called on a worker
    as `run(settings, arrays) -> Yield`, where arrays are parallel to what the unit needs, and the yielded ones to what
    it makes. noun: counted as `16 fits`. doing: as in `fitting tiny-1-16`. prepare: `module:function`, called on the
    driver as `prepare(plan, unit) -> settings`, where settings are too long to be kept in the plan.
    """

    rank: int
    run: str
    noun: str
    doing: str
    prepare: str = ""


@dataclass(frozen=True, slots=True)
class Method:
    """How the trials of a spec are computed. The functions are pure and take a checked spec.

    list_axes(spec): its axes. make_work(spec, inputs, axes): all its trials and units. list_weights(spec): the
    networks whose weights must be known by content before `make_work`.
    """

    name: str
    kinds: Mapping[str, Kind]
    list_axes: Callable[[Any], tuple[Axis, ...]]
    make_work: Callable[[Any, Any, tuple[Axis, ...]], Work]
    list_weights: Callable[[Any], Collection[Any]]


def find_method(name: str) -> Method:
    """Import a method.

    Raises:
        UserError: there is none of this name.
    """
    if name not in METHODS:
        raise UserError(f"method: {name!r} is unknown {list_allowed(name, METHODS)}")
    method: Method = import_object(METHODS[name])
    return method
