"""Weights on the driver: where they lie, what is in them, how they get here. Workers receive bytes, never paths."""

import os
import socket
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from hashlib import file_digest, sha1, sha256
from io import BytesIO
from pathlib import Path

from sweep.errors import UserError
from sweep.networks.table import (
    FeatureKind,
    Network,
    WeightsSource,
    hub_handle,
    keras_file_name,
    keras_file_url,
)

DOWNLOAD_TIMEOUT_S = 15.0  # without an answer, not in all
RANDOM_WEIGHTS_VERSION = 1  # raised when the recipe in `sweep.networks` draws other numbers
SAVED_MODEL_FILE = "saved_model.pb"
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


class WeightsUnavailable(Exception):  # noqa: N818 - a state of the network, not a mistake
    """The weights are not on this machine and could not be downloaded. The message says where to put them by hand."""


@dataclass(frozen=True, slots=True)
class WeightsBlob:
    """What travels to a worker. `payload` is a weights file, a SavedModel folder as a tar, or empty (random)."""

    source: WeightsSource
    name: str  # where it came from, for messages; its ending tells the format of a file
    payload: bytes


def locate_weights(source: WeightsSource, path: str | None, kind: FeatureKind, network: Network) -> Path | None:
    """Find the weights file or SavedModel folder on this machine; None where it must be downloaded first.

    `path` is the user's, with placeholders for the network's name and for its own axes: {network}, {alpha}. Random
    weights have no file: None too. UserError where a path of the user's does not hold such weights.
    """
    if source is WeightsSource.RANDOM:
        return None
    if path is not None:
        return _require_user_path(source, _fill_in(path, network))
    place = _cache_path(source, kind, network)
    is_there = place.is_file() if source is WeightsSource.IMAGENET else place.is_dir() and any(place.iterdir())
    return place if is_there else None


def download_weights(source: WeightsSource, kind: FeatureKind, network: Network) -> Path:
    """Download the weights into their cache, whole or not at all. Imports Keras or TensorFlow Hub.

    Raises WeightsUnavailable where the network does not yield them.
    """
    path = _cache_path(source, kind, network)
    is_hub = source is WeightsSource.HUB
    origin = hub_handle(network, kind) if is_hub else keras_file_url(network, kind)
    try:
        with _socket_timeout(DOWNLOAD_TIMEOUT_S), redirect_stdout(sys.stderr):
            return _resolve_on_hub(origin) if is_hub else _download_keras_file(origin, path)
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        what = f"the unpacked SavedModel of {origin}" if is_hub else f"{path.name} from {origin}"
        message = f"{path.name}: could not be downloaded ({reason}); put {what} by hand at {path}"
        raise WeightsUnavailable(message) from error


def hash_weights(path: Path) -> str:
    """SHA-256 of a file's bytes, or of the sorted names and contents of a folder: 64 hex digits."""
    if path.is_file():
        return _hash_file(path)
    total = sha256()
    for name, file in _list_files(path):
        total.update(f"{name}\0{_hash_file(file)}\n".encode())
    return total.hexdigest()


def read_weights(source: WeightsSource, kind: FeatureKind, network: Network, path: Path | None) -> WeightsBlob:
    """Read what `locate_weights` or `download_weights` found into memory (`path` is None for random weights)."""
    if path is None:
        return WeightsBlob(WeightsSource.RANDOM, f"random weights of {network} ({kind})", b"")
    payload = path.read_bytes() if path.is_file() else _pack_folder(path)
    return WeightsBlob(source, str(path), payload)


def random_weights_sha256(network: Network, kind: FeatureKind) -> str:
    """SHA-256 of the recipe of random weights, which is also the seed they are drawn from: 64 hex digits."""
    recipe = f"random weights {RANDOM_WEIGHTS_VERSION}: {network} {kind}"
    return sha256(recipe.encode()).hexdigest()


def hub_cache_folder_name(handle: str) -> str:
    """Folder under `$TFHUB_CACHE_DIR` in which tensorflow-hub keeps a downloaded handle."""
    return sha1(handle.encode(), usedforsecurity=False).hexdigest()


def _fill_in(path: str, network: Network) -> Path:
    for placeholder, value in (("network", network.name), *network.values):
        path = path.replace(f"{{{placeholder}}}", value if isinstance(value, str) else f"{value:g}")
    return Path(path).expanduser()


def _require_user_path(source: WeightsSource, path: Path) -> Path:
    if source is WeightsSource.FILE and not path.is_file():
        raise UserError(f"weights.path: {path} is not there (allowed: a Keras weights file; correct the path)")
    if source is WeightsSource.HUB and not (path / SAVED_MODEL_FILE).is_file():
        raise UserError(
            f"weights.path: {path} is no SavedModel (allowed: a folder with {SAVED_MODEL_FILE}; correct the path)"
        )
    return path


def _cache_path(source: WeightsSource, kind: FeatureKind, network: Network) -> Path:
    """Where keras.applications or tensorflow-hub keeps its downloads."""
    if source is WeightsSource.IMAGENET:
        home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
        return home / "models" / keras_file_name(network, kind)
    if source is WeightsSource.HUB:
        cache = os.environ.get("TFHUB_CACHE_DIR") or Path(tempfile.gettempdir(), "tfhub_modules")
        return Path(cache) / hub_cache_folder_name(hub_handle(network, kind))
    raise ValueError(f"weights of source {source} are never downloaded")


def _download_keras_file(url: str, path: Path) -> Path:
    import keras  # seconds, and needed for a download only

    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".download-") as folder:
        file = Path(keras.utils.get_file(path.name, url, cache_dir=folder, cache_subdir=""))
        with file.open("rb") as stream:  # some networks answer anything with a login page
            if stream.read(len(HDF5_SIGNATURE)) != HDF5_SIGNATURE:
                raise OSError("what came is no HDF5 file")
        file.replace(path)
    return path


def _resolve_on_hub(handle: str) -> Path:
    import tensorflow_hub  # seconds, and needed for a download only

    return Path(tensorflow_hub.resolve(handle))


@contextmanager
def _socket_timeout(timeout_s: float) -> Iterator[None]:
    """Neither downloader takes a timeout, so the default of new sockets is set around it."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(timeout_s)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _hash_file(path: Path) -> str:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def _list_files(folder: Path) -> list[tuple[str, Path]]:
    """(relative name with forward slashes, path) of every file below, sorted by name."""
    return sorted((file.relative_to(folder).as_posix(), file) for file in folder.rglob("*") if file.is_file())


def _pack_folder(folder: Path) -> bytes:
    """Pack as an uncompressed tar without dates and owners: equal contents, equal bytes."""
    stream = BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, file in _list_files(folder):
            payload = file.read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size = len(payload)
            archive.addfile(entry, BytesIO(payload))
    return stream.getvalue()
