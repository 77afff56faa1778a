"""Names by content: equal values have equal texts, and equal texts equal names."""

from hashlib import sha256
from json import JSONEncoder
from typing import Any

SPLIT_VERSION = 1  # raised when the code cuts other parts for the same partition; every id changes with it

_ENCODER = JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)  # making one takes longer than using it


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no blanks, so that equal values have equal texts."""
    return _ENCODER.encode(value)


def short_hash(text: str) -> str:
    """16 hex digits of SHA-256."""
    return sha256(text.encode()).hexdigest()[:16]


def identify(value: Any) -> str:
    """16 hex digits that name a value by its canonical JSON."""
    return short_hash(canonical_json(value))


def partition_identity(split: str, shuffle: int) -> dict[str, Any]:
    """Which image goes where, given the data set."""
    return {"by": "image", "shuffle": shuffle, "split": split, "version": SPLIT_VERSION}
