"""Figures of the means of Table 4: against cost, as heat maps, and beside published ones. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from sweep.metrics import Direction, Metric, with_blank, with_unit
from sweep.report.cells import MeanCell
from sweep.report.choices import CellKey
from sweep.report.figures.figure import Figure, FigureKind, capitalise, format_range, format_value
from sweep.report.inference import Inference
from sweep.report.statistics.comparisons import pareto_front
from sweep.report.study import Study

NOTHING = float("nan")
NO_CELL = MeanCell(None)


@dataclass(frozen=True, slots=True)
class Estimates:
    """A study with what belongs to its means.

    costs: mult-adds of a backbone in millions. stamp: what the numbers are not.
    """

    study: Study
    inference: Inference
    costs: Mapping[str, float]
    stamp: str

    @property
    def metric(self) -> Metric:
        """The metric that all is measured with."""
        return self.study.metric

    def list_means(self) -> Iterator[tuple[CellKey, MeanCell, float]]:
        """Yield every cell that has a mean, and the mean: split after split as planned, the widest backbones first."""
        for split, backbone in product(list_splits(self.study), list_backbones(self.study).index):
            cell = self.study.cells.get((backbone, split), NO_CELL)
            if cell.number is not None:
                yield (backbone, split), cell, cell.number

    def bound(self, key: CellKey) -> tuple[float, float]:
        """Return a cell's bounds, NaN where they cannot be told."""
        found = self.inference.intervals.get(key)
        return (found.lower, found.upper) if found else (NOTHING, NOTHING)

    def published_means(self) -> Mapping[CellKey, float]:
        """Return the published means of this metric, in its printed unit."""
        return self.study.published.means if self.study.published else {}

    def describe(self, key: CellKey, cell: MeanCell, value: float) -> str:
        """Say a mean in words: where, how much, how sure, how complete."""
        bounds = self.bound(key)
        interval = "" if np.isnan(bounds).any() else f" (95 % interval {format_range(self.metric, *bounds)})"
        return f"{key[0]}, {key[1]}: {format_value(self.metric, value)}{interval}{_describe_gaps(cell)}"


def _describe_gaps(cell: MeanCell) -> str:
    return f", {cell.finished}/{cell.planned} trials finished" if cell.finished < cell.planned else ""


def list_splits(study: Study) -> list[str]:
    """Return the splits in the order of the plan."""
    return list(dict.fromkeys(study.frames.trials["split"]))


def list_backbones(study: Study) -> pd.DataFrame:
    """Return a row per backbone of the plan, named by it: family, alpha, resolution, and its `series` in words."""
    columns = ["backbone", "family", "alpha", "resolution"]
    backbones = study.frames.trials[columns].drop_duplicates().set_index("backbone")
    has_families = len(set(backbones["family"])) > 1
    backbones["series"] = [
        f"{family}, alpha {alpha:g}" if has_families else f"alpha {alpha:g}"
        for family, alpha in zip(backbones["family"], backbones["alpha"], strict=True)
    ]
    return backbones.sort_values(["family", "alpha", "resolution"], ascending=[True, False, False])


# -- against cost ------------------------------------------------------------------------------------------------


def make_cost_figure(estimates: Estimates) -> Figure | None:
    """Draw every mean against the mult-adds of its backbone."""
    rows = [*_list_own_points(estimates), *_list_published_points(estimates)]
    if not any(not row["is_published"] for row in rows):
        return None
    frame = pd.DataFrame(rows)
    _mark_pareto_sets(frame, estimates.metric.direction)
    metric = estimates.metric
    has_published = bool(frame["is_published"].any())
    has_unsure = bool(frame.loc[~frame["is_published"], "lower"].isna().any())
    without = "; a mean without a bar is over too few shuffles to tell" if has_unsure else ""
    return Figure(
        name=f"{metric.name.replace('_', '-')}-vs-mult-adds",
        kind=FigureKind.COST,
        title=f"Test {metric.title} against cost",
        stamp=estimates.stamp,
        caption=(
            f"Mean test {metric.title} over the shuffles against the mult-adds of one forward pass, a panel for each "
            f"split. Bars: 95 % intervals{without}. Step line and ringed "
            "marks: the Pareto set, models that no other one of the same or lower cost beats in its mean; the line "
            "does not say that they differ."
            + (
                " Open diamonds: published means, set to the right of ours, where they would hide; they cost the same."
                if has_published
                else ""
            )
            + (" Hollow marks: not all trials have finished; their text says how many." if _has_gaps(frame) else "")
        ),
        frame=frame,
        x_label="Mult-adds (millions, log scale)",
        y_label=capitalise(f"test {metric.label}"),
        note=(
            "Bars: 95 % intervals. Pareto set: no model that costs as much or less has a better mean."
            + (" Published diamonds are set to the right; they cost the same." if has_published else "")
        ),
        decimals=metric.decimals,
    )


def _has_gaps(frame: pd.DataFrame) -> bool:
    return bool((frame["finished"] < frame["planned"]).any())


def _list_own_points(estimates: Estimates) -> Iterator[dict[str, Any]]:
    backbones = list_backbones(estimates.study)
    for key, cell, value in estimates.list_means():
        backbone, split = key
        if backbone in estimates.costs:
            cost = estimates.costs[backbone]
            lower, upper = estimates.bound(key)
            yield {
                "panel": split,
                "series": backbones.loc[backbone, "series"],
                "backbone": backbone,
                "x": cost,
                "value": value,
                "lower": lower,
                "upper": upper,
                "is_published": False,
                "is_comparable": cell.is_comparable,
                "is_pareto": False,
                "finished": cell.finished,
                "planned": cell.planned,
                "text": f"{estimates.describe(key, cell, value)}, {_format_cost(cost)} M mult-adds",
            }


def _format_cost(cost: float) -> str:
    return f"{cost:,.0f}" if cost >= 10 else f"{cost:.3g}"


def _list_published_points(estimates: Estimates) -> Iterator[dict[str, Any]]:
    for (backbone, split), value in estimates.published_means().items():
        cell = estimates.study.cells.get((backbone, split), NO_CELL)
        if cell.number is not None and backbone in estimates.costs:
            yield {
                "panel": split,
                "series": "published",
                "backbone": backbone,
                "x": estimates.costs[backbone],
                "value": value,
                "lower": NOTHING,
                "upper": NOTHING,
                "is_published": True,
                "is_comparable": False,
                "is_pareto": False,
                "finished": 0,
                "planned": 0,
                "text": f"published: {backbone}, {split}: {format_value(estimates.metric, value)}",
            }


def _mark_pareto_sets(frame: pd.DataFrame, direction: Direction) -> None:
    """Mark our points over all shuffles that no cheaper or equally cheap one beats, split by split."""
    for _, points in frame[frame["is_comparable"]].groupby("panel", sort=False):
        chosen = points.index[pareto_front(points["x"].to_numpy(), direction.sign * points["value"].to_numpy())]
        frame.loc[chosen, "is_pareto"] = True
        frame.loc[chosen, "text"] += ", in the Pareto set"


# -- heat maps ---------------------------------------------------------------------------------------------------


def make_heatmaps(estimates: Estimates) -> Iterator[Figure]:
    """Yield a map of alpha x resolution for every split, all on one colour scale."""
    backbones = list_backbones(estimates.study)
    values = [value for _, _, value in estimates.list_means()]
    if not values or backbones["series"].nunique() < 2 or backbones["resolution"].nunique() < 2:
        return
    metric = estimates.metric
    limits = _widen_scale(min(values), max(values), 2 * estimates.inference.margin)
    for split in list_splits(estimates.study):
        frame = pd.DataFrame(_list_heat_cells(estimates, backbones, split))
        if frame["value"].notna().any():
            yield Figure(
                name=f"heatmap-{split.replace('/', '-').replace('.', '_')}",
                kind=FigureKind.HEATMAP,
                title=f"Test {metric.label}, split {split}",
                stamp=estimates.stamp,
                caption=_describe_heatmap(estimates, split, max(values) - min(values), has_gaps=_has_gaps(frame)),
                frame=frame,
                x_label="Input resolution (pixels)",
                y_label=capitalise(f"test {metric.label}"),
                limits=limits,
                decimals=metric.decimals,
            )


def _widen_scale(low: float, high: float, least: float) -> tuple[float, float]:
    """Widen a colour scale to what it spans at least: differences that do not matter then look alike."""
    more = max(least - (high - low), 0.0) / 2
    return low - more, high + more


def _describe_heatmap(estimates: Estimates, split: str, extent: float, *, has_gaps: bool) -> str:
    metric, margin = estimates.metric, estimates.inference.margin
    measured = (with_blank(f"{each:.{metric.decimals}f}", metric.difference_unit) for each in (extent, margin))
    return (
        f"Mean test {metric.title} over the shuffles by width multiplier (alpha) and input resolution, split {split}. "
        "All splits share one colour scale, at least two margins wide."
        + (" All means lie within {}, less than the margin of {}.".format(*measured) if extent < margin else "")
        + (" k/n: only k of n trials have finished." if has_gaps else "")
    )


def _list_heat_cells(estimates: Estimates, backbones: pd.DataFrame, split: str) -> Iterator[dict[str, Any]]:
    ordered = backbones.sort_values(["family", "alpha", "resolution"], ascending=[True, False, True])
    for backbone, resolution, series in ordered[["resolution", "series"]].itertuples():
        key = (str(backbone), split)
        cell = estimates.study.cells.get(key, NO_CELL)
        value = NOTHING if cell.number is None else cell.number
        yield {
            "row": series,
            "column": str(resolution),
            "value": value,
            "finished": cell.finished,
            "planned": cell.planned,
            "text": f"{backbone}, {split}: no result" if np.isnan(value) else estimates.describe(key, cell, value),
        }


# -- beside published means --------------------------------------------------------------------------------------


def make_difference_figure(estimates: Estimates) -> Figure | None:
    """Draw by how much our means differ from published ones."""
    frame = pd.DataFrame(_list_differences(estimates))
    if frame.empty:
        return None
    metric = estimates.metric
    return Figure(
        name="difference-to-published",
        kind=FigureKind.DIFFERENCE,
        title=f"Test {metric.title}: ours minus published",
        stamp=estimates.stamp,
        caption=(
            f"Our mean test {metric.title} less the published mean, for every backbone and split. Bars: our 95 % "
            "intervals, the published mean taken as exact; where a bar crosses zero the two agree within our "
            "uncertainty alone."
        ),
        frame=frame,
        x_label=with_unit("Ours minus published", metric.difference_unit),
        y_label="",
        note="Bars: our 95 % intervals, the published mean taken as exact.",
        decimals=metric.decimals,
    )


def _list_differences(estimates: Estimates) -> Iterator[dict[str, Any]]:
    metric, published = estimates.metric, estimates.published_means()
    means = {key: (cell, value) for key, cell, value in estimates.list_means() if key in published}
    for backbone in list_backbones(estimates.study).index:
        for key, (cell, value) in means.items():
            if key[0] == backbone:
                difference, bounds = value - published[key], np.array(estimates.bound(key)) - published[key]
                yield {
                    "series": key[1],
                    "row": backbone,
                    "value": difference,
                    "lower": bounds[0],
                    "upper": bounds[1],
                    "text": (
                        f"{estimates.describe(key, cell, value)}, published {format_value(metric, published[key])}, "
                        f"difference {with_blank(f'{difference:+.{metric.decimals}f}', metric.difference_unit)}"
                    ),
                }
