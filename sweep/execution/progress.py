"""How far a run has come."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from sweep.planning.units import DecodeShard, ExtractShard, FitHeads, WorkUnit

NAMED = 2  # backbones named in one line


@dataclass(slots=True)
class Progress:
    """How far a run has come. `left_s` is None until enough has been measured.

    Work is in mult-adds, and includes what earlier runs have done: a resumed run begins where the last one ended.
    """

    trials: int
    done: int
    failed: int
    done_before: int
    units: int
    units_done: int = 0
    elapsed_s: float = 0.0
    left_s: float | None = None
    work: int = 0  # of the whole plan
    work_left: int = 0
    step: str = ""  # what is being done at this moment; changes between two calls of a watch

    @property
    def share(self) -> float:
        """Share of the plan's work that is done: 0 to 1."""
        return 1 - self.work_left / self.work if self.work else 1.0

    @property
    def missing(self) -> int:
        """Trials without a result."""
        return self.trials - self.done - self.failed


Watch = Callable[[Progress], None]


def describe_step(units: Collection[WorkUnit], workers: int) -> str:
    """Return what is being done, for example `extracting mobilenet-1-224, 2 workers busy`."""
    images = sum(len(unit.images) for unit in units if isinstance(unit, DecodeShard))
    extracted = dict.fromkeys(str(unit.backbone) for unit in units if isinstance(unit, ExtractShard))
    fitted = dict.fromkeys(str(unit.backbone) for unit in units if isinstance(unit, FitHeads))
    steps = [f"decoding {count(images, 'image')}"] if images else []
    steps += [f"extracting {_join(extracted)}"] if extracted else []
    steps += [f"fitting {_join(fitted)}"] if fitted else []
    busy = min(len(units), workers)
    return "; ".join(steps) + (f", {count(busy, 'worker')} busy" if workers > 1 and busy else "")


def count(number: int, noun: str) -> str:
    """Return `1 trial` or `1,296 trials`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _join(names: Iterable[str]) -> str:
    named = list(names)
    more = len(named) - NAMED
    return ", ".join(named[:NAMED]) + (f" and {more} more" if more > 0 else "")
