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
        return ": ".join(part for part in (self.place.text, spell_key(self.key), self.text) if part)


def as_written(values: Any, key: Key) -> Key:
    """Leave out the parts of a key that the user did not write: indices of a single value, `source` of `weights: hub`.

    `values` is the whole spec, as text and numbers in dictionaries and lists.
    """
    written: list[str | int] = []
    for position, part in enumerate(key):
        if isinstance(part, int) and isinstance(values, list):
            is_one_of_lists = any(isinstance(inner, int) for inner in key[position + 1 : position + 2])
            if is_one_of_lists and not any(isinstance(each, list) for each in values):
                continue  # a single list on an axis of lists
            values = values[part]
        elif isinstance(part, str) and isinstance(values, dict):
            values = values.get(part)
        else:
            continue
        written.append(part)
    return tuple(written)


def spell_key(key: Key) -> str:
    """Spell a key as `--set` does: grid.alpha[2]."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).removeprefix(".")
