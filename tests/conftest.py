"""Sweeps small enough for every test: drawn images, the three-layer backbone, no TensorFlow."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

TINY = """
name: tiny
data: {source: demo, demo: {images: 40}}
weights: random
grid:
  network: tiny
  alpha: [0.5, 1.0]
  resolution: [16, 32]
  split: [60/20/20]
  learning_rate: [0.1, 0.01]
  shuffle: [0, 1]
  steps: [20, 50]
"""


@pytest.fixture(autouse=True)
def _clean_surroundings(request, monkeypatch):
    """No test but the real ones sees the user's data."""
    if "real" not in request.keywords:
        monkeypatch.delenv("SWEEP_DATA", raising=False)


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """A results folder whose demo images are drawn already, to be copied from."""
    from sweep.data.demo import DEMO_VERSION, draw_demo

    folder = tmp_path_factory.mktemp("drawn") / f"demo-v{DEMO_VERSION}-40-0"
    draw_demo(folder, 40, 0)
    return folder


@pytest.fixture
def workplace(tmp_path, drawn, monkeypatch):
    """An empty folder with `tiny.yaml`, as the current one; its demo images are drawn."""
    cache = tmp_path / "results" / ".cache"
    cache.mkdir(parents=True)
    (cache / drawn.name).symlink_to(drawn)
    (tmp_path / "tiny.yaml").write_text(TINY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def sweep_command(workplace):
    """Call the command line as a user does; returns the finished process."""

    def call(*arguments, check=None, **options):
        process = start(*arguments, **options)
        out, err = process.communicate(timeout=300)
        if check is not None:
            assert process.returncode == check, f"{out}\n{err}"
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def start(*arguments, env=None, **options):
        return subprocess.Popen(
            [sys.executable, "-m", "sweep", *arguments],
            cwd=workplace,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(env or {})},
            **options,
        )

    call.start = start
    return call


@pytest.fixture
def evidence():
    """Read all that a sweep must yield exactly once, without times and places: to be compared bit for bit."""

    from sweep.store.artifacts import read_state

    def read(folder: Path):
        with sqlite3.connect(folder / "sweep.db") as connection:
            tables = {
                "results": "SELECT trial_id, status, reason FROM results ORDER BY trial_id, status",
                "trials": "SELECT trials.* FROM trials ORDER BY trial_id",
                "measures": "SELECT * FROM measures ORDER BY trial_id, part, metric",
                "scores": "SELECT * FROM scores ORDER BY trial_id, part",
                "series": "SELECT * FROM series ORDER BY fit_id, part, measure",
                "parts": "SELECT * FROM parts ORDER BY data, partition_id, part",
                "facts": "SELECT * FROM facts ORDER BY subject, name",
            }
            found = {name: connection.execute(query).fetchall() for name, query in tables.items()}
            states = connection.execute("SELECT trial_id, file FROM states ORDER BY trial_id").fetchall()
        found["states"] = [
            (trial_id, name, values.tobytes())
            for trial_id, file in states
            for name, values in sorted(read_state(folder / "states" / file, trial_id).items())
        ]
        return found

    return read


@pytest.fixture
def computed_units():
    """Names of the units that a sweep computed, one for each time."""

    def read(folder: Path):
        with sqlite3.connect(folder / "sweep.db") as connection:
            return [unit for (unit,) in connection.execute("SELECT unit FROM units ORDER BY unit")]

    return read
