"""Heads with hidden layers, trained by Keras one after the other: dense layers with ReLU on the same batches.

The steps between two points of the validation curve are one call of a traced function. It takes a fifth of the time of
`train_on_batch` with a layer of 64 and plain descent, nine tenths with Adam and layers of 1,024, 1,024 and 512.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from sweep.errors import UserError
from sweep.methods.probe.batches import BatchDraws, walk_through
from sweep.methods.probe.heads import Float32, Head, HeadData, Int64
from sweep.methods.probe.optimizers import BETA_1, BETA_2, EPSILON
from sweep.methods.probe.readouts import Record, gather_exam
from sweep.methods.probe.state import name_layers, relative_to_last
from sweep.networks.threads import limit_threads
from sweep.outcome import State
from sweep.spec.values import Optimizer


def fit_layers(heads: Iterable[Head], data: HeadData) -> Iterator[Record]:
    """Fit heads with hidden layers and yield what each comes to.

    Heads that differ by rate, start and batches alone are trained by one traced function after the other.

    Raises:
        UserError: Keras runs on something else than TensorFlow, or TensorFlow with other threads than one.
    """
    limit_threads()
    if keras.config.backend() != "tensorflow":
        raise UserError(f"KERAS_BACKEND: {keras.config.backend()} is not offered (allowed: tensorflow)")
    keras.config.set_floatx("float32")  # ~/.keras/keras.json may say otherwise
    features, labels = tf.constant(data.features), tf.constant(data.labels)
    for _, group in groupby(sorted(heads, key=_design_of), _design_of):
        alike = list(group)
        trainer = Trainer(alike[0], features, labels, data.classes)
        for head in alike:
            trainer.start(head)
            yield _fit_head(head, trainer, data)


def _design_of(head: Head) -> tuple[Any, ...]:
    """Return what a trainer is built for."""
    return head.hidden, head.dropout, head.optimizer, head.momentum or 0.0, head.weight_decay


def _fit_head(head: Head, trainer: "Trainer", data: HeadData) -> Record:
    record, exam = Record(head), gather_exam(data, head.partition_id)
    draws = BatchDraws(head, data.partitions[head.partition_id].training, data.labels)
    for positions, step in walk_through([head], [draws]):
        trainer.take_steps(positions[:, 0])
        if record.is_due(step):
            record.add(step, trainer.state, exam)
    return record


class Trainer:
    """A model, its optimizer, and a function that takes their steps on features (images, width)."""

    def __init__(self, head: Head, features: tf.Tensor, labels: tf.Tensor, classes: int) -> None:
        """Build what `head` says but for its rate, start and batches."""
        self._model = _build_model(head, features.shape[1], classes)
        self._optimizer = _build_optimizer(head)
        self._optimizer.build(self._model.trainable_variables)
        self._function = _trace_steps(self._model, self._optimizer, features, labels)

    def start(self, head: Head) -> None:
        """Forget everything, and start at the weights, the masks and the rate of a head."""
        generator = np.random.default_rng(int(head.start_id, 16))
        shapes = [tuple(variable.shape) for variable in self._model.trainable_variables]
        self._model.set_weights([draw_glorot_uniform(generator, shape) for shape in shapes])
        for variable in self._optimizer.variables:
            variable.assign(tf.zeros_like(variable))
        self._optimizer.learning_rate.assign(head.learning_rate)
        for layer in self._model.layers:
            if isinstance(layer, keras.layers.Dropout):
                layer.seed_generator.state.assign([int(generator.integers(2**31)), 0])

    def take_steps(self, positions: Int64) -> None:
        """Take a step on each of some batches. positions: (steps, batch) of images."""
        self._function(tf.constant(positions))

    @property
    def state(self) -> State:
        """The weights as they are; those of the last layer relative to the last class."""
        values = [variable.numpy() for variable in self._model.trainable_variables]
        weights, biases = values[::2], values[1::2]
        return name_layers([*weights[:-1], relative_to_last(weights[-1])], [*biases[:-1], relative_to_last(biases[-1])])


def draw_glorot_uniform(generator: np.random.Generator, shape: Sequence[int]) -> Float32:
    """Draw a layer's weights (inputs, outputs), Keras's default (Glorot & Bengio 2010); biases (outputs,) are 0."""
    if len(shape) == 1:
        return np.zeros(shape, np.float32)
    limit = np.sqrt(6 / sum(shape))
    return generator.uniform(-limit, limit, shape).astype(np.float32)


def _build_model(head: Head, width: int, classes: int) -> Any:
    """Dense layers with ReLU and then one of logits, with dropout of what each takes in. Weights are set later."""
    layers: list[Any] = [keras.Input((width,))]
    shapes = [(outputs, "relu") for outputs in head.hidden]
    for outputs, activation in (*shapes, (classes, None)):
        if head.dropout:
            layers.append(keras.layers.Dropout(head.dropout, seed=0))
        layers.append(keras.layers.Dense(outputs, activation, kernel_initializer="zeros"))
    return keras.Sequential(layers)


def _build_optimizer(head: Head) -> Any:
    """Keras's own; the rate is set later."""
    decay = head.weight_decay or None
    optimizer = (
        keras.optimizers.Adam(beta_1=BETA_1, beta_2=BETA_2, epsilon=EPSILON, weight_decay=decay)
        if head.optimizer is Optimizer.ADAM
        else keras.optimizers.SGD(momentum=head.momentum or 0.0, weight_decay=decay)
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


def _trace_steps(model: Any, optimizer: Any, features: tf.Tensor, labels: tf.Tensor) -> Any:
    measure_loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    variables = model.trainable_variables

    @tf.function(input_signature=[tf.TensorSpec((None, None), tf.int64)])  # type: ignore[untyped-decorator]
    def take_steps(positions: tf.Tensor) -> None:
        for batch in positions:
            with tf.GradientTape() as tape:
                loss = measure_loss(tf.gather(labels, batch), model(tf.gather(features, batch), training=True))
            optimizer.apply(tape.gradient(loss, variables), variables)

    return take_steps
