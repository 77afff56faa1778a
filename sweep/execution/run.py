"""One run of a sweep, from the lock on its folder to the last result."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from sweep.data.files import remove_leftovers, write_beside
from sweep.execution.driver import Driver, Task
from sweep.execution.executor import Executor, Source
from sweep.execution.folders import refuse_to_leave_out
from sweep.execution.progress import Progress, Watch
from sweep.methods.table import find_method
from sweep.planning.plan import Plan
from sweep.planning.schedule import find_missing_units
from sweep.planning.units import ArtifactKey, total_cost
from sweep.spec.load import dump_spec
from sweep.store.artifacts import Artifacts
from sweep.store.lock import hold_lock
from sweep.store.store import SPEC_NAME, Store
from sweep.store.stored_plan import split_outcomes


class Prepared(Protocol):
    """What a run needs to know of a sweep.

    folder: the sweep's. images: where they lie. artifacts: where cached arrays are kept. supply: yields an input, which
    no unit makes.
    """

    @property
    def plan(self) -> Plan: ...  # noqa: D102 - the class says

    @property
    def folder(self) -> Path: ...  # noqa: D102

    @property
    def images(self) -> Path: ...  # noqa: D102

    @property
    def artifacts(self) -> Artifacts: ...  # noqa: D102

    def supply(self, key: ArtifactKey) -> object:
        """Return an input.

        Raises:
            UserError: it is not what it was when the sweep was planned.
        """
        ...

    def introduce(self, store: Store) -> None:
        """Keep in the store what a report must know beside the results: the plan, the images, the partitions."""
        ...


def run_sweep(
    prepared: Prepared, make_executor: Callable[[], Executor], watch: Watch, *, retry_failed: bool = False
) -> Progress:
    """Compute every missing trial of a prepared sweep and return how it ended.

    The executor is made only where there is work. A failed trial is left alone unless `retry_failed`.

    Raises:
        UserError: another process runs this sweep, trials that it stores are not in the plan, a file is damaged, or a
            unit asks for what no machine has.
        FatalError: the driver's disk is full or the workers are lost; what was stored is intact.
        KeyboardInterrupt: passed on once the workers have been let go.
    """
    plan, artifacts = prepared.plan, prepared.artifacts
    prepared.folder.mkdir(parents=True, exist_ok=True)
    with hold_lock(prepared.folder), Store.open(prepared.folder) as store:
        refuse_to_leave_out(store, plan)
        prepared.introduce(store)
        with write_beside(prepared.folder / SPEC_NAME) as file:
            file.write(dump_spec(plan.spec).encode())
        artifacts.remove_leftovers()
        remove_leftovers(prepared.folder)
        done, failed = split_outcomes(store, plan.trials)
        if retry_failed:
            failed = set()
        made = frozenset(key for unit in plan.units for key in unit.makes)
        source = Source(artifacts, prepared.supply, made, prepared.images.resolve())
        missing = {trial.id for trial in plan.trials} - done - failed
        units = find_missing_units(plan.units, missing, _remember(source))
        progress = Progress(len(plan.trials), len(done), len(failed), len(done), len(units))
        progress.work, progress.work_left = total_cost(plan.units), total_cost(units)
        watch(progress)
        if units:
            task = Task(plan, units, find_method(plan.spec.method).kinds, source, prepared.folder)
            executor = make_executor()
            try:
                Driver(task, store, executor, progress, watch).run()
            finally:
                progress.step = "letting go of the workers"
                executor.close()
                progress.step = ""
        return progress


def _remember(source: Source) -> Callable[[ArtifactKey], bool]:
    """Return a function that looks once for each artifact, which may lie far away, and never for an input."""
    known: dict[ArtifactKey, bool] = {}

    def is_cached(key: ArtifactKey) -> bool:
        if key not in known:
            known[key] = key not in source.made or source.artifacts.has(key)
        return known[key]

    return is_cached
