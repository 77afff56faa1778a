"""What heads are fitted on."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sweep.data.splits import Partition
from sweep.spec.schema import Split

Float32 = NDArray[np.float32]
Parts = tuple[Split, int]


@dataclass(frozen=True, slots=True)
class HeadData:
    """What heads are fitted on: features (images, width), labels (images,), and which image is in which part."""

    features: Float32
    labels: NDArray[np.int64]
    classes: int
    partitions: Mapping[Parts, Partition]
