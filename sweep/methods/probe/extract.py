"""The kind `extract`: images through a frozen network."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.networks.runtime import Predict, open_network
from sweep.outcome import Yield

_opened: dict[str, Predict] = {}  # by id, the last one only: a worker's next shard is mostly of the same network


class FeaturesNotFinite(Exception):  # noqa: N818 - says what came out
    """A network yielded NaN or infinity."""


def run(settings: Mapping[str, Any], arrays: Sequence[NDArray[Any]]) -> Yield:
    """Yield one array, features (n, width) float32, and as a fact about the features which network they are of.

    settings: `converted` names the bytes of the network, `network_id` the features. arrays: images (n, r, r, 3) uint8,
    and these bytes, (bytes,) uint8. FeaturesNotFinite names the first bad image.
    """
    images, payload = arrays
    name = settings["converted"]
    if name not in _opened:
        _opened.clear()
        _opened[name] = open_network(payload)
    facts = {(settings["network_id"], "converted"): name}
    return Yield((extract_features(images, _opened[name]),), facts=facts)


def extract_features(images: NDArray[np.uint8], predict: Predict) -> NDArray[np.float32]:
    """Features (n, width) float32 of images (n, r, r, 3). FeaturesNotFinite names the first bad image."""
    features = predict(images)
    bad = np.flatnonzero(~np.isfinite(features).all(axis=1))
    if bad.size:
        raise FeaturesNotFinite(
            f"features: {bad.size} of {len(images)} images have values that are not finite, the first is number "
            f"{bad[0]} (allowed: finite numbers; the weights may be damaged or the pixel range another)"
        )
    return features
