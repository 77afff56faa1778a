"""Many heads in one fit: softmax regression by plain gradient descent on the features of one backbone.

The method is that of TensorFlow's image-retraining example: W from a truncated normal, b = 0, mean cross-entropy,
constant rate, batches drawn with replacement. All heads take their steps together: the batches' features are
gathered into one (heads, batch, width) array, and one batched matrix product each way moves all heads. NumPy makes
one BLAS call a head of it, so a head fitted with others equals the head fitted alone, bit for bit.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sweep.data.splits import Partition
from sweep.measures import measure_accuracy, measure_log_loss
from sweep.outcome import Curve, Failure, Outcome, Success
from sweep.planning.trial import Trial
from sweep.spec.schema import Sampling, Split, TrainingSpec

CURVE_STEPS = 50  # the validation curve has a point every so many steps; batches are drawn in such blocks
DIVERGED_NATS = 1000.0  # a cross-entropy beyond it is no probability any more; a uniform guess has log(classes)

BATCHES_BYTES = 5 * 2**18  # heads step together while their batches fit into a core's cache: a third faster

Float32 = NDArray[np.float32]
Parts = tuple[Split, int]


@dataclass(frozen=True, slots=True)
class HeadData:
    """What heads are fitted on: features (images, width), labels (images,), and which image is in which part."""

    features: Float32
    labels: NDArray[np.int64]
    classes: int
    partitions: Mapping[Parts, Partition]


@dataclass(frozen=True, slots=True)
class FittedHeads:
    """One outcome per trial and one validation curve per head."""

    outcomes: list[Outcome]
    curves: list[Curve]


class BatchDraws:
    """A head's random batches, drawn in blocks so that a longer run begins with the shorter one's batches."""

    def __init__(
        self, seed: Sequence[int], training: TrainingSpec, pool: NDArray[np.int64], labels: NDArray[np.int64]
    ) -> None:
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


class Head:
    """A head in training: the trials to read out of it, its own random streams, and its curve so far."""

    def __init__(self, trials: Sequence[Trial], data: HeadData, training: TrainingSpec) -> None:
        first = trials[0]
        self.id = first.head_id
        self.rate = first.learning_rate
        self.parts = first.split, first.shuffle
        self.partition = data.partitions[self.parts]
        self.trials = {trial.steps: trial for trial in trials}
        self.last_step = max(self.trials)
        seed = int(self.id, 16)
        shape = (data.features.shape[1], data.classes)
        self.initial = draw_truncated_normal(np.random.default_rng([seed, 0]), shape, training.initial_stddev)
        self.batches = BatchDraws([seed, 1], training, self.partition.training, data.labels)
        self._points: list[tuple[int, float, float]] = []

    def is_due(self, step: int) -> bool:
        """Whether the validation curve has a point at this step."""
        return step in self.trials or (step % CURVE_STEPS == 0 and step < self.last_step)

    def add_point(self, step: int, scores: Float32, labels: NDArray[np.int64]) -> None:
        """Extend the validation curve by the scores (validation images, classes). labels: (images,)."""
        truth = labels[self.partition.validation]
        self._points.append((step, measure_accuracy(scores, truth), measure_log_loss(scores, truth)))

    def curve(self) -> Curve:
        """Return the validation curve."""
        steps, accuracy, log_loss = zip(*self._points, strict=True)
        return Curve(self.id, np.array(steps, np.int32), np.array(accuracy, np.float32), np.array(log_loss, np.float32))


class GradientDescent:
    """The weights of many heads, moved together. weights: (heads, width, classes - 1), biases: (heads, 1, classes - 1).

    Softmax knows only differences of scores, so they are kept relative to the last class, whose score is 0: for two
    classes this halves the work.
    """

    def __init__(self, heads: Sequence[Head], data: HeadData, batch_size: int) -> None:
        self.weights = _relative_to_last(np.stack([head.initial for head in heads]))
        self.biases = np.zeros((len(heads), 1, data.classes - 1), np.float32)
        self._features = data.features
        self._targets = _relative_to_last(np.eye(data.classes, dtype=np.float32))[data.labels]
        self._pace = np.array([head.rate / batch_size for head in heads], np.float32)[:, None, None]
        self._batch = np.empty((len(heads), batch_size, data.features.shape[1]), np.float32)

    def step(self, positions: NDArray[np.int64]) -> None:
        """Take one step on each head's own batch. positions: (heads, batch).

        The gradient of the mean cross-entropy by the scores is (softmax - one hot) / batch; relative to the last
        class, its difference from that of the last class.
        """
        batch = np.take(self._features, positions, axis=0, out=self._batch, mode="clip")  # "clip" spares a copy
        scores = batch @ self.weights + self.biases
        top = np.maximum(scores.max(axis=2, keepdims=True), 0)
        odds, last = np.exp(scores - top), np.exp(-top)
        slope = (odds - last) / (odds.sum(axis=2, keepdims=True) + last)
        slope -= self._targets[positions]
        slope *= self._pace
        self.weights -= batch.transpose(0, 2, 1) @ slope
        self.biases -= slope.sum(axis=1, keepdims=True)

    def predict(self, head: int, features: Float32) -> Float32:
        """Return one head's logits: (images, classes), the last of them 0."""
        scores = features @ self.weights[head] + self.biases[head]
        return np.pad(scores, ((0, 0), (0, 1)))


def fit_heads(trials: Sequence[Trial], data: HeadData, training: TrainingSpec) -> FittedHeads:
    """Fit the heads of `trials` together and read out each trial after its number of steps.

    A trial whose cross-entropy on the validation images is not finite, or above DIVERGED_NATS, is a Failure.
    """
    heads = _group_into_heads(trials, data, training)
    validation = {parts: data.features[partition.validation] for parts, partition in data.partitions.items()}
    together = max(1, BATCHES_BYTES // (training.batch_size * data.features[0].nbytes))
    outcomes: list[Outcome] = []
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(heads), together):
            outcomes += _train(heads[start : start + together], data, validation, training.batch_size)
    return FittedHeads(outcomes, [head.curve() for head in heads])


def _train(
    heads: Sequence[Head], data: HeadData, validation: Mapping[Parts, Float32], batch_size: int
) -> Iterator[Outcome]:
    """Take all steps of some heads; yield what is read out of them on the way."""
    descent = GradientDescent(heads, data, batch_size)
    for step, positions in _draw_steps(heads):
        descent.step(positions)
        for index, head in enumerate(heads):
            if head.is_due(step):
                scores = descent.predict(index, validation[head.parts])
                head.add_point(step, scores, data.labels)
            if step in head.trials:
                test = descent.predict(index, data.features[head.partition.test])
                yield judge_scores(head.trials[step], scores, test, data.labels, head.partition)


def judge_scores(
    trial: Trial, validation: Float32, test: Float32, labels: NDArray[np.int64], partition: Partition
) -> Outcome:
    """Measure a read-out, (images of the part, classes) logits; a diverged one is a Failure.

    A finite loss is judged on validation images alone: what the test images say must not choose among trials.
    """
    validation_labels, test_labels = labels[partition.validation], labels[partition.test]
    losses = measure_log_loss(validation, validation_labels), measure_log_loss(test, test_labels)
    if not losses[0] <= DIVERGED_NATS or np.isnan(losses[1]):  # so written, NaN counts as diverged
        rate = f"learning rate {trial.learning_rate:g}"
        return Failure(
            trial.id, f"diverged: cross-entropy {np.max(losses):.3g} nats after {trial.steps} steps at {rate}"
        )
    return Success(
        trial.id,
        validation,
        test,
        measure_accuracy(validation, validation_labels),
        measure_accuracy(test, test_labels),
        *losses,
    )


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


def _group_into_heads(trials: Sequence[Trial], data: HeadData, training: TrainingSpec) -> list[Head]:
    groups: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        groups[trial.head_id].append(trial)
    return [Head(group, data, training) for group in groups.values()]


def _draw_steps(heads: Sequence[Head]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield (step, positions) from step 1 to the last read-out. positions: (heads, batch)."""
    last_step = max(head.last_step for head in heads)
    for start in range(0, last_step, CURVE_STEPS):
        block = np.stack([head.batches.draw_block() for head in heads], axis=1)
        yield from enumerate(block[: last_step - start], start=start + 1)
