"""Which patient an image is of: told by the publisher's file names, or by what `data.patients` names. Else unknown."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from pathlib import Path

from sweep.errors import UserError
from sweep.spec.schema import PatientsSpec
from sweep.spec.values import PATIENT_GROUP

# The publisher's names, versions 2 and 3 of the data: person12_virus_3, IM-0115-0001, NORMAL2-IM-0027-0001,
# BACTERIA-12-0001, VIRUS-12-0001, NORMAL-12-0001. Each series is numbered apart, bacteria and viruses too:
# person1000_bacteria_2931 and person1000_virus_1681 are two children.
_PUBLISHED = re.compile(
    r"^(person\d+_(?:bacteria|virus)|(?:NORMAL2-)?IM-\d+|(?:BACTERIA|VIRUS|NORMAL)-\d+)(?=[-_])", re.ASCII
)
_COLUMNS = ("file", "patient")


def name_patients(names: Sequence[str], rule: PatientsSpec | None) -> list[str | None]:
    """Return the patient of each image, None where it is unknown.

    The publisher's names tell patients of their class. A patient that `rule` names is one person in all classes.

    Args:
        names: of all files, `CLASS/FILE`; `CLASS/PATIENT/FILE` with a folder for each patient.
        rule: `data.patients` of the spec; None: the publisher's file names.

    Raises:
        UserError: the CSV file of the rule is not there, is none, or contradicts the images or itself.
    """
    if rule is None:
        return [_read_published(name) for name in names]
    if rule.csv is not None:
        listed = _read_table(Path(rule.csv), names)
        return [listed.get(name) for name in names]
    if rule.regex is not None:
        pattern = re.compile(rule.regex)
        return [_search(pattern, name) for name in names]
    return [_read_folder(name) for name in names]


def patient_of(file_name: str) -> str | None:
    """Return the patient in a file name of the publisher's; None where the name follows none of its rules."""
    match = _PUBLISHED.match(file_name)
    return match.group(1) if match else None


def _read_published(name: str) -> str | None:
    label, _, file_name = name.partition("/")
    patient = patient_of(file_name)
    return patient and f"{label}/{patient}"


def _read_folder(name: str) -> str | None:
    parts = name.split("/")
    return parts[1] if len(parts) > 2 else None


def _search(pattern: re.Pattern[str], name: str) -> str | None:
    match = pattern.search(name.partition("/")[2])
    if match is None:
        return None
    found = match[PATIENT_GROUP if PATIENT_GROUP in pattern.groupindex else 1]
    return (found or "").strip() or None


def _read_table(path: Path, names: Sequence[str]) -> dict[str, str]:
    """Return the patients that a CSV file names, by image."""
    owners: dict[str, str] = {}
    lines: dict[str, int] = {}
    full_names = _index_names(names)
    for line, file, patient in _read_rows(path):
        name = _find_image(f"{path}:{line}", file, full_names)
        if owners.setdefault(name, patient) != patient:
            raise UserError(
                f"{path}:{line}: {name} is of patient {patient!r} here and of {owners[name]!r} in line {lines[name]} "
                "(allowed: one patient for each file); correct one of the two"
            )
        lines.setdefault(name, line)
    return {name: patient for name, patient in owners.items() if patient}


def _read_rows(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield (line, file, patient) of every row that names a file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError(
            f"data.patients.csv: {path} cannot be read ({error.strerror}); name a CSV file with the columns "
            f"{' and '.join(_COLUMNS)}, by a path from the current folder"
        ) from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8 text; save it as a CSV file in UTF-8") from error
    reader = csv.DictReader(StringIO(text, newline=""))
    try:
        columns = [column.strip() for column in reader.fieldnames or ()]
        missing = [column for column in _COLUMNS if column not in columns]
        if missing:
            raise UserError(
                f"{path}:1: has no column {' and no column '.join(missing)} (found: {', '.join(columns) or 'none'}; "
                f"needed: {', '.join(_COLUMNS)}); name the columns in the first line"
            )
        reader.fieldnames = columns
        for row in reader:
            file, patient = ((row[column] or "").strip() for column in _COLUMNS)
            if file or patient:
                yield reader.line_num, file, patient
    except csv.Error as error:
        raise UserError(
            f"{path}: cannot be read beyond line {reader.line_num} ({error}); mend the row after it"
        ) from error


def _index_names(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the images that each full or bare file name stands for."""
    index: dict[str, list[str]] = {}
    for name in names:
        for key in {name, name.rpartition("/")[2]}:
            index.setdefault(key, []).append(name)
    return index


def _find_image(where: str, file: str, full_names: dict[str, list[str]]) -> str:
    found = full_names.get(file.removeprefix("./"), [])
    if not found:
        raise UserError(
            f"{where}: {file!r} is no image of the data set (allowed: CLASS/FILE, or FILE where only one class has "
            "it); correct or remove the row"
        )
    if len(found) > 1:
        raise UserError(f"{where}: {file!r} stands for {' and '.join(found)}; write CLASS/FILE")
    return found[0]
