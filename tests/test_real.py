"""On the real radiographs, with ImageNet weights: the paper's figures are reached."""

import json
import os
from pathlib import Path

import pytest

SPEC = Path(__file__).parents[1] / "grid_specs" / "mobilenet16.yaml"
CELL = {"model": "mobilenet-0.25-128", "split": "80/10/10"}
PUBLISHED = 97.2
WITHIN_POINTS = 2.0

pytestmark = [
    pytest.mark.real,
    pytest.mark.tf,
    pytest.mark.ray,
    pytest.mark.slow,
    pytest.mark.skipif(
        not (os.environ.get("SWEEP_DATA") and os.environ.get("KERAS_HOME")),
        reason="needs the real images ($SWEEP_DATA) and weights ($KERAS_HOME)",
    ),
]


def test_the_papers_cell_of_the_smallest_network_is_reached(sweep_command):
    axes = ("--set", "grid.alpha=0.25", "--set", "grid.resolution=128", "--set", "grid.split=80/10/10")
    sweep_command("run", str(SPEC), *axes, check=0)
    report = json.loads(sweep_command("report", "mobilenet16", "--format", "json", check=0).stdout)
    cells = next(table for table in report["tables"] if table["name"] == "table4")["rows"]
    (ours,) = [cell for cell in cells if CELL.items() <= cell.items()]
    assert ours["published"] == PUBLISHED
    assert abs(ours["accuracy_mean_percent"] - PUBLISHED) <= WITHIN_POINTS
    assert "DEMO" not in report["header"]["data"]
