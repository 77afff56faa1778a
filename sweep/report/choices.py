"""One point on the tuned axes for each model and block, and its mean over the repetitions. Pure."""

from dataclasses import replace

import pandas as pd

from sweep.metrics import Direction, Metric
from sweep.report.cells import MeanCell, Selection
from sweep.report.frames import Status, SweepFrames
from sweep.report.layout import CellKey

CELL = ["model", "block"]


def make_mean_cells(frames: SweepFrames, metric: Metric, select: Selection) -> dict[CellKey, MeanCell]:
    """Return the cell of every model and block of the plan, in its order.

    What is planned are the repetitions of the whole block: a model with fewer is tested on other images.
    """
    trials = frames.trials
    finished = trials[trials["status"] == Status.SUCCESS]
    counts = pd.DataFrame({"planned": trials.groupby(CELL, sort=False).size()})
    counts["finished"] = finished.groupby(CELL).size()
    repeats = trials.groupby("block")["repeat"].nunique()
    cells = {
        (model, block): MeanCell(
            None, planned=int(planned), finished=int(done), repeats_planned=int(repeats[block]), key=(model, block)
        )
        for (model, block), planned, done in counts.fillna(0).itertuples()
    }
    for row in rank_configurations(finished, metric, select).drop_duplicates(CELL).to_dict("records"):
        key = row["model"], row["block"]
        cells[key] = replace(
            cells[key],
            value=none_if_nan(row["test"]),
            std=none_if_nan(row["std"]),
            validation=none_if_nan(row["validation"]),
            repeats=int(row["repeats"]),
            choice=frames.choices[row["choice"]],
            place=int(row["choice"]),
        )
    return cells


def rank_configurations(finished: pd.DataFrame, metric: Metric, select: Selection) -> pd.DataFrame:
    """Rank the choices within each cell, the one that is taken first.

    Columns: those of CELL, choice, repeats, and in the metric's printed unit test, std (over the repetitions, n - 1)
    and validation, and validation_log_loss. Those with the most finished repetitions come first; then the best mean
    wins; ties go to the lower validation log loss, then to the smaller values.
    """
    validation, test = f"validation_{metric.name}", f"test_{metric.name}"
    means = finished.groupby([*CELL, "choice"], sort=False).agg(
        repeats=("repeat", "size"),
        validation=(validation, "mean"),
        test=(test, "mean"),
        std=(test, "std"),
        validation_log_loss=("validation_log_loss", "mean"),
        validation_defined=(validation, "count"),
        test_defined=(test, "count"),
    )
    means.loc[means["validation_defined"] < means["repeats"], "validation"] = float("nan")
    means.loc[means["test_defined"] < means["repeats"], ["test", "std"]] = float("nan")
    means[["validation", "test", "std"]] *= metric.scale
    means = means.round(10).reset_index()  # equal means must tie, in whatever order they were summed
    ranking = {"repeats": False, str(select): metric.direction is Direction.LOWER}
    ranking |= dict.fromkeys(("validation_log_loss", "choice"), True)
    return means.sort_values(list(ranking), ascending=list(ranking.values()))


def none_if_nan(value: float, scale: float = 1.0) -> float | None:
    """Turn NaN into None, and scale other values."""
    return None if pd.isna(value) else float(value) * scale
