"""One contract for every executor."""

import os
import signal
import sys
import time
from dataclasses import dataclass

import numpy as np
import pytest

from sweep.api import make_executor
from sweep.errors import FatalError, UserError
from sweep.execution.worker import DecodeJob, Raised, Trouble


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


def fail_to_unpack():
    raise OSError("no such luck")


class Unpackable:
    """Something that no worker can unpack."""

    def __reduce__(self):
        return fail_to_unpack, ()


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


@pytest.mark.parametrize(("kind", "trouble"), [(UserError, Trouble.MISTAKE), (FatalError, Trouble.FATAL)])
def test_an_error_that_stops_the_sweep_comes_back_as_such_and_the_others_come_back_too(executor, kind, trouble):
    finished = collect(executor, {"bad": Answer(kind("the message")), "good": Answer(1)})
    assert (finished["bad"].product.reason, finished["bad"].product.trouble) == ("the message", trouble)
    assert finished["good"].product == 1


@pytest.mark.parametrize("error", [MemoryError("all gone"), OSError(28, "No space left"), ImportError("tensorflow")])
def test_a_worker_without_room_or_packages_is_no_failure_of_the_trial(executor, error):
    raised = collect(executor, {"fit/1": Answer(error)})["fit/1"].product
    assert raised.trouble is Trouble.SURROUNDINGS
    assert raised.reason.startswith(f"{type(error).__name__}: ")


def test_damaged_files_are_a_user_error_wherever_they_are_decoded(executor):
    job = DecodeJob([("NORMAL/a.jpeg", b"nonsense")], (16,), antialias=True)
    raised = collect(executor, {"decode": job})["decode"].product
    assert raised.trouble is Trouble.MISTAKE
    assert raised.reason.startswith("NORMAL/a.jpeg: cannot be decoded")


def test_workers_compute_with_one_thread(executor):
    assert collect(executor, {"job": CountThreads()})["job"].product == {1}


@pytest.mark.ray
def test_a_killed_worker_is_replaced_and_its_job_done_again(pool, tmp_path):
    assert collect(pool, {"job": DieOnce(str(tmp_path / "died"))})["job"].product == "done"


@pytest.mark.ray
def test_a_job_that_cannot_be_unpacked_is_trouble_of_the_worker_and_not_the_end(pool):
    raised = collect(pool, {"job": Answer(Unpackable())})["job"].product
    assert raised.trouble is Trouble.SURROUNDINGS
    assert "no such luck" in raised.reason


@pytest.mark.ray
def test_ray_that_does_not_come_up_is_given_up_after_two_attempts(monkeypatch):
    from sweep.execution import ray_pool

    attempts = []

    def hang(**_):
        attempts.append(1)
        time.sleep(60)

    monkeypatch.setattr(ray_pool.ray, "init", hang)
    monkeypatch.setattr(ray_pool.ray, "shutdown", lambda: None)
    monkeypatch.setattr(ray_pool, "START_TIMEOUT_S", 0.1)
    with pytest.raises(
        UserError, match=r"^Ray: cannot be reached or started \(nothing came within 0.1 s\); .* inline$"
    ):
        make_executor("ray", 1)
    assert len(attempts) == 2


@pytest.mark.ray
def test_a_sigterm_while_ray_starts_is_an_interrupt(monkeypatch):
    from sweep.execution import ray_pool

    monkeypatch.setattr(ray_pool.ray, "init", lambda **_: sys.exit(signal.SIGTERM))  # as Ray's own handler does
    with pytest.raises(KeyboardInterrupt):
        make_executor("ray", 1)


def test_an_unknown_executor_is_a_mistake():
    with pytest.raises(UserError, match=r"^executor: 'dask' is unknown \(allowed: ray, inline\)$"):
        make_executor("dask")
