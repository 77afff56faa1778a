"""What more shuffles can be expected to show, and how long they take. Pure."""

from dataclasses import dataclass
from typing import Self

from sweep.durations import describe_duration
from sweep.planning.units import UnitKind
from sweep.report.inference import Standing
from sweep.report.statistics.arrays import Floats
from sweep.report.statistics.best import LEVEL, Draws, bound_errors, compare_with_best
from sweep.report.statistics.errors import Errors
from sweep.report.study import Study

SHUFFLES_AT_MOST = 1000  # that a projection looks ahead
FAR = 4  # times the shuffles, whose critical values others are derived from


@dataclass(frozen=True, slots=True)
class Projection:
    """The comparison with the best at more shuffles than there are, the means being as they are.

    `critical`, (models,): critical values as multiples of a quantile of t (`_find_quantile`). `seconds`: what fitting
    one shuffle of the whole grid took all workers together; None where it was not measured.
    """

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
        """Project a standing; None where one shuffle says nothing of what training adds."""
        errors, whole, runs = standing.errors, study.metric.whole, study.frames.runs
        if errors is None or errors.shuffles == 1:
            return None
        far = errors.project(FAR * errors.shuffles)
        spent = sum(seconds.get(UnitKind.FIT, 0.0) for seconds in study.frames.seconds.values())
        return cls(
            models=standing.models,
            means=standing.means,
            errors=errors,
            critical=Draws.of(far, whole).find_critical() / _find_quantile(far),
            whole=whole,
            margin=margin,
            seconds=spent / errors.shuffles or None,
            workers=max((int(run.get("workers") or 1) for run in runs), default=1),
        )

    def find_shuffles(self, model: str) -> int | None:
        """Return how many more shuffles show a model to be within the margin; None: no number that is looked at."""
        place, first = self.models.index(model), self.errors.shuffles
        if self.means.max() - self.means[place] >= self.margin:
            return None
        known, wanted = first, first + 1
        while not self._is_shown(place, wanted):
            if wanted >= SHUFFLES_AT_MOST:
                return None
            known, wanted = wanted, min(2 * wanted, SHUFFLES_AT_MOST)
        while wanted - known > max(1, known // 20):
            middle = (known + wanted) // 2
            known, wanted = (known, middle) if self._is_shown(place, middle) else (middle, wanted)
        return wanted - first

    def _is_shown(self, place: int, shuffles: int) -> bool:
        errors = self.errors.project(shuffles)
        critical = self.critical * _find_quantile(errors)
        ranks = compare_with_best(self.means, bound_errors(errors, self.whole), critical)
        return bool(ranks.lower[place] >= -self.margin)

    def describe(self, more: int) -> str:
        """Say how many more shuffles, and how long fitting so many takes."""
        count = f"About {more:,} more shuffle{'' if more == 1 else 's'}"
        if self.seconds is None:
            return count
        on = f"{self.workers} worker{'' if self.workers == 1 else 's'}"
        return f"{count} ({describe_duration(more * self.seconds / self.workers)} of fitting on {on})"


def _find_quantile(errors: Errors) -> float:
    """Return the quantile of t that a critical value against one control rises and falls with."""
    from scipy import stats

    return float(stats.t.ppf(LEVEL ** (1 / max(len(errors.of_patients) - 1, 1)), errors.freedom_of_all))
