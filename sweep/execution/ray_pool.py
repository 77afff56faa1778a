"""The work done by Ray: on this machine or on a cluster. No other module knows of Ray.

A job travels with all it needs through the object store, so workers need no file system of the driver's. A worker
that dies is replaced and its job done again by Ray; a Python exception is an outcome like any other.
"""

import os
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError, WorkerCrashedError

from sweep.errors import FatalError, UserError
from sweep.execution.provenance import count_cores, free_memory_bytes
from sweep.execution.signals import keep_handlers, limit_seconds
from sweep.execution.worker import Finished, Job, Raised, Trouble, describe_error, perform

CONNECT_TIMEOUT_S = 10.0
START_TIMEOUT_S = 180.0  # seconds are usual, and a minute on a machine that is busy with other things
STARTS = 2  # a process of Ray's that is killed while it starts leaves the driver waiting for ever
RETRIES = 5  # of a job whose worker dies
STORE_BYTES_PER_JOB = 400 * 2**20  # a shard of images at 224 pixels, twice over
STORE_BYTES_MOST = 9 * 10**9  # Ray refuses more where shared memory is small
STORE_SHARE = 0.3  # of the memory that is free
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "2",
}


class RayPool:
    """Ray Core tasks of one CPU each."""

    name = "ray"

    def __init__(self, workers: int | None, address: str | None = None, *, forward_logs: bool = True) -> None:
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
                "num_gpus": 0,
                "include_dashboard": False,
                "object_store_memory": _size_object_store(workers or count_cores()),
            }
        else:
            package = str(Path(__file__).parents[1])
            options |= {"address": address, "runtime_env": {"py_modules": [package], "env_vars": _ENVIRONMENT}}
        _start(options, address)
        self.workers = workers or int(ray.cluster_resources()["CPU"])
        self.queue_length = self.workers if address else 2 * self.workers  # elsewhere all that is queued may run
        self._perform = ray.remote(num_cpus=1, max_retries=RETRIES)(perform)
        self._running: dict[Any, str] = {}

    def submit(self, key: str, job: Job) -> None:
        """Hand a job to Ray."""
        try:
            self._running[self._perform.remote(key, job)] = key
        except RayError as error:
            raise _lose_workers(key, error) from error

    def next_finished(self) -> Finished:
        """Wait for the first job to end."""
        key = ""
        try:
            (reference,), _ = ray.wait(list(self._running), num_returns=1)
            key = self._running.pop(reference)
            finished: Finished = ray.get(reference)
        except RayTaskError as error:  # before or after `perform`: the job or its answer could not be unpacked
            raised = Raised(describe_error(error.cause), str(error), Trouble.SURROUNDINGS)
            return Finished(key, raised, 0.0, "a worker of Ray")
        except WorkerCrashedError as error:
            raised = Raised(f"its worker died {1 + RETRIES} times", str(error))
            return Finished(key, raised, 0.0, "a worker of Ray")
        except RayError as error:
            raise _lose_workers(key, error) from error
        return finished

    def close(self) -> None:
        """Stop the workers of this machine, or leave the cluster."""
        ray.shutdown()


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
