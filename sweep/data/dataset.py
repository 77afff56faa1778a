"""A data set: its files, and what identifies it."""

from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sweep.data.decode import describe_damage, is_decodable
from sweep.data.hashes import HashCache
from sweep.data.scan import ImageFile, scan_folder
from sweep.errors import UserError
from sweep.planning.inputs import DataSummary
from sweep.spec.schema import Undecodable


@dataclass(frozen=True, slots=True)
class Images:
    """The images of a data set: relative names, labels (images,), patients, and how many copy another file."""

    names: tuple[str, ...]
    labels: NDArray[np.int64]
    patients: tuple[str, ...]
    copies: int


@dataclass(frozen=True, slots=True)
class DataSet:
    """Images on this machine. Positions in it are positions in `files`."""

    summary: DataSummary
    files: tuple[ImageFile, ...]
    images: Images
    contents: tuple[str, ...]  # SHA-256 of each file

    def read(self, positions: tuple[int, ...]) -> list[tuple[str, bytes]]:
        """Return the (name, content) of some files.

        Raises:
            UserError: a file is no longer what it was when the data set was opened.
        """
        return [(self.files[position].name, self._read_file(position)) for position in positions]

    def _read_file(self, position: int) -> bytes:
        path = self.files[position].path
        content = path.read_bytes()
        if sha256(content).hexdigest() != self.contents[position]:
            raise UserError(f"{path}: has changed since the sweep began; leave the images alone and run again")
        return content


def open_data_set(folder: Path, name: str, hashes: HashCache, undecodable: Undecodable, *, is_demo: bool) -> DataSet:
    """Scan a folder and fingerprint its files.

    With `Undecodable.SKIP` every file is decoded once, and never again, to find those to leave out: what is left out
    changes the splits, so it must be known before anything is planned.

    Raises:
        UserError: the folder holds no data set.
    """
    classes, files = scan_folder(folder)
    left_out = 0
    if undecodable is Undecodable.SKIP:
        verdicts = hashes.judge_files((file.path for file in files), is_decodable)
        decodable = [file for file, verdict in zip(files, verdicts, strict=True) if verdict]
        left_out = len(files) - len(decodable)
        _refuse_empty_classes(classes, files, decodable)
        files = decodable
    contents = hashes.hash_files(file.path for file in files)
    listing = "\n".join(f"{content} {file.name}" for content, file in zip(contents, files, strict=True))
    per_class = Counter(file.label for file in files)
    summary = DataSummary(
        name=name,
        fingerprint=sha256(listing.encode(errors="surrogateescape")).hexdigest(),
        classes=classes,
        images_per_class=tuple(per_class[label] for label in range(len(classes))),
        is_demo=is_demo,
        left_out=left_out,
    )
    images = Images(
        names=tuple(file.name for file in files),
        labels=np.array([file.label for file in files], np.int64),
        patients=tuple(file.patient for file in files),
        copies=len(contents) - len(set(contents)),
    )
    return DataSet(summary, tuple(files), images, tuple(contents))


def _refuse_empty_classes(classes: tuple[str, ...], files: list[ImageFile], decodable: list[ImageFile]) -> None:
    empty = set(range(len(classes))) - {file.label for file in decodable}
    if empty:
        raise UserError(describe_damage(file.name for file in files if file.label in empty))
