"""Plain gradient descent of many softmax regressions at once.

A step gathers one batch a partition, and all heads on the partition, one a learning rate, use it while it lies in the
core's cache. A head's part of a step is a matrix times its own weights and nothing else: NumPy makes one BLAS call a
head of a batched product, so that neighbours leave no trace, not even in the last bit. See docs/decisions/011.
"""

import numpy as np
from numpy.typing import NDArray

from sweep.training.head_data import Float32, HeadData


class GradientDescent:
    """The weights of heads on some partitions, equally many on each, moved together.

    weights: (partitions, heads, width, classes - 1), biases: (partitions, heads, 1, classes - 1). Softmax knows only
    differences of scores, so they are kept relative to the last class, whose score is 0: for two classes this halves
    the work.
    """

    def __init__(self, starts: Float32, rates: NDArray[np.float64], data: HeadData, batch_size: int) -> None:
        """Start at `starts`, (partitions, width, classes), with biases of 0. rates: (partitions, heads)."""
        weights = np.repeat(_relative_to_last(starts)[:, None], rates.shape[1], axis=1)
        self.weights: Float32 = np.ascontiguousarray(weights)
        self.biases = np.zeros((*rates.shape, 1, data.classes - 1), np.float32)
        self._features = data.features
        self._targets = _relative_to_last(np.eye(data.classes, dtype=np.float32))[data.labels]
        if data.classes == 2:
            self._targets -= 1  # see `_subtract_softmax`
        self._pace = (rates / batch_size).astype(np.float32)[..., None, None]
        self._batch = np.empty((len(rates), batch_size, data.features.shape[1]), np.float32)
        self._scores = np.empty((*rates.shape, batch_size, data.classes - 1), np.float32)
        self._change = np.empty_like(self.weights)

    def take_steps(self, positions: NDArray[np.int64]) -> None:
        """Take a step on each of some batches. positions: (steps, partitions, batch) of images."""
        batch = self._batch[:, None]
        for images, targets in zip(positions, self._targets[positions][:, :, None], strict=True):
            self._features.take(images, axis=0, out=self._batch, mode="clip")  # "clip" spares a copy
            moves = np.matmul(batch, self.weights, out=self._scores)
            moves += self.biases
            _subtract_softmax(moves)
            moves += targets
            moves *= self._pace
            self.weights += np.matmul(batch.swapaxes(2, 3), moves, out=self._change)
            self.biases += moves.sum(axis=2, keepdims=True)


def _subtract_softmax(scores: Float32) -> None:
    """Turn scores (..., batch, classes - 1) in place into the negative gradient without the targets' part.

    The gradient of the summed cross-entropy by the scores is softmax - one hot; relative to the last class, its
    difference from that of the last class. Of two classes, softmax's difference is 1 - 2 / (1 + exp(score)); its 1
    is taken off the targets once and for all.
    """
    if scores.shape[-1] == 1:
        np.exp(scores, out=scores)  # where it overflows, infinity serves as well
        scores += 1
        np.divide(2, scores, out=scores)
        return
    top = np.maximum(scores.max(axis=-1, keepdims=True), 0)
    last = np.exp(-top)
    scores -= top
    np.exp(scores, out=scores)
    total = scores.sum(axis=-1, keepdims=True) + last
    scores -= last
    scores /= -total


def draw_truncated_normal(generator: np.random.Generator, shape: tuple[int, ...], stddev: float) -> Float32:
    """Draw from a normal distribution cut off at two standard deviations by drawing again, as TensorFlow does."""
    values = generator.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = generator.standard_normal(int(outside.sum()))
    return (values * stddev).astype(np.float32)


def _relative_to_last(values: Float32) -> Float32:
    """Subtract the last class from the others. values: (..., classes)."""
    relative: Float32 = values[..., :-1] - values[..., -1:]
    return relative
