"""How gradients of many softmax regressions at once become moves of their weights.

An optimizer keeps what it remembers of one array of parameters, and turns `change` (..., heads, inputs, classes - 1) in
place into what is added to it. Definitions and constants are Keras's, so that heads with and without hidden layers
compare.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from sweep.methods.probe.heads import Float32, Head
from sweep.spec.values import Optimizer

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7

Rows = Sequence[Sequence[Head]]  # equally many heads each, of the same optimizers


class Steering(Protocol):
    """What an optimizer does."""

    def steer(self, change: Float32) -> None:
        """Turn the descent along the gradient into the step to take, in place."""


class Momentum:
    """Polyak 1964: v = momentum * v - rate * gradient is the step. Given change = -rate * gradient."""

    def __init__(self, rows: Rows, shape: tuple[int, ...]) -> None:
        self._momentum = per_head(rows, [[head.momentum or 0.0 for head in row] for row in rows])
        self._velocity = np.zeros(shape, np.float32)

    def steer(self, change: Float32) -> None:
        """Add the change to the velocity, and take that."""
        self._velocity *= self._momentum
        self._velocity += change
        change[...] = self._velocity


class Adam:
    """Kingma & Ba 2015, with the epsilon of their section 2's last lines. Given change = -gradient.

    Adam is not linear in the gradient, so it has to see that of every class; the classes' gradients add up to 0, which
    recovers them from their differences from the last. Of two classes they are opposite, and so are the steps.
    """

    def __init__(self, rows: Rows, shape: tuple[int, ...]) -> None:
        self._rates = np.array([[head.learning_rate for head in row] for row in rows])[..., None, None]
        self._classes = shape[-1] + 1
        outputs = 1 if self._classes == 2 else self._classes
        self._mean = np.zeros((*shape[:-1], outputs), np.float32)
        self._square = np.zeros_like(self._mean)
        self._step = 0

    def steer(self, change: Float32) -> None:
        """Divide the mean of past changes by the root of the mean of their squares."""
        self._step += 1
        pace = (self._rates * np.sqrt(1 - BETA_2**self._step) / (1 - BETA_1**self._step)).astype(np.float32)
        of_class = self._recover(change)
        self._mean *= np.float32(BETA_1)
        self._mean += of_class * np.float32(1 - BETA_1)
        np.square(of_class, out=of_class)
        of_class *= np.float32(1 - BETA_2)
        self._square *= np.float32(BETA_2)
        self._square += of_class
        root = np.sqrt(self._square, out=of_class)
        root += np.float32(EPSILON)
        step = np.divide(self._mean, root, out=root)
        step *= pace
        if self._classes == 2:
            np.multiply(step, 2, out=change)
        else:
            np.subtract(step[..., :-1], step[..., -1:], out=change)

    def _recover(self, change: Float32) -> Float32:
        """Return the changes of all classes, of two the first one's, from those relative to the last class."""
        if self._classes == 2:
            return np.asarray(change * np.float32(0.5))
        last = change.sum(axis=-1, keepdims=True) / np.float32(-self._classes)
        return np.concatenate([change + last, last], axis=-1)


STEERINGS: dict[Optimizer, type[Momentum | Adam]] = {Optimizer.MOMENTUM: Momentum, Optimizer.ADAM: Adam}


def per_head(rows: Rows, values: Sequence[Sequence[float]]) -> Float32:
    """Return one value a head as an array that multiplies weights: (rows, heads, 1, 1)."""
    return np.array(values, np.float64).astype(np.float32).reshape(len(rows), -1, 1, 1)
