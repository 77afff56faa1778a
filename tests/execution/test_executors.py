"""One contract for every executor."""

import os
import signal
import sys
import time

import numpy as np
import pytest
from toy_kinds import NamedNumbers, Unpackable
from toy_sweep import make_artifacts

from sweep.errors import FatalError, UserError
from sweep.execution.executor import Source
from sweep.execution.sidecars import Sidecar, read_sidecar
from sweep.execution.worker import Finished, Job, Raised, Trouble
from sweep.planning.units import ArtifactKey, Resources

GIVEN, LABELS = ArtifactKey("numbers", "d", "0"), ArtifactKey("labels", "d", "all")
DOUBLED = ArtifactKey("numbers", "d", "doubled")


@pytest.fixture
def perform(executor, tmp_path):
    """Perform jobs on an executor; returns what finished by key."""

    def call(jobs, inputs=None, made=()):
        executor.open(Source(call.artifacts, (inputs or {}).__getitem__, frozenset(made), tmp_path))
        for job in jobs:
            executor.submit(job)
        return {finished.key: finished for finished in (executor.next_finished() for _ in jobs)}

    call.artifacts = make_artifacts(executor, tmp_path)
    return call


def fail(key, error, *words):
    return Job(key, "toy_kinds:fail", {"error": error, "words": words})


def answer(number=1):
    return Job(f"job {number}", "toy_kinds:answer", {"number": number})


def test_every_job_comes_back_once_under_its_key(perform):
    finished = perform([answer(number) for number in range(20)])
    found = {key: done.product.facts["settings", "number"] for key, done in finished.items()}
    assert found == {f"job {number}": number for number in range(20)}


def test_a_finished_job_says_how_long_it_took_and_where(perform):
    (finished,) = perform([Job("nap", "toy_kinds:nap", {"seconds": 0.05})]).values()
    assert isinstance(finished, Finished)
    assert finished.duration_s >= 0.05
    assert ":" in finished.worker


def test_inputs_travel_and_arrays_come_from_the_artifacts_and_go_there_or_come_back(perform, executor):
    array = np.arange(300_000, dtype=np.float32).reshape(100, -1)
    perform.artifacts.write(GIVEN, array)
    made = (ArtifactKey("numbers", "d", "1"), ArtifactKey("labels", "d", "copy"))
    sidecar = Sidecar({"sweep": "1"}, {("d", "files"): 100})
    job = Job("job", "toy_kinds:answer", {"found": 1}, (GIVEN, LABELS), made, sidecar=sidecar)
    finished = perform([job], {LABELS: np.arange(3)}, {GIVEN, *made})["job"]
    kept = not finished.product.arrays
    assert kept == (executor.param != "put")
    back = [perform.artifacts.read(key) for key in made] if kept else finished.product.arrays
    np.testing.assert_array_equal(back[0], array)
    np.testing.assert_array_equal(back[1], np.arange(3))
    assert back[0].dtype == np.float32
    if kept:
        said = Sidecar({"sweep": "1"}, {("d", "files"): 100, ("settings", "found"): 1})
        assert [read_sidecar(perform.artifacts, key) for key in made] == [said, said]


def test_an_input_that_is_named_is_fetched_by_who_reaches_it(perform, executor, tmp_path):
    (tmp_path / "numbers").write_text("3 1 4")
    made = ArtifactKey("labels", "d", "read")
    job = Job("job", "toy_kinds:answer", {}, (LABELS,), (made,))
    finished = perform([job], {LABELS: NamedNumbers(tmp_path / "numbers")}, {made})["job"]
    (array,) = finished.product.arrays or [perform.artifacts.read(made)]
    assert array.tolist() == [3, 1, 4]
    readers = (tmp_path / "numbers.readers").read_text().split()
    assert (readers == [str(os.getpid())]) == (executor.param in {"inline", "put"})


def test_an_exception_is_an_outcome_with_reason_and_traceback(perform):
    finished = perform([fail("bad", "ValueError", "two\nlines"), answer()])
    raised = finished["bad"].product
    assert isinstance(raised, Raised)
    assert (raised.reason, raised.trouble) == ("ValueError: two lines", Trouble.TRIAL)
    assert "in fail" in raised.traceback
    assert finished["job 1"].product.facts


@pytest.mark.parametrize(("kind", "trouble"), [(UserError, Trouble.MISTAKE), (FatalError, Trouble.FATAL)])
def test_an_error_that_stops_the_sweep_comes_back_as_such_and_the_others_come_back_too(perform, kind, trouble):
    finished = perform([fail("bad", kind.__name__, "the message"), answer()])
    assert (finished["bad"].product.reason, finished["bad"].product.trouble) == ("the message", trouble)
    assert finished["job 1"].product.facts


@pytest.mark.parametrize("words", [("MemoryError", "all gone"), ("OSError", 28, "No space"), ("ImportError", "keras")])
def test_a_worker_without_room_or_packages_is_no_failure_of_the_trial(perform, words):
    raised = perform([fail("fit/1", *words)])["fit/1"].product
    assert raised.trouble is Trouble.SURROUNDINGS
    assert raised.reason.startswith(f"{words[0]}: ")


def test_a_job_that_yields_other_arrays_than_it_should_has_failed(perform):
    job = Job("job", "toy_kinds:answer", needs=(LABELS,), makes=(DOUBLED, GIVEN))
    raised = perform([job], {LABELS: np.arange(3)}, {DOUBLED, GIVEN})["job"].product
    assert raised.reason == "ValueError: toy_kinds:answer yielded 1 arrays where 2 were asked for"
    assert not perform.artifacts.has(DOUBLED)


def test_an_input_that_cannot_be_read_is_told_when_the_job_is_submitted(perform, executor):
    def refuse(key):
        raise UserError("0.jpeg: has changed since the sweep began")

    executor.open(Source(perform.artifacts, refuse))
    with pytest.raises(UserError, match="has changed"):
        executor.submit(Job("job", "toy_kinds:answer", needs=(LABELS,)))


def test_an_artifact_that_is_gone_is_no_failure_of_the_trial(perform, executor):
    job = Job("job", "toy_kinds:double", needs=(GIVEN,), makes=(DOUBLED,))
    if executor.param == "put":
        with pytest.raises(FatalError, match="delete it and run again"):
            perform([job], made={GIVEN, DOUBLED})
        return
    raised = perform([job], made={GIVEN, DOUBLED})["job"].product
    assert raised.trouble is Trouble.SURROUNDINGS
    assert "numbers/d/0 is not where this worker looks for it" in raised.reason


def test_a_worker_computes_with_one_thread_for_each_of_its_cpus(perform):
    job = Job("job", "toy_kinds:count_threads")
    assert perform([job])["job"].product.facts["blas", "threads"] == [1]


def test_without_a_gpu_no_job_may_ask_for_one(executor):
    assert executor.capacity("gpu") == 0
    assert not executor.can_hold(Resources(gpus=1))
    assert executor.can_hold(Resources())
    assert executor.capacity("exclusive") == 1
    assert executor.capacity("cpu") >= executor.workers


def test_a_killed_worker_is_replaced_and_its_job_done_again(perform, executor, tmp_path):
    if executor.param == "inline":
        pytest.skip("the driver is the worker")
    job = Job("job", "toy_kinds:die_once", {"marker": str(tmp_path / "died")})
    assert not isinstance(perform([job])["job"].product, Raised)
    assert (tmp_path / "died").exists()


def test_an_input_that_cannot_be_unpacked_is_trouble_of_the_worker_and_not_the_end(perform, executor):
    if executor.param == "inline":
        pytest.skip("nothing is packed")
    raised = perform([Job("job", "toy_kinds:answer", needs=(LABELS,))], {LABELS: Unpackable()})["job"].product
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
        ray_pool.RayPool(1)
    assert len(attempts) == 2


@pytest.mark.ray
def test_a_sigterm_while_ray_starts_is_an_interrupt(monkeypatch):
    from sweep.execution import ray_pool

    monkeypatch.setattr(ray_pool.ray, "init", lambda **_: sys.exit(signal.SIGTERM))  # as Ray's own handler does
    with pytest.raises(KeyboardInterrupt):
        ray_pool.RayPool(1)


def test_an_unknown_executor_is_a_mistake():
    from sweep.api import make_executor

    with pytest.raises(UserError, match=r"^executor: 'dask' is unknown \(allowed: ray, inline\)$"):
        make_executor("dask")
