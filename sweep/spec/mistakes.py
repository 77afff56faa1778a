"""A mistake in a spec: where, which key, what."""

from dataclasses import dataclass
from typing import Any

Key = tuple[str | int, ...]  # ("grid", "alpha", 2)
Complaint = tuple[Key, str]  # what is wrong with a key; its place is looked up later


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a value was written. Ordered as the user reads: the file from top to bottom, then each `--set`."""

    source: int = 0
    line: int = 0
    column: int = 0
    text: str = "spec"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One line of the message that refuses a spec."""

    place: Place
    key: Key
    text: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place.text, _spell_key(self.key), self.text) if part)


def as_written(values: Any, key: Key) -> Key:
    """Leave out the parts of a key that the user did not write: the index of a single value, `source` in `weights: hub`.

    `values` is the whole spec, as text and numbers in dictionaries and lists.
    """
    written: list[str | int] = []
    for part in key:
        if isinstance(part, int) and isinstance(values, list):
            values = values[part]
        elif isinstance(part, int) and isinstance(values, dict):
            continue  # the only product of a grid
        elif isinstance(part, str) and isinstance(values, dict):
            values = values.get(part)
        else:
            break
        written.append(part)
    return tuple(written)


def _spell_key(key: Key) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).removeprefix(".")
