"""A sweep on an existing Ray cluster: workers that know nothing of the driver's files or packages."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.ray
SURROUNDINGS = {"RAY_AUTH_MODE": "disabled"}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """The address of a cluster of one node."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--port", str(port), "--num-cpus", "2", "--include-dashboard=false", "--disable-usage-stats"]
    ray = Path(sys.executable).with_name("ray")
    process = subprocess.Popen(
        [ray, "start", "--head", "--block", *options],
        env={**os.environ, **SURROUNDINGS},
        cwd=tmp_path_factory.mktemp("cluster"),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    for line in process.stdout:
        if "Ray runtime started" in line:
            break
    yield f"127.0.0.1:{port}"
    os.killpg(process.pid, signal.SIGTERM)
    process.communicate(timeout=60)


@pytest.mark.parametrize("place", [(), ("--cache", "shared")], ids=["arrays travel", "arrays lie in a place"])
def test_a_cluster_yields_what_one_machine_yields_and_is_left_running(
    place, cluster, sweep_command, workplace, evidence
):
    sweep_command("run", "tiny.yaml", "--executor", "inline", check=0)
    for _ in range(2):
        joined = ("--address", cluster, "--results", "elsewhere", *place)
        sweep_command("run", "tiny.yaml", *joined, "--set", "grid.steps=[20, 50]", env=SURROUNDINGS, check=0)
        assert evidence(workplace / "elsewhere" / "tiny") == evidence(workplace / "results" / "tiny")
        assert (workplace / "shared" / "v1" / "features").is_dir() == bool(place)
        shutil.rmtree(workplace / "elsewhere" / "tiny")
