"""Work units: trials that are computed together, and the steps they stand on. One class for all kinds of work."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from sweep.planning.trial import Trial


@dataclass(frozen=True, slots=True)
class ArtifactKey:
    """Names an array: `folder` is a hash of all it depends on, `part` what it covers, for example some images."""

    kind: str  # for example "images" or "features"
    folder: str
    part: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.folder}/{self.part}"


@dataclass(frozen=True, slots=True)
class Resources:
    """What a unit takes of its worker's machine. `is_exclusive`: nothing else may run there, as for latencies."""

    cpus: float = 1.0
    gpus: float = 0.0
    is_exclusive: bool = False

    @property
    def queue(self) -> str:
        """Name the queue that the unit waits in."""
        return "exclusive" if self.is_exclusive else "gpu" if self.gpus else "cpu"


@dataclass(frozen=True, slots=True)
class WorkUnit:
    """A piece of work: `kind` says what is done, `settings` (JSON values) and the artifacts it `needs` with what.

    key: names the unit in the store. makes: artifacts, in the order in which its arrays come back. trials: those whose
    outcomes it yields. cost: in mult-adds. subject: what facts and seconds are about, for example a network's id.
    """

    kind: str
    key: str
    needs: tuple[ArtifactKey, ...]
    makes: tuple[ArtifactKey, ...]
    trials: tuple[Trial, ...]
    cost: float
    subject: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    resources: Resources = Resources()

    def only(self, trials: set[str], artifacts: set[ArtifactKey]) -> Self | None:
        """Return the unit for the trials (ids) and artifacts that are missing; None where it yields none of them."""
        kept = tuple(trial for trial in self.trials if trial.id in trials)
        made = tuple(key for key in self.makes if key in artifacts)
        whole, part = len(self.trials) + len(self.makes), len(kept) + len(made)
        return replace(self, trials=kept, makes=made, cost=self.cost * part / whole) if part else None


def total_cost(units: Iterable[WorkUnit]) -> float:
    """Sum of mult-adds."""
    return sum(unit.cost for unit in units)


def estimate_seconds(units: Iterable[WorkUnit], seconds_per_cost: Mapping[str, float], workers: int) -> float | None:
    """Seconds that the units will take, from what each kind took per mult-add; None before anything telling is known.

    A kind that was never measured is left out, unless most of the cost is of that kind.
    """
    costs: dict[str, float] = defaultdict(float)
    for unit in units:
        costs[unit.kind] += unit.cost
    if costs and max(costs, key=lambda kind: costs[kind]) not in seconds_per_cost:
        return None
    return sum(cost * seconds_per_cost.get(kind, 0.0) for kind, cost in costs.items()) / workers
