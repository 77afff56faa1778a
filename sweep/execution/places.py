"""Where a sweep's images and results lie on this machine."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sweep.errors import UserError
from sweep.execution.folders import DEMO_SUFFIX
from sweep.spec.schema import Spec
from sweep.spec.values import DataSource, Fallback
from sweep.store.store import Store
from sweep.store.stored_plan import load_sweep

CACHE_FOLDER = ".cache"
DATA_VARIABLE = "SWEEP_DATA"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Places:
    """Where things lie on this machine; no part of any result. `cache`: a folder or URL that all workers reach."""

    results: Path = Path("results")
    data: Path | None = None
    cache: str | None = None

    @property
    def drawn(self) -> Path:
        """Drawn demo images and the hashes of files: shared by all sweeps of the results folder."""
        return self.results / CACHE_FOLDER

    @property
    def artifacts(self) -> str:
        """Decoded images, networks and features: shared by all sweeps of the results folder."""
        return self.cache or str(self.drawn)


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


def _enter_subfolder(folder: Path, spec: Spec) -> Path:
    part = folder / spec.data.subfolder if spec.data.subfolder else folder
    return part if part.is_dir() else folder
