"""What is computed of the images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sweep.networks.table import FeatureKind, Network, PixelRange, Scaling, pixel_range
from sweep.networks.weights import WeightsBlob


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is computed of the images: which output of which network, with which weights, of pixels scaled how.

    calibration: (n, r, r, 3) uint8, the images that the batch norm of random weights is calibrated on.
    """

    network: Network
    kind: FeatureKind
    weights: WeightsBlob
    scaling: Scaling = Scaling.NATIVE
    calibration: NDArray[np.uint8] | None = None

    @property
    def pixels(self) -> PixelRange:
        """What the pixels 0 and 255 become."""
        return pixel_range(self.network, self.weights.source, self.scaling)
