"""Gradient descent of many softmax regressions at once.

A step gathers one batch for a row of heads, and all of them use it while it lies in the core's cache. A head's part of
a step is a matrix times its own weights and nothing else: NumPy makes one BLAS call a head of a batched product, so
that neighbours leave no trace, not even in the last bit. See docs/decisions/011.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

import numpy as np

from sweep.methods.probe.batches import Masks
from sweep.methods.probe.heads import Float32, Head, HeadData, Int64
from sweep.methods.probe.optimizers import STEERINGS, Rows, Steering, per_head
from sweep.methods.probe.state import name_layers, relative_to_last
from sweep.outcome import State
from sweep.spec.values import Optimizer


class Descent:
    """The weights of heads in some rows, the same optimizers in each, moved together.

    weights: (rows, heads, width, classes - 1), biases: (rows, heads, 1, classes - 1). Softmax knows only differences of
    scores, so they are kept relative to the last class, whose score is 0: for two classes this halves the work.
    """

    def __init__(self, rows: Rows, data: HeadData) -> None:
        """Start at random weights and biases of 0. The heads of a row share batches and masks."""
        first = rows[0][0]
        self.weights = _draw_starts(rows, data)
        self.biases = np.zeros((len(rows), len(rows[0]), 1, data.classes - 1), np.float32)
        self._features = data.features
        self._targets = relative_to_last(np.eye(data.classes, dtype=np.float32))[data.labels]
        if data.classes == 2:
            self._targets -= 1  # see `_subtract_softmax`
        self._pace = per_head(rows, [[_length_of(head) / head.batch_size for head in row] for row in rows])
        self._kept = per_head(rows, [[1 - head.learning_rate * head.weight_decay for head in row] for row in rows])
        self._decays = any(head.weight_decay for row in rows for head in row)
        self._masks = Masks([row[0] for row in rows]) if first.dropout else None
        self._steerings = [list(_list_steerings(rows, parameters.shape)) for parameters in (self.weights, self.biases)]
        self._batch = np.empty((len(rows), first.batch_size, data.features.shape[1]), np.float32)
        self._scores = np.empty((*self.biases.shape[:2], first.batch_size, data.classes - 1), np.float32)
        self._change = np.empty_like(self.weights)

    def take_steps(self, positions: Int64) -> None:
        """Take a step on each of some batches. positions: (steps, rows, batch) of images."""
        batch = self._batch[:, None]
        for images, targets in zip(positions, self._targets[positions][:, :, None], strict=True):
            self._features.take(images, axis=0, out=self._batch, mode="clip")  # "clip" spares a copy
            if self._masks:
                self._masks.drop(self._batch)
            moves = np.matmul(batch, self.weights, out=self._scores)
            moves += self.biases
            _subtract_softmax(moves)
            moves += targets
            moves *= self._pace
            if self._decays:
                self.weights *= self._kept
            np.matmul(batch.swapaxes(2, 3), moves, out=self._change)
            _move(self.weights, self._change, self._steerings[0])
            _move(self.biases, moves.sum(axis=2, keepdims=True), self._steerings[1])

    def state_of(self, row: int, head: int) -> State:
        """Return a copy of one head's weights."""
        return name_layers([self.weights[row, head].copy()], [self.biases[row, head, 0].copy()])


def _length_of(head: Head) -> float:
    """Return by how much the gradient is scaled; Adam scales by itself."""
    return 1.0 if head.optimizer is Optimizer.ADAM else head.learning_rate


def _move(parameters: Float32, change: Float32, steerings: Iterable[tuple[slice, Steering]]) -> None:
    for heads, steering in steerings:
        steering.steer(change[:, heads])
    parameters += change


def _list_steerings(rows: Rows, shape: tuple[int, ...]) -> Iterator[tuple[slice, Steering]]:
    """Yield the optimizers that are more than plain descent, with the heads they steer."""
    start = 0
    for optimizer, group in groupby(head.optimizer for head in rows[0]):
        stop = start + len(list(group))
        if optimizer in STEERINGS:
            steered = [row[start:stop] for row in rows]
            yield slice(start, stop), STEERINGS[optimizer](steered, (len(rows), stop - start, *shape[2:]))
        start = stop


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


def _draw_starts(rows: Rows, data: HeadData) -> Float32:
    """Draw the weights that the heads start at, (rows, heads, width, classes - 1): equal ids and spreads once."""
    shape = data.features.shape[1], data.classes
    starts = {
        (head.start_id, head.initial_stddev): relative_to_last(
            draw_truncated_normal(np.random.default_rng(int(head.start_id, 16)), shape, head.initial_stddev or 0.0)
        )
        for row in rows
        for head in row
    }
    return np.stack([np.stack([starts[head.start_id, head.initial_stddev] for head in row]) for row in rows])
