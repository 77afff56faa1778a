"""Serialised networks, opened and run. LiteRT is imported in a blink; TensorFlow, which some need, in seconds."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sweep.networks import tiny
from sweep.networks.payload import Engine, Header, unpack
from sweep.networks.threads import limit_threads

Predict = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def open_network(payload: NDArray[np.uint8]) -> Predict:
    """Return a function of images (n, r, r, 3) uint8 to features (n, width) float32.

    It computes full batches, the last one padded, so an image's features depend neither on how many there are nor, in
    LiteRT and NumPy, on its place among them. It is not safe to call from several threads. FatalError for a payload
    that is damaged or of another format.
    """
    header, body = unpack(payload)
    run_batch = _OPENERS[header.engine](header, body)

    def predict(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        features = np.empty((len(images), header.width), np.float32)
        for start in range(0, len(images), header.batch):
            part = images[start : start + header.batch]
            features[start : start + header.batch] = run_batch(_pad(part, header.batch))[: len(part)]
        return features

    return predict


def _pad(images: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """Fill up with black images to `count`."""
    missing = count - len(images)
    return np.pad(images, ((0, missing), (0, 0), (0, 0), (0, 0))) if missing else images


def _open_litert(_: Header, model: bytes) -> Predict:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=model, num_threads=1)  # with XNNPACK, its default
    interpreter.allocate_tensors()
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run_batch(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        interpreter.set_tensor(taken["index"], images)
        interpreter.invoke()
        features: NDArray[np.float32] = interpreter.get_tensor(given["index"])
        return features

    return run_batch


def _open_tensorflow(header: Header, graph: bytes) -> Predict:
    import tensorflow as tf

    limit_threads()
    definition = tf.compat.v1.GraphDef.FromString(graph)
    whole = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(definition, name=""), [])
    function = whole.prune(header.details["input"], header.details["output"])
    return lambda images: np.asarray(function(tf.constant(images)))


def _open_numpy(header: Header, values: bytes) -> Predict:
    low, high = header.details["pixels"]
    return partial(tiny.predict_with, tiny.read_kernels(values, header.width), (low, high))


_OPENERS: dict[Engine, Callable[[Header, bytes], Predict]] = {
    Engine.LITERT: _open_litert,
    Engine.TENSORFLOW: _open_tensorflow,
    Engine.NUMPY: _open_numpy,
}
