"""A plan of two axes with three fits of two trials each, and a store in memory to keep it in."""

import sqlite3

import numpy as np

from sweep.axes import Axis, Layer, Role
from sweep.outcome import Success
from sweep.planning.trial import Trial
from sweep.store.migrations import migrate
from sweep.store.store import Store

SPEC = {"name": "example", "grid": {"width": [[], [64, 32], None], "steps": [10, 20]}}
INPUTS = {"data": {"fingerprint": "f" * 64}}
AXES = (
    Axis("width", ((), (64, 32), None), Role.COMPARED, Layer.FIT, "width", "px", 9),
    Axis("steps", (10, 20), Role.TUNED, Layer.READOUT, "steps"),
)
TRIALS = tuple(
    Trial(f"trial {fit}{steps}", f"fit {fit}", "network", "partition", (width, steps))
    for fit, width in enumerate(AXES[0].values)
    for steps in AXES[1].values
)
PROVENANCE = {"sweep": "0.1.0", "workers": 1}


def make_store():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, "memory")
    return Store(connection, "memory")


def save_plan(store, trials=TRIALS, axes=AXES, spec=SPEC):
    store.save_plan("probe", spec, INPUTS, axes, trials, "images")


def draw_success(trial, classes=2):
    generator = np.random.default_rng(len(trial.id))
    scores = {
        part: generator.normal(size=(images, classes)).astype(np.float32)
        for part, images in (("validation", 20), ("test", 30))
    }
    measures = {("validation", "accuracy"): 0.9, ("test", "accuracy"): 0.8, ("test", "log_loss"): 0.4}
    return Success(trial.id, scores, measures, {"weights": np.eye(2)})
