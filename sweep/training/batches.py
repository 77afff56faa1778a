"""The random batches of a partition: the same for all heads on it."""

import numpy as np
from numpy.typing import NDArray

from sweep.spec.schema import Sampling, TrainingSpec

CURVE_STEPS = 50  # the validation curve has a point every so many steps; batches are drawn in such blocks


class BatchDraws:
    """A partition's random batches, drawn in blocks so that a longer run begins with the shorter one's batches."""

    def __init__(self, seed: int, training: TrainingSpec, pool: NDArray[np.int64], labels: NDArray[np.int64]) -> None:
        by_class = np.argsort(labels[pool], kind="stable")
        self._pool: NDArray[np.int64] = pool[by_class]
        self._sizes = np.bincount(labels[pool])
        self._starts = np.cumsum(self._sizes) - self._sizes
        self._shape = (CURVE_STEPS, training.batch_size)
        self._sampling = training.sampling
        self._generator = np.random.default_rng(seed)

    def draw_block(self) -> NDArray[np.int64]:
        """Draw the next CURVE_STEPS batches, with replacement: (CURVE_STEPS, batch) positions of images."""
        place = self._generator.random(self._shape)
        if self._sampling is Sampling.UNIFORM:
            within = np.floor(place * len(self._pool))
        else:
            label = self._generator.integers(len(self._sizes), size=self._shape)
            within = np.floor(place * self._sizes[label]) + self._starts[label]
        return np.take(self._pool, within.astype(np.int64))
