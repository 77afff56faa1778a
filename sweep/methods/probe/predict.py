"""A head applied to new images: the same steps as for those it was scored on."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sweep.axes import Value
from sweep.data.decode import decode_images
from sweep.methods.probe.state import apply_state
from sweep.networks.runtime import open_network
from sweep.outcome import State
from sweep.spec.values import Resize


def score_files(
    point: Mapping[str, Value], network: NDArray[np.uint8], state: State, files: Sequence[tuple[str, bytes]]
) -> NDArray[np.float32]:
    """Return the logits of some image files, (files, classes); bit for bit those of an image that was scored before.

    Args:
        point: of the trial, by axis.
        network: the converted network of the point.
        state: the head's weights.
        files: (name, content) of each.

    Raises:
        UserError: a file cannot be decoded.
    """
    side = int(str(point["resolution"]))
    resize, antialias = Resize(str(point["resize"])), bool(point["antialias"])
    (images,) = decode_images(files, [side], resize=resize, antialias=antialias, can_skip=False)
    return apply_state(state, open_network(network)(images))
