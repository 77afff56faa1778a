"""The weights of a head, and how they are applied.

A state holds `weights.0` (width, outputs) and `biases.0` (outputs,), and so on for further layers, with ReLU between.
Softmax knows only differences of logits, so the last layer leaves out the last class, whose logit is 0.
"""

from collections.abc import Callable, Sequence

import numpy as np

from sweep.methods.probe.heads import Float32
from sweep.outcome import State

Product = Callable[[Float32, Float32], Float32]


def apply_state(state: State, features: Float32) -> Float32:
    """Return logits (images, classes) of features (images, width), the last class 0.

    An image has the same bits whether alone or among others and wherever it stands, given one thread: each is a
    product of its own, of one shape. One product of blocks of images would not do, even of a fixed number: with
    OpenBLAS's kernel for Haswell the bits depend on the place in the block.
    """
    return _apply(state, features, _multiply_each)


def apply_states(states: Sequence[State], features: Float32, room: int) -> Float32:
    """Return logits of some states of one head, at most `room`, at once: (states, images, classes), the last class 0.

    Faster than `apply_state`, whose last bits may be others; here they depend on the place among the states and images.
    """
    if "weights.1" in states[0]:
        return np.stack([_apply(state, features, np.matmul) for state in states])
    inputs, outputs = states[0]["weights.0"].shape
    weights, biases = np.zeros((inputs, room, outputs), np.float32), np.zeros((room, outputs), np.float32)
    for place, state in enumerate(states):
        weights[:, place], biases[place] = state["weights.0"], state["biases.0"]
    scores = (features @ weights.reshape(inputs, -1)).reshape(len(features), room, outputs) + biases
    return _complete(scores.swapaxes(0, 1)[: len(states)])


def name_layers(weights: list[Float32], biases: list[Float32]) -> State:
    """Make a state of the weights (inputs, outputs) and biases (outputs,) of all layers."""
    named = {f"weights.{layer}": values for layer, values in enumerate(weights)}
    return {**named, **{f"biases.{layer}": values for layer, values in enumerate(biases)}}


def relative_to_last(values: Float32) -> Float32:
    """Subtract the last class from the others. values: (..., classes)."""
    relative: Float32 = values[..., :-1] - values[..., -1:]
    return relative


def _apply(state: State, features: Float32, multiply: Product) -> Float32:
    values = np.ascontiguousarray(features, np.float32)
    for layer in range(len(state) // 2):
        if layer:
            values = np.maximum(values, 0)
        # Of another layout in memory the product would be another routine's.
        values = multiply(values, np.ascontiguousarray(state[f"weights.{layer}"])) + state[f"biases.{layer}"]
    return _complete(values)


def _multiply_each(values: Float32, weights: Float32) -> Float32:
    """Multiply (images, inputs) by (inputs, outputs): NumPy makes one BLAS call an image of a batched product."""
    product: Float32 = np.matmul(values[:, None], weights)[:, 0]
    return product


def _complete(scores: Float32) -> Float32:
    """Append the logit of the last class, 0. scores: (..., classes - 1)."""
    logits = np.zeros((*scores.shape[:-1], scores.shape[-1] + 1), np.float32)
    logits[..., :-1] = scores
    return logits
