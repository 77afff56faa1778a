"""Many heads in one fit: softmax regression by plain gradient descent on the features of one backbone.

The method is that of TensorFlow's image-retraining example: W from a truncated normal, b = 0, mean cross-entropy,
constant rate, batches drawn with replacement. The heads on a partition, one a learning rate, start at the same weights
and see the same batches, which are gathered once for all of them. Still a head fitted with others equals the head
fitted alone, bit for bit: no product's shape depends on which heads there are.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sweep.data.splits import Partition
from sweep.measures import mark_correct, measure_accuracy, measure_log_loss, measure_losses
from sweep.outcome import Curve, Failure, Outcome, Success
from sweep.planning.trial import Trial
from sweep.spec.schema import TrainingSpec
from sweep.training.batches import CURVE_STEPS, BatchDraws
from sweep.training.descent import GradientDescent, draw_truncated_normal
from sweep.training.head_data import Float32, HeadData, Parts

DIVERGED_NATS = 1000.0  # a cross-entropy beyond it is no probability any more; a uniform guess has log(classes)

BATCHES_BYTES = 2**19  # partitions step together while their batches take no more: small ones share the calls
POINTS = 10  # of the validation curve, computed in one product; always as many, since a product's shape tells in bits


Row = Sequence["Head"]  # the heads on one partition


@dataclass(frozen=True, slots=True)
class FittedHeads:
    """One outcome per trial, in their order, and one validation curve per head."""

    outcomes: list[Outcome]
    curves: list[Curve]


class Head:
    """A head in training: the trials to read out of it, and its curve so far."""

    def __init__(self, trials: Sequence[Trial]) -> None:
        first = trials[0]
        self.id = first.head_id
        self.rate = first.learning_rate
        self.parts: Parts = first.split, first.shuffle
        self.batches_id, self.start_id = first.batches_id, first.start_id
        self.trials = {trial.steps: trial for trial in trials}
        self.last_step = max(self.trials)
        self._points: dict[int, tuple[float, float]] = {}

    def is_due(self, step: int) -> bool:
        """Whether the validation curve has a point at this step."""
        return step in self.trials or (step % CURVE_STEPS == 0 and step < self.last_step)

    def add_points(self, steps: Sequence[int], scores: Float32, truth: NDArray[np.int64]) -> None:
        """Extend the validation curve. scores: (points, validation images, classes), truth: (validation images,)."""
        shape, logits = scores.shape[:2], scores.reshape(-1, scores.shape[-1])
        labels = np.tile(truth, len(steps))
        accuracy, log_loss = (
            measure(logits, labels).reshape(shape).mean(axis=1).tolist() for measure in (mark_correct, measure_losses)
        )
        self._points |= zip(steps, zip(accuracy, log_loss, strict=True), strict=True)

    def curve(self) -> Curve:
        """Return the validation curve."""
        steps = sorted(self._points)
        accuracy, log_loss = zip(*(self._points[step] for step in steps), strict=True)
        return Curve(self.id, np.array(steps, np.int32), np.array(accuracy, np.float32), np.array(log_loss, np.float32))


def fit_heads(trials: Sequence[Trial], data: HeadData, training: TrainingSpec) -> FittedHeads:
    """Fit the heads of `trials` together and read out each trial after its number of steps.

    A trial whose cross-entropy on the validation images is not finite, or above DIVERGED_NATS, is a Failure.
    """
    heads = _group_into_heads(trials)
    together = max(1, BATCHES_BYTES // (training.batch_size * data.features[0].nbytes))
    outcomes: dict[str, Outcome] = {}
    with np.errstate(over="ignore", invalid="ignore"):
        for rows in _group_into_rows(heads):
            for start in range(0, len(rows), together):
                fit = Fit(rows[start : start + together], data, training)
                outcomes |= {outcome.trial_id: outcome for outcome in fit.run()}
    return FittedHeads([outcomes[trial.id] for trial in trials], [head.curve() for head in heads])


class Snapshot:
    """The weights of all heads of a fit after some steps: points of the validation curve, some of them read-outs.

    weights: (partitions, heads, width, points, classes - 1), biases: (partitions, heads, points, classes - 1).
    """

    def __init__(self, descent: GradientDescent, points: int) -> None:
        partitions, heads, width, scores = descent.weights.shape
        self.steps: list[int] = []
        self._weights = np.zeros((partitions, heads, width, points, scores), np.float32)
        self._biases = np.zeros((partitions, heads, points, scores), np.float32)

    @property
    def is_full(self) -> bool:
        """Whether it has no room for another step."""
        return len(self.steps) == self._weights.shape[3]

    def add(self, step: int, descent: GradientDescent) -> None:
        """Keep the weights as they are after a step."""
        self._weights[..., len(self.steps), :] = descent.weights
        self._biases[..., len(self.steps), :] = descent.biases[..., 0, :]
        self.steps.append(step)

    def predict(self, partition: int, head: int, features: Float32) -> Float32:
        """Return one head's logits after all steps: (points, images, classes), the last class 0."""
        weights, biases = self._weights[partition, head], self._biases[partition, head]
        scores = (features @ weights.reshape(len(weights), -1)).reshape(len(features), *biases.shape) + biases
        return _complete(scores.swapaxes(0, 1)[: len(self.steps)])

    def predict_one(self, partition: int, head: int, step: int, features: Float32) -> Float32:
        """Return one head's logits after one of the steps: (images, classes), the last class 0."""
        point = self.steps.index(step)
        weights = np.ascontiguousarray(self._weights[partition, head, :, point])
        return _complete(features @ weights + self._biases[partition, head, point])


class Fit:
    """The heads on some partitions, equally many on each, on their way through all steps."""

    def __init__(self, rows: Sequence[Row], data: HeadData, training: TrainingSpec) -> None:
        self._rows = rows
        self._labels = data.labels
        self._partitions = [data.partitions[row[0].parts] for row in rows]
        self._validation = [data.features[partition.validation] for partition in self._partitions]
        self._test = [data.features[partition.test] for partition in self._partitions]
        self._batches = [
            BatchDraws(int(row[0].batches_id, 16), training, partition.training, data.labels)
            for row, partition in zip(rows, self._partitions, strict=True)
        ]
        shape = data.features.shape[1], data.classes
        generators = [np.random.default_rng(int(row[0].start_id, 16)) for row in rows]
        starts = np.stack([draw_truncated_normal(each, shape, training.initial_stddev) for each in generators])
        rates = np.array([[head.rate for head in row] for row in rows])
        self._descent = GradientDescent(starts, rates, data, training.batch_size)

    def run(self) -> Iterator[Outcome]:
        """Take all steps; yield what is read out of the heads."""
        snapshot = Snapshot(self._descent, POINTS)
        for step in self._halt():
            if step % CURVE_STEPS:  # a read-out between two points: by itself, so that the points stay in their places
                between = Snapshot(self._descent, 1)
                between.add(step, self._descent)
                yield from self._judge(between)
                continue
            snapshot.add(step, self._descent)
            if snapshot.is_full:
                yield from self._judge(snapshot)
                snapshot = Snapshot(self._descent, POINTS)
        yield from self._judge(snapshot)

    def _halt(self) -> Iterator[int]:
        """Take all steps; halt at every point of the validation curve and at every read-out."""
        readouts = {step for row in self._rows for head in row for step in head.trials}
        last_step = max(readouts)
        for start in range(0, last_step, CURVE_STEPS):
            stop = min(start + CURVE_STEPS, last_step)
            block = np.stack([draws.draw_block() for draws in self._batches], axis=1)
            halts = [start, *sorted(step for step in readouts if start < step < stop), stop]
            for before, step in pairwise(halts):
                self._descent.take_steps(block[before - start : step - start])
                yield step

    def _judge(self, snapshot: Snapshot) -> Iterator[Outcome]:
        """Extend all heads' validation curves, and yield what is read out."""
        places = [(index, number, head) for index, row in enumerate(self._rows) for number, head in enumerate(row)]
        for index, number, head in places:
            points = [point for point, step in enumerate(snapshot.steps) if head.is_due(step)]
            if not points:
                continue
            partition = self._partitions[index]
            steps = [snapshot.steps[point] for point in points]
            scores = snapshot.predict(index, number, self._validation[index])[points]
            head.add_points(steps, scores, self._labels[partition.validation])
            for step, validation in zip(steps, scores, strict=True):
                if step in head.trials:
                    test = snapshot.predict_one(index, number, step, self._test[index])
                    yield judge_scores(head.trials[step], validation.copy(), test, self._labels, partition)


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


def _complete(scores: Float32) -> Float32:
    """Append the score of the last class, 0. scores: (..., classes - 1)."""
    complete = np.zeros((*scores.shape[:-1], scores.shape[-1] + 1), np.float32)
    complete[..., :-1] = scores
    return complete


def _group_into_heads(trials: Sequence[Trial]) -> list[Head]:
    groups: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        groups[trial.head_id].append(trial)
    return [Head(group) for group in groups.values()]


def _group_into_rows(heads: Iterable[Head]) -> list[list[Row]]:
    """Return the heads of each partition, rows of one length together."""
    rows: dict[Parts, list[Head]] = defaultdict(list)
    for head in heads:
        rows[head.parts].append(head)
    by_length: dict[int, list[Row]] = defaultdict(list)
    for row in rows.values():
        by_length[len(row)].append(row)
    return list(by_length.values())
