"""Images through a frozen backbone."""

import numpy as np
from numpy.typing import NDArray

from sweep.models.build import BuiltBackbone

BATCH_IMAGES = 32  # fixed: which images share a batch may change the last bits of their features


class FeaturesNotFinite(Exception):  # noqa: N818 - says what came out
    """A backbone yielded NaN or infinity."""


def extract_features(images: NDArray[np.uint8], backbone: BuiltBackbone) -> NDArray[np.float32]:
    """Features (n, width) float32 of images (n, r, r, 3), n at least 1. FeaturesNotFinite names the first bad image."""
    starts = range(0, len(images), BATCH_IMAGES)
    features = np.concatenate([backbone.predict(images[start : start + BATCH_IMAGES]) for start in starts])
    bad = np.flatnonzero(~np.isfinite(features).all(axis=1))
    if bad.size:
        raise FeaturesNotFinite(
            f"features: {bad.size} of {len(images)} images have values that are not finite, the first is number "
            f"{bad[0]} (allowed: finite numbers; the weights may be damaged or the pixel range another)"
        )
    return features
