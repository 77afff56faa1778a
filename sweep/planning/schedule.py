"""The part of a plan that is still to do, and in which order. Pure: the caller says what is there."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from heapq import heappop, heappush

from sweep.planning.units import ArtifactKey, WorkUnit


def find_missing_units(
    units: Iterable[WorkUnit],
    missing: set[str],
    is_cached: Callable[[ArtifactKey], bool],
    wanted: Iterable[ArtifactKey] = (),
) -> list[WorkUnit]:
    """Walk back from the missing trials: return the units that yield them, and those that make what these need.

    Args:
        units: all there is to do; what one needs is made by earlier ones, or comes from elsewhere.
        missing: ids of the trials without a result.
        is_cached: whether an artifact is there already.
        wanted: artifacts that are asked for besides.
    """
    wanted = {key for key in wanted if not is_cached(key)}
    found = []
    for unit in reversed(list(units)):
        left = unit.only(missing, wanted)
        if left is not None:
            found.append(left)
            wanted |= {key for key in left.needs if not is_cached(key)}
    return found[::-1]


class Schedule:
    """Hands out units whose needs are met, by the rank of their kind (results first), then the largest first."""

    def __init__(self, units: Iterable[WorkUnit], ranks: Mapping[str, int]) -> None:
        self._units = {unit.key: unit for unit in units}
        self._ranks = ranks
        self._order = {unit_key: order for order, unit_key in enumerate(self._units)}
        made = {key for unit in self._units.values() for key in unit.makes}
        self._open = {unit.key: {key for key in unit.needs if key in made} for unit in self._units.values()}
        self._readers: dict[ArtifactKey, list[str]] = defaultdict(list)
        self._ready: dict[str, list[tuple[int, float, int, str]]] = defaultdict(list)  # by queue
        for unit_key, needs in self._open.items():
            for key in needs:
                self._readers[key].append(unit_key)
            if not needs:
                self._push(unit_key)

    @property
    def queues(self) -> list[str]:
        """Names of the queues in which units wait."""
        return [queue for queue, ready in self._ready.items() if ready]

    def next_unit(self, queue: str) -> WorkUnit | None:
        """Take the next unit of a queue that can start now."""
        ready = self._ready[queue]
        while ready:
            unit_key = heappop(ready)[-1]
            if unit_key in self._units:
                return self._units.pop(unit_key)
        return None

    def finish(self, unit: WorkUnit) -> None:
        """Say that a unit's arrays are there now."""
        for key in unit.makes:
            for reader in self._readers[key]:
                self._open[reader].discard(key)
                if not self._open[reader]:
                    self._push(reader)

    def drop_dependents(self, unit: WorkUnit) -> list[WorkUnit]:
        """Give up everything that stands on a unit that failed; return what was given up."""
        readers = [reader for key in unit.makes for reader in self._readers[key]]
        dropped = [dependent for reader in readers if (dependent := self._units.pop(reader, None))]
        return dropped + [further for dependent in dropped for further in self.drop_dependents(dependent)]

    def _push(self, unit_key: str) -> None:
        unit = self._units.get(unit_key)
        if unit is not None:
            place = (self._ranks[unit.kind], -unit.cost, self._order[unit_key], unit_key)
            heappush(self._ready[unit.resources.queue], place)
