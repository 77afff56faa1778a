"""From a spec to this machine: which images, which weights, which folder; every fallback is said aloud."""

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sweep.catalogue import Backbone, WeightsSource
from sweep.data.dataset import DataSet, describe_doubts, open_data_set
from sweep.data.demo import DEMO_VERSION, draw_demo
from sweep.data.hashes import HashCache
from sweep.data.splits import check_split
from sweep.errors import UserError
from sweep.execution.folders import DEMO_SUFFIX, refuse_another_name
from sweep.execution.progress import count
from sweep.models.weights import (
    WeightsBlob,
    WeightsUnavailable,
    download_weights,
    hash_weights,
    locate_weights,
    random_weights_sha256,
    read_weights,
)
from sweep.planning.expand import Plan, list_backbones, make_plan
from sweep.inputs import PENDING, Inputs, WeightsId
from sweep.spec.schema import DemoSpec, Spec
from sweep.spec.values import DataSource, Fallback
from sweep.store.store import Store
from sweep.store.stored_plan import load_sweep

CACHE_FOLDER = ".cache"
DATA_VARIABLE = "SWEEP_DATA"

log = logging.getLogger("sweep")

RANDOM_NOTICE = (
    "RANDOM WEIGHTS: the ImageNet weights could not be downloaded; as these are demo images, going on with random "
    "weights, batch norm calibrated on the images"
)

Say = Callable[[str], None]
WeightPaths = Mapping[Backbone, Path | None]


@dataclass(frozen=True, slots=True)
class Places:
    """Where things lie on this machine; no part of any result."""

    results: Path = Path("results")
    data: Path | None = None

    @property
    def cache(self) -> Path:
        """Decoded images, features, drawn demo images: shared by all sweeps of the results folder."""
        return self.results / CACHE_FOLDER


@dataclass(frozen=True, slots=True)
class Prepared:
    """A sweep ready to run: its plan, its folder, its images, and where its weights lie (random ones nowhere)."""

    plan: Plan
    folder: Path
    cache: Path
    images: Path
    data: DataSet
    weights: WeightPaths


@dataclass(frozen=True, slots=True)
class Location:
    """A sweep's folder, and its folder of images (None: the demo's)."""

    folder: Path
    images: Path | None


def locate_sweep(spec: Spec, places: Places, say: Say) -> Location:
    """Choose the images and the folder of a spec. A fallback to demo images has a folder of its own.

    Raises:
        UserError: the images are not there, and the spec names no fallback.
    """
    images = find_images(spec, places)
    if images is not None or spec.data.source is DataSource.DEMO:
        return Location(places.results / spec.name, images)
    say(
        f"DEMO IMAGES: no images at {spec.data.folder} (nor --data, nor ${DATA_VARIABLE}); going on with drawn ones, "
        "whose accuracies say nothing about X-rays"
    )
    return Location(places.results / f"{spec.name}{DEMO_SUFFIX}", None)


def locate_again(folder: Path, places: Places) -> tuple[Spec, Location]:
    """Return the spec of a sweep that was run before, and where its images were, unless `places.data` says other.

    Raises:
        UserError: there is no such sweep.
    """
    with Store.read(folder) as store:
        spec, inputs = load_sweep(store)
        former = store.load_images_folder()
    if inputs.data.is_demo:
        _refuse_folder(places)
        return spec, Location(folder, None)
    if places.data is None and former and Path(former).is_dir():
        return spec, Location(folder, Path(former))
    return spec, Location(folder, find_images(spec, places))


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
    hashes = HashCache(places.cache / "hashes.json")
    is_demo = location.images is None
    folder = location.images or _draw_demo(spec.data.demo, places.cache, say)
    name = "demo" if is_demo else "/".join(folder.resolve().parts[-2:])
    patients = None if is_demo else spec.data.patients  # drawn images have the publisher's names
    data = open_data_set(folder, name, hashes, spec.data.undecodable, is_demo=is_demo, patients=patients)
    for line in describe_doubts(data.images):
        say(f"{folder}: {line}")
    if data.summary.left_out:
        say(f"{folder}: {count(data.summary.left_out, 'file')} cannot be decoded, left out")
    for split in spec.grid.split:
        check_split(data.images.labels, data.summary.fingerprint, split, spec.grid.shuffle)
    former = stored[1] if stored else None
    if former and former.data.fingerprint != data.summary.fingerprint:
        say(f"{folder}: the images are others than when {location.folder} was run last: every trial runs anew")
        former = None
    decided = former.weights if stored and former and _decides_weights(stored[0]) == _decides_weights(spec) else {}
    weights, paths = _find_weights(decided, spec, hashes, say, is_demo=is_demo, download=download)
    plan = make_plan(spec, Inputs(data.summary, weights))
    return Prepared(plan, location.folder, places.cache, folder, data, paths)


def find_images(spec: Spec, places: Places) -> Path | None:
    """Find the folder of images: `places.data`, `$SWEEP_DATA`, the spec's folder; None for the demo's.

    Raises:
        UserError: a folder named by flag or variable is not there, or none is and the spec names no fallback.
    """
    if spec.data.source is DataSource.DEMO:
        _refuse_folder(places)
        return None
    named = {"--data": places.data, f"${DATA_VARIABLE}": os.environ.get(DATA_VARIABLE)}
    for option, folder in named.items():
        if folder and not Path(folder).is_dir():
            raise UserError(f"{option}: {folder} is no folder; name the folder that holds the images")
        if folder:
            return _enter_subfolder(Path(folder), spec)
    if Path(spec.data.folder).is_dir():
        return _enter_subfolder(Path(spec.data.folder), spec)
    if spec.data.fallback is Fallback.DEMO:
        return None
    raise UserError(
        f"data.folder: {spec.data.folder} is not there (looked at --data, ${DATA_VARIABLE}, data.folder); name the "
        "folder with --data, or set data.fallback: demo to try the sweep on drawn images"
    )


def _refuse_folder(places: Places) -> None:
    if places.data is not None:
        raise UserError(f"--data: {places.data} has no use here, as this sweep takes drawn images; leave it out")


def open_weights(prepared: Prepared, backbone: Backbone) -> WeightsBlob:
    """Read a backbone's weights into memory; download them where a finished sweep has outlived its files.

    Raises:
        UserError: they are not to be had, or are others than those the sweep was run with.
    """
    spec, identity = prepared.plan.spec, prepared.plan.inputs.weights[backbone]
    if identity.source is WeightsSource.RANDOM:
        return read_weights(spec.weights, spec.features, backbone, None)
    try:
        path = prepared.weights[backbone] or download_weights(spec.weights, spec.features, backbone)
    except WeightsUnavailable as error:
        raise UserError(f"weights: {error}") from error
    if hash_weights(path) != identity.sha256:
        raise UserError(
            f"weights: {path} is not the file this sweep was run with (SHA-256 {identity.sha256[:12]}...); "
            "put that file back, or start a new sweep under another name"
        )
    return read_weights(spec.weights, spec.features, backbone, path)


def _enter_subfolder(folder: Path, spec: Spec) -> Path:
    part = folder / spec.data.subfolder if spec.data.subfolder else folder
    return part if part.is_dir() else folder


def _draw_demo(demo: DemoSpec, cache: Path, say: Say) -> Path:
    folder = cache / f"demo-v{DEMO_VERSION}-{demo.images}-{demo.seed}"
    if not folder.is_dir():
        say(f"drawing {demo.images} demo images (seed {demo.seed})")
        draw_demo(folder, demo.images, demo.seed)
    return folder


def _find_weights(  # noqa: PLR0913 - one decision that needs all of it
    former: Mapping[Backbone, WeightsId], spec: Spec, hashes: HashCache, say: Say, *, is_demo: bool, download: bool
) -> tuple[dict[Backbone, WeightsId], WeightPaths]:
    """Identify the weights of every backbone, all from one source.

    Weights on this machine come first; then those a former run of the sweep decided on, backbone by backbone; then a
    download; and for demo images alone, at last, random weights: for all backbones, or for none.
    """
    backbones = list_backbones(spec)
    paths: dict[Backbone, Path | None] = {
        backbone: locate_weights(spec.weights, spec.features, backbone) for backbone in backbones
    }
    if spec.weights.source is WeightsSource.RANDOM:
        return _random_weights(spec, backbones), paths
    absent = [backbone for backbone, path in paths.items() if path is None]
    if absent and any(weights.source is WeightsSource.RANDOM for weights in former.values()):
        say(RANDOM_NOTICE)
        return {**_random_weights(spec, backbones), **_only(former, backbones)}, dict.fromkeys(backbones)
    undecided = [backbone for backbone in absent if backbone not in former]
    if undecided:
        weights_of = f"the weights of {count(len(undecided), 'backbone')}"
        if not download:
            say(f"{weights_of} are not on this machine; `sweep run` downloads them")
        elif not _download(spec, undecided, paths, may_be_random=is_demo and not former, say=say):
            return _random_weights(spec, backbones), dict.fromkeys(backbones)
    found = _identify({backbone: path for backbone, path in paths.items() if path}, spec, hashes)
    pending = WeightsId(spec.weights.source, PENDING)
    return {backbone: found.get(backbone) or former.get(backbone, pending) for backbone in backbones}, paths


def _download(
    spec: Spec, absent: list[Backbone], paths: dict[Backbone, Path | None], *, may_be_random: bool, say: Say
) -> bool:
    """Download into `paths`; False where that cannot be done and random weights may stand in."""
    say(f"downloading the weights of {count(len(absent), 'backbone')}")
    try:
        paths |= {backbone: download_weights(spec.weights, spec.features, backbone) for backbone in absent}
    except WeightsUnavailable as error:
        if not may_be_random:
            raise UserError(f"weights: {error}") from error
        log.info("%s", error)
        say(RANDOM_NOTICE)
        return False
    return True


def _identify(paths: Mapping[Backbone, Path], spec: Spec, hashes: HashCache) -> dict[Backbone, WeightsId]:
    files = [path for path in paths.values() if path.is_file()]
    contents = dict(zip(files, hashes.hash_files(files), strict=True))
    return {
        backbone: WeightsId(spec.weights.source, contents.get(path) or hash_weights(path))
        for backbone, path in paths.items()
    }


def _random_weights(spec: Spec, backbones: Iterable[Backbone]) -> dict[Backbone, WeightsId]:
    return {
        backbone: WeightsId(WeightsSource.RANDOM, random_weights_sha256(backbone, spec.features))
        for backbone in backbones
    }


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


def _decides_weights(spec: Spec) -> tuple[object, ...]:
    """All of a spec that decides which weights a backbone gets; the axes only say which backbones there are."""
    return spec.weights, spec.features


def _only(weights: Mapping[Backbone, WeightsId], backbones: Iterable[Backbone]) -> dict[Backbone, WeightsId]:
    return {backbone: weights[backbone] for backbone in backbones if backbone in weights}
