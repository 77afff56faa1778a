"""How the numbers of a report were made, with the sources. Pure."""

from sweep.metrics import Metric
from sweep.report.cells import Selection

SMALLEST_DIFFERENCE = (
    "Smallest difference: the true difference of a typical pair of models that this number of shuffles shows with 80 % "
    "probability after the adjustment for all pairs; an approximation."
)
CLASSIFIERS = (
    "As classifiers: the same pairs with the error from the test images alone. It says whether the very classifiers "
    "of this sweep differ, not whether they would if they were trained again; Dietterich 1998 sets the two questions "
    "apart."
)
VARIANCE = (
    "Variance: shares of the sum of squares of main effects, each beyond all others (type II, Yates 1934). Over all "
    "trials of a complete grid they add up to 100 %; over those of Table 4 they need not, since the chosen rates and "
    "steps are not balanced, and say little there. Range: the highest less the lowest mean of a factor's values, of "
    "shuffles within a split. Step budgets of one head share a training run. A share says what moved the number in "
    "this grid, not how much a factor matters elsewhere."
)
INSIDE = (
    "In our interval: whether the published mean lies in the interval of ours. The published mean has an uncertainty "
    "of its own, which is not known; a figure outside is a reason to look, not a contradiction."
)
OPTIMISM = (
    "Optimism: the best on test is picked from the same numbers that are reported, so it cannot be negative, and new "
    "images would not confirm it (Cawley and Talbot 2010)."
)


PATIENTS = (
    "Patients: images are split at random, so images of one patient may lie on both sides; sweep does not split by "
    "patient yet. What that is worth cannot be told from these splits: patients with many images are more often on "
    "both sides, and may be easier or harder than others for other reasons."
)


def describe_intervals(metric: Metric) -> str:
    """Say how the intervals of a metric are made, and what they are about."""
    return (
        "Interval of 95 %: the smallest that holds both the one over the re-splits, t corrected for their overlap "
        f"(Nadeau and Bengio 2003), and the one that the test images allow, {_describe_sampling(metric)}. It is about "
        "test images drawn like these, which may be of patients who also have training images, and not about patients "
        "never seen."
    )


def describe_comparisons(metric: Metric) -> str:
    """Say how models are compared."""
    sampling = "clustered by patient" if metric.per_image is not None else "by the jackknife"
    return (
        "Comparisons: in pairs on the same test images, shuffle by shuffle. The error is that of the residual of "
        "models and shuffles, assuming one variance for all models, corrected for the overlap of re-splits (Nadeau "
        f"and Bengio 2003); or that from the test images, {sampling}, where it is larger. P-values of t, adjusted for "
        "all pairs of a split (Holm 1979), below 0.05. Two models share a letter exactly if they are not told apart "
        "(Piepho 2004)."
    )


def warn_of_selection(select: Selection) -> tuple[str, ...]:
    """Warn of means that were chosen for being high."""
    if select is Selection.VALIDATION:
        return ()
    return (
        "The configurations are those best on test: the means are optimistic, and the intervals do not allow for it.",
    )


def _describe_sampling(metric: Metric) -> str:
    if metric.is_share:
        return (
            "Wilson's (1927) with the number of images that the answers are worth, images of a patient counting "
            "together (Korn and Graubard 1998; Dean and Pagano 2015)"
        )
    if metric.per_image is not None:
        return "t with the error clustered by patient (Liang and Zeger 1986)"
    return "t with the error of a jackknife over random groups of patients (Kott 2001)"
