"""The same from Python: plan a spec, run it, read what came out."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.errors import UserError
from sweep.execution.chatter import LOG_NAME, divert_errors
from sweep.execution.executor import Executor
from sweep.execution.places import Places, Say, locate_sweep
from sweep.execution.prepare import prepare_sweep
from sweep.execution.progress import Watch
from sweep.execution.run import run_sweep
from sweep.planning.plan import Plan
from sweep.spec.load import load_spec, make_spec
from sweep.spec.schema import Spec
from sweep.store.store import Store

if TYPE_CHECKING:
    import pandas as pd

AnySpec = Spec | str | PathLike[str] | Mapping[str, Any]


class ExecutorName(StrEnum):
    """Who does the work."""

    RAY = "ray"
    INLINE = "inline"


class Results:
    """A sweep's results folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def frame(self) -> "pd.DataFrame":
        """Return a tidy frame, one row a trial of the plan, those without a result included.

        Accuracies are fractions, cross-entropies nats; `status` is success, failure or missing.
        """
        from sweep.report.frames import trials_frame

        with Store.read(self.folder) as store:
            return trials_frame(store)

    def predict(
        self,
        cell: str,
        images: str | PathLike[str] | Iterable[str | PathLike[str]],
        *,
        repeat: int = 0,
        select: str = "validation",
    ) -> "pd.DataFrame":
        """Return what a model of the sweep says of images, one row an image: file, class, and each class's probability.

        Args:
            cell: `metric:model:block`, for example accuracy:mobilenet-0.75-192:80/10/10, or a trial's id.
            images: an image file, or several.
            repeat: which of the cell's repetitions, each a model of its own, answers: 0 is the first.
            select: what chose the cell's configuration, `validation` or `test`.

        Raises:
            UserError: there is no such cell, its model was not kept, or a file is no image.
        """
        from sweep.prediction import predict

        files = [images] if isinstance(images, str | PathLike) else images
        return predict(self.folder, cell, [Path(file) for file in files], repeat, select).frame

    def __repr__(self) -> str:
        return f"Results({str(self.folder)!r})"


def plan(spec: AnySpec, *, data: str | PathLike[str] | None = None, results: str | PathLike[str] = "results") -> Plan:
    """Return what running a spec would do. Starts neither TensorFlow nor Ray.

    Args:
        spec: a YAML file, a dictionary, or a `Spec`.
        data: folder of images; else `$SWEEP_DATA`, else the spec's.
        results: folder of all sweeps and their caches.

    Raises:
        UserError: the spec has mistakes, or its images are not there.
    """
    places = _places(data, results)
    checked = _check(spec)
    return prepare_sweep(checked, locate_sweep(checked, places, _silent), places, _silent, download=False).plan


def run(
    spec: AnySpec,
    *,
    data: str | PathLike[str] | None = None,
    results: str | PathLike[str] = "results",
    workers: int | None = None,
    executor: str = ExecutorName.RAY,
    address: str | None = None,
    cache: str | None = None,
    retry_failed: bool = False,
    watch: Watch | None = None,
    say: Say = print,
) -> Results:
    """Run a spec, or what is missing of it, and return its results.

    What TensorFlow and Ray print to standard error goes to `sweep.log` in the sweep's folder meanwhile.

    Args:
        spec: a YAML file, a dictionary, or a `Spec`.
        data: folder of images; else `$SWEEP_DATA`, else the spec's.
        results: folder of all sweeps and their caches.
        workers: processes with one thread each; by default one a core.
        executor: `ray`, or `inline` for this process. Results are the same.
        address: of an existing Ray cluster.
        cache: folder or URL for arrays that all workers reach; else on a cluster they travel through Ray.
        retry_failed: whether trials that failed before are run again.
        watch: is called with a `Progress` after every work unit.
        say: is called with a line for each fallback; nothing is passed off as something else in silence.

    Raises:
        UserError: the spec, its images or its weights have mistakes, or another process runs this sweep.
        FatalError: the disk is full or the workers are lost; what was stored is intact.
    """
    places = _places(data, results, cache)
    checked = _check(spec)
    location = locate_sweep(checked, places, say)
    with divert_errors(location.folder / LOG_NAME) as aloud:
        prepared = prepare_sweep(checked, location, places, aloud(say), download=True)
        make = partial(make_executor, executor, workers, address, has_place=cache is not None, forward_logs=False)
        run_sweep(prepared, make, aloud(watch) if watch else _silent, retry_failed=retry_failed)
    return Results(location.folder)


def open_results(path: str | PathLike[str]) -> Results:
    """Open a sweep's folder, for example `results/mobilenet16`, also while it runs.

    Raises:
        UserError: the folder holds no sweep.
    """
    folder = Path(path)
    with Store.read(folder):
        return Results(folder)


def make_executor(
    name: str,
    workers: int | None = None,
    address: str | None = None,
    *,
    has_place: bool = False,
    forward_logs: bool = True,
) -> Executor:
    """Start the workers. Ray is imported here, and only where it is asked for.

    Args:
        name: `ray` or `inline`.
        workers: processes with one thread each; by default one a core.
        address: of an existing Ray cluster.
        has_place: whether all machines of the cluster reach the place where artifacts are kept.
        forward_logs: whether what Ray's workers print is printed here too; Ray keeps it in its own folder anyway.

    Raises:
        UserError: the name is unknown, or Ray cannot be started.
    """
    if name == ExecutorName.INLINE:
        from sweep.execution.inline import InlineExecutor

        return InlineExecutor()
    if name != ExecutorName.RAY:
        raise UserError(f"executor: {name!r} is unknown (allowed: {', '.join(ExecutorName)})")
    from sweep.execution.ray_pool import RayPool

    return RayPool(workers, address, has_place=has_place, forward_logs=forward_logs)


def _check(spec: AnySpec) -> Spec:
    if isinstance(spec, Spec):
        return make_spec(spec.model_dump(mode="json"))
    return make_spec(spec) if isinstance(spec, Mapping) else load_spec(Path(spec))


def _places(data: str | PathLike[str] | None, results: str | PathLike[str], cache: str | None = None) -> Places:
    return Places(Path(results), Path(data) if data is not None else None, cache)


def _silent(_: object) -> None:
    """Say nothing."""
