"""The driver's loop: hands work units to an executor and keeps what comes back, exactly once.

It knows units, kinds and artifacts, and nothing of what a kind of unit does.
"""

import logging
import time
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sweep.errors import FatalError, UserError
from sweep.execution.executor import Executor, Source
from sweep.execution.progress import Progress, Watch, count, describe_step
from sweep.execution.provenance import describe_making, describe_surroundings
from sweep.execution.sidecars import Sidecar, merge_facts, read_sidecar, write_with_sidecar
from sweep.execution.worker import Finished, Job, Raised, Trouble
from sweep.identity import identify
from sweep.methods.names import import_object
from sweep.methods.table import Kind
from sweep.outcome import Failure, Success, Yield
from sweep.planning.schedule import Schedule
from sweep.planning.units import ArtifactKey, WorkUnit, estimate_seconds, total_cost
from sweep.store.artifacts import STATES, write_states
from sweep.store.store import Store, UnitRecord

ATTEMPTS = 3  # at a unit whose worker's machine gives way (no memory, no disk, lost), within one run
ESTIMATE_EVERY_S = 1.0  # it asks the store for all units that were ever computed

log = logging.getLogger("sweep")


@dataclass(frozen=True, slots=True)
class Task:
    """What a driver is to do: the units, how each kind is done, and where what they need comes from.

    plan: handed to kinds that prepare their settings. folder: the sweep's.
    """

    plan: Any
    units: Sequence[WorkUnit]
    kinds: Mapping[str, Kind]
    source: Source
    folder: Path


class Driver:
    """One run: the units on their way, and what is done with each when it comes back."""

    def __init__(self, task: Task, store: Store, executor: Executor, progress: Progress, watch: Watch) -> None:
        self._task = task
        self._artifacts = task.source.artifacts
        self._store = store
        self._executor = executor
        self._progress = progress
        self._watch = watch
        self._schedule = Schedule(task.units, {name: kind.rank for name, kind in task.kinds.items()})
        self._left = {unit.key: unit for unit in task.units}
        self._readers = Counter(key for unit in task.units for key in unit.needs)
        self._running: dict[str, WorkUnit] = {}
        self._busy: Counter[str] = Counter()  # running units by queue
        self._again: dict[str, deque[WorkUnit]] = defaultdict(deque)  # by queue
        self._attempts: Counter[str] = Counter()
        self._stop: UserError | FatalError | None = None
        self._run_id = 0
        self._surroundings: dict[str, Any] = {}
        self._sidecars: dict[ArtifactKey, Sidecar] = {}  # read, or made in this run

    def run(self) -> None:
        """Compute the units, in the schedule's order, keeping the executor supplied.

        An error that stops the sweep is raised once all that was under way has come back and is kept.

        Raises:
            UserError: an input is not what it was, or a unit asks for what no machine has.
            FatalError: the driver's disk is full or the workers are lost; what was stored is intact.
        """
        self._refuse_what_cannot_run()
        self._executor.open(self._task.source)
        self._surroundings = describe_surroundings(self._executor.name, self._executor.workers)
        self._run_id = self._store.begin_run(self._surroundings)
        clock = _Clock()
        while True:
            self._submit_ready()
            if not self._running:
                break
            self._progress.step = describe_step(self._running.values(), self._task.kinds, self._executor.workers)
            finished = self._executor.next_finished()
            unit = self._running.pop(finished.key)
            self._busy[unit.resources.queue] -= 1
            self._take(unit, finished)
            self._report(clock)
        moved = self._executor.traffic
        log.info("moved %d bytes to workers, %d bytes back", moved.sent, moved.received)
        if self._stop is not None:
            raise self._stop
        self._store.end_run(self._run_id)

    def _refuse_what_cannot_run(self) -> None:
        for resources in {unit.resources for unit in self._task.units}:
            if not self._executor.can_hold(resources):
                kinds = {unit.kind for unit in self._task.units if unit.resources == resources}
                doing = ", ".join(sorted(self._task.kinds[kind].doing for kind in kinds))
                raise UserError(
                    f"executor {self._executor.name}: no machine has the {resources.cpus:g} CPUs and "
                    f"{resources.gpus:g} GPUs that {doing} takes; join a cluster that has with --address, or take a "
                    "spec that needs less"
                )

    # -- handing out ---------------------------------------------------------------------------------------------

    def _submit_ready(self) -> None:
        """Submit what can start now, and what is to be tried again after it; nothing any more once the sweep stops."""
        while self._stop is None and (unit := self._next_unit()) is not None:
            try:
                self._executor.submit(self._make_job(unit))
            except (UserError, FatalError) as error:  # an image or an array is not what it was
                self._stop = error
                return
            log.info("start %s", unit.key)
            self._attempts[unit.key] += 1
            self._running[unit.key] = unit
            self._busy[unit.resources.queue] += 1

    def _next_unit(self) -> WorkUnit | None:
        """Take a unit of a queue with room. One that is exclusive waits until nothing runs, and then runs alone."""
        if self._busy["exclusive"]:
            return None
        for queue in ("gpu", "cpu", "exclusive"):
            is_barred = queue == "exclusive" and self._running
            if is_barred or self._busy[queue] >= self._executor.capacity(queue):
                continue
            again = self._again[queue]
            unit = self._schedule.next_unit(queue) or (again.popleft() if again else None)
            if unit is not None:
                return unit
        return None

    def _make_job(self, unit: WorkUnit) -> Job:
        kind = self._task.kinds[unit.kind]
        settings = import_object(kind.prepare)(self._task.plan, unit) if kind.prepare else unit.settings
        sidecar = self._describe_making(unit) if unit.makes else Sidecar()
        return Job(unit.key, kind.run, settings, unit.needs, unit.makes, unit.resources, sidecar)

    def _describe_making(self, unit: WorkUnit) -> Sidecar:
        """Return under what a unit's arrays are made, and the facts that what they are made of rests on."""
        found = [self._look_up(key) for key in self._list_artifacts(unit)]
        source = (found[0].provenance or {}) if found else None
        return Sidecar(describe_making(self._surroundings, source), merge_facts(found))

    def _look_up(self, key: ArtifactKey) -> Sidecar:
        """Return what is said beside an artifact, which may lie far away."""
        if key not in self._sidecars:
            self._sidecars[key] = read_sidecar(self._artifacts, key)
        return self._sidecars[key]

    def _list_artifacts(self, unit: WorkUnit) -> list[ArtifactKey]:
        """List what a unit needs that units make; the rest are inputs."""
        return [key for key in unit.needs if key in self._task.source.made]

    # -- taking back ---------------------------------------------------------------------------------------------

    def _take(self, unit: WorkUnit, finished: Finished) -> None:
        """Keep what came back, or try again, or take notice that the sweep is to stop."""
        if isinstance(raised := finished.product, Raised):
            attempts = self._attempts[unit.key]
            if raised.trouble in {Trouble.MISTAKE, Trouble.FATAL}:
                kind = UserError if raised.trouble is Trouble.MISTAKE else FatalError
                self._stop = self._stop or kind(raised.reason)
                return
            if raised.trouble is Trouble.SURROUNDINGS and attempts < ATTEMPTS:
                log.warning("%s: %s; attempt %d of %d", unit.key, raised.reason, attempts, ATTEMPTS)
                self._again[unit.resources.queue].append(unit)
                return
            if raised.trouble is Trouble.SURROUNDINGS:
                finished = replace(finished, product=replace(raised, reason=f"{raised.reason} ({attempts} attempts)"))
        try:
            self._keep(unit, finished)
        except (UserError, FatalError) as error:
            if self._stop is not None:  # the driver's disk is full, and stays so
                raise
            self._stop = error

    def _keep(self, unit: WorkUnit, finished: Finished) -> None:
        """Keep what a unit yielded: files first, then the word of it in the store."""
        product = _check(unit, finished.product)
        record = UnitRecord(
            unit=unit.key,
            kind=unit.kind,
            subject=unit.subject,
            worker=finished.worker,
            cost=unit.cost,
            duration_s=finished.duration_s,
            has_failed=isinstance(product, Raised),
        )
        log.info("end %s after %.2f s on %s", unit.key, finished.duration_s, finished.worker)
        if isinstance(product, Raised):
            self._keep_failure(unit, record, product)
        else:
            self._keep_yield(unit, record, product)
        self._progress.units_done += 1

    def _keep_yield(self, unit: WorkUnit, record: UnitRecord, product: Yield) -> None:
        found = {key: self._look_up(key) for key in self._list_artifacts(unit)}
        facts = {**merge_facts(found.values()), **product.facts}
        if unit.makes:
            sidecar = self._describe_making(unit).learn(product.facts)
            self._sidecars |= dict.fromkeys(unit.makes, sidecar)
            for key, array in zip(unit.makes, product.arrays, strict=False):  # none where the worker has kept them
                write_with_sidecar(self._artifacts, key, array, sidecar)
        if unit.trials:
            for key, said in found.items():
                self._store.save_origin(self._run_id, key.folder, said.provenance)
        states = self._keep_states(product)
        self._store.record(self._run_id, record, product.outcomes, product.series, facts, states)
        failed = sum(isinstance(outcome, Failure) for outcome in product.outcomes)
        self._progress.failed += failed
        self._progress.done += len(product.outcomes) - failed
        self._schedule.finish(unit)
        self._forget(unit)

    def _keep_states(self, product: Yield) -> str | None:
        """Write the states of a unit's trials to one file, named by the trials; return its name, if there are any."""
        outcomes = (outcome for outcome in product.outcomes if isinstance(outcome, Success))
        states = {outcome.trial_id: outcome.state for outcome in outcomes if outcome.state}
        if not states:
            return None
        return write_states(self._task.folder / STATES, identify(sorted(states)), states, self._store.uses_state_file)

    def _keep_failure(self, unit: WorkUnit, record: UnitRecord, raised: Raised) -> None:
        """Record the failure of every trial that stands on the unit, and give up what else stands on it."""
        log.error("%s failed: %s\n%s", unit.key, raised.reason, raised.traceback)
        dropped = self._schedule.drop_dependents(unit)
        outcomes = [Failure(trial.id, raised.reason) for each in (unit, *dropped) for trial in each.trials]
        self._store.record(self._run_id, record, outcomes)
        self._progress.units -= len(dropped)
        self._progress.failed += len(outcomes)
        self._forget(unit, *dropped)

    def _forget(self, *units: WorkUnit) -> None:
        """Take units off the list, and let go of what no unit that is left needs."""
        for unit in units:
            del self._left[unit.key]
            self._readers.subtract(unit.needs)
            self._executor.drop(key for key in unit.needs if not self._readers[key])

    def _report(self, clock: "_Clock") -> None:
        """Say how far the run is; how long it will take is estimated once a second, and at the end."""
        progress = self._progress
        progress.elapsed_s = clock.elapsed_s()
        progress.sent_bytes, progress.received_bytes = self._executor.traffic.sent, self._executor.traffic.received
        left = self._left.values()
        progress.work_left = total_cost(left)
        if clock.is_due() or not left:
            progress.left_s = estimate_seconds(left, self._store.seconds_per_cost(), self._executor.workers)
        self._watch(progress)


class _Clock:
    """Time since the run began, and whether another estimate is due."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._due = self._started

    def elapsed_s(self) -> float:
        return time.monotonic() - self._started

    def is_due(self) -> bool:
        now = time.monotonic()
        is_due = now >= self._due
        self._due = now + ESTIMATE_EVERY_S if is_due else self._due
        return is_due


def _check(unit: WorkUnit, product: Yield | Raised) -> Yield | Raised:
    """Refuse a yield that does not speak of the unit's trials, each once: as a result that fails."""
    if isinstance(product, Raised):
        return product
    yielded, wanted = [outcome.trial_id for outcome in product.outcomes], [trial.id for trial in unit.trials]
    if sorted(yielded) == sorted(wanted):
        return product
    return Raised(f"{unit.kind} yielded {count(len(yielded), 'outcome')} that are not of its {len(wanted)} trials", "")
