"""The work done in this process, one job after the other: for debugging, for tests, and where Ray is not wanted."""

from collections import deque

from sweep.execution.worker import Finished, Job, perform


class InlineExecutor:
    """Yields bit for bit what the pool yields."""

    name = "inline"
    workers = 1
    queue_length = 1

    def __init__(self) -> None:
        self._jobs: deque[tuple[str, Job]] = deque()

    def submit(self, key: str, job: Job) -> None:
        """Take a job; it is done when it is waited for."""
        self._jobs.append((key, job))

    def next_finished(self) -> Finished:
        """Do the oldest job."""
        return perform(*self._jobs.popleft())

    def close(self) -> None:
        """Nothing to let go of."""
