"""How the numbers of a report were made, with the sources. Pure."""

from sweep.metrics import Metric
from sweep.report.cells import Selection
from sweep.report.inference import Inference
from sweep.report.layout import Layout
from sweep.report.statistics.errors import About

INSIDE = (
    "Inside our interval: the published mean lies in the interval of ours. The published mean has an error of its "
    "own, of which the published ± is a part; a figure outside is a reason to look, not a contradiction, and the "
    "narrower our intervals are the more figures lie outside."
)
OPTIMISM = (
    "Optimism: the best on test is picked from the same numbers that are reported, so it cannot be negative, and new "
    "images would not confirm it (Cawley and Talbot 2010)."
)
EFFECTS = "Main effects: means of an axis's levels over all other models, compared like models, by patients and runs."
_BEST = (
    "Against the best: every model is compared with the best of the others (Hsu 1981, 1996), at Dunnett's critical "
    "value with the model as the control. Differences of pairs: simultaneous 95 % intervals and adjusted p-values by "
    "the studentised maximum (max-t; Hothorn, Bretz and Westfall 2008), from up to 20,000 draws. No difference is "
    "taken to be known better than by the rule of three (Hanley and Lippman-Hand 1983)."
)
PATIENTS = (
    "Patients: images are split at random, so images of one patient may lie on both sides; sweep does not split by "
    "patient yet. What that is worth cannot be told from these splits: patients with many images are more often on "
    "both sides, and may be easier or harder than others for other reasons."
)


def describe_variance(layout: Layout) -> str:
    """Say what shares of variance are."""
    nested = f", of {layout.repeats_word} within a {layout.block_word}" if layout.repeated else ""
    return (
        "Variance: shares of the sum of squares of main effects, each beyond all others (type II, Yates 1934). Over "
        "a complete grid they add up to 100 %. Range: the highest less the lowest mean of a factor's values"
        f"{nested}. An axis that not all points have, such as momentum, is nested in those that say so. Read-outs of "
        "one fit share a training run. A share says what moved the number in this grid, not how much a factor matters "
        "elsewhere."
    )


def describe_intervals(metric: Metric) -> str:
    """Say how the intervals of one mean are made."""
    if metric.is_percentage:
        kind = (
            "Wilson's (1927), with the number of images that the error is worth (Korn and Graubard 1998; Dean and "
            "Pagano 2015); at 0 and 100 % as many as there are patients who could have been answered otherwise"
        )
    else:
        kind = "Student's t"
    return f"Intervals of a mean, 95 %: {kind}."


def describe_comparisons(inference: Inference, layout: Layout) -> tuple[str, ...]:
    """Say what the errors of a comparison are made of."""
    runs = f"divided by the number of {layout.repeats_word}"
    if inference.question.about is About.PROCEDURE:
        runs += ", plus its part that the pool of images might add, n1/n of it for n1 training images of n"
    errors = (
        "Errors are of patients and runs: the covariance of the models between patients, all "
        f"{layout.repeats_word} together, so that images of a patient and an image that is tested again count once "
        "(Liang and Zeger 1986); plus what training runs add, from the residual of models and "
        f"{layout.repeats_word} beyond the patients', {runs}; degrees of freedom by Satterthwaite (1946). Training is "
        "assumed to add as much to every model. Influences of images stand in for their values where a metric is no "
        "mean (infinitesimal jackknife, Jaeckel 1972)."
    )
    return errors, _BEST


def warn_of_selection(select: Selection) -> tuple[str, ...]:
    """Warn of means that were chosen for being high."""
    if select is Selection.VALIDATION:
        return ()
    return (
        "The configurations are those best on test: the means are optimistic, and the intervals do not allow for it.",
    )
