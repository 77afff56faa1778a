"""From a spec to a sweep ready to run: its images opened, its weights identified, its plan made."""

from dataclasses import dataclass
from pathlib import Path

from sweep.data.dataset import DataSet, describe_doubts, open_data_set
from sweep.data.demo import DEMO_VERSION, draw_demo
from sweep.data.files import remove_leftovers
from sweep.data.hashes import HashCache
from sweep.data.splits import check_split
from sweep.execution.folders import describe_superseded, refuse_another_name
from sweep.execution.places import Location, Places, Say
from sweep.execution.progress import count
from sweep.execution.supply import Supply
from sweep.execution.weights import find_weights
from sweep.inputs import Inputs
from sweep.methods.table import find_method, make_plan
from sweep.planning.grid import list_products
from sweep.planning.plan import Plan
from sweep.spec.schema import DemoSpec, Spec
from sweep.spec.values import Split
from sweep.store.artifacts import Artifacts
from sweep.store.store import Store
from sweep.store.stored_plan import load_sweep


@dataclass(frozen=True, slots=True)
class Prepared:
    """A sweep ready to run: its plan, its folder, its images, and where what its units need comes from.

    artifacts: where arrays are kept. supply: gives what units need and no unit makes.
    """

    plan: Plan
    folder: Path
    artifacts: Artifacts
    images: Path
    data: DataSet
    supply: Supply

    def introduce(self, store: Store) -> None:
        """Keep in the store what a report must know beside the results: the plan, the images, the partitions."""
        plan, summary = self.plan, self.data.summary
        spec, images = plan.spec.model_dump(mode="json"), str(self.images.resolve())
        store.save_plan(plan.spec.method, spec, plan.inputs.to_json(), plan.axes, plan.trials, images)
        store.save_images(summary.fingerprint, self.data.images)
        for partition_id in dict.fromkeys(trial.partition_id for trial in plan.trials):
            identity, partition = self.supply.partition(partition_id)
            store.save_partition(summary.fingerprint, identity, partition.parts)


def prepare_sweep(spec: Spec, location: Location, places: Places, say: Say, *, download: bool) -> Prepared:
    """Open the images, identify the weights and plan.

    Args:
        spec: what the user asked.
        location: where its images and results are.
        places: where the caches are.
        say: receives one line for each thing the user must know.
        download: whether weights that are not here are downloaded now; else their trials' ids are provisional.

    Raises:
        UserError: the images or the weights are not to be had, or the folder is that of a sweep of another name.
    """
    stored = _load_former(location.folder, spec)
    remove_leftovers(places.drawn, deep=False)
    hashes = HashCache(places.drawn / "hashes.json")
    is_demo = location.images is None
    folder = location.images or _draw_demo(spec.data.demo, places.drawn, say)
    name = "demo" if is_demo else "/".join(folder.resolve().parts[-2:])
    patients = None if is_demo else spec.data.patients  # drawn images have the publisher's names
    data = open_data_set(folder, name, hashes, spec.data.undecodable, is_demo=is_demo, patients=patients)
    for line in describe_doubts(data.images):
        say(f"{folder}: {line}")
    if data.summary.left_out:
        say(f"{folder}: {count(data.summary.left_out, 'file')} cannot be decoded, left out")
    for axes in list_products(spec):
        shuffles = [int(str(shuffle)) for shuffle in axes["shuffle"]]
        for split in axes["split"]:
            check_split(data.images.labels, data.summary.fingerprint, Split.parse(split), shuffles)
    former = stored[1] if stored else None
    if former and former.data.fingerprint != data.summary.fingerprint:
        say(f"{folder}: the images are others than when {location.folder} was run last: every trial runs anew")
        former = None
    decided = former.weights if stored and former and _decides_weights(stored[0]) == _decides_weights(spec) else {}
    asked = find_method(spec.method).list_weights(spec)
    weights, paths = find_weights(asked, spec.weights.path, decided, hashes, say, is_demo=is_demo, download=download)
    plan = make_plan(spec, Inputs(data.summary, weights))
    if former and former != plan.inputs:
        with Store.read(location.folder) as store:
            if superseded := describe_superseded(store, plan):
                say(superseded)
    return Prepared(plan, location.folder, Artifacts(places.artifacts), folder, data, Supply(plan, data, paths))


def _draw_demo(demo: DemoSpec, cache: Path, say: Say) -> Path:
    folder = cache / f"demo-v{DEMO_VERSION}-{demo.images}-{demo.seed}"
    if not folder.is_dir():
        say(f"drawing {demo.images} demo images (seed {demo.seed})")
        draw_demo(folder, demo.images, demo.seed)
    return folder


def _load_former(folder: Path, spec: Spec) -> tuple[Spec, Inputs] | None:
    """Return the spec, images and weights that a sweep of this name was run with last, if it was."""
    if not Store.is_in(folder):
        return None
    with Store.read(folder) as store:
        if store.load_spec() is None:
            return None
        former = load_sweep(store)
    refuse_another_name(folder, former[0], spec)
    return former


def _decides_weights(spec: Spec) -> object:
    """All of a spec that decides which weights a network gets; the axes only say which there are."""
    return spec.weights.path
