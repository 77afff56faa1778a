"""The kind `fit`: heads fitted on the features of one network."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.methods.probe.heads import Head, read_data
from sweep.methods.probe.softmax import fit_softmax
from sweep.outcome import Yield


def run(settings: Mapping[str, Any], arrays: Sequence[NDArray[Any]]) -> Yield:
    """Fit heads and read them out: one outcome a trial, heads as given, steps ascending, and validation curves.

    settings: `shards` (how many), `classes`, `partitions` (their ids) and `heads`; see `Head` for the fields of one,
    of which `readouts` has text for keys. arrays: the shards of the features, (images of the shard, width) float32;
    labels, (images,) int64; of each partition, (images,) int8: 0 training, 1 validation, 2 test, -1 nowhere.

    A trial whose cross-entropy on the validation images is not finite, or above DIVERGED_NATS, is a Failure.
    """
    data = read_data(settings, arrays)
    heads = [Head.from_json(values) for values in settings["heads"]]
    layered = [head for head in heads if head.hidden]
    with np.errstate(over="ignore", invalid="ignore"):
        fitted = list(fit_softmax([head for head in heads if not head.hidden], data))
        if layered:
            from sweep.methods.probe.layers import (
                fit_layers,
            )  # TensorFlow: seconds, and softmax regression does without

            fitted += fit_layers(layered, data)
    by_fit = {record.head.fit_id: record for record in fitted}
    records = [by_fit[head.fit_id] for head in heads]
    return Yield(
        outcomes=tuple(outcome for record in records for outcome in record.outcomes),
        series=tuple(series for record in records for series in record.list_series()),
    )
