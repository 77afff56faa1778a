"""Studies drawn at random: a pool of images of patients, split again and again, and models whose skill is known."""

from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtr, ndtri

from sweep.report.statistics.errors import About, Design, Errors, Evidence

IMAGES, PATIENTS = 5216, 3654  # of the real radiographs


@dataclass
class World:
    """A pool of images and models, as the real ones are: 16 models, 5,216 images of 3,654 patients.

    A model answers an image rightly if a latent score, of variance 1, lies below the model's threshold. Of the
    variance, `own` is the model's on the image and `run` one run's on the image; the rest is common to all models; half
    of the first and the last is the patient's. Thresholds scatter from run to run by `noise`, and by `pool` (points)
    from pool to pool. `truth` is what the models score on new patients, trained on this pool; `procedure` on any pool.
    The defaults give errors like those of the real images at 60/20/20.
    """

    rng: np.random.Generator
    lowest: float = 0.958
    highest: float = 0.971
    models: int = 16
    trained: float = 0.6
    tested: float = 0.2
    own: float = 0.13
    run: float = 0.04
    noise: float = 0.045
    pool: float = 0.16
    images: int = IMAGES
    patients: int = PATIENTS
    truth: np.ndarray = field(init=False)

    def __post_init__(self):
        more = self.rng.pareto(1.5, self.patients)
        sizes = 1 + self.rng.multinomial(self.images - self.patients, more / more.sum())
        self.patient = np.repeat(np.arange(self.patients), sizes)
        spread = np.sqrt(1 + self.noise**2)
        ideal = ndtri(np.linspace(self.lowest, self.highest, self.models)) * spread
        slope = 100 * np.exp(-(ideal**2) / 2) / np.sqrt(2 * np.pi)
        self.thresholds = ideal + self.pool / slope * self.rng.standard_normal(self.models)
        self.truth, self.procedure = ndtr(self.thresholds / spread), ndtr(ideal / spread)

    def draw(self, repeats):
        """One study: what the test images of every shuffle say."""
        rng, shape = self.rng, (self.models, self.images)

        def scatter(variance, shape, patients):
            alone, shared = rng.standard_normal(shape), rng.standard_normal((*shape[:-1], self.patients))
            return np.sqrt(variance / 2) * (alone + shared[..., patients])

        common = scatter(1 - self.own - self.run, shape[1:], self.patient)
        scores = common + scatter(self.own, shape, self.patient)
        return [self._split(scores) for _ in range(repeats)]

    def _split(self, scores):
        images = np.sort(self.rng.permutation(self.images)[: round(self.tested * self.images)])
        chance = np.sqrt(self.run) * self.rng.standard_normal((self.models, len(images)))
        thresholds = self.thresholds + self.noise * self.rng.standard_normal(self.models)
        correct = (scores[:, images] + chance < thresholds[:, None]).astype(float)
        values = correct.mean(axis=1)
        influences = (correct - values[:, None]) / len(images)
        return Evidence(values, influences, self.patient[images], np.ones(len(images), bool))

    def estimate(self, tested, about=About.POOL):
        """Means of the models, and their errors."""
        means = np.mean([each.values for each in tested], axis=0)
        return means, Errors.estimate(tested, Design(self.trained, self.tested, about))
