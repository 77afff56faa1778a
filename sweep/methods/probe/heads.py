"""What is fitted: heads, and the images they are fitted and judged on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sweep.spec.values import Optimizer, Sampling

Float32 = NDArray[np.float32]
Int64 = NDArray[np.int64]

TRAINING, VALIDATION, TEST = 0, 1, 2  # of an image in a partition; -1: nowhere


@dataclass(frozen=True, slots=True)
class Head:
    """A head to fit, and the trials to read out of it after so many steps.

    `batches_id` seeds the batches, `start_id` the initial weights and dropout's masks; both are 16 hex digits.
    hidden: widths of the hidden layers; none is softmax regression, which alone has an `initial_stddev`.
    """

    fit_id: str
    partition_id: str
    batches_id: str
    start_id: str
    optimizer: Optimizer
    learning_rate: float
    momentum: float | None
    batch_size: int
    sampling: Sampling
    weight_decay: float
    hidden: tuple[int, ...]
    dropout: float
    initial_stddev: float | None
    readouts: Mapping[int, str]  # trial by steps, ascending

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read a head from JSON values, whose names are those of the fields."""
        steps = sorted(values["readouts"], key=int)
        read = {
            "optimizer": Optimizer(values["optimizer"]),
            "sampling": Sampling(values["sampling"]),
            "hidden": tuple(values["hidden"]),
            "readouts": {int(step): values["readouts"][step] for step in steps},
        }
        return cls(**{**values, **read})

    @property
    def last_step(self) -> int:
        """Where its training ends."""
        return max(self.readouts)


@dataclass(frozen=True, slots=True)
class Partition:
    """Positions of the images of each part, each (images of the part,) int64, ascending."""

    training: Int64
    validation: Int64
    test: Int64


@dataclass(frozen=True, slots=True)
class HeadData:
    """What heads are fitted on: features (images, width), labels (images,), and which image is in which part."""

    features: Float32
    labels: Int64
    classes: int
    partitions: Mapping[str, Partition]


def read_data(settings: Mapping[str, Any], arrays: Sequence[NDArray[Any]]) -> HeadData:
    """Read features, labels and partitions off a fit's arrays; see `sweep.methods.probe.fit`."""
    count = settings["shards"]
    shards, labels, places = arrays[:count], arrays[count], arrays[count + 1 :]
    partitions = {
        name: Partition(*(np.flatnonzero(place == part) for part in (TRAINING, VALIDATION, TEST)))
        for name, place in zip(settings["partitions"], places, strict=True)
    }
    features = shards[0] if count == 1 else np.concatenate(shards)
    return HeadData(np.ascontiguousarray(features), labels, settings["classes"], partitions)


def last_step_of(heads: Iterable[Head]) -> int:
    """Return where the longest training ends."""
    return max(head.last_step for head in heads)
