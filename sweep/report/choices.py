"""Table 4: one learning rate and step budget for each backbone and split, and its accuracy. Pure."""

from dataclasses import replace

import pandas as pd

from sweep.metrics import METRICS
from sweep.report.cells import Mark, MeanCell, Selection
from sweep.report.frames import Status

CELL = ["backbone", "split"]
PERCENT = METRICS["accuracy"].scale


def make_mean_cells(trials: pd.DataFrame, select: Selection) -> dict[tuple[str, str], MeanCell]:
    """Return the cell of every (backbone, split)."""
    finished = trials[trials["status"] == Status.SUCCESS]
    counts = pd.DataFrame({"planned": trials.groupby(CELL).size(), "finished": finished.groupby(CELL).size()})
    cells = {
        (str(backbone), str(split)): MeanCell(None, planned=int(planned), finished=int(done))
        for (backbone, split), planned, done in counts.fillna(0).itertuples()
    }
    for row in _choose_configurations(finished, select).to_dict("records"):
        key = row["backbone"], row["split"]
        cells[key] = replace(
            cells[key],
            value=float(row["test_accuracy"]),
            marks=(Mark.BEST,) if row["is_best"] else (),
            std=None if pd.isna(row["std"]) else float(row["std"]),
            shuffles=int(row["shuffles"]),
            learning_rate=float(row["learning_rate"]),
            steps=int(row["steps"]),
        )
    return cells


def _choose_configurations(finished: pd.DataFrame, select: Selection) -> pd.DataFrame:
    """Choose one learning rate and step budget a cell, among those with the most finished shuffles.

    The highest mean accuracy wins; ties go to the lower validation log loss, fewer steps, the smaller rate.
    """
    means = finished.groupby([*CELL, "learning_rate", "steps"], sort=False).agg(
        shuffles=("shuffle", "size"),
        validation_accuracy=("validation_accuracy", "mean"),
        test_accuracy=("test_accuracy", "mean"),
        std=("test_accuracy", "std"),
        validation_log_loss=("validation_log_loss", "mean"),
    )
    means[["test_accuracy", "std"]] *= PERCENT
    means = means.round(10).reset_index()  # equal means must tie, in whatever order they were summed
    ranking = {"shuffles": False, f"{select}_accuracy": False}
    ranking |= dict.fromkeys(("validation_log_loss", "steps", "learning_rate"), True)
    chosen = means.sort_values(list(ranking), ascending=list(ranking.values())).drop_duplicates(CELL)
    best = chosen.groupby("split")["test_accuracy"].transform("max")
    return chosen.assign(is_best=chosen["test_accuracy"] == best)
