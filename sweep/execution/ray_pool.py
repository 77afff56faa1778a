"""The work done by Ray: on this machine or on a cluster. No other module knows of Ray.

Inputs travel with a job through the object store, each once. Arrays that are made on the way stay where all workers
reach them: on this machine's disk, or where a cluster has a place for them; else they travel too. A worker that dies is
replaced and its job done again by Ray; a Python exception is an outcome like any other.
"""

import os
import signal
import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray.exceptions import (
    NodeDiedError,
    ObjectLostError,
    OutOfDiskError,
    OutOfMemoryError,
    RayError,
    RayTaskError,
    TaskUnschedulableError,
    WorkerCrashedError,
)
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from sweep.errors import FatalError, UserError
from sweep.execution.executor import Shelf, Source, Traffic, measure_bytes
from sweep.execution.provenance import count_cores, free_memory_bytes
from sweep.execution.signals import keep_handlers, limit_seconds
from sweep.execution.worker import Finished, Job, Raised, Trouble, describe_error, perform
from sweep.identity import identify
from sweep.planning.units import ArtifactKey, Resources
from sweep.store.artifacts import Artifacts

CONNECT_TIMEOUT_S = 10.0
START_TIMEOUT_S = 180.0  # seconds are usual, and a minute on a machine that is busy with other things
STARTS = 2  # a process of Ray's that is killed while it starts leaves the driver waiting for ever
RETRIES = 5  # of a job whose worker dies
STORE_BYTES_PER_JOB = 400 * 2**20  # a shard of files, or of images at 224 pixels, twice over
STORE_BYTES_MOST = 9 * 10**9  # Ray refuses more where shared memory is small
STORE_SHARE = 0.3  # of the memory that is free
PLACED_SHARE = (
    0.5  # of Ray's memory on the driver's machine, for inputs and arrays; Ray writes to disk what is too much
)
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # a job that asks for no GPU sees none
    "TF_CPP_MIN_LOG_LEVEL": "2",
}
_OF_ONE_JOB = (ObjectLostError, NodeDiedError, OutOfMemoryError, OutOfDiskError)  # others may go on elsewhere
_WHERE = "a worker of Ray"


class RayPool:
    """Ray Core tasks, of one CPU each unless they ask for more.

    workers: CPUs, all there are by default. address: of an existing cluster; has_place: whether all its machines reach
    the place where artifacts are kept, as all workers of this machine do.
    """

    name = "ray"

    def __init__(
        self, workers: int | None, address: str | None = None, *, has_place: bool = False, forward_logs: bool = True
    ) -> None:
        os.environ.update(_ENVIRONMENT)
        options: dict[str, Any] = {
            "logging_level": "ERROR",
            "configure_logging": True,
            "log_to_driver": forward_logs,
        }
        if address is None:
            options |= {
                "address": "local",  # a new one, also where another cluster of the user runs
                "num_cpus": workers or count_cores(),
                "include_dashboard": False,
                "object_store_memory": _size_object_store(workers or count_cores()),
            }
        else:
            package = str(Path(__file__).parents[1])
            options |= {"address": address, "runtime_env": {"py_modules": [package], "env_vars": _ENVIRONMENT}}
        _start(options, address)
        self.workers = workers or int(ray.cluster_resources()["CPU"])
        self.traffic = Traffic()
        self._gpus = int(ray.cluster_resources().get("GPU", 0))
        self._address = address
        self._shares = address is None or has_place
        # Names wait at no cost; arrays do not, and Ray starts all that it has room for, be it more than was asked for
        self._ahead = 2 if address is None or (has_place and workers is None) else 1
        self._room_bytes = int(PLACED_SHARE * _find_own_machine()["object_store_memory"])
        self._perform = ray.remote(perform)
        self._running: dict[Any, Job] = {}

    def open(self, source: Source) -> None:
        """Begin a run.

        Raises:
            UserError: a machine does not reach the place where artifacts are kept, although it should.
        """
        reaches = self._shares
        if self._address and self._shares:
            _check_place(source.artifacts, self._address)
            folder = source.inputs
            reaches = folder is not None and not _find_blind(folder.is_dir)
        self.traffic = Traffic()
        self._shelf = Shelf(source, self._place, shares=self._shares, reaches=reaches, room_bytes=self._room_bytes)

    def capacity(self, queue: str) -> int:
        """CPU: some jobs wait for a worker to get free; GPU: as many as there are; exclusive: one.

        Where what they need fills the memory that is for it, they go one by one.
        """
        match queue:
            case "exclusive":
                return 1
            case "gpu":
                room = self._gpus
            case _:
                room = self._ahead * self.workers
        return min(room, 1) if self._shelf.is_full else room

    def can_hold(self, resources: Resources) -> bool:
        """Whether any machine has so many CPUs and GPUs."""
        machines = [machine["Resources"] for machine in _list_machines()]
        return any(
            machine.get("CPU", 0) >= resources.cpus and machine.get("GPU", 0) >= resources.gpus for machine in machines
        )

    def submit(self, job: Job) -> None:
        """Hand a job to Ray."""
        given = self._shelf.take(job.needs)
        resources = {"num_cpus": job.resources.cpus, "num_gpus": job.resources.gpus}
        task = self._perform.options(max_retries=RETRIES, **resources)
        try:
            self._running[task.remote(job, self._shelf.artifacts, *given)] = job
        except RayError as error:
            raise _lose_workers(job.key, error) from error
        self.traffic.sent += measure_bytes(job)

    def next_finished(self) -> Finished:
        """Wait for the first job to end."""
        job = None
        try:
            (reference,), _ = ray.wait(list(self._running), num_returns=1)
            job = self._running.pop(reference)
            self._shelf.give_back(job.needs)
            finished: Finished = ray.get(reference)
        except WorkerCrashedError as error:
            return _fail(job, Raised(f"its worker died {1 + RETRIES} times", str(error)))
        except RayTaskError as error:  # before or after `perform`: the job or its answer could not be unpacked
            return self._give_back(job, error, error.cause)
        except _OF_ONE_JOB as error:
            return self._give_back(job, error, error)
        except RayError as error:
            raise _lose_workers(job.key if job else "Ray", error) from error
        self.traffic.received += measure_bytes(finished.product)
        return finished

    def drop(self, keys: Iterable[ArtifactKey]) -> None:
        """Let Ray free what no job needs any more."""
        self._shelf.drop(keys)

    def close(self) -> None:
        """Stop the workers of this machine, or leave the cluster."""
        ray.shutdown()

    def _place(self, value: Any) -> Any:
        try:
            reference = ray.put(value)
        except RayError as error:
            raise _lose_workers("Ray", error) from error
        self.traffic.sent += measure_bytes(value)
        return reference

    def _give_back(self, job: Job | None, error: RayError, cause: Exception) -> Finished:
        """Let a job be tried again, with all it needs placed anew: some of that may have gone with a machine."""
        self._shelf.drop(job.needs if job else ())
        return _fail(job, Raised(describe_error(cause), str(error), Trouble.SURROUNDINGS))


def _fail(job: Job | None, raised: Raised) -> Finished:
    return Finished(job.key if job else "", raised, 0.0, _WHERE)


def _list_machines() -> list[dict[str, Any]]:
    return [machine for machine in ray.nodes() if machine["Alive"]]


def _find_own_machine() -> dict[str, Any]:
    """Return what the driver's machine has."""
    number = ray.get_runtime_context().get_node_id()
    return next(machine["Resources"] for machine in ray.nodes() if machine["NodeID"] == number)


def _find_blind(sees: Callable[[], bool]) -> list[str]:
    """Ask every machine of the cluster whether it sees something; return the names of those that do not."""
    look = ray.remote(num_cpus=0)(lambda: sees())  # noqa: PLW0108 - Ray takes no bound method

    def ask(machine: Mapping[str, Any]) -> Any:
        there = NodeAffinitySchedulingStrategy(machine["NodeID"], soft=False)
        return look.options(scheduling_strategy=there).remote()

    blind = []
    for name, answer in [(machine["NodeManagerHostname"], ask(machine)) for machine in _list_machines()]:
        with suppress(TaskUnschedulableError, NodeDiedError):  # it has just gone away, as machines may at any moment
            if not ray.get(answer):
                blind.append(name)
    return blind


def _check_place(artifacts: Artifacts, address: str) -> None:
    """Leave a mark among the artifacts, and ask every machine of the cluster whether it sees it.

    Raises:
        UserError: one does not.
    """
    mark = ArtifactKey("marks", identify(socket.gethostname()), "mark")
    artifacts.write(mark, np.zeros(1, np.uint8))
    blind = _find_blind(lambda: artifacts.has(mark))
    if blind:
        raise UserError(
            f"--cache {artifacts.root}: {', '.join(blind[:3])} of the cluster at {address} cannot see what is "
            "written there; name a folder or URL that all its machines reach, or leave --cache out"
        )


def _start(options: dict[str, Any], address: str | None) -> None:
    """Start Ray within a bounded time, at the second attempt where the first one fails for no fault of the user's.

    Raises:
        UserError: it cannot be started or reached.
        KeyboardInterrupt: also for a SIGTERM, which Ray itself would answer with `sys.exit`.
    """
    starts = 1 if address else STARTS
    for attempt in range(1, starts + 1):
        try:
            _knock(address)
            with keep_handlers(), limit_seconds(START_TIMEOUT_S):
                ray.init(**options)
        except SystemExit as error:
            if error.code == signal.SIGTERM:
                raise KeyboardInterrupt from error
            raise
        except Exception as error:
            with suppress(Exception), limit_seconds(CONNECT_TIMEOUT_S):
                ray.shutdown()
            if attempt == starts:
                where = f"--address {address}" if address else "Ray"
                reason = (str(error).splitlines() or [type(error).__name__])[0]
                raise UserError(
                    f"{where}: cannot be reached or started ({reason}); see `ray status` and whether RAY_AUTH_MODE "
                    "is the cluster's, or use --executor inline"
                ) from error
        else:
            return


def _lose_workers(key: str, error: RayError) -> FatalError:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return FatalError(f"{key or 'Ray'}: the workers are lost ({reason}); run again to go on")


def _size_object_store(workers: int) -> int:
    """Bytes for the jobs at hand and under way, within what Ray accepts and the machine has; Ray spills the rest."""
    wanted = max(2**30, 2 * workers * STORE_BYTES_PER_JOB)
    return min(wanted, STORE_BYTES_MOST, int(STORE_SHARE * free_memory_bytes()))


def _knock(address: str | None) -> None:
    """Raise an OSError at once where nobody listens at `host:port`; Ray itself would try for minutes."""
    host, _, port = (address or "").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.rpartition("/")[2], int(port)), timeout=CONNECT_TIMEOUT_S).close()
