"""Arrays on disk: those that work units need and make, by key, and the states of trials that were kept.

An artifact is one `.npy` file, whole or absent. Beside it lies a `.json` file of the same name that says under what it
was made, and what was found meanwhile.
"""

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self
from zipfile import ZipFile, ZipInfo

import numpy as np
from numpy.lib.format import read_array, write_array
from numpy.typing import NDArray

from sweep.data.files import write_beside
from sweep.errors import UserError
from sweep.outcome import State
from sweep.planning.units import ArtifactKey
from sweep.store.places import open_place

CACHE_VERSION = 1  # of the layout; what the arrays depend on is in their keys
STATES = "states"  # folder of trials' states below a sweep's
FORMER_FACTS = "complexity.json"  # counted in the network behind a feature set, by releases that kept it there
MEMBER_SUFFIX = ".npy"  # of an array in a file of states


class Artifacts:
    """Arrays by key, shared by all sweeps of a results folder. Deleting any of it costs time, nothing else.

    `root` is a folder, where arrays are opened as memory maps, or a URL that fsspec reads, where they are loaded.
    It can be pickled: who unpickles it opens the place anew.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        """UserError where nothing reads such a URL."""
        self.root = os.fspath(root) if "://" in os.fspath(root) else os.path.abspath(root)  # noqa: PTH100 - may be gone
        self._place = open_place(self.root, f"v{CACHE_VERSION}")

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        return type(self), (self.root,)

    def has(self, key: ArtifactKey) -> bool:
        """Whether the array is there."""
        return self._place.has(f"{key}.npy")

    def read(self, key: ArtifactKey) -> NDArray[Any]:
        """Return an array; one in a folder is opened without reading it.

        Raises:
            FatalError: the file is damaged, or cannot be reached.
        """
        return self._place.load(f"{key}.npy")

    def write(
        self,
        key: ArtifactKey,
        array: NDArray[Any],
        provenance: Mapping[str, Any] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep an array, under what it was made, and facts that were found meanwhile (JSON values by name).

        Raises:
            FatalError: the disk is full or the place cannot be reached; nothing is left under the final name.
        """
        said = {"provenance": provenance, "facts": facts}
        known = {name: dict(values) for name, values in said.items() if values is not None}
        self._place.write(f"{key}.json", lambda file: file.write(json.dumps(known).encode()))
        self._place.write(f"{key}.npy", lambda file: np.save(file, array, allow_pickle=False))  # last: it is looked for

    def describe(self, key: ArtifactKey) -> dict[str, dict[str, Any]]:
        """Return what is said of an array, as far as it is known: its `provenance`, and `facts` by name."""
        said = self._read_object(f"{key}.json")
        if "facts" not in said and (facts := self._read_object(f"{key.kind}/{key.folder}/{FORMER_FACTS}")):
            said["facts"] = facts
        return {name: values for name, values in said.items() if isinstance(values, dict)}

    def remove_leftovers(self) -> None:
        """Remove what killed processes have left half-written."""
        self._place.remove_leftovers()

    def _read_object(self, name: str) -> dict[str, Any]:
        """Return the JSON object of a file; an empty one where it cannot be read."""
        with suppress(ValueError, RecursionError):
            values = json.loads(self._place.read(name) or b"{}")
            return values if isinstance(values, dict) else {}
        return {}


def write_states(folder: Path, name: str, states: Mapping[str, State], is_used: Callable[[str], bool]) -> str:
    """Write trials' states by id into a file of the folder, whole or not at all; return the file's name.

    A file that is used is left alone, as it may hold states of other trials: where `name` is, a number is added. One
    that is not was left by a process that was killed before the store heard of it, and is replaced.

    Raises:
        FatalError: the disk is full or cannot be written.
    """
    path = folder / f"{name}.npz"
    number = 1
    while path.exists() and is_used(path.name):
        number += 1
        path = folder / f"{name}-{number}.npz"
    with write_beside(path) as file, ZipFile(file, "w") as archive:
        for trial_id, state in states.items():
            for array_name, array in state.items():
                member = ZipInfo(f"{trial_id}/{array_name}{MEMBER_SUFFIX}")  # without a time: equal states, equal files
                with archive.open(member, "w", force_zip64=True) as written:
                    write_array(written, np.asarray(array), allow_pickle=False)
    return path.name


def read_state(path: Path, trial_id: str) -> dict[str, NDArray[Any]]:
    """Return a trial's state, by name.

    Raises:
        UserError: the file is missing or damaged, or does not hold the trial.
    """
    try:
        with ZipFile(path) as archive:
            prefix = f"{trial_id}/"
            members = [name for name in archive.namelist() if name.startswith(prefix)]
            state = {name.removeprefix(prefix).removesuffix(MEMBER_SUFFIX): _read(archive, name) for name in members}
    except Exception as error:  # zipfile, what it decompresses with, and numpy raise all sorts of things
        raise _make_error(path, trial_id, str(error)) from error
    if not state:
        raise _make_error(path, trial_id, "it holds other trials only")
    return state


def _read(archive: ZipFile, name: str) -> NDArray[Any]:
    with archive.open(name) as member:
        array: NDArray[Any] = read_array(member, allow_pickle=False)
        return array


def _make_error(path: Path, trial_id: str, why: str) -> UserError:
    return UserError(
        f"{path}: the state of trial {trial_id} cannot be read ({why}); put a copy in its place, or run the sweep anew "
        "in another folder"
    )
