"""Which images a folder holds: one folder per class."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sweep.errors import UserError


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file and what its place and name say about it."""

    path: Path
    name: str  # relative to the data set, `CLASS/FILE` or `CLASS/PATIENT/FILE`
    label: int


def scan_folder(folder: Path, *, by_patient: bool = False) -> tuple[tuple[str, ...], list[ImageFile]]:
    """Return the class names and the files of a data set, both sorted by name. Hidden files are no images.

    With `by_patient` a class may hold folders of images, one for each patient.

    Raises:
        UserError: fewer than two classes, a class or patient without images, or folders where files should be.
    """
    classes = tuple(sorted(entry.name for entry in _visible(folder) if entry.is_dir()))
    if len(classes) < 2:
        found = ", ".join(classes) or "none"
        raise UserError(f"{folder}: needs one folder per class, at least two (found: {found}); name another folder")
    files = []
    for label, name in enumerate(classes):
        paths = list(_list_images(folder / name, by_patient=by_patient))
        files += [ImageFile(path, path.relative_to(folder).as_posix(), label) for path in paths]
    return classes, files


def _list_images(folder: Path, *, by_patient: bool) -> Iterator[Path]:
    """Yield the images of a class, and those of its patients where each has a folder."""
    entries = sorted(_visible(folder), key=lambda entry: entry.name)
    nested = [entry.name for entry in entries if entry.is_dir()]
    if nested and not by_patient:
        raise UserError(
            f"{folder}: holds folders ({nested[0]}) where images should be; if {folder.name} is a part of the data "
            f"set and no class, set data.subfolder: {folder.name}; if each is a patient, set data.patients: folder"
        )
    if not entries:
        raise UserError(f"{folder}: holds no images; remove the folder or fill it")
    for entry in entries:
        if entry.is_dir():
            yield from _list_images_of_patient(Path(entry.path))
        else:
            yield Path(entry.path)


def _list_images_of_patient(folder: Path) -> Iterator[Path]:
    entries = sorted(_visible(folder), key=lambda entry: entry.name)
    nested = [entry.name for entry in entries if entry.is_dir()]
    if nested:
        raise UserError(
            f"{folder}: holds folders ({nested[0]}) where the images of a patient should be (allowed: "
            "CLASS/PATIENT/FILE); move the images up"
        )
    if not entries:
        raise UserError(f"{folder}: holds no images of the patient; remove the folder or fill it")
    yield from (Path(entry.path) for entry in entries)


def _visible(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise UserError(
            f"{folder}: cannot be read ({error.strerror}); name a folder with one folder per class"
        ) from error
