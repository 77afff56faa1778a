"""Where files lie that appear whole or not at all: a folder, or a URL that fsspec reads."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any, Protocol
from uuid import uuid4

import numpy as np
from numpy.lib.format import open_memmap, read_array
from numpy.typing import NDArray

from sweep.data.files import SUFFIX, remove_leftovers, write_beside
from sweep.errors import FatalError, UserError

# What numpy says of a file that is no array, or not all of it
NO_ARRAY = (ValueError, TypeError, OverflowError, EOFError, TokenError)


class Place(Protocol):
    """Files by name, such as `features/abc/0.npy`. What cannot be read or written is a FatalError."""

    def has(self, name: str) -> bool:
        """Whether the file is there."""

    def load(self, name: str) -> NDArray[Any]:
        """Return the array of an `.npy` file."""

    def read(self, name: str) -> bytes | None:
        """Return a file's content; None where it cannot be read."""

    def write(self, name: str, write: Callable[[IO[bytes]], object]) -> None:
        """Write a file, whole or not at all."""

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""

    def remove_leftovers(self) -> None:
        """Remove what killed processes have left half-written."""


class Folder:
    """Files on a disk; arrays are memory maps."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def has(self, name: str) -> bool:
        """Whether the file is there."""
        return (self._root / name).is_file()

    def load(self, name: str) -> NDArray[Any]:
        """Open an array without reading it."""
        path = self._root / name
        with _loading(str(path)):
            return np.asarray(open_memmap(path, mode="r"))

    def read(self, name: str) -> bytes | None:
        """Return a file's content; None where it cannot be read."""
        with suppress(OSError):
            return (self._root / name).read_bytes()
        return None

    def write(self, name: str, write: Callable[[IO[bytes]], object]) -> None:
        """Write a file beside, then rename it into place."""
        with write_beside(self._root / name) as file:
            write(file)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with suppress(OSError):
            (self._root / name).unlink()

    def remove_leftovers(self) -> None:
        """Remove what killed processes have left half-written."""
        remove_leftovers(self._root)


class Remote:
    """Files behind a URL; arrays are loaded."""

    def __init__(self, url: str) -> None:
        from fsspec.core import url_to_fs

        try:  # a listing that is remembered would not tell what other processes have written since
            self._files, self._root = url_to_fs(url, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise UserError(f"{url}: cannot be reached ({error}); name a folder, or a URL that fsspec reads") from error

    def has(self, name: str) -> bool:
        """Whether the file is there."""
        with self._reaching(name):
            return bool(self._files.exists(self._path(name)))

    def load(self, name: str) -> NDArray[Any]:
        """Load an array."""
        with _loading(self._spell(name)), self._reaching(name):
            content = BytesIO(self._files.cat_file(self._path(name)))
            array: NDArray[Any] = read_array(content, allow_pickle=False)
            return array

    def read(self, name: str) -> bytes | None:
        """Return a file's content; None where it cannot be read."""
        with suppress(Exception):
            return bytes(self._files.cat_file(self._path(name)))
        return None

    def write(self, name: str, write: Callable[[IO[bytes]], object]) -> None:
        """Upload a file under another name, then move it into place."""
        path = self._path(name)
        folder, _, last = path.rpartition("/")
        beside = f"{folder}/.{last}.{uuid4().hex}{SUFFIX}"
        with self._reaching(name):
            try:
                self._files.makedirs(folder, exist_ok=True)
                with self._files.open(beside, "wb") as file:
                    write(file)
                self._files.mv(beside, path)
            except BaseException:
                with suppress(Exception):  # must not hide why
                    self._files.rm_file(beside)
                raise

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with suppress(Exception):
            self._files.rm_file(self._path(name))

    def remove_leftovers(self) -> None:
        """Do nothing: to look for them would list all that is there."""

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"

    def _spell(self, name: str) -> str:
        return str(self._files.unstrip_protocol(self._path(name)))

    @contextmanager
    def _reaching(self, name: str) -> Iterator[None]:
        """Turn whatever the library behind the URL raises into one line."""
        try:
            yield
        except (FatalError, *NO_ARRAY):
            raise
        except Exception as error:
            why = str(error) or type(error).__name__
            raise FatalError(
                f"{self._spell(name)}: cannot be read or written ({why}); what was stored before is intact: "
                "see that the place can be reached, then run again"
            ) from error


def open_place(root: str | os.PathLike[str], folder: str) -> Place:
    """Open a folder within a root: a folder, or an fsspec URL. UserError where nothing reads such a URL."""
    text = os.fspath(root)
    return Remote(f"{text.rstrip('/')}/{folder}") if "://" in text else Folder(Path(text, folder))


@contextmanager
def _loading(where: str) -> Iterator[None]:
    try:
        yield
    except (OSError, *NO_ARRAY) as error:
        raise FatalError(f"{where}: damaged ({error}); delete it and run again") from error
