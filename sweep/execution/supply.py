"""What work units need and no unit makes: the driver's own files, weights, labels and partitions."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.data.dataset import DataSet
from sweep.data.splits import Partition, partition_images
from sweep.execution.weights import WeightPaths, open_weights
from sweep.methods.table import find_method
from sweep.planning.plan import Plan
from sweep.planning.units import ArtifactKey
from sweep.spec.values import Split

WEIGHTS_AT_HAND = 2  # networks under way at a time
NOWHERE = -1  # the part of an image that a partition leaves out


class Supply:
    """Gives the driver's own inputs by their keys, checked against what the plan was made for; files by name.

    Raises, when called:
        UserError: a weights file is no longer what it was.
    """

    def __init__(self, plan: Plan, data: DataSet, weights: WeightPaths) -> None:
        self._data = data
        self._method = find_method(plan.spec.method)
        self._inputs = plan.inputs
        self._paths = weights
        self._weighted = {" ".join(map(str, each)): each for each in plan.inputs.weights}
        self._partitions = {trial.partition_id: trial for trial in plan.trials}
        self._read_weights = lru_cache(WEIGHTS_AT_HAND)(self._open_weights)

    def __call__(self, key: ArtifactKey) -> Any:
        """Return what a key names."""
        match key.kind:
            case "files":
                return self._data.select(self._method.list_positions(key.part, len(self._data.files)))
            case "weights":
                return self._read_weights(key.part)
            case "labels":
                return self._data.images.labels
            case "partitions":
                return self._mark_parts(key.folder)
        raise KeyError(str(key))

    def partition(self, partition_id: str) -> tuple[dict[str, Any], Partition]:
        """Return a partition's identity, and which image goes where."""
        identity = self._method.partition_of(self._partitions[partition_id])
        split, shuffle = Split.parse(identity["split"]), int(identity["shuffle"])
        data = self._data
        return identity, partition_images(data.images.labels, data.summary.fingerprint, split, shuffle)

    def _mark_parts(self, partition_id: str) -> NDArray[np.int8]:
        """Return the number of the part that each image is in, (images,): 0 training, 1 validation, 2 test."""
        _, partition = self.partition(partition_id)
        parts = np.full(len(self._data.files), NOWHERE, np.int8)
        for number, positions in enumerate(partition.parts.values()):
            parts[positions] = number
        return parts

    def _open_weights(self, name: str) -> NDArray[np.uint8]:
        weighted = self._weighted[name]
        payload = open_weights(weighted, self._inputs.weights[weighted], self._paths[weighted])
        return np.frombuffer(payload, np.uint8)
