"""Executors of every sort, and a sweep of toy kinds to run on them."""

import os
from pathlib import Path

import pytest
from toy_sweep import ToySweep

from sweep.execution.inline import InlineExecutor


@pytest.fixture(scope="session")
def workers_see_toys():
    """Processes that are started from now on can import the toy kinds."""
    before = {name: os.environ.get(name) for name in ("PYTHONPATH", "RAY_AUTH_MODE")}
    here, sources = Path(__file__).parent, Path(__file__).parents[2]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(here), str(sources), before["PYTHONPATH"]]))
    os.environ["RAY_AUTH_MODE"] = "disabled"
    yield
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture(scope="session")
def nodes(workers_see_toys):
    """A cluster of three machines of one CPU, all of them on this one."""
    from ray.cluster_utils import Cluster

    soon = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 4}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "_system_config": soon})
    for _ in range(2):
        cluster.add_node(num_cpus=1)
    yield cluster
    cluster.shutdown()


def start(name, request):
    """Start an executor; `files` and `url` are clusters whose machines reach a place for artifacts."""
    if name == "inline":
        return InlineExecutor()
    from sweep.execution.ray_pool import RayPool

    request.getfixturevalue("workers_see_toys")
    if name == "ray":
        return RayPool(2)
    return RayPool(None, request.getfixturevalue("nodes").address, has_place=name != "put")


def ray_param(name):
    return pytest.param(name, marks=pytest.mark.ray)


EVERY = ["inline", *map(ray_param, ("ray", "put", "files", "url"))]


@pytest.fixture(scope="module", params=EVERY)
def executor(request):
    started = start(request.param, request)
    started.param = request.param
    yield started
    started.close()


@pytest.fixture
def toy(tmp_path):
    return ToySweep(tmp_path)


@pytest.fixture(scope="module")
def toy_evidence(tmp_path_factory):
    """What the toy sweep yields when nothing disturbs it."""
    sweep = ToySweep(tmp_path_factory.mktemp("undisturbed"))
    sweep.run(InlineExecutor())
    return sweep.evidence()
