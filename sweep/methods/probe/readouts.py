"""What is measured of a head while it is trained: its validation curve, and the trials read out of it."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from sweep.measures import mark_correct, measure_losses
from sweep.methods.probe.batches import CURVE_STEPS
from sweep.methods.probe.heads import Float32, Head, HeadData, Int64
from sweep.methods.probe.state import apply_state, apply_states
from sweep.outcome import TEST, VALIDATION, Failure, Outcome, Series, State, Success

DIVERGED_NATS = 1000.0  # a cross-entropy beyond it is no probability any more; a uniform guess has log(classes)
POINTS = 10  # of the validation curve, computed in one product; always as many, since a product's shape tells in bits
MEASURES = {"accuracy": mark_correct, "log_loss": measure_losses}  # means over images

Exam = Mapping[str, tuple[Float32, Int64]]  # features (images, width) and labels (images,) of each part that is scored


def gather_exam(data: HeadData, partition_id: str) -> Exam:
    """Gather what the heads on a partition are judged on."""
    partition = data.partitions[partition_id]
    parts = {VALIDATION: partition.validation, TEST: partition.test}
    return {part: (data.features[positions], data.labels[positions]) for part, positions in parts.items()}


class Record:
    """A head's validation curve and outcomes so far."""

    def __init__(self, head: Head) -> None:
        self.head = head
        self.outcomes: list[Outcome] = []
        self._points: dict[int, tuple[float, ...]] = {}
        self._waiting: dict[int, State] = {}
        self._room = 1 if head.hidden else POINTS

    def is_due(self, step: int) -> bool:
        """Whether the validation curve has a point at this step; every read-out is one."""
        return step in self.head.readouts or (step % CURVE_STEPS == 0 and step < self.head.last_step)

    def add(self, step: int, state: State, exam: Exam) -> None:
        """Extend the validation curve by the state after a step that is due, and read out the trial, if it is one.

        Read-outs between two points of the curve stay out of the points' product, so that these keep their places.
        """
        if step in self.head.readouts:
            self.outcomes.append(self._judge(step, state, exam))
        features, labels = exam[VALIDATION]
        if step % CURVE_STEPS:
            self._add_points([step], apply_state(state, features)[np.newaxis], labels)
        else:
            self._waiting[step] = state
        if len(self._waiting) == self._room or (self._waiting and step == self.head.last_step):
            logits = apply_states(list(self._waiting.values()), features, self._room)
            self._add_points(self._waiting, logits, labels)
            self._waiting.clear()

    def _add_points(self, steps: Iterable[int], logits: Float32, truth: Int64) -> None:
        """Measure the validation logits after some steps, (steps, images, classes); truth: (images,)."""
        labels, flat = np.tile(truth, len(logits)), logits.reshape(-1, logits.shape[-1])
        means = [measure(flat, labels).reshape(len(logits), -1).mean(axis=1).tolist() for measure in MEASURES.values()]
        self._points |= zip(steps, zip(*means, strict=True), strict=True)

    def list_series(self) -> Iterator[Series]:
        """Yield the validation curve, by measure."""
        steps = np.array(sorted(self._points), np.int32)
        for index, measure in enumerate(MEASURES):
            values = np.array([self._points[step][index] for step in steps.tolist()], np.float32)
            yield Series(self.head.fit_id, VALIDATION, measure, steps, values)

    def _judge(self, step: int, state: State, exam: Exam) -> Outcome:
        """Apply a state and measure it; a diverged one is a failure.

        A finite loss is judged on validation images alone: what the test images say must not choose among trials.
        """
        trial_id = self.head.readouts[step]
        scores = {part: apply_state(state, features) for part, (features, _) in exam.items()}
        measures = {
            (part, name): float(np.mean(measure(scores[part], labels)))
            for name, measure in MEASURES.items()
            for part, (_, labels) in exam.items()
        }
        losses = measures[VALIDATION, "log_loss"], measures[TEST, "log_loss"]
        if not losses[0] <= DIVERGED_NATS or np.isnan(losses[1]):  # so written, NaN counts as diverged
            rate = f"learning rate {self.head.learning_rate:g}"
            return Failure(trial_id, f"diverged: cross-entropy {np.max(losses):.3g} nats after {step} steps at {rate}")
        return Success(trial_id, scores, measures, state)
