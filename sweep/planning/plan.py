"""A plan: all trials and work units of a spec."""

from dataclasses import dataclass

from sweep.axes import Axis
from sweep.inputs import Inputs
from sweep.planning.trial import Trial
from sweep.planning.units import WorkUnit, total_cost
from sweep.spec.schema import Spec


@dataclass(frozen=True, slots=True)
class Work:
    """What a method makes of a spec: its axes, every trial, and the least work that yields them, makers before readers.

    `alone_cost`, in mult-adds, is what the trials would cost one by one, sharing nothing.
    """

    axes: tuple[Axis, ...]
    trials: tuple[Trial, ...]
    units: tuple[WorkUnit, ...]
    alone_cost: float


@dataclass(frozen=True, slots=True)
class Plan:
    """A spec with its inputs, and the work that they come to."""

    spec: Spec
    inputs: Inputs
    work: Work

    @property
    def axes(self) -> tuple[Axis, ...]:
        """All axes, also those of one value."""
        return self.work.axes

    @property
    def trials(self) -> tuple[Trial, ...]:
        """All trials, in the order of the grid."""
        return self.work.trials

    @property
    def units(self) -> tuple[WorkUnit, ...]:
        """All work units, makers before readers."""
        return self.work.units

    @property
    def shared_cost(self) -> float:
        """Cost of the work units."""
        return total_cost(self.units)

    @property
    def saving(self) -> float:
        """How many times less work the plan is than its trials one by one."""
        return self.work.alone_cost / self.shared_cost
