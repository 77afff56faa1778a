"""How far a run has come."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Progress:
    """How far a run has come. `left_s` is None until enough has been measured."""

    trials: int
    done: int
    failed: int
    done_before: int
    units: int
    units_done: int = 0
    elapsed_s: float = 0.0
    left_s: float | None = None

    @property
    def missing(self) -> int:
        """Trials without a result."""
        return self.trials - self.done - self.failed


Watch = Callable[[Progress], None]
