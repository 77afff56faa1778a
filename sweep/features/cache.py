"""Decoded images and features on disk: one `.npy` file per array, whole or absent, opened as a memory map.

Beside each array lies a `.json` file of the same name that says under what it was made.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.catalogue import Complexity
from sweep.data.files import write_beside
from sweep.errors import FatalError
from sweep.planning.units import ArtifactKey

CACHE_VERSION = 1  # of the layout; what the arrays depend on is in their keys


class ArrayCache:
    """Arrays by key, shared by all sweeps of a results folder. Deleting any of it costs time, nothing else."""

    def __init__(self, root: Path) -> None:
        self.root = root / f"v{CACHE_VERSION}"

    def has(self, key: ArtifactKey) -> bool:
        """Whether the array is there."""
        return self._path(key).is_file()

    def read(self, key: ArtifactKey) -> NDArray[Any]:
        """Open an array without reading it.

        Raises:
            FatalError: the file is damaged.
        """
        path = self._path(key)
        try:
            array: NDArray[Any] = np.asarray(np.load(path, mmap_mode="r"))
        except (OSError, ValueError, EOFError) as error:
            raise FatalError(f"{path}: damaged ({error}); delete it and run again") from error
        return array

    def write(self, key: ArtifactKey, array: NDArray[Any], provenance: Mapping[str, Any] | None = None) -> None:
        """Keep an array, and under what it was made."""
        path = self._path(key)
        with suppress(OSError):  # it spoke of another array, if it is there
            path.with_suffix(".json").unlink()
        with write_beside(path) as file:
            np.save(file, array)
        if provenance is not None:
            _write_json(path.with_suffix(".json"), {"provenance": dict(provenance)})

    def read_provenance(self, key: ArtifactKey) -> dict[str, Any] | None:
        """Return under what an array was made; None where that is not known."""
        provenance = _read_json(self._path(key).with_suffix(".json")).get("provenance")
        return provenance if isinstance(provenance, dict) else None

    def write_complexity(self, folder: str, complexity: Complexity) -> None:
        """Keep what was counted in the model behind a feature set."""
        _write_json(self._complexity_path(folder), asdict(complexity))

    def read_complexity(self, folder: str) -> Complexity | None:
        """Return what was counted in the model behind a feature set, if it is known."""
        counts = _read_json(self._complexity_path(folder))
        names = {field.name for field in fields(Complexity)}
        is_whole = counts.keys() == names and all(type(count) is int for count in counts.values())
        return Complexity(**counts) if is_whole else None

    def _path(self, key: ArtifactKey) -> Path:
        return self.root / key.kind / key.folder / f"{key.part}.npy"

    def _complexity_path(self, folder: str) -> Path:
        return self.root / "features" / folder / "complexity.json"


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    with write_beside(path) as file:
        file.write(json.dumps(values).encode())


def _read_json(path: Path) -> dict[str, Any]:
    """Return what a file beside an array holds; nothing where it cannot be read."""
    with suppress(OSError, ValueError, RecursionError):
        values = json.loads(path.read_bytes())
        return values if isinstance(values, dict) else {}
    return {}
