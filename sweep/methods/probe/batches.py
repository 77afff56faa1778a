"""The random batches of a partition, the same for all heads on it, and the random masks of dropout."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np

from sweep.methods.probe.heads import Float32, Head, Int64, last_step_of
from sweep.spec.values import Sampling

CURVE_STEPS = 50  # the validation curve has a point every so many steps; batches are drawn in such blocks
CHANCES = 2**16  # dropout is a multiple of their inverse: 16 random bits a feature
A_WORD = 4  # features that 64 random bits decide on


class BatchDraws:
    """A partition's random batches, drawn in blocks so that a longer run begins with the shorter one's batches."""

    def __init__(self, head: Head, pool: Int64, labels: Int64) -> None:
        """Draw as `head` says. pool: positions of the training images; labels: of all images."""
        by_class = np.argsort(labels[pool], kind="stable")
        self._pool: Int64 = pool[by_class]
        self._sizes = np.bincount(labels[pool])
        self._starts = np.cumsum(self._sizes) - self._sizes
        self._shape = (CURVE_STEPS, head.batch_size)
        self._sampling = head.sampling
        self._generator = np.random.default_rng(int(head.batches_id, 16))

    def draw_block(self) -> Int64:
        """Draw the next CURVE_STEPS batches, with replacement: (CURVE_STEPS, batch) positions of images."""
        place = self._generator.random(self._shape)
        if self._sampling is Sampling.UNIFORM:
            within = np.floor(place * len(self._pool))
        else:
            label = self._generator.integers(len(self._sizes), size=self._shape)
            within = np.floor(place * self._sizes[label]) + self._starts[label]
        return np.take(self._pool, within.astype(np.int64))


def walk_through(heads: Iterable[Head], draws: Iterable[BatchDraws]) -> Iterator[tuple[Int64, int]]:
    """Yield batches, (steps, draws, batch) positions, up to every point of a curve and every read-out, and its step."""
    heads, draws = list(heads), list(draws)
    readouts = {step for head in heads for step in head.readouts}
    last_step = last_step_of(heads)
    for start in range(0, last_step, CURVE_STEPS):
        stop = min(start + CURVE_STEPS, last_step)
        block = np.stack([each.draw_block() for each in draws], axis=1)
        halts = [start, *sorted(step for step in readouts if start < step < stop), stop]
        for before, step in pairwise(halts):
            yield block[before - start : step - start], step


class Masks:
    """Dropout of features: each is 0 with a head's chance, the others are scaled up to keep the expectation.

    Inverted dropout (Srivastava et al. 2014). Heads that start at the same weights draw the same bits.
    """

    def __init__(self, heads: Iterable[Head]) -> None:
        """One head a batch; of heads that share a batch, any."""
        heads = list(heads)
        self._bits = [np.random.PCG64([int(head.start_id, 16), 1]) for head in heads]
        dropped = np.array([min(round(head.dropout * CHANCES), CHANCES - 1) for head in heads]).reshape(-1, 1, 1)
        self._threshold = dropped.astype(np.uint16)
        self._scale = (CHANCES / (CHANCES - dropped)).astype(np.float32)

    def drop(self, batches: Float32) -> None:
        """Drop features in place. batches: (heads, batch, width)."""
        size = batches[0].size
        words = [bits.random_raw(-(-size // A_WORD)) for bits in self._bits]
        bits = np.stack(words).view(np.uint16)[:, :size].reshape(batches.shape)
        batches *= (bits >= self._threshold).astype(np.float32)
        batches *= self._scale
