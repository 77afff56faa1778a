"""The error of K models' means over J repeats: patients who might have been others, and training runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sweep.report.statistics.arrays import Bools, Floats, read_floats


class About(StrEnum):
    """What an error is about: heads trained on this pool of images, or on any pool like it."""

    POOL = "pool"
    PROCEDURE = "procedure"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one repetition's test images say of K models.

    values: (models,), the metric. influences: (models, images), what each test image adds to it: the derivative of
    the metric by the image's weight, divided by the number of images; each row adds up to 0. patients: (images,),
    numbers from 0. counts: (images,), whether the metric can change with an image's answer at all.
    """

    values: Floats
    influences: Floats
    patients: NDArray[np.int64]
    counts: Bools


@dataclass(frozen=True, slots=True)
class Design:
    """How the images are split anew: the parts of all images that a repetition trains and tests on, 0 to 1."""

    trained: float
    tested: float
    about: About = About.POOL


@dataclass(frozen=True, slots=True)
class Errors:
    """The error of K means over J repeats.

    V = P + (T + U 11') f, with f = 1/J, or 1/J + n1/n where the pool of images itself might be another.
    P: `of_patients`, (models, models), the covariance between patients of all repeats together, so that an image
    that is tested again counts once. T: `of_runs`, what training adds to the variance of one run of one model; U:
    `of_repeats`, what it adds to all models of a repetition alike.

    `of_single` is P of one repetition alone. `residual` and `spread` are the mean squares that T and T + U come from.
    `counted`: how many patients of equal size those are worth that can change the metric (Kish 1965). Unknown errors
    are infinite. `carriers_of_means`, (models,), and `carriers_of_differences`, of a typical pair: how many patients of
    equal weight carry the patients' part of the error. `total`, (models, patients): the mean influence of each
    patient; `is_seen`, (patients,): who was tested at all.
    """

    repeats: int
    design: Design
    of_patients: Floats
    of_single: Floats
    of_runs: float
    of_repeats: float
    residual: float
    spread: float
    counted: float
    carriers_of_means: Floats
    carriers_of_differences: float
    total: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    is_seen: Bools = field(default_factory=lambda: np.zeros(0, bool))

    @classmethod
    def estimate(cls, repeats: Sequence[Evidence], design: Design, patients: int = 0) -> Self:
        """Estimate the error from every repetition's test images; all repeats are of the same models in one order.

        P is the cluster-robust covariance (Liang and Zeger 1986) of the mean influence of G patients, times
        G / (G - 1). T = max(MS - (1 - q) W, 0): MS is the residual mean square of models and repeats as randomised
        blocks, W half the variance between images of a difference within one repetition, averaged over pairs and
        repeats, and 1 - q corrects for test images that are drawn without replacement, a part q of the pool. (It is
        images that a repetition draws, not patients.)
        T + U = max(S - (1 - q) W', T) likewise, from the variance S between repeats and the variance W' of one
        model. One repetition says nothing of training: T and U are unknown, and count as 0.
        """
        values = np.stack([read_floats("values", tested.values) for tested in repeats], axis=1)
        models, count = values.shape
        patients = patients or _count_patients(repeats)
        total, is_seen, is_counted = np.zeros((models, patients)), np.zeros(patients, bool), np.zeros(patients, bool)
        single, drawn, evenness = np.zeros((models, models)), np.zeros((models, models)), 0.0
        for tested in repeats:
            sums = _sum_by_patient(read_floats("influences", tested.influences), tested.patients, patients)
            present = np.bincount(tested.patients, minlength=patients) > 0
            is_seen |= present
            is_counted[tested.patients[tested.counts]] = True
            evenness += _measure_evenness(tested.patients[tested.counts]) / count
            total += sums / count
            single += _covary(sums, int(present.sum())) / count
            drawn += tested.influences @ tested.influences.T / count
        residual, spread = _mean_squares(values)
        unseen = 1 - design.tested
        of_runs = max(residual - unseen * _halve_differences(drawn), 0.0)
        of_own = max(spread - unseen * float(np.diag(drawn).mean()), of_runs)
        return cls(
            repeats=count,
            design=design,
            of_patients=_covary(total, int(is_seen.sum())),
            of_single=single,
            of_runs=of_runs,
            of_repeats=of_own - of_runs,
            residual=residual,
            spread=spread,
            counted=float(evenness * is_counted.sum()),
            carriers_of_means=_count_carriers(total),
            carriers_of_differences=_count_pair_carriers(total),
            total=total,
            is_seen=is_seen,
        )

    @classmethod
    def estimate_apart(cls, levels: Sequence[tuple[Sequence[Evidence], Design]]) -> Self:
        """Estimate the error of levels that were each split anew, such as splits: of one model, repeats unpaired.

        As `estimate` with one model does for each level, but P is the covariance between patients of all levels
        together, and T, MS and W' are means over the levels; U is 0.
        """
        patients = max(_count_patients(repeats) for repeats, _ in levels)
        alone = [cls.estimate(repeats, design, patients) for repeats, design in levels]
        total, is_seen = (
            np.concatenate([each.total for each in alone]),
            np.any([each.is_seen for each in alone], axis=0),
        )
        residual = float(np.mean([each.residual for each in alone]))
        return cls(
            repeats=alone[0].repeats,
            design=alone[0].design,
            of_patients=_covary(total, int(is_seen.sum())),
            of_single=np.diag([each.of_single[0, 0] for each in alone]),
            of_runs=float(np.mean([each.of_runs for each in alone])),
            of_repeats=0.0,
            residual=residual,
            spread=residual,
            counted=min(each.counted for each in alone),
            carriers_of_means=_count_carriers(total),
            carriers_of_differences=_count_pair_carriers(total),
        )

    @property
    def is_known(self) -> bool:
        """Whether there is an error: it takes two patients in every repetition, and for any pool two repeats."""
        has_runs = self.repeats > 1 or self.design.about is About.POOL
        return has_runs and bool(np.isfinite(self.of_patients).all() and np.isfinite(self.of_single).all())

    @property
    def factor(self) -> float:
        """What the variance of one run is multiplied with."""
        pool = self.design.trained if self.design.about is About.PROCEDURE else 0.0
        return 1 / self.repeats + pool

    @property
    def covariance(self) -> Floats:
        """V, (models, models)."""
        runs = self.of_runs * np.eye(len(self.of_patients)) + self.of_repeats
        return self.of_patients + self.factor * runs

    @property
    def of_means(self) -> Floats:
        """Standard errors of the means, (models,)."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def of_differences(self) -> Floats:
        """Standard errors of the differences of two means, (models, models); 0 on the diagonal."""
        return np.sqrt(
            self._patients_of_differences + 2 * self.factor * self.of_runs * ~np.eye(self._models, dtype=bool)
        )

    @property
    def freedom_of_means(self) -> Floats:
        """Degrees of freedom of each mean's error, (models,)."""
        runs = self.spread, max(self.repeats - 1, 1)
        return self._combine(np.diag(self.of_patients), self.carriers_of_means, *runs)

    @property
    def freedom_of_differences(self) -> float:
        """Degrees of freedom of a typical difference's error."""
        patients = self._patients_of_differences[np.triu_indices(self._models, 1)]
        patients = np.median(patients[patients > 0], keepdims=True) if (patients > 0).any() else np.zeros(1)
        carriers = np.full(1, self.carriers_of_differences)
        return float(self._combine(patients, carriers, 2 * self.residual, self._freedom_of_runs)[0])

    @property
    def freedom_of_all(self) -> float:
        """Degrees of freedom for all differences at once.

        The runs' part of the error is one estimate for all of them: as far as it goes wrong, it does so everywhere. A
        single difference has its own.
        """
        own = self.freedom_of_differences
        return own if self.repeats == 1 or self._models == 2 else min(own, self._freedom_of_runs)

    def project(self, repeats: int) -> "Errors":
        """Return what the error would be with another number of repeats.

        P falls with the repeats in a straight line in 1/J, to what remains when every image is tested without end: one
        part r of P of a single repetition, estimated from all differences together.
        """
        if self.repeats == 1:
            return replace(self, repeats=repeats)
        ratio = _halve_differences(self.of_patients) / max(_halve_differences(self.of_single), np.finfo(float).tiny)
        rest = float(np.clip((ratio - 1 / self.repeats) / (1 - 1 / self.repeats), 0.0, 1.0))
        fall = (rest + (1 - rest) / repeats) / (rest + (1 - rest) / self.repeats)
        return replace(self, repeats=repeats, of_patients=fall * self.of_patients)

    @property
    def _freedom_of_runs(self) -> int:
        return max((self._models - 1) * (self.repeats - 1), 1)

    @property
    def _models(self) -> int:
        return len(self.of_patients)

    @property
    def _patients_of_differences(self) -> Floats:
        own = np.diag(self.of_patients)
        return np.maximum(own[:, None] + own[None, :] - 2 * self.of_patients, 0.0)

    def _combine(self, patients: Floats, carriers: Floats, runs: float, freedom: int) -> Floats:
        """Degrees of freedom of a sum of two variances (Satterthwaite 1946): of patients that carry it, and of runs.

        Those of runs count with their mean square, not with what is left of it after a subtraction, above as below: a
        compromise, which simulations bear out.
        """
        between = self.factor * runs if self.repeats > 1 else 0.0
        of_patients = np.broadcast_to(np.maximum(carriers - 1, 1.0), patients.shape).copy()
        parts = patients**2 / of_patients + between**2 / freedom
        return np.asarray(np.divide((patients + between) ** 2, parts, out=of_patients, where=parts > 0))


def _count_patients(repeats: Sequence[Evidence]) -> int:
    return 1 + max(int(tested.patients.max()) for tested in repeats)


def _sum_by_patient(influences: Floats, patients: NDArray[np.int64], count: int) -> Floats:
    """Sum (models, images) influences over each patient's images: (models, patients)."""
    from scipy import sparse

    ones, columns = np.ones(len(patients)), np.arange(len(patients))
    belongs = sparse.csr_array((ones, (patients, columns)), (count, len(patients)))
    return np.asarray((belongs @ influences.T).T)


def _count_carriers(sums: Floats) -> Floats:
    """Return by how many patients of equal weight each row's sum of squares is carried: (sum s^2)^2 / sum s^4.

    sums: (models, patients). Where there is none, all patients: (models,).
    """
    squares, fourths = (sums**2).sum(axis=1), (sums**4).sum(axis=1)
    return np.asarray(np.divide(squares**2, fourths, out=np.full(len(sums), float(sums.shape[1])), where=fourths > 0))


def _count_pair_carriers(sums: Floats) -> float:
    """Return the same of the difference of two rows, in the median of all pairs."""
    if len(sums) < 2:
        return float(sums.shape[1])
    first, second = np.triu_indices(len(sums), 1)
    chosen = slice(None, None, max(1, len(first) // 500))  # of very many pairs some
    return float(np.median(_count_carriers(sums[first[chosen]] - sums[second[chosen]])))


def _measure_evenness(patients: NDArray[np.int64]) -> float:
    """Return Kish's (1965) number of patients of equal size over their number, for the patients of some images."""
    sizes = np.unique(patients, return_counts=True)[1].astype(np.float64)
    return float(sizes.sum() ** 2 / (sizes**2).sum() / len(sizes)) if len(sizes) else 0.0


def _covary(sums: Floats, patients: int) -> Floats:
    if patients < 2:
        return np.full((len(sums), len(sums)), np.inf)
    return np.asarray(sums @ sums.T * (patients / (patients - 1)))


def _halve_differences(covariance: Floats) -> float:
    """Half the variance of a difference, averaged over all pairs of models."""
    models = len(covariance)
    if models < 2:
        return float(covariance[0, 0])
    trace = float(np.trace(covariance))
    return (trace - (float(covariance.sum()) - trace) / (models - 1)) / models


def _mean_squares(values: Floats) -> tuple[float, float]:
    """Return the residual mean square of models and repeats, and the variance between repeats, of (models, repeats).

    0 where a single repetition says nothing; of a single model both are its variance.
    """
    models, repeats = values.shape
    if repeats < 2:
        return 0.0, 0.0
    deviations = values - values.mean(axis=1, keepdims=True)
    spread = float((deviations**2).sum()) / (models * (repeats - 1))
    if models < 2:
        return spread, spread
    residuals = deviations - deviations.mean(axis=0)
    return float((residuals**2).sum()) / ((models - 1) * (repeats - 1)), spread
