"""What a study's numbers show beyond the images and shuffles at hand: intervals and comparisons. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sweep.data.splits import count_parts
from sweep.metrics import Metric
from sweep.planning.expand import list_backbones
from sweep.report.choices import CellKey
from sweep.report.statistics.arrays import Floats
from sweep.report.statistics.comparisons import (
    Comparisons,
    compare_classifiers,
    compare_models,
    detectable_difference,
    letter_groups,
)
from sweep.report.statistics.intervals import Interval, resampled_interval, share_interval, student_interval, widest
from sweep.report.statistics.sampling import SamplingError, cluster_by_patient, effective_images, jackknife
from sweep.report.study import Readout, Study

JACKKNIFE_GROUPS = 50


@dataclass(frozen=True, slots=True)
class Ranking:
    """The models of one split that have finished every shuffle, and what can be told of their differences.

    `comparisons`, those of the `classifiers` at hand, and `detectable` (the smallest difference of a typical pair that
    is found with 80 % probability) are in the metric's printed unit; None where there is too little data. `letters`:
    models that share one are not told apart.
    """

    backbones: tuple[str, ...]
    comparisons: Comparisons | None = None
    classifiers: Comparisons | None = None
    letters: Mapping[str, str] = field(default_factory=dict)
    detectable: float | None = None


@dataclass(frozen=True, slots=True)
class Inference:
    """Intervals at 95 %, in the metric's printed unit (None: cannot tell), and a ranking for each split."""

    intervals: Mapping[CellKey, Interval | None]
    rankings: Mapping[str, Ranking]


def infer(study: Study) -> Inference:
    """Estimate the interval of every cell and compare the models of every split."""
    patients = _Patients.of(study)
    intervals: dict[CellKey, Interval | None] = dict.fromkeys(study.cells)
    rankings: dict[str, Ranking] = {}
    for split in study.frames.spec.grid.split:
        keys = [(str(backbone), str(split)) for backbone in list_backbones(study.frames.spec)]
        models = {key: _Model.of(study, key, patients) for key in keys if study.readouts[key]}
        training, _, test = count_parts(study.frames.inputs.data.images, split)
        intervals |= {key: _estimate_interval(study.metric, model, test / training) for key, model in models.items()}
        complete = {key[0]: model for key, model in models.items() if model.is_complete}
        rankings[str(split)] = _rank_models(study.metric, complete, test / training)
    return Inference(intervals, rankings)


@dataclass(frozen=True, slots=True)
class _Patients:
    """Every image's patient and the patient's jackknife group, as numbers, (images,).

    Patients are dealt to the groups at random: in order of their names they would be balanced by class.
    """

    numbers: NDArray[np.int64]
    groups: NDArray[np.int64]

    @classmethod
    def of(cls, study: Study) -> Self:
        names = study.frames.images.clusters if study.frames.images else ()
        distinct, numbers = np.unique(np.array(names), return_inverse=True)
        generator = np.random.default_rng(int(study.frames.inputs.data.fingerprint[:16], 16))
        groups = generator.permutation(len(distinct)) % JACKKNIFE_GROUPS
        return cls(numbers, groups[numbers])


@dataclass(frozen=True, slots=True)
class _Model:
    """What one cell is estimated from.

    values: (shuffles,) the metric as computed. images, patients: (pairs,) of every shuffle's test images. samples: of a
    metric that is a mean over images their values, (pairs,); of others the mean over the shuffles without each group
    of patients, (groups,).
    """

    values: Floats
    images: NDArray[np.int64]
    patients: NDArray[np.int64]
    samples: Floats
    is_complete: bool

    @classmethod
    def of(cls, study: Study, key: CellKey, patients: _Patients) -> Self:
        readouts = study.readouts[key]
        images = np.concatenate([readout.images for readout in readouts])
        per_image = study.metric.per_image
        if per_image is None:
            samples = _leave_groups_out(study.metric, readouts, patients.groups)
        else:
            samples = np.concatenate([per_image(readout.scores, readout.labels) for readout in readouts])
        values = np.array([readout.value for readout in readouts], np.float64)
        return cls(values, images, patients.numbers[images], samples, study.cells[key].is_comparable)


def _leave_groups_out(metric: Metric, readouts: Sequence[Readout], groups: NDArray[np.int64]) -> Floats:
    def measure(readout: Readout, group: int) -> float:
        kept = groups[readout.images] != group
        return metric.measure(readout.scores[kept], readout.labels[kept]) if kept.any() else np.nan

    return np.array([np.mean([measure(readout, group) for readout in readouts]) for group in np.unique(groups)])


def _estimate_sampling(metric: Metric, models: Sequence[_Model]) -> SamplingError:
    samples = np.array([model.samples for model in models])
    return jackknife(samples) if metric.per_image is None else cluster_by_patient(samples, models[0].patients)


def _estimate_interval(metric: Metric, model: _Model, test_to_training: float) -> Interval | None:
    """Hold both the interval over the re-splits and the one that the test images allow."""
    if not np.isfinite(model.values).all():
        return None
    mean = float(np.mean(model.values))
    over_images: Interval | None
    if metric.is_share:
        over_images = share_interval(mean, effective_images(model.samples, model.images, model.patients))
    else:
        sampling = _estimate_sampling(metric, [model])
        over_images = student_interval(mean, float(sampling.of_means[0]), sampling.degrees_of_freedom)
    interval = widest(resampled_interval(model.values, test_to_training), over_images)
    if interval is None:
        return None
    return Interval(interval.lower * metric.scale, interval.upper * metric.scale).clip(*metric.bounds)


def _rank_models(metric: Metric, models: Mapping[str, _Model], test_to_training: float) -> Ranking:
    values = metric.scale * np.array([model.values for model in models.values()])
    if len(models) < 2:
        return Ranking(tuple(models))
    sampling = _estimate_sampling(metric, list(models.values())).scale(metric.scale)
    comparisons = compare_models(values, test_to_training, sampling)
    if comparisons is None:
        return Ranking(tuple(models))
    means = values.mean(axis=1)
    letters = letter_groups(metric.direction.sign * means, comparisons.is_distinct)
    pairs = np.triu_indices(len(models), 1)
    typical = float(np.median(comparisons.standard_errors[pairs]))
    detectable = detectable_difference(typical, comparisons.degrees_of_freedom, len(pairs[0]))
    return Ranking(
        tuple(models),
        comparisons,
        compare_classifiers(means, sampling),
        dict(zip(models, letters, strict=True)),
        detectable if np.isfinite(detectable) else None,
    )
