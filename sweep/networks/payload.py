"""A network as bytes: a line of JSON that says what follows, and what follows. All that a worker needs to run it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.errors import FatalError

FORMAT = 1
BATCH_IMAGES = 4  # small batches stay in the caches: up to a third faster than 32, and the bits are the same


class Engine(StrEnum):
    """What computes a network."""

    LITERT = "litert"  # a LiteRT (TensorFlow Lite) model: about twice as fast as TensorFlow
    TENSORFLOW = "tensorflow"  # a frozen graph: for what LiteRT cannot compute
    NUMPY = "numpy"  # the kernels of the tiny network


@dataclass(frozen=True, slots=True)
class Header:
    """The first line. Input: (batch, resolution, resolution, 3) uint8; output: (batch, width) float32.

    `details` are the engine's own.
    """

    engine: Engine
    resolution: int
    width: int
    batch: int = BATCH_IMAGES
    details: Mapping[str, Any] = field(default_factory=dict)


def pack(header: Header, body: bytes) -> NDArray[np.uint8]:
    """Put a header before what it describes."""
    line = json.dumps({"format": FORMAT, **asdict(header)})
    return np.frombuffer(f"{line}\n".encode() + body, np.uint8)


def unpack(payload: NDArray[np.uint8]) -> tuple[Header, bytes]:
    """Take apart what `pack` put together; FatalError where it is damaged or of another format."""
    line, _, body = payload.tobytes().partition(b"\n")
    try:
        values = json.loads(line)
        if values.pop("format") != FORMAT:
            raise ValueError(f"it is of another format (allowed: {FORMAT})")  # noqa: TRY301 - one message for all
        return Header(**{**values, "engine": Engine(values["engine"])}), body
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        why = " ".join(str(error).split())
        raise FatalError(f"network: damaged ({why}); delete the folder networks of the cache and run again") from error
