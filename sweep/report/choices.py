"""One learning rate and step budget for each backbone and split, and its mean over the shuffles. Pure."""

from dataclasses import replace

import pandas as pd

from sweep.metrics import Direction, Metric
from sweep.report.cells import MeanCell, Selection
from sweep.report.frames import Status

CellKey = tuple[str, str]  # backbone, split
CELL = ["backbone", "split"]


def make_mean_cells(trials: pd.DataFrame, metric: Metric, select: Selection) -> dict[CellKey, MeanCell]:
    """Return the cell of every (backbone, split); trials: with `validation_` and `test_` columns of the metric."""
    finished = trials[trials["status"] == Status.SUCCESS]
    counts = trials.groupby(CELL, sort=False).agg(planned=("trial_id", "size"), shuffles=("shuffle", "nunique"))
    counts["finished"] = finished.groupby(CELL).size()
    cells = {
        (str(backbone), str(split)): MeanCell(
            None, planned=int(planned), finished=int(done), shuffles_planned=int(shuffles)
        )
        for (backbone, split), planned, shuffles, done in counts.fillna(0).itertuples()
    }
    candidates = rank_configurations(finished, metric, select)
    for row in candidates.drop_duplicates(CELL).to_dict("records"):
        key = row["backbone"], row["split"]
        cells[key] = replace(
            cells[key],
            value=known(row["test"]),
            std=known(row["std"]),
            validation=known(row["validation"]),
            shuffles=int(row["shuffles"]),
            learning_rate=float(row["learning_rate"]),
            steps=int(row["steps"]),
        )
    return cells


def rank_configurations(finished: pd.DataFrame, metric: Metric, select: Selection) -> pd.DataFrame:
    """Rank every learning rate and step budget within its cell, the chosen one first.

    Columns: those of CELL, learning_rate, steps, shuffles, and in the metric's printed unit test, std (over the
    shuffles, n - 1) and validation, and validation_log_loss. Those with the most finished shuffles come first; then the
    best mean wins; ties go to the lower validation log loss, fewer steps, the smaller rate.
    """
    validation, test = f"validation_{metric.name}", f"test_{metric.name}"
    means = finished.groupby([*CELL, "learning_rate", "steps"], sort=False).agg(
        shuffles=("shuffle", "size"),
        validation=(validation, "mean"),
        test=(test, "mean"),
        std=(test, "std"),
        validation_log_loss=("validation_log_loss", "mean"),
        validation_defined=(validation, "count"),
        test_defined=(test, "count"),
    )
    means.loc[means["validation_defined"] < means["shuffles"], "validation"] = float("nan")
    means.loc[means["test_defined"] < means["shuffles"], ["test", "std"]] = float("nan")
    means[["validation", "test", "std"]] *= metric.scale
    means = means.round(10).reset_index()  # equal means must tie, in whatever order they were summed
    ranking = {"shuffles": False, str(select): metric.direction is Direction.LOWER}
    ranking |= dict.fromkeys(("validation_log_loss", "steps", "learning_rate"), True)
    return means.sort_values(list(ranking), ascending=list(ranking.values()))


def known(value: float, scale: float = 1.0) -> float | None:
    """Turn NaN into None, and scale other values."""
    return None if pd.isna(value) else float(value) * scale
