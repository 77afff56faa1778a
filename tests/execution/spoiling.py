"""Executors in this process that hold several jobs, as a pool does, and answer as workers do that have raised."""

from collections import Counter
from dataclasses import replace

from sweep.execution.inline import InlineExecutor
from sweep.execution.worker import Raised


class Roomy(InlineExecutor):
    """Holds some jobs of each queue, as a pool with a GPU does, and remembers what it held at once."""

    def __init__(self):
        super().__init__()
        self.rooms = {"cpu": 4, "gpu": 2, "exclusive": 1}
        self.held = []
        self.together = []

    def capacity(self, queue):
        return self.rooms[queue]

    def can_hold(self, resources):
        return True

    def submit(self, job):
        super().submit(job)
        self.held.append(job)
        self.together.append([each.resources.queue for each in self.held])

    def next_finished(self):
        finished = super().next_finished()
        self.held = [job for job in self.held if job.key != finished.key]
        return finished


class Spoiling(Roomy):
    """Answers for some jobs as a worker does that has raised an error."""

    def __init__(self, trouble, reason, is_spoiled, times=10**9):
        super().__init__()
        self.trouble, self.reason, self.is_spoiled, self.times = trouble, reason, is_spoiled, times
        self.submitted = Counter()

    def submit(self, job):
        self.submitted[job.key] += 1
        super().submit(job)

    def next_finished(self):
        finished = super().next_finished()
        if self.is_spoiled(finished.key) and self.times > 0:
            self.times -= 1
            return replace(finished, product=Raised(self.reason, "traceback", self.trouble))
        return finished
