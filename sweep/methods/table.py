"""The table of methods, and what each says of itself. A method is imported when it is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sweep.inputs import Inputs, Weighted
from sweep.methods.names import import_object
from sweep.planning.plan import Plan, Work
from sweep.planning.trial import Trial
from sweep.planning.units import WorkUnit
from sweep.spec.schema import Spec

METHODS: Mapping[str, str] = {"probe": "sweep.methods.probe.method:PROBE"}


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

    make_work: its axes, trials and units. list_weights: the networks whose weights must be known by content before.
    partition_of: the identity of a trial's partition. list_positions: which images a part of an artifact covers.
    measure_bytes: about what a unit writes. score_files: `module:function` that applies a trial's state to image files.
    """

    name: str
    kinds: Mapping[str, Kind]
    make_work: Callable[[Spec, Inputs], Work]
    list_weights: Callable[[Spec], tuple[Weighted, ...]]
    partition_of: Callable[[Trial], dict[str, Any]]
    list_positions: Callable[[str, int], "range | list[int]"]
    measure_bytes: Callable[[Plan, WorkUnit], int]
    score_files: str


def find_method(name: str) -> Method:
    """Import a method; the spec has checked its name."""
    method: Method = import_object(METHODS[name])
    return method


def make_plan(spec: Spec, inputs: Inputs) -> Plan:
    """Compile a spec into the least work that yields every trial."""
    return Plan(spec, inputs, find_method(spec.method).make_work(spec, inputs))
