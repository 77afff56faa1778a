"""What the procedures share: arrays that are checked, labels that are numbered. NaN or infinity is a ValueError."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.intp]

NEGLIGIBLE = 1e-12  # relative: what rounding leaves of a zero


def read_floats(name: str, array: ArrayLike) -> Floats:
    """Return an array in double precision. Raises ValueError where it holds NaN or infinity."""
    data = np.asarray(array, dtype=np.float64)
    unusable = int((~np.isfinite(data)).sum())
    if unusable:
        raise ValueError(f"{name}: {unusable} of {data.size} are NaN or infinite (allowed: none)")
    return data


def encode(labels: Iterable[ArrayLike]) -> Codes:
    """Return (runs,) numbers from 0 without gaps for the combinations of labels."""
    codes: Codes = np.zeros(1, dtype=np.intp)
    for label in labels:
        levels, inverse = np.unique(np.asarray(label), return_inverse=True)
        codes = np.unique(codes * len(levels) + inverse, return_inverse=True)[1]
    return codes
