"""Decoded images and features on disk: one `.npy` file per array, whole or absent, opened as a memory map."""

import json
from dataclasses import asdict
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

    def write(self, key: ArtifactKey, array: NDArray[Any]) -> None:
        """Keep an array."""
        with write_beside(self._path(key)) as file:
            np.save(file, array)

    def write_complexity(self, folder: str, complexity: Complexity) -> None:
        """Keep what was counted in the model behind a feature set."""
        with write_beside(self._complexity_path(folder)) as file:
            file.write(json.dumps(asdict(complexity)).encode())

    def read_complexity(self, folder: str) -> Complexity | None:
        """Return what was counted in the model behind a feature set, if it is known."""
        path = self._complexity_path(folder)
        return Complexity(**json.loads(path.read_text())) if path.is_file() else None

    def _path(self, key: ArtifactKey) -> Path:
        return self.root / key.kind / key.folder / f"{key.part}.npy"

    def _complexity_path(self, folder: str) -> Path:
        return self.root / "features" / folder / "complexity.json"
