"""What a study's numbers show beyond the images and repetitions at hand: intervals and comparisons. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sweep.metrics import Metric, with_blank
from sweep.report.layout import CellKey
from sweep.report.statistics.arrays import Floats
from sweep.report.statistics.best import Draws, Pairs, Ranks, Verdict, compare_pairs, compare_with_best
from sweep.report.statistics.comparisons import left_out_best
from sweep.report.statistics.errors import About, Design, Errors, Evidence
from sweep.report.statistics.intervals import Interval, share_interval, student_interval
from sweep.report.study import Level, Study, measure_level


@dataclass(frozen=True, slots=True)
class Standing:
    """The models of one block that have finished every repetition, and how they stand to each other.

    Numbers are in the metric's printed unit, and `means` (by the models' order) turned so that higher is better.
    `pairs`, `ranks` and `errors` are None where there is too little data; `verdicts` then tell nothing. `left_out`:
    what the best model scores in a repetition that did not choose it, as printed.
    """

    models: tuple[str, ...]
    verdicts: Mapping[str, Verdict]
    means: Floats = field(default_factory=lambda: np.zeros(0))
    errors: Errors | None = None
    pairs: Pairs | None = None
    ranks: Ranks | None = None
    left_out: float | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be estimated of a study: one metric, and what its error is about.

    patients: (images,), numbers; an image of an unknown patient counts as a patient of its own. What was computed once
    is kept.
    """

    study: Study
    metric: Metric
    about: About
    patients: NDArray[np.int64]
    _levels: dict[CellKey, tuple[Level, ...]] = field(default_factory=dict)
    _errors: dict[tuple[str, ...], Errors | None] = field(default_factory=dict)

    def list_complete(self, block: str) -> list[str]:
        """List the models of a block that have finished every repetition, and whose metric is defined in each."""
        return [
            model
            for model in self.study.list_models(block)
            if self.study.cells[model, block].is_finished
            and self.study.readouts[model, block]
            and np.isfinite(self.measure(model, block)).all()
        ]

    def measure(self, model: str, block: str) -> Floats:
        """Return the metric as computed in every finished repetition of a cell, (repeats,)."""
        return np.array([level.value for level in self.list_levels(model, block)])

    def list_levels(self, model: str, block: str) -> tuple[Level, ...]:
        """Measure the readouts of a cell."""
        key = model, block
        if key not in self._levels:
            is_known = self.metric is self.study.metric
            self._levels[key] = tuple(
                measure_level(self.metric, each, each.value if is_known else None) for each in self.study.readouts[key]
            )
        return self._levels[key]

    def describe_design(self, block: str) -> Design:
        """Say how a block divides the images; all of its partitions do alike."""
        images = self.study.frames.inputs.data.images
        first = next(readouts[0] for (_, where), readouts in self.study.readouts.items() if where == block and readouts)
        partition = self.study.frames.partitions[first.partition_id]
        return Design(len(partition.training) / images, len(partition.test) / images, self.about)

    def estimate(self, block: str, models: Sequence[str]) -> Errors | None:
        """Estimate the error of some models' means, in the printed unit; None where it is not known."""
        key = (block, *models)
        if key not in self._errors:
            repeats = zip(*(self.list_levels(model, block) for model in models), strict=True)
            self._errors[key] = self.estimate_from([self.test(levels) for levels in repeats], block)
        return self._errors[key]

    def estimate_from(self, tested: Sequence[Evidence], block: str) -> Errors | None:
        """Estimate the error from what is known of every repetition of a block."""
        if not tested or not is_defined(tested):
            return None
        errors = Errors.estimate(tested, self.describe_design(block))
        return errors if errors.is_known else None

    def test(self, levels: Sequence[Level]) -> Evidence:
        """Say what the test images of one repetition say of some models, or of means over some."""
        scale = self.metric.scale
        return Evidence(
            values=scale * np.array([level.value for level in levels]),
            influences=scale * np.array([level.influences for level in levels]),
            patients=self.patients[levels[0].images],
            counts=np.any([level.counts for level in levels], axis=0),
        )

    def bound_cells(self) -> dict[CellKey, Interval | None]:
        """Estimate the interval of the metric in every cell, in its printed unit; None: cannot tell."""
        found = {block: self.bound_block(block) for block in self.study.frames.blocks}
        return {(model, block): found[block].get(model) for model, block in self.study.cells}

    def bound_block(self, block: str) -> dict[str, Interval]:
        """Estimate the intervals of the models of a block; of those that are not known, none."""
        complete = self.list_complete(block)
        fewest = min(2, self.study.frames.count_repeats(block))  # one of several says nothing of training
        partial = [name for name in self.study.list_models(block) if len(self.study.readouts[name, block]) >= fewest]
        groups = (complete, *([name] for name in partial if name not in complete))
        return {name: found for group in groups for name, found in self._bound_means(block, group) if found is not None}

    def _bound_means(self, block: str, models: Sequence[str]) -> Iterator[tuple[str, Interval | None]]:
        errors, metric = self.estimate(block, models), self.metric
        if errors is None:
            return
        for name, error, freedom in zip(models, errors.of_means, errors.freedom_of_means, strict=True):
            mean = float(self.measure(name, block).mean())
            if metric.is_percentage:
                share = share_interval(mean, error / metric.scale, freedom, errors.counted)
                yield name, share.scale(metric.scale) if share else None
            else:
                interval = student_interval(metric.scale * mean, error, freedom)
                yield name, interval.clip(*metric.bounds) if interval else None


@dataclass(frozen=True, slots=True)
class Inference:
    """Intervals at 95 %, in the metric's printed unit (None: cannot tell), and a standing for each block.

    question: what it answers. `margin` is in the printed unit too.
    """

    question: Question
    margin: float
    intervals: Mapping[CellKey, Interval | None]
    standings: Mapping[str, Standing]

    def describe_margin(self, metric: Metric) -> str:
        """Print the margin with its unit, and with as many digits as it has."""
        text = f"{self.margin:.{metric.decimals}f}"
        return with_blank(text if float(text) == self.margin else f"{self.margin:g}", metric.difference_unit)

    def ask(self, metric: Metric) -> Question:
        """Ask the same of another metric."""
        own = self.question
        return own if metric is own.metric else Question(own.study, metric, own.about, own.patients)


def infer(study: Study, about: About = About.POOL) -> Inference:
    """Estimate the interval of every cell and compare the models of every block."""
    frames = study.frames
    clusters = np.array(frames.images.clusters if frames.images else (), str)
    patients = np.asarray(np.unique(clusters, return_inverse=True)[1], np.int64)
    question = Question(study, study.metric, about, patients)
    margin = frames.margin * study.metric.scale / 100
    standings = {block: _compare(question, block, margin) for block in frames.blocks}
    return Inference(question, margin, question.bound_cells(), standings)


def is_defined(tested: Iterable[Evidence]) -> bool:
    """Whether the metric is defined in every repetition."""
    return all(bool(np.isfinite(each.values).all() and np.isfinite(each.influences).all()) for each in tested)


def _compare(question: Question, block: str, margin: float) -> Standing:
    models = question.list_complete(block)
    errors = question.estimate(block, models)
    if len(models) < 2 or errors is None:
        return Standing(tuple(models), dict.fromkeys(models, Verdict.CANNOT_TELL))
    metric = question.metric
    turned = metric.direction.sign * metric.scale * np.array([question.measure(name, block) for name in models])
    means = turned.mean(axis=1)
    draws = Draws.of(errors, metric.whole)
    ranks = compare_with_best(means, draws.of_differences, draws.find_critical())
    left_out = left_out_best(turned)
    return Standing(
        models=tuple(models),
        verdicts=dict(zip(models, ranks.judge(margin), strict=True)),
        means=means,
        errors=errors,
        pairs=compare_pairs(metric.direction.sign * means, draws),
        ranks=ranks,
        left_out=None if left_out is None else metric.direction.sign * left_out,
    )
