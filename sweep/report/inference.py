"""What a study's numbers show beyond the images and shuffles at hand: intervals and comparisons. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sweep.data.splits import count_parts
from sweep.metrics import Metric, with_blank
from sweep.planning.expand import list_backbones
from sweep.report.choices import CellKey
from sweep.report.statistics.arrays import Floats
from sweep.report.statistics.best import Draws, Pairs, Ranks, Verdict, compare_pairs, compare_with_best
from sweep.report.statistics.comparisons import left_out_best
from sweep.report.statistics.errors import About, Design, Errors, Evidence
from sweep.report.statistics.intervals import Interval, share_interval, student_interval
from sweep.report.study import Readout, Study
from sweep.spec.schema import Split


@dataclass(frozen=True, slots=True)
class Standing:
    """The models of one split that have finished every shuffle, and how they stand to each other.

    Numbers are in the metric's printed unit, and `means` (by the models' order) turned so that higher is better.
    `pairs`, `ranks` and `errors` are None where there is too little data; `verdicts` then tell nothing. `left_out`:
    what the best model scores in a shuffle that did not choose it, as printed.
    """

    models: tuple[str, ...]
    verdicts: Mapping[str, Verdict]
    means: Floats = field(default_factory=lambda: np.zeros(0))
    errors: Errors | None = None
    pairs: Pairs | None = None
    ranks: Ranks | None = None
    left_out: float | None = None


@dataclass(frozen=True, slots=True)
class Inference:
    """Intervals at 95 %, in the metric's printed unit (None: cannot tell), and a standing for each split.

    `margin` is in the printed unit too.
    """

    about: About
    margin: float
    intervals: Mapping[CellKey, Interval | None]
    standings: Mapping[str, Standing]

    def describe_margin(self, metric: Metric) -> str:
        """Print the margin with its unit, and with as many digits as it has."""
        text = f"{self.margin:.{metric.decimals}f}"
        return with_blank(text if float(text) == self.margin else f"{self.margin:g}", metric.difference_unit)


def infer(study: Study, about: About = About.POOL) -> Inference:
    """Estimate the interval of every cell and compare the models of every split."""
    question = Question.ask(study, study.metric, about)
    margin = study.frames.spec.margin * study.metric.scale / 100
    standings = {str(split): _compare(question, str(split), margin) for split in study.frames.spec.grid.split}
    return Inference(about, margin, question.bound_cells(), standings)


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
    _values: dict[CellKey, Floats] = field(default_factory=dict)
    _errors: dict[tuple[str, ...], Errors | None] = field(default_factory=dict)

    @classmethod
    def ask(cls, study: Study, metric: Metric, about: About) -> Self:
        """Number the patients of the study's images."""
        clusters = np.array(study.frames.images.clusters if study.frames.images else (), str)
        return cls(study, metric, about, np.asarray(np.unique(clusters, return_inverse=True)[1], np.int64))

    def list_complete(self, split: str) -> list[str]:
        """List the models of a split that have finished every shuffle, and whose metric is defined in each."""
        names = map(str, list_backbones(self.study.frames.spec))
        return [
            name
            for name in names
            if self.study.cells[name, split].is_finished
            and self.study.readouts[name, split]
            and np.isfinite(self.measure(name, split)).all()
        ]

    def measure(self, model: str, split: str) -> Floats:
        """Return the metric as computed in every finished shuffle of a cell, (shuffles,)."""
        key = model, split
        if key not in self._values:
            is_known = self.metric is self.study.metric
            readouts = self.study.readouts[key]
            values = [each.value if is_known else self.metric.measure(each.scores, each.labels) for each in readouts]
            self._values[key] = np.array(values)
        return self._values[key]

    def describe_design(self, split: str) -> Design:
        """Say how a split divides the images."""
        images = self.study.frames.inputs.data.images
        training, _, test = count_parts(images, Split.parse(split))
        return Design(training / images, test / images, self.about)

    def estimate(self, split: str, models: Sequence[str]) -> Errors | None:
        """Estimate the error of some models' means, in the printed unit; None where it is not known."""
        key = (split, *models)
        if key not in self._errors:
            readouts = zip(*(self.study.readouts[name, split] for name in models), strict=True)
            values = np.transpose([self.measure(name, split) for name in models])
            tested = [self._test(*shuffle) for shuffle in zip(readouts, values, strict=True)]
            self._errors[key] = self.estimate_from(tested, split)
        return self._errors[key]

    def estimate_from(self, tested: Sequence[Evidence], split: str) -> Errors | None:
        """Estimate the error from what is known of every shuffle of a split."""
        if not tested or not is_defined(tested):
            return None
        errors = Errors.estimate(tested, self.describe_design(split))
        return errors if errors.is_known else None

    def bound_cells(self) -> dict[CellKey, Interval | None]:
        """Estimate the interval of the metric in every cell, in its printed unit; None: cannot tell."""
        splits = dict.fromkeys(split for _, split in self.study.cells)
        found = {split: self.bound_split(split) for split in splits}
        return {(name, split): found[split].get(name) for name, split in self.study.cells}

    def bound_split(self, split: str) -> dict[str, Interval]:
        """Estimate the intervals of the models of a split; of those that are not known, none."""
        complete = self.list_complete(split)
        names = [name for name, where in self.study.cells if where == split and self.study.readouts[name, split]]
        fewest = min(2, len(self.study.frames.spec.grid.shuffle))  # one of several says nothing of training
        partial = [name for name in names if name not in complete and len(self.study.readouts[name, split]) >= fewest]
        groups = (complete, *([name] for name in partial))
        return {name: found for group in groups for name, found in self._bound_means(split, group) if found is not None}

    def _bound_means(self, split: str, models: Sequence[str]) -> Iterator[tuple[str, Interval | None]]:
        errors, metric = self.estimate(split, models), self.metric
        if errors is None:
            return
        for name, error, freedom in zip(models, errors.of_means, errors.freedom_of_means, strict=True):
            mean = float(self.measure(name, split).mean())
            if metric.is_percentage:
                share = share_interval(mean, error / metric.scale, freedom, errors.counted)
                yield name, share.scale(metric.scale) if share else None
            else:
                interval = student_interval(metric.scale * mean, error, freedom)
                yield name, interval.clip(*metric.bounds) if interval else None

    def _test(self, readouts: Sequence[Readout], values: Floats) -> Evidence:
        """Say what the test images of one shuffle say of some models; readouts and (models,) values: one a model."""
        scale = self.metric.scale
        influences = [self.metric.influence(each.scores, each.labels) for each in readouts]
        counts = np.any([self.metric.count_images(each.scores, each.labels) for each in readouts], axis=0)
        return Evidence(scale * values, scale * np.array(influences), self.patients[readouts[0].images], counts)


def is_defined(tested: Iterable[Evidence]) -> bool:
    """Whether the metric is defined in every shuffle."""
    return all(bool(np.isfinite(each.values).all() and np.isfinite(each.influences).all()) for each in tested)


def _compare(question: Question, split: str, margin: float) -> Standing:
    models = question.list_complete(split)
    errors = question.estimate(split, models)
    if len(models) < 2 or errors is None:
        return Standing(tuple(models), dict.fromkeys(models, Verdict.CANNOT_TELL))
    metric = question.metric
    turned = metric.direction.sign * metric.scale * np.array([question.measure(name, split) for name in models])
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
