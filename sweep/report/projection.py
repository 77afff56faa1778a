"""What more repetitions can be expected to show, and how long they take. Pure."""

from dataclasses import dataclass
from typing import Self

from sweep.durations import describe_duration
from sweep.report.frames import FIT
from sweep.report.inference import Standing
from sweep.report.layout import Layout
from sweep.report.statistics.arrays import Floats
from sweep.report.statistics.best import Draws, bound_errors, compare_with_best
from sweep.report.statistics.errors import Errors
from sweep.report.statistics.intervals import LEVEL
from sweep.report.study import Study

REPEATS_AT_MOST = 1000  # that a projection looks ahead
FAR = 4  # times the repetitions, whose critical values others are derived from


@dataclass(frozen=True, slots=True)
class Projection:
    """The comparison with the best at more repetitions than there are, the means being as they are.

    `critical`, (models,): critical values as multiples of a quantile of t (`_find_quantile`). `seconds`: what fitting
    one repetition of all blocks took all workers together; None where it was not measured.
    """

    layout: Layout
    models: tuple[str, ...]
    means: Floats
    errors: Errors
    critical: Floats
    whole: float
    margin: float
    seconds: float | None
    workers: int

    @classmethod
    def of(cls, study: Study, standing: Standing, margin: float) -> Self | None:
        """Project a standing; None where one repetition says nothing of what training adds."""
        errors, whole, runs = standing.errors, study.metric.whole, study.frames.runs
        if errors is None or errors.repeats == 1:
            return None
        far = errors.project(FAR * errors.repeats)
        fits = (seconds.get(FIT, 0.0) for seconds in study.frames.seconds.values())
        spent = 0.0 if study.frames.restriction else sum(fits)  # a fit is measured with what is left out here
        return cls(
            layout=study.layout,
            models=standing.models,
            means=standing.means,
            errors=errors,
            critical=Draws.of(far, whole).find_critical() / _find_quantile(far),
            whole=whole,
            margin=margin,
            seconds=spent * len(study.frames.blocks) / study.frames.trials["partition_id"].nunique() or None,
            workers=max((int(run.get("workers") or 1) for run in runs), default=1),
        )

    def find_repeats(self, model: str) -> int | None:
        """Return how many more repetitions show a model to be within the margin; None: no number that is looked at."""
        place, first = self.models.index(model), self.errors.repeats
        if self.means.max() - self.means[place] >= self.margin:
            return None
        known, wanted = first, first + 1
        while not self._is_shown(place, wanted):
            if wanted >= REPEATS_AT_MOST:
                return None
            known, wanted = wanted, min(2 * wanted, REPEATS_AT_MOST)
        while wanted - known > max(1, known // 20):
            middle = (known + wanted) // 2
            known, wanted = (known, middle) if self._is_shown(place, middle) else (middle, wanted)
        return wanted - first

    def _is_shown(self, place: int, repeats: int) -> bool:
        errors = self.errors.project(repeats)
        critical = self.critical * _find_quantile(errors)
        ranks = compare_with_best(self.means, bound_errors(errors, self.whole), critical)
        return bool(ranks.lower[place] >= -self.margin)

    def describe(self, more: int) -> str:
        """Say how many more repetitions, and how long fitting so many takes."""
        count = f"About {more:,} more {self.layout.repeat_word if more == 1 else self.layout.repeats_word}"
        if self.seconds is None:
            return count
        on = f"{self.workers} worker{'' if self.workers == 1 else 's'}"
        return f"{count} ({describe_duration(more * self.seconds / self.workers)} of fitting on {on})"


def _find_quantile(errors: Errors) -> float:
    """Return the quantile of t that a critical value against one control rises and falls with."""
    from scipy import stats

    return float(stats.t.ppf(LEVEL ** (1 / max(len(errors.of_patients) - 1, 1)), errors.freedom_of_all))
