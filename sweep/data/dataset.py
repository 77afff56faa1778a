"""A data set: its files, and what identifies it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sweep.data.decode import describe_damage, is_decodable
from sweep.data.hashes import HashCache
from sweep.data.patients import name_patients
from sweep.data.scan import ImageFile, scan_folder
from sweep.errors import UserError
from sweep.inputs import DataSummary
from sweep.spec.schema import PatientsSpec
from sweep.spec.values import Undecodable

PATIENTS_UNKNOWN = "patients unknown: neither file names nor data.patients tell them"


@dataclass(frozen=True, slots=True)
class Images:
    """The images of a data set: relative names, labels (images,), and the patients (None: unknown).

    copies: files whose content another file has too, the first of each not counted. contradictions: files whose
    content lies in another class too; None where nobody has looked.
    """

    names: tuple[str, ...]
    labels: NDArray[np.int64]
    patients: tuple[str | None, ...]
    copies: int
    contradictions: int | None = None

    @property
    def images_of_known_patients(self) -> int:
        """Number of images whose patient is known."""
        return len(self.patients) - self.patients.count(None)

    @property
    def knows_patients(self) -> bool:
        """Whether the patient of every image is known: only then can patients be counted."""
        return None not in self.patients

    @property
    def clusters(self) -> tuple[str, ...]:
        """What images have in common: their patient, or nothing but themselves where that is unknown."""
        pairs = zip(self.names, self.patients, strict=True)  # no patient begins with a blank
        return tuple(f" {name}" if patient is None else patient for name, patient in pairs)


@dataclass(frozen=True, slots=True)
class DataSet:
    """Images on this machine. Positions in it are positions in `files`."""

    summary: DataSummary
    files: tuple[ImageFile, ...]
    images: Images
    contents: tuple[str, ...]  # SHA-256 of each file

    def select(self, positions: Iterable[int]) -> "FileSet":
        """Return some files, not yet read."""
        chosen = [(self.files[position], self.contents[position]) for position in positions]
        return FileSet(tuple((file.name, file.path.absolute(), content) for file, content in chosen))


@dataclass(frozen=True, slots=True)
class FileSet:
    """Some files by name, path and SHA-256: what a machine that reaches them can read itself."""

    files: tuple[tuple[str, Path, str], ...]

    def fetch(self) -> list[tuple[str, bytes]]:
        """Return the (name, content) of each.

        Raises:
            UserError: a file is gone, or no longer what it was when the data set was opened.
        """
        return [(name, _read_unchanged(path, content)) for name, path, content in self.files]


def _read_unchanged(path: Path, expected: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read any more ({error.strerror}); put it back and run again") from error
    if sha256(content).hexdigest() != expected:
        raise UserError(f"{path}: has changed since the sweep began; leave the images alone and run again")
    return content


def open_data_set(  # noqa: PLR0913 - a place, a name, a memory, and three settings of the spec
    folder: Path,
    name: str,
    hashes: HashCache,
    undecodable: Undecodable,
    *,
    is_demo: bool,
    patients: PatientsSpec | None = None,
) -> DataSet:
    """Scan a folder and fingerprint its files.

    With `Undecodable.SKIP` every file is decoded once, and never again, to find those to leave out: what is left out
    changes the splits, so it must be known before anything is planned. `patients` names the patients; None: the
    publisher's file names do. It changes nothing else.

    Raises:
        UserError: the folder holds no data set, or `patients` does not suit it.
    """
    classes, files = scan_folder(folder, by_patient=patients is not None and patients.folder)
    names = [file.name for file in files]
    owners = dict(zip(names, name_patients(names, patients), strict=True))
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
        patients=tuple(owners[file.name] for file in files),
        copies=len(contents) - len(set(contents)),
        contradictions=_count_contradictions(files, contents),
    )
    return DataSet(summary, tuple(files), images, tuple(contents))


def describe_doubts(images: Images) -> Iterator[str]:
    """Yield a line for each thing that makes results of these images worth less than they look."""
    if not images.knows_patients:
        yield describe_unknown_patients(images)
    if images.contradictions:
        yield (
            f"{images.contradictions:,} files are byte-identical to a file of another class (contradictory labels); "
            "remove the wrong ones"
        )


def describe_unknown_patients(images: Images) -> str:
    """Say of how many images the patients are unknown, where any are."""
    known = images.images_of_known_patients
    if not known:
        return PATIENTS_UNKNOWN
    return f"patients known for {known:,} of {len(images.patients):,} images, by file names or data.patients"


def _count_contradictions(files: Sequence[ImageFile], contents: Sequence[str]) -> int:
    """Count the files whose content lies in another class too."""
    labels: dict[str, set[int]] = {}
    for file, content in zip(files, contents, strict=True):
        labels.setdefault(content, set()).add(file.label)
    return sum(len(labels[content]) > 1 for content in contents)


def _refuse_empty_classes(classes: tuple[str, ...], files: list[ImageFile], decodable: list[ImageFile]) -> None:
    empty = set(range(len(classes))) - {file.label for file in decodable}
    if empty:
        raise UserError(describe_damage(file.name for file in files if file.label in empty))
