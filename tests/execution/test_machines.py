"""A Ray cluster of several machines (all on this one): what is lost with one, what all must reach, what is placed."""

import pytest
from toy_sweep import FACTORS, NETWORKS, ToySweep

from sweep.errors import UserError
from sweep.execution.executor import Source
from sweep.execution.worker import Job, Raised, Trouble
from sweep.planning.units import ArtifactKey, Resources
from sweep.store.artifacts import Artifacts

pytestmark = pytest.mark.ray
TRIALS = len(NETWORKS) * len(FACTORS)
LABELS = ArtifactKey("labels", "d", "all")


@pytest.fixture
def join(nodes):
    """Join the cluster, perhaps with a place for artifacts; leave it when the test ends."""
    from sweep.execution.ray_pool import RayPool

    pools = []

    def make(*, has_place, workers=None):
        pools.append(RayPool(workers, nodes.address, has_place=has_place))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


@pytest.mark.parametrize("has_place", [False, True])
def test_a_machine_that_goes_away_takes_no_result_along(has_place, nodes, join, tmp_path, toy_evidence):
    sweep = ToySweep(tmp_path, sleep_s=0.1)
    lost = nodes.add_node(num_cpus=2)
    nodes.wait_for_nodes()
    pool = join(has_place=has_place)
    assert pool.workers == 5

    def watch(progress):
        if progress.units_done == 8:
            nodes.remove_node(lost, allow_graceful=False)

    progress = sweep.run(pool, watch=watch)
    assert not lost.any_processes_alive()
    assert (progress.done, progress.failed) == (TRIALS, 0)
    assert sweep.evidence() == toy_evidence
    assert sweep.computed() == {unit.key: 1 for unit in sweep.units}


def test_an_object_that_is_lost_is_placed_again_for_the_next_attempt(join, tmp_path):
    import ray

    @ray.remote
    class Keeper:
        def keep(self):
            return [ray.put(bytes(10**6))]

    supplied = []
    pool = join(has_place=False)
    pool.open(Source(Artifacts(tmp_path), lambda key: supplied.append(key) or bytes(10**6)))
    job = Job("job", "toy_kinds:measure_length", needs=(LABELS,))
    keeper = Keeper.remote()
    (reference,) = ray.get(keeper.keep.remote())
    pool._shelf._placed[LABELS] = reference, 10**6
    ray.kill(keeper)  # and with it what it has placed
    raised = None
    while not isinstance(raised, Raised):  # the word of its end takes a moment to get around
        assert not supplied
        pool.submit(job)
        raised = pool.next_finished().product
    assert raised.trouble is Trouble.SURROUNDINGS
    pool.submit(job)
    assert pool.next_finished().product.facts == {("given", "bytes"): 10**6}
    assert supplied == [LABELS]


def test_what_is_placed_is_placed_once_and_freed_when_nobody_needs_it(join, tmp_path, monkeypatch):
    import ray

    placed, put = [], ray.put
    monkeypatch.setattr(ray, "put", lambda value: placed.append(len(value)) or put(value))
    pool = join(has_place=False)
    pool.open(Source(Artifacts(tmp_path), lambda _: bytes(1000)))
    for number in range(5):
        pool.submit(Job(f"job {number}", "toy_kinds:measure_length", needs=(LABELS,)))
    assert all(pool.next_finished().product.facts == {("given", "bytes"): 1000} for _ in range(5))
    assert placed == [1000]
    assert 1000 < pool.traffic.sent < 3000
    pool.drop([LABELS])
    pool.submit(Job("another", "toy_kinds:measure_length", needs=(LABELS,)))
    pool.next_finished()
    assert placed == [1000, 1000]


def test_what_is_placed_does_not_outgrow_its_room(join, tmp_path):
    keys = [ArtifactKey("files", "d", str(number)) for number in range(6)]
    pool = join(has_place=False)
    pool._room_bytes = 2500
    pool.open(Source(Artifacts(tmp_path), lambda _: bytes(1000)))
    held = []
    for number, key in enumerate(keys):
        pool.submit(Job(f"job {number}", "toy_kinds:measure_length", needs=(key,)))
        held.append((pool._shelf._bytes, pool.capacity("cpu")))
        if number > 2:
            pool.next_finished()
    sizes, rooms = zip(*held, strict=True)
    assert sizes == (1000, 2000, 3000, 4000, 4000, 4000), "what a job needs stays, what none needs goes"
    assert rooms == (3, 3, 1, 1, 1, 1), "jobs go one by one"
    assert all(pool.next_finished().product.facts for _ in range(3))
    pool.submit(Job("last", "toy_kinds:measure_length", needs=(keys[0],)))
    assert pool._shelf._bytes <= 2500
    assert pool.next_finished().product.facts


def test_a_place_that_not_all_machines_see_is_refused_before_anything_is_computed(join):
    pool = join(has_place=True)
    expected = r"^--cache memory://here: \S+, \S+, \S+ of the cluster at \S+ cannot see what is written there; name "
    with pytest.raises(UserError, match=expected):
        pool.open(Source(Artifacts("memory://here"), lambda _: None))  # the memory of one process


@pytest.mark.parametrize(("has_place", "workers", "held"), [(True, None, 6), (False, None, 3), (True, 2, 2)])
def test_names_may_wait_and_arrays_may_not(has_place, workers, held, join, tmp_path):
    pool = join(has_place=has_place, workers=workers)
    pool.open(Source(Artifacts(tmp_path), lambda _: None))
    assert [pool.capacity(queue) for queue in ("cpu", "gpu", "exclusive")] == [held, 0, 1]
    assert pool.can_hold(Resources(cpus=1))
    assert not pool.can_hold(Resources(cpus=2)), "no machine has two"
    assert not pool.can_hold(Resources(gpus=1))
