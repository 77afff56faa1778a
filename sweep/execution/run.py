"""The driver's loop: hands work units to an executor and keeps what comes back, exactly once."""

import logging
import time
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

from numpy.typing import NDArray

from sweep.data.files import remove_leftovers, write_beside
from sweep.data.splits import Partition, partition_images
from sweep.execution.executor import Executor
from sweep.execution.progress import Progress, Watch
from sweep.execution.provenance import describe_making, describe_surroundings
from sweep.execution.resolve import Prepared, open_weights
from sweep.execution.worker import DecodeJob, Extraction, ExtractJob, Finished, FitJob, Job, Raised
from sweep.features.cache import ArrayCache
from sweep.outcome import Failure
from sweep.planning.schedule import Schedule, find_missing_units, outputs_of
from sweep.planning.trial import partition_identity
from sweep.planning.units import DecodeShard, ExtractShard, FitHeads, WorkUnit, estimate_seconds
from sweep.spec.load import dump_spec
from sweep.spec.schema import Split
from sweep.store.lock import hold_lock
from sweep.store.store import Store, UnitRecord
from sweep.store.stored_plan import split_outcomes
from sweep.training.heads import FittedHeads

SPEC_NAME = "spec.yaml"  # the resolved spec, for people; the store's copy is the one that counts
PARTITIONS_AT_HAND = 1024  # 8 bytes an image each; every backbone asks for all of them again
WEIGHTS_AT_HAND = 2  # backbones under way at a time: their shards come one after the other

log = logging.getLogger("sweep")


def run_sweep(
    prepared: Prepared, make_executor: Callable[[], Executor], watch: Watch, *, retry_failed: bool = False
) -> Progress:
    """Compute every missing trial of a prepared sweep and return how it ended.

    The executor is made only where there is work. A failed trial is left alone unless `retry_failed`.

    Raises:
        UserError: another process runs this sweep, or a file is damaged.
        FatalError: the disk is full or the workers are lost; what was stored is intact.
        KeyboardInterrupt: passed on once the workers have been let go.
    """
    plan = prepared.plan
    prepared.folder.mkdir(parents=True, exist_ok=True)
    with hold_lock(prepared.folder), Store.open(prepared.folder) as store:
        store.save_spec(plan.spec.model_dump(mode="json"), plan.inputs.to_json(), str(prepared.images.resolve()))
        with write_beside(prepared.folder / SPEC_NAME) as file:
            file.write(dump_spec(plan.spec).encode())
        remove_leftovers(prepared.cache)
        store.save_images(plan.inputs.data.fingerprint, prepared.data.images)
        done, failed = split_outcomes(store, plan)
        if retry_failed:
            failed = set()
        missing = {trial.id for trial in plan.trials} - done - failed
        units = find_missing_units(plan, missing, ArrayCache(prepared.cache).has)
        progress = Progress(len(plan.trials), len(done), len(failed), len(done), len(units))
        watch(progress)
        if units:
            executor = make_executor()
            try:
                Driver(prepared, store, executor, progress, watch).run(units)
            finally:
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
        self._schedule = Schedule(())
        self._run_id = 0
        self._surroundings: dict[str, Any] = {}
        self._partition = lru_cache(PARTITIONS_AT_HAND)(self._make_partition)
        self._weights = lru_cache(WEIGHTS_AT_HAND)(partial(open_weights, prepared))

    def run(self, units: Sequence[WorkUnit]) -> None:
        """Compute the units, in the schedule's order, keeping the executor supplied."""
        self._schedule = Schedule(units)
        self._left = {unit.key: unit for unit in units}
        self._surroundings = describe_surroundings(self._executor.name, self._executor.workers)
        self._run_id = self._store.begin_run(self._surroundings)
        started = time.monotonic()
        running: dict[str, WorkUnit] = {}
        while True:
            while len(running) < self._executor.queue_length and (ready := self._schedule.next_unit()):
                log.info("start %s", ready.key)
                self._executor.submit(ready.key, self._make_job(ready))
                running[ready.key] = ready
            if not running:
                break
            finished = self._executor.next_finished()
            self._keep(running.pop(finished.key), finished)
            self._progress.elapsed_s = time.monotonic() - started
            pace = self._store.seconds_per_cost()
            self._progress.left_s = estimate_seconds(self._left.values(), pace, self._executor.workers)
            self._watch(self._progress)
        self._store.end_run(self._run_id)

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
