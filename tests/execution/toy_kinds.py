"""Kinds of work so small that a sweep of them needs neither images nor TensorFlow. Workers import this module."""

import os
import signal
import time

import numpy as np

from sweep.errors import FatalError, UserError
from sweep.methods.table import Kind, Method
from sweep.outcome import Failure, Series, Success, Yield

ERRORS = {error.__name__: error for error in (ValueError, MemoryError, OSError, ImportError, UserError, FatalError)}


class NamedNumbers:
    """Numbers in a file, which says who has read it."""

    def __init__(self, path):
        self.path = path

    def fetch(self):
        with self.path.with_suffix(".readers").open("a") as readers:
            readers.write(f"{os.getpid()}\n")
        return np.array([int(word) for word in self.path.read_text().split()])


def read_numbers(settings, arrays):
    """files -> (files,) int64"""
    time.sleep(settings.get("sleep_s", 0))
    (files,) = arrays
    return Yield(arrays=(np.array([int(content) for _, content in files]),))


def build_power(settings, arrays):
    """weights -> the exponent that they say, found out once"""
    (weights,) = arrays
    return Yield(arrays=(weights.astype(np.int64),), facts={(settings["network"], "exponent"): int(weights[0])})


def raise_numbers(settings, arrays):
    """numbers, exponent -> (files,) float64"""
    time.sleep(settings.get("sleep_s", 0))
    numbers, exponent = arrays
    return Yield(arrays=(numbers.astype(float) ** exponent[0],))


def add_up(settings, arrays):
    """shards..., labels -> a trial for each factor"""
    *shards, labels = arrays
    total = float(np.concatenate(shards) @ labels)
    steps = np.array([1, 2], np.int32)
    outcomes = [
        Success(
            trial_id=trial_id,
            scores={"test": np.full((1, 2), factor * total, np.float32)},
            measures={("test", "total"): factor * total},
            state={"factor": np.array([factor])},
        )
        if factor
        else Failure(trial_id, "a factor of nothing")
        for trial_id, factor in settings["factors"].items()
    ]
    series = Series(settings["fit"], "test", "total", steps, (steps * total).astype(np.float32))
    return Yield(outcomes=tuple(outcomes), series=(series,))


def choose_factors(plan, unit):
    """The settings of a sum are too long to be kept in the plan, and are for the trials that are missing."""
    factors = {trial.id: trial.point[1] for trial in unit.trials}
    return {**unit.settings, "factors": factors, "fit": unit.trials[0].fit_id}


KINDS = {
    "read": Kind(1, "toy_kinds:read_numbers", "reading", "reading"),
    "build": Kind(1, "toy_kinds:build_power", "building", "building"),
    "raise": Kind(2, "toy_kinds:raise_numbers", "power", "raising"),
    "add": Kind(0, "toy_kinds:add_up", "sum", "adding", prepare="toy_kinds:choose_factors"),
}
TOY = Method("toy", KINDS, *[None] * 5, score_files="")


# -- what executors are tried with -----------------------------------------------------------------------------------


def answer(settings, arrays):
    """What was given, and the settings as a fact."""
    return Yield(arrays=tuple(arrays), facts={("settings", name): value for name, value in settings.items()})


def measure_length(settings, arrays):
    (given,) = arrays
    return Yield(facts={("given", "bytes"): len(given)})


def double(settings, arrays):
    return Yield(arrays=tuple(2 * array for array in arrays), facts={("double", "factor"): 2})


def fail(settings, arrays):
    raise ERRORS[settings["error"]](*settings["words"])


def nap(settings, arrays):
    time.sleep(settings["seconds"])
    return Yield()


def die_once(settings, arrays):
    try:
        os.close(os.open(settings["marker"], os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return Yield()
    return os.kill(os.getpid(), signal.SIGKILL)


def count_threads(settings, arrays):
    from threadpoolctl import threadpool_info

    threads = sorted({pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"})
    return Yield(facts={("blas", "threads"): threads})


def fail_to_unpack():
    raise OSError("no such luck")


class Unpackable:
    """Something that no worker can unpack."""

    def __reduce__(self):
        return fail_to_unpack, ()
