"""How far a run has come."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sweep.methods.table import Kind
from sweep.planning.units import WorkUnit

NAMED = 2  # networks named in one line


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
    work: float = 0.0  # of the whole plan
    work_left: float = 0.0
    step: str = ""  # what is being done at this moment; changes between two calls of a watch
    sent_bytes: int = 0  # by the driver to its workers, in this run
    received_bytes: int = 0

    @property
    def share(self) -> float:
        """Share of the plan's work that is done: 0 to 1."""
        return 1 - self.work_left / self.work if self.work else 1.0

    @property
    def missing(self) -> int:
        """Trials without a result."""
        return self.trials - self.done - self.failed


Watch = Callable[[Progress], None]


def describe_step(units: Iterable[WorkUnit], kinds: Mapping[str, Kind], workers: int) -> str:
    """Return what is being done, for example `decoding 40 images; extracting mobilenet-1-224, 2 workers busy`.

    A unit's settings say what is named: its `label`, or else how many `images` there are.
    """
    labels: dict[str, list[str | int]] = defaultdict(list)
    busy = 0
    for unit in units:
        busy += 1
        labels[unit.kind].append(unit.settings.get("label", unit.settings.get("images", "")))
    steps = [f"{kind.doing} {_join(labels[name])}".rstrip() for name, kind in kinds.items() if name in labels]
    busy = min(busy, workers)
    return "; ".join(steps) + (f", {count(busy, 'worker')} busy" if workers > 1 and busy else "")


def count(number: int, noun: str) -> str:
    """Return `1 trial` or `1,296 trials`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _join(labels: Sequence[str | int]) -> str:
    different = dict.fromkeys(labels)
    images = sum(label for label in labels if isinstance(label, int))
    named = [label for label in different if isinstance(label, str) and label]
    named = [count(images, "image"), *named] if images else named
    more = len(named) - NAMED
    return ", ".join(named[:NAMED]) + (f" and {more} more" if more > 0 else "")
