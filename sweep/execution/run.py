"""The driver's loop: hands work units to an executor and keeps what comes back, exactly once."""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

from numpy.typing import NDArray

from sweep.data.files import remove_leftovers, write_beside
from sweep.data.splits import Partition, partition_images
from sweep.errors import FatalError, UserError
from sweep.execution.executor import Executor
from sweep.execution.folders import refuse_to_leave_out
from sweep.execution.progress import Progress, Watch, describe_step
from sweep.execution.provenance import describe_making, describe_surroundings
from sweep.execution.resolve import Prepared, open_weights
from sweep.execution.worker import DecodeJob, Extraction, ExtractJob, Finished, FitJob, Job, Raised, Trouble
from sweep.features.cache import ArrayCache
from sweep.outcome import Failure
from sweep.planning.schedule import Schedule, find_missing_units, outputs_of
from sweep.planning.trial import partition_identity
from sweep.planning.units import DecodeShard, ExtractShard, FitHeads, WorkUnit, estimate_seconds, total_cost
from sweep.spec.load import dump_spec
from sweep.spec.values import Split
from sweep.store.lock import hold_lock
from sweep.store.store import Store, UnitRecord
from sweep.store.stored_plan import split_outcomes
from sweep.training.heads import FittedHeads

SPEC_NAME = "spec.yaml"  # the resolved spec, for people; the store's copy is the one that counts
PARTITIONS_AT_HAND = 1024  # 8 bytes an image each; every backbone asks for all of them again
WEIGHTS_AT_HAND = 2  # backbones under way at a time: their shards come one after the other
ATTEMPTS = 3  # at a unit whose worker's machine gives way (no memory, no disk), within one run

log = logging.getLogger("sweep")


def run_sweep(
    prepared: Prepared, make_executor: Callable[[], Executor], watch: Watch, *, retry_failed: bool = False
) -> Progress:
    """Compute every missing trial of a prepared sweep and return how it ended.

    The executor is made only where there is work. A failed trial is left alone unless `retry_failed`.

    Raises:
        UserError: another process runs this sweep, trials that it stores are not in the plan, or a file is damaged.
        FatalError: the driver's disk is full or the workers are lost; what was stored is intact.
        KeyboardInterrupt: passed on once the workers have been let go.
    """
    plan = prepared.plan
    prepared.folder.mkdir(parents=True, exist_ok=True)
    with hold_lock(prepared.folder), Store.open(prepared.folder) as store:
        refuse_to_leave_out(store, plan)
        store.save_spec(plan.spec.model_dump(mode="json"), plan.inputs.to_json(), str(prepared.images.resolve()))
        with write_beside(prepared.folder / SPEC_NAME) as file:
            file.write(dump_spec(plan.spec).encode())
        remove_leftovers(ArrayCache(prepared.cache).root)
        store.save_images(plan.inputs.data.fingerprint, prepared.data.images)
        done, failed = split_outcomes(store, plan)
        if retry_failed:
            failed = set()
        missing = {trial.id for trial in plan.trials} - done - failed
        units = find_missing_units(plan, missing, ArrayCache(prepared.cache).has)
        progress = Progress(len(plan.trials), len(done), len(failed), len(done), len(units))
        progress.work, progress.work_left = plan.shared_cost, total_cost(units)
        watch(progress)
        if units:
            executor = make_executor()
            try:
                Driver(prepared, store, executor, progress, watch).run(units)
            finally:
                progress.step = "letting go of the workers"
                executor.close()
        return progress


class Driver:
    """One run: the units on their way, and what is done with each when it comes back."""

    def __init__(self, prepared: Prepared, store: Store, executor: Executor, progress: Progress, watch: Watch) -> None:
        self._prepared = prepared
        self._store = store
        self._cache = ArrayCache(prepared.cache)
        self._executor = executor
        self._progress = progress
        self._watch = watch
        self._left: dict[str, WorkUnit] = {}
        self._running: dict[str, WorkUnit] = {}
        self._again: deque[WorkUnit] = deque()
        self._attempts: Counter[str] = Counter()
        self._stop: UserError | FatalError | None = None
        self._schedule = Schedule(())
        self._run_id = 0
        self._surroundings: dict[str, Any] = {}
        self._partition = lru_cache(PARTITIONS_AT_HAND)(self._make_partition)
        self._weights = lru_cache(WEIGHTS_AT_HAND)(partial(open_weights, prepared))

    def run(self, units: Sequence[WorkUnit]) -> None:
        """Compute the units, in the schedule's order, keeping the executor supplied.

        An error that stops the sweep is raised once all that was under way has come back and is kept.
        """
        self._schedule = Schedule(units)
        self._left = {unit.key: unit for unit in units}
        self._surroundings = describe_surroundings(self._executor.name, self._executor.workers)
        self._run_id = self._store.begin_run(self._surroundings)
        started = time.monotonic()
        while True:
            self._submit_ready()
            if not self._running:
                break
            self._progress.step = describe_step(self._running.values(), self._executor.workers)
            finished = self._executor.next_finished()
            self._take(self._running.pop(finished.key), finished)
            self._progress.elapsed_s = time.monotonic() - started
            self._progress.work_left = total_cost(self._left.values())
            pace = self._store.seconds_per_cost()
            self._progress.left_s = estimate_seconds(self._left.values(), pace, self._executor.workers)
            self._watch(self._progress)
        if self._stop is not None:
            raise self._stop
        self._store.end_run(self._run_id)

    def _submit_ready(self) -> None:
        """Submit what can start now, and what is to be tried again after it; nothing any more once the sweep stops."""
        while self._stop is None and len(self._running) < self._executor.queue_length:
            unit = self._schedule.next_unit() or (self._again.popleft() if self._again else None)
            if unit is None:
                return
            try:
                job = self._make_job(unit)
            except (UserError, FatalError) as error:  # an image or an array is not what it was
                self._stop = error
                return
            log.info("start %s", unit.key)
            self._attempts[unit.key] += 1
            self._running[unit.key] = unit
            self._executor.submit(unit.key, job)

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
                self._again.append(unit)
                return
            if raised.trouble is Trouble.SURROUNDINGS:
                finished = replace(finished, product=replace(raised, reason=f"{raised.reason} ({attempts} attempts)"))
        try:
            self._keep(unit, finished)
        except (UserError, FatalError) as error:
            if self._stop is not None:  # the driver's disk is full, and stays so
                raise
            self._stop = error

    def _make_job(self, unit: WorkUnit) -> Job:
        plan, data = self._prepared.plan, self._prepared.data
        if isinstance(unit, DecodeShard):
            resolutions = tuple(resolution for resolution, _ in unit.outputs)
            return DecodeJob(data.read(unit.images), resolutions, plan.spec.data.antialias)
        if isinstance(unit, ExtractShard):
            return ExtractJob(
                network=unit.output.folder,
                backbone=unit.backbone,
                kind=plan.spec.features,
                weights=self._weights(unit.backbone),
                images=self._cache.read(unit.images),
                calibration=self._cache.read(unit.calibration) if unit.calibration else None,
            )
        return FitJob(
            trials=unit.trials,
            shards=[self._cache.read(key) for key in unit.features],
            labels=data.images.labels,
            classes=len(data.summary.classes),
            partitions={
                (trial.split, trial.shuffle): self._partition(trial.split, trial.shuffle) for trial in unit.trials
            },
            training=plan.spec.training,
        )

    def _make_partition(self, split: Split, shuffle: int) -> Partition:
        data = self._prepared.data
        partition = partition_images(data.images.labels, data.summary.fingerprint, split, shuffle)
        self._store.save_partition(data.summary.fingerprint, partition_identity(split, shuffle), partition)
        return partition

    def _keep(self, unit: WorkUnit, finished: Finished) -> None:
        """Keep what a unit yielded: arrays in the cache first, then the word of it in the store."""
        product = finished.product
        has_failed = isinstance(product, Raised)
        record = UnitRecord(unit.key, unit.kind, finished.worker, unit.cost, finished.duration_s, has_failed)
        del self._left[unit.key]
        self._progress.units_done += 1
        log.info("end %s after %.2f s on %s", unit.key, finished.duration_s, finished.worker)
        if isinstance(product, Raised):
            self._keep_failure(unit, record, product)
        elif isinstance(product, FittedHeads):
            self._keep_outcomes(unit, record, product)
        else:
            if isinstance(product, Extraction):
                self._cache.write_complexity(outputs_of(unit)[0].folder, product.complexity)
            arrays: Sequence[NDArray[Any]] = [product.features] if isinstance(product, Extraction) else product
            for key, array in zip(outputs_of(unit), arrays, strict=True):
                self._cache.write(key, array, self._describe_making(unit))
            self._store.record(self._run_id, record)
            self._schedule.finish(unit)

    def _keep_outcomes(self, unit: WorkUnit, record: UnitRecord, fitted: FittedHeads) -> None:
        assert isinstance(unit, FitHeads)  # noqa: S101 - only such a unit yields fitted heads
        self._keep_complexity(unit)
        trials = {trial.id: trial for trial in unit.trials}
        pairs = [(trials[outcome.trial_id], outcome) for outcome in fitted.outcomes]
        self._store.record(self._run_id, record, pairs, fitted.curves)
        failed = sum(isinstance(outcome, Failure) for outcome in fitted.outcomes)
        self._progress.failed += failed
        self._progress.done += len(pairs) - failed

    def _keep_complexity(self, fit: FitHeads) -> None:
        """Copy what was counted in the backbone and made its features, perhaps by an earlier sweep, into the store."""
        folder = fit.features[0].folder
        if complexity := self._cache.read_complexity(folder):
            self._store.save_complexity(folder, fit.backbone, complexity)
        for shard in fit.features:
            self._store.save_origin(self._run_id, folder, self._cache.read_provenance(shard))

    def _describe_making(self, unit: WorkUnit) -> dict[str, Any]:
        source = self._cache.read_provenance(unit.images) or {} if isinstance(unit, ExtractShard) else None
        return describe_making(self._surroundings, source)

    def _keep_failure(self, unit: WorkUnit, record: UnitRecord, raised: Raised) -> None:
        """Record the failure of every trial that stands on the unit, and give up what else stands on it."""
        log.error("%s failed: %s\n%s", unit.key, raised.reason, raised.traceback)
        dropped = self._schedule.drop_dependents(unit)
        for given_up in dropped:
            del self._left[given_up.key]
        self._progress.units -= len(dropped)
        fits = [fit for fit in (unit, *dropped) if isinstance(fit, FitHeads)]
        pairs = [(trial, Failure(trial.id, raised.reason)) for fit in fits for trial in fit.trials]
        self._store.record(self._run_id, record, pairs)
        self._progress.failed += len(pairs)
