"""The work done in this process, one job after the other: for debugging, for tests, and where Ray is not wanted."""

from collections import deque
from collections.abc import Iterable
from typing import Any

from sweep.execution.executor import Shelf, Source, Traffic
from sweep.execution.worker import Finished, Job, perform
from sweep.planning.units import ArtifactKey, Resources


class InlineExecutor:
    """Yields bit for bit what the pool yields."""

    name = "inline"
    workers = 1

    def __init__(self) -> None:
        self.traffic = Traffic()  # nothing moves
        self._jobs: deque[tuple[Job, list[Any]]] = deque()

    def open(self, source: Source) -> None:
        """Begin a run."""
        self._shelf = Shelf(source, lambda value: value, shares=True, reaches=True)

    def capacity(self, queue: str) -> int:
        """One job at a time, and none on a GPU."""
        return 0 if queue == "gpu" else 1

    def can_hold(self, resources: Resources) -> bool:
        """Whatever needs no GPU: more CPUs than there are only take longer."""
        return not resources.gpus

    def submit(self, job: Job) -> None:
        """Take a job; it is done when it is waited for."""
        self._jobs.append((job, self._shelf.take(job.needs)))

    def next_finished(self) -> Finished:
        """Do the oldest job."""
        job, given = self._jobs.popleft()
        self._shelf.give_back(job.needs)
        return perform(job, self._shelf.artifacts, *given)

    def drop(self, keys: Iterable[ArtifactKey]) -> None:
        """Let go of inputs that are not needed any more."""
        self._shelf.drop(keys)

    def close(self) -> None:
        """Nothing to let go of."""
