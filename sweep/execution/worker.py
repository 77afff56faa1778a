"""What a worker does: a job in, arrays or outcomes out.

It sees no files of the driver's, unless it is told of a place for arrays that both reach.
"""

import os
import socket
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from sweep.errors import FatalError, UserError
from sweep.execution.sidecars import Sidecar, write_with_sidecar
from sweep.methods.names import import_object
from sweep.outcome import Yield
from sweep.planning.units import ArtifactKey, Resources
from sweep.store.artifacts import Artifacts


@dataclass(frozen=True, slots=True)
class Job:
    """A work unit as a worker gets it: names, and no arrays.

    run: `module:function`. sidecar: what is said beside each array that it makes, and the facts that it finds.
    """

    key: str
    run: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[ArtifactKey, ...] = ()
    makes: tuple[ArtifactKey, ...] = ()
    resources: Resources = field(default_factory=Resources)
    sidecar: Sidecar = field(default_factory=Sidecar)


class Trouble(StrEnum):
    """What an exception of a job says of the sweep."""

    TRIAL = "trial"  # the trials that stand on the job have failed
    SURROUNDINGS = "surroundings"  # the worker's machine gave way: another attempt may do
    MISTAKE = "mistake"  # the user can mend it; the sweep ends
    FATAL = "fatal"  # the sweep ends


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception of a job."""

    reason: str
    traceback: str
    trouble: Trouble = Trouble.TRIAL


@dataclass(frozen=True, slots=True)
class Finished:
    """A job that came to its end, and what came out; arrays that the worker has kept itself are left out."""

    key: str
    product: Yield | Raised
    duration_s: float
    worker: str


@runtime_checkable
class ByName(Protocol):
    """An input that is named, not given: who reaches it fetches it."""

    def fetch(self) -> Any:
        """Return the input itself."""
        ...


def perform(job: Job, artifacts: Artifacts | None, *given: Any) -> Finished:
    """Do a job with one thread for each of its CPUs, so that its result depends on nothing but the job.

    Whatever it raises is an answer.

    Args:
        job: what to do.
        artifacts: where this worker reads the arrays that it is not given and keeps those that it makes; None where it
            reaches no such place: it is given all arrays, and what it makes goes back with the answer.
        given: parallel to what the job needs; None for an array that lies among the artifacts, a name for an input that
            this worker reaches.
    """
    started, duration_s = time.perf_counter(), None
    product: Yield | Raised
    try:
        from threadpoolctl import threadpool_limits

        arrays = [_fetch(artifacts, key, each) for key, each in zip(job.needs, given, strict=True)]
        with threadpool_limits(limits=max(1, int(job.resources.cpus))):
            product = _run(job, arrays)
        duration_s = time.perf_counter() - started
        if artifacts is not None:
            _write(job, product, artifacts)
            product = replace(product, arrays=())
    except UserError as error:  # that only shows here, such as a damaged file
        product = Raised(str(error), traceback.format_exc(), Trouble.MISTAKE)
    except FatalError as error:
        product = Raised(str(error), traceback.format_exc(), Trouble.FATAL)
    except (MemoryError, OSError, ImportError) as error:  # the worker's surroundings, not the trial
        product = Raised(describe_error(error), traceback.format_exc(), Trouble.SURROUNDINGS)
    except Exception as error:  # noqa: BLE001 - any failure is a row
        product = Raised(describe_error(error), traceback.format_exc())
    if duration_s is None:
        duration_s = time.perf_counter() - started
    return Finished(job.key, product, duration_s, f"{socket.gethostname()}:{os.getpid()}")


def describe_error(error: BaseException) -> str:
    """Return an exception's type and message in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def _fetch(artifacts: Artifacts | None, key: ArtifactKey, given: Any) -> Any:
    if given is None:
        return _open(artifacts, key)
    return given.fetch() if isinstance(given, ByName) else given


def _open(artifacts: Artifacts | None, key: ArtifactKey) -> NDArray[Any]:
    """Open an array; one that is not there may be on its way, as file systems of several machines have it."""
    if artifacts is None or not artifacts.has(key):
        raise FileNotFoundError(f"{key} is not where this worker looks for it; do all workers reach that place?")
    return artifacts.read(key)


def _run(job: Job, arrays: Sequence[NDArray[Any]]) -> Yield:
    yielded: Yield = import_object(job.run)(job.settings, arrays)
    if len(yielded.arrays) != len(job.makes):
        raise ValueError(f"{job.run} yielded {len(yielded.arrays)} arrays where {len(job.makes)} were asked for")
    return yielded


def _write(job: Job, product: Yield, artifacts: Artifacts) -> None:
    sidecar = job.sidecar.learn(product.facts)
    for key, array in zip(job.makes, product.arrays, strict=True):
        write_with_sidecar(artifacts, key, array, sidecar)
