"""Which images a folder holds: one folder per class, the publisher's file names telling the patients."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from sweep.errors import UserError

# The publisher's names, versions 2 and 3 of the data: person12_virus_3, IM-0115-0001, NORMAL2-IM-0027-0001,
# BACTERIA-12-0001, VIRUS-12-0001, NORMAL-12-0001.
_PATIENT = re.compile(r"^(person\d+(?=_(?:bacteria|virus)_)|(?:NORMAL2-)?IM-\d+|(?:BACTERIA|VIRUS|NORMAL)-\d+)(?=[-_])")


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file and what its place and name say about it."""

    path: Path
    name: str  # relative to the data set, `CLASS/FILE`
    label: int
    patient: str


def scan_folder(folder: Path) -> tuple[tuple[str, ...], list[ImageFile]]:
    """Return the class names and the files of a data set, both sorted by name. Hidden files are no images.

    Raises:
        UserError: fewer than two classes, a class without images, or folders where files should be.
    """
    classes = tuple(sorted(entry.name for entry in _visible(folder) if entry.is_dir()))
    if len(classes) < 2:
        found = ", ".join(classes) or "none"
        raise UserError(f"{folder}: needs one folder per class, at least two (found: {found}); name another folder")
    files = []
    for label, name in enumerate(classes):
        entries = sorted(_visible(folder / name), key=lambda entry: entry.name)
        nested = [entry.name for entry in entries if entry.is_dir()]
        if nested:
            raise UserError(
                f"{folder / name}: holds folders ({nested[0]}) where images should be; "
                f"if {name} is a part of the data set and no class, set data.subfolder: {name}"
            )
        if not entries:
            raise UserError(f"{folder / name}: holds no images; remove the folder or fill it")
        files += [
            ImageFile(Path(entry.path), f"{name}/{entry.name}", label, f"{name}/{patient_of(entry.name)}")
            for entry in entries
        ]
    return classes, files


def patient_of(file_name: str) -> str:
    """Return the patient in a file name of the publisher's; of any other name, the name itself."""
    match = _PATIENT.match(file_name)
    return match.group(1) if match else file_name


def _visible(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise UserError(
            f"{folder}: cannot be read ({error.strerror}); name a folder with one folder per class"
        ) from error
