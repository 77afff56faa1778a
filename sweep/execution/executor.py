"""The contract between the driver's loop and whoever does the work."""

from typing import Protocol

from sweep.execution.worker import Finished, Job


class Executor(Protocol):
    """Takes jobs and yields them finished, in any order. One contract test suite runs on every implementation."""

    name: str
    workers: int
    queue_length: int  # jobs it can usefully hold: those being done and those at hand for a worker that gets free

    def submit(self, key: str, job: Job) -> None:
        """Take a job. `key` comes back with what it yields."""
        ...

    def next_finished(self) -> Finished:
        """Wait for any submitted job to end. What a job raised is its product.

        Raises:
            FatalError: the workers are lost, and with them all that was submitted.
        """
        ...

    def close(self) -> None:
        """Let go of the workers; jobs that are not finished are given up."""
        ...
