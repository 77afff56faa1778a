"""One contract for every executor."""

import os
import signal
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from sweep.api import make_executor
from sweep.errors import FatalError, UserError
from sweep.execution.worker import DecodeJob, Raised


@dataclass(frozen=True)
class Answer:
    """A job that returns what it was given, or raises it."""

    value: object

    def perform(self):
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


@dataclass(frozen=True)
class DieOnce:
    """A job whose worker dies the first time."""

    marker: str

    def perform(self):
        try:
            os.close(os.open(self.marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return "done"
        return os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class CountThreads:
    """A job that counts the threads of NumPy's matrix products."""

    def perform(self):
        from threadpoolctl import threadpool_info

        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.fixture(scope="module")
def pool():
    from ray import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers do not see the tests
    made = make_executor("ray", 2)
    yield made
    made.close()


@pytest.fixture(params=["inline", pytest.param("ray", marks=pytest.mark.ray)])
def executor(request):
    return make_executor("inline") if request.param == "inline" else request.getfixturevalue("pool")


def collect(executor, jobs):
    for key, job in jobs.items():
        executor.submit(key, job)
    return {finished.key: finished for finished in (executor.next_finished() for _ in jobs)}


def test_every_job_comes_back_once_under_its_key(executor):
    finished = collect(executor, {f"job {number}": Answer(number) for number in range(20)})
    assert {key: done.product for key, done in finished.items()} == {f"job {number}": number for number in range(20)}


def test_a_finished_job_says_how_long_it_took_and_where(executor):
    (finished,) = collect(executor, {"job": Answer(1)}).values()
    assert finished.duration_s >= 0
    assert ":" in finished.worker


def test_arrays_travel_both_ways_unchanged(executor):
    array = np.arange(300_000, dtype=np.float32).reshape(100, -1)
    finished = collect(executor, {"job": Answer(array)})
    np.testing.assert_array_equal(finished["job"].product, array)


def test_an_exception_is_an_outcome_with_reason_and_traceback(executor):
    finished = collect(executor, {"bad": Answer(ValueError("two\nlines")), "good": Answer(1)})
    raised = finished["bad"].product
    assert isinstance(raised, Raised)
    assert raised.reason == "ValueError: two lines"
    assert "perform" in raised.traceback
    assert finished["good"].product == 1


@pytest.mark.parametrize("kind", [UserError, FatalError])
def test_an_error_that_stops_the_sweep_is_raised_as_itself(executor, kind):
    executor.submit("job", Answer(kind("the message")))
    with pytest.raises(kind, match=r"^the message$"):
        executor.next_finished()


@pytest.mark.parametrize("error", [MemoryError("all gone"), OSError(28, "No space left"), ImportError("tensorflow")])
def test_a_worker_without_room_or_packages_is_no_failure_of_the_trial(executor, error):
    executor.submit("fit/1", Answer(error))
    with pytest.raises(FatalError, match=r"^fit/1: \w+Error: .*; mend the worker's machine, then run again$"):
        executor.next_finished()


def test_damaged_files_are_a_user_error_wherever_they_are_decoded(executor):
    executor.submit("decode", DecodeJob([("NORMAL/a.jpeg", b"nonsense")], (16,), antialias=True))
    with pytest.raises(UserError, match=r"NORMAL/a.jpeg: cannot be decoded"):
        executor.next_finished()


def test_workers_compute_with_one_thread(executor):
    assert collect(executor, {"job": CountThreads()})["job"].product == {1}


@pytest.mark.ray
def test_a_killed_worker_is_replaced_and_its_job_done_again(pool, tmp_path):
    assert collect(pool, {"job": DieOnce(str(tmp_path / "died"))})["job"].product == "done"


def test_an_unknown_executor_is_a_mistake():
    with pytest.raises(UserError, match=r"^executor: 'dask' is unknown \(allowed: ray, inline\)$"):
        make_executor("dask")
