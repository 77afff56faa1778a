"""The contract between the driver's loop and whoever does the work."""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from sweep.execution.worker import ByName, Finished, Job
from sweep.planning.units import ArtifactKey, Resources
from sweep.store.artifacts import Artifacts

WORD_BYTES = 8  # of a number, on the way


@dataclass(slots=True)
class Traffic:
    """Bytes that have left the driver and come to it: arrays, files and scores to the byte, the rest about so."""

    sent: int = 0
    received: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """Where the driver finds what jobs need: arrays that some unit makes among the artifacts, the rest from `supply`.

    supply: raises UserError or FatalError where an input is not what it was. inputs: where those lie that are named.
    """

    artifacts: Artifacts
    supply: Callable[[ArtifactKey], Any]
    made: Collection[ArtifactKey] = field(default_factory=frozenset)
    inputs: Path | None = None

    def read(self, key: ArtifactKey) -> Any:
        """Open an array without reading it, or get an input, perhaps by name."""
        return self.artifacts.read(key) if key in self.made else self.supply(key)


class Executor(Protocol):
    """Takes jobs and yields them finished, in any order. One contract test suite runs on every implementation."""

    name: str
    workers: int
    traffic: Traffic

    def open(self, source: Source) -> None:
        """Begin a run: what jobs need is taken from `source`."""
        ...

    def capacity(self, queue: str) -> int:
        """Jobs of a queue that it can usefully hold: those being done and those at hand for a worker that gets free."""
        ...

    def can_hold(self, resources: Resources) -> bool:
        """Whether any one of its machines has so much."""
        ...

    def submit(self, job: Job) -> None:
        """Take a job.

        Raises:
            UserError, FatalError: what it needs cannot be read, or the workers are lost.
        """
        ...

    def next_finished(self) -> Finished:
        """Wait for any submitted job to end. What a job raised is its product.

        Raises:
            FatalError: the workers are lost, and with them all that was submitted.
        """
        ...

    def drop(self, keys: Iterable[ArtifactKey]) -> None:
        """Let go of what no job will need any more."""
        ...

    def close(self) -> None:
        """Let go of the workers; jobs that are not finished are given up."""
        ...


class Shelf:
    """What the driver gives along with jobs: each thing once, kept until no job needs it any more, or room is short.

    place: puts a value where workers find it, and returns what stands for it. shares: whether workers open artifacts
    themselves; reaches: whether they reach inputs that are named. room_bytes: for all that is placed; where jobs need
    more at a time, they get it.
    """

    def __init__(
        self,
        source: Source,
        place: Callable[[Any], Any],
        *,
        shares: bool,
        reaches: bool,
        room_bytes: float = math.inf,
    ) -> None:
        self._source = source
        self._place = place
        self._shares = shares
        self._reaches = reaches
        self._room_bytes = room_bytes
        self._placed: dict[ArtifactKey, tuple[Any, int]] = {}  # with bytes; what was taken last comes last
        self._bytes = 0
        self._in_use: Counter[ArtifactKey] = Counter()

    @property
    def artifacts(self) -> Artifacts | None:
        """Where workers open artifacts themselves, if they do."""
        return self._source.artifacts if self._shares else None

    @property
    def is_full(self) -> bool:
        """Whether there is no room for more than jobs are using."""
        return self._bytes > self._room_bytes

    def take(self, keys: Sequence[ArtifactKey]) -> list[Any]:
        """Return what stands for each, for one job; None for an artifact that workers open themselves."""
        taken = [None if self._shares and key in self._source.made else self._find(key) for key in keys]
        self._in_use.update(keys)
        self._make_room()
        return taken

    def give_back(self, keys: Iterable[ArtifactKey]) -> None:
        """Say that a job needs them no more; the next one may."""
        for key in keys:
            self._in_use[key] -= 1
            if not self._in_use[key]:
                del self._in_use[key]

    def drop(self, keys: Iterable[ArtifactKey]) -> None:
        """Forget what was placed; who asks again places it anew."""
        for key in keys:
            self._bytes -= self._placed.pop(key, (None, 0))[1]

    def _find(self, key: ArtifactKey) -> Any:
        if key in self._placed:
            self._placed[key] = self._placed.pop(key)
        else:
            value = self._source.read(key)
            if isinstance(value, ByName) and not self._reaches:
                value = value.fetch()
            self._placed[key] = self._place(value), measure_bytes(value)
            self._bytes += self._placed[key][1]
        return self._placed[key][0]

    def _make_room(self) -> None:
        """Drop what was taken longest ago and is not in use."""
        if self.is_full:
            for key in [key for key in self._placed if key not in self._in_use]:
                if self.is_full:
                    self.drop([key])


def measure_bytes(value: Any) -> int:
    """Bytes of all arrays, files and texts in a value; a number counts as one word."""
    match value:
        case np.ndarray():
            return int(value.nbytes)
        case bytes() | str():
            return len(value)
        case Mapping():
            return sum(measure_bytes(each) for pair in value.items() for each in pair)
        case tuple() | list() | set() | frozenset():
            return sum(map(measure_bytes, value))
    parts = [getattr(value, each.name) for each in fields(value)] if is_dataclass(value) else []
    return sum(map(measure_bytes, parts)) if parts else WORD_BYTES
