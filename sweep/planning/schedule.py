"""The part of a plan that is still to do, and in which order. Pure: the caller says what is there."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from heapq import heappop, heappush

from sweep.planning.expand import Plan
from sweep.planning.units import ArtifactKey, DecodeShard, ExtractShard, FitHeads, WorkUnit

_RANK = {FitHeads: 0, DecodeShard: 1, ExtractShard: 2}  # results first, then what everything waits for


def find_missing_units(plan: Plan, missing: set[str], is_cached: Callable[[ArtifactKey], bool]) -> list[WorkUnit]:
    """Return the units that yield the missing trials, without those whose arrays are cached.

    Args:
        plan: all there is to do.
        missing: ids of the trials without a result.
        is_cached: whether an array is there already.
    """
    fits = [fit for unit in plan.units if isinstance(unit, FitHeads) and (fit := unit.only(missing))]
    features = {key for fit in fits for key in fit.features if not is_cached(key)}
    extracts = [unit for unit in plan.units if isinstance(unit, ExtractShard) and unit.output in features]
    images = {key for unit in extracts for key in needs_of(unit) if not is_cached(key)}
    decodes = [decode for unit in plan.units if isinstance(unit, DecodeShard) and (decode := unit.only(images))]
    return [*decodes, *extracts, *fits]


def needs_of(unit: WorkUnit) -> tuple[ArtifactKey, ...]:
    """Return the arrays a unit reads."""
    if isinstance(unit, FitHeads):
        return unit.features
    if isinstance(unit, ExtractShard):
        return (unit.images,) if unit.calibration is None else (unit.images, unit.calibration)
    return ()


def outputs_of(unit: WorkUnit) -> tuple[ArtifactKey, ...]:
    """Return the arrays a unit makes."""
    if isinstance(unit, DecodeShard):
        return tuple(key for _, key in unit.outputs)
    return (unit.output,) if isinstance(unit, ExtractShard) else ()


class Schedule:
    """Hands out units whose needs are met: fits first, then decoding, then the largest extraction."""

    def __init__(self, units: Iterable[WorkUnit]) -> None:
        self._units = {unit.key: unit for unit in units}
        self._order = {unit_key: order for order, unit_key in enumerate(self._units)}
        made = {key for unit in self._units.values() for key in outputs_of(unit)}
        self._open = {unit.key: {key for key in needs_of(unit) if key in made} for unit in self._units.values()}
        self._readers: dict[ArtifactKey, list[str]] = defaultdict(list)
        self._ready: list[tuple[int, int, int, str]] = []
        for unit_key, needs in self._open.items():
            for key in needs:
                self._readers[key].append(unit_key)
            if not needs:
                self._push(unit_key)

    def next_unit(self) -> WorkUnit | None:
        """Take the next unit that can start now."""
        while self._ready:
            unit_key = heappop(self._ready)[-1]
            if unit_key in self._units:
                return self._units.pop(unit_key)
        return None

    def finish(self, unit: WorkUnit) -> None:
        """Say that a unit's arrays are there now."""
        for key in outputs_of(unit):
            for reader in self._readers[key]:
                self._open[reader].discard(key)
                if not self._open[reader]:
                    self._push(reader)

    def drop_dependents(self, unit: WorkUnit) -> list[WorkUnit]:
        """Give up everything that stands on a unit that failed; return what was given up."""
        readers = [reader for key in outputs_of(unit) for reader in self._readers[key]]
        dropped = [dependent for reader in readers if (dependent := self._units.pop(reader, None))]
        return dropped + [further for dependent in dropped for further in self.drop_dependents(dependent)]

    def _push(self, unit_key: str) -> None:
        unit = self._units.get(unit_key)
        if unit is not None:
            heappush(self._ready, (_RANK[type(unit)], -unit.cost, self._order[unit_key], unit_key))
