"""Figures of the means: against cost, as heat maps, and beside published ones. Pure."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from sweep.axes import Axis
from sweep.metrics import Direction, with_unit
from sweep.report.figures.estimates import (
    MOST_PANELS,
    NO_CELL,
    NOTHING,
    Estimates,
    label_axis,
    list_numbers,
    spell_level,
)
from sweep.report.figures.figure import Figure, FigureKind, capitalise, format_value
from sweep.report.figures.style import LOOKS
from sweep.report.layout import NETWORK, slug
from sweep.report.statistics.comparisons import pareto_front

CLOSE = 0.008  # of the axis of costs: marks of one place
ASIDE = 0.03  # of it: how far such marks are set beside each other
AXIS_MORE = 0.36  # natural logarithms by which the axis is longer than the costs are apart
PUBLISHED_ASIDE = 1.045  # the factor by which a published mean is set to the right of ours

# -- against cost ------------------------------------------------------------------------------------------------


def make_cost_figure(estimates: Estimates) -> Iterator[Figure]:
    """Draw every mean against the mult-adds of its model, unless all cost the same."""
    frame = pd.DataFrame([*_list_own_points(estimates), *_list_published_points(estimates)])
    if not len(frame) or frame["is_published"].all() or frame["x"].nunique() < 2:
        return
    _mark_pareto_sets(frame, estimates.metric.direction)
    has_close = _set_apart(frame)
    models = frame["model"].nunique()
    frame = frame[frame["is_pareto"] | frame["model"].isin(estimates.best)].reset_index(drop=True)
    metric, own = estimates.metric, frame[~frame["is_published"]]
    without = "; a mean without a bar is over too few repetitions to tell" if own["lower"].isna().any() else ""
    beside = " Published diamonds are set to the right; they cost the same." if len(own) < len(frame) else ""
    beside += " Marks of nearly the same cost stand beside each other." if has_close else ""
    yield from estimates.draw(
        FigureKind.COST,
        f"{metric.name.replace('_', '-')}-vs-mult-adds",
        f"Test {metric.title} against cost",
        f"Mean test {metric.title}{estimates.over} against the mult-adds of one forward pass, a panel for each "
        f"{estimates.layout.block_word or 'block'}. Bars: 95 % intervals{without}. Step line and ringed marks: the "
        "Pareto set, models that no other one of the same or lower cost beats in its mean; the line does not say that "
        f"they differ.{beside}{_say_gaps(frame, ' Hollow marks: not all trials have finished; their text says how many.')}"
        + (f"{estimates.say_left_out(models)[:-1]}, and the Pareto set." if estimates.say_left_out(models) else ""),
        frame,
        x_label="Mult-adds (millions, log scale)",
        y_label=capitalise(f"test {metric.label}"),
        note=f"Bars: 95 % intervals. Pareto set: no model that costs as much or less has a better mean.{beside}",
        panels=estimates.panels,
    )


def _say_gaps(frame: pd.DataFrame, text: str) -> str:
    return text if (frame["finished"] < frame["planned"]).any() else ""


def _list_own_points(estimates: Estimates) -> Iterator[dict[str, Any]]:
    series = _name_series(estimates)
    for key, cell, value in estimates.list_means():
        model, block = key
        if model in estimates.costs:
            cost = estimates.costs[model]
            lower, upper = estimates.bound(key)
            yield {
                "panel": block,
                "series": series[model],
                "model": model,
                "x": cost,
                "drawn_x": cost,
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


def _name_series(estimates: Estimates) -> dict[str, str]:
    """Name what tells models apart at a glance: the network and its first number, as far as there are looks for them."""
    layout, models = estimates.layout, estimates.models
    varying = [axis for axis in layout.of_models if axis.varies]
    named = [axis for axis in varying if axis.name == NETWORK]
    numeric = [axis for axis in varying if len(list_numbers(axis.values)) > 1]
    for axes in ([*named, *numeric[:1]], named or numeric[:1] or varying[:1]):
        series = {
            model: ", ".join(
                str(values[axis.name]) if axis.name == NETWORK else spell_level(layout, axis, values[axis.name])
                for axis in axes
                if not pd.isna(values[axis.name])
            )
            for model, values in models.items()
        }
        if len(set(series.values())) <= len(LOOKS):
            break
    return {model: name or model for model, name in series.items()}


def _format_cost(cost: float) -> str:
    return f"{cost:,.0f}" if cost >= 10 else f"{cost:.3g}"


def _list_published_points(estimates: Estimates) -> Iterator[dict[str, Any]]:
    for (model, block), value in estimates.published.items():
        cell = estimates.study.cells.get((model, block), NO_CELL)
        if cell.number is not None and model in estimates.costs and block in estimates.blocks:
            yield {
                "panel": block,
                "series": "published",
                "model": model,
                "x": estimates.costs[model],
                "drawn_x": estimates.costs[model] * PUBLISHED_ASIDE,
                "value": value,
                "lower": NOTHING,
                "upper": NOTHING,
                "is_published": True,
                "is_comparable": False,
                "is_pareto": False,
                "finished": 0,
                "planned": 0,
                "text": f"published: {model}, {block}: {format_value(estimates.metric, value)}",
            }


def _mark_pareto_sets(frame: pd.DataFrame, direction: Direction) -> None:
    """Mark our points over all repetitions that no cheaper or equally cheap one beats, panel by panel."""
    for _, points in frame[frame["is_comparable"]].groupby("panel", sort=False):
        chosen = points.index[pareto_front(points["x"].to_numpy(), direction.sign * points["value"].to_numpy())]
        frame.loc[chosen, "is_pareto"] = True
        frame.loc[chosen, "text"] += ", in the Pareto set"


def _set_apart(frame: pd.DataFrame) -> bool:
    """Set our marks of a panel beside each other where they would hide one another; say whether there are any."""
    whole = np.log(frame["x"].max() / frame["x"].min()) + AXIS_MORE
    has_close = False
    for _, points in frame[~frame["is_published"]].groupby("panel"):
        places = np.log(points["x"]).sort_values()
        groups = (places.diff() > CLOSE * whole).cumsum()
        for _, group in places.groupby(groups):
            has_close |= len(group) > 1
            aside = ASIDE * whole * (np.arange(len(group)) - (len(group) - 1) / 2)
            frame.loc[group.index, "drawn_x"] = np.exp(group + aside) if len(group) > 1 else points.loc[group.index, "x"]
    return has_close


# -- heat maps ---------------------------------------------------------------------------------------------------


def make_heatmaps(estimates: Estimates) -> Iterator[Figure]:
    """Yield a map of any two numbers for every block and value of what else is compared, all on one colour scale.

    Where these are too many, only those of the answer.
    """
    values = [value for _, _, value in estimates.list_means()]
    pairs = estimates.layout.numeric_pairs
    maps = [
        (tall, wide, block, rest, list(models))
        for tall, wide in pairs
        for rest, models in _group_models(estimates, (tall, wide))
        for block in estimates.blocks
    ]
    if len(maps) > MOST_PANELS and estimates.answer.model is not None:
        maps = [each for each in maps if each[2] == estimates.answer.block and estimates.answer.model in each[4]]
    for tall, wide, block, rest, models in maps[: max(MOST_PANELS, len(pairs))] if values else ():
        frame = pd.DataFrame(_list_heat_cells(estimates, (tall, wide), block, models))
        if frame["value"].notna().any() and frame["row"].nunique() > 1 and frame["column"].nunique() > 1:
            metric, where = estimates.metric, ", ".join(each for each in (estimates.name_block(block), rest) if each)
            named = f"{tall.name}-{wide.name}" if len(pairs) > 1 else ""
            yield from estimates.draw(
                FigureKind.HEATMAP,
                "-".join(part for part in ("heatmap", named, slug(block), slug(rest)) if part),
                f"Test {metric.label}, {where}",
                f"Mean test {metric.title}{estimates.over} by {tall.title} and {wide.title}, {where}. "
                f"All maps share one colour scale, at least two margins wide.{_describe_extent(estimates, values)}"
                + _say_gaps(frame, " k/n: only k of n trials have finished."),
                frame,
                x_label=label_axis(wide),
                y_label=capitalise(f"test {metric.label}"),
                limits=_widen_scale(min(values), max(values), 2 * estimates.inference.margin),
            )


def _group_models(estimates: Estimates, pair: tuple[Axis, Axis]) -> Iterator[tuple[str, list[str]]]:
    """Yield the models that agree in all but two axes, and what they agree in where that varies."""
    layout = estimates.layout
    rest = [axis for axis in layout.of_models if axis.varies and axis not in pair]
    names = {model: layout.name(values, [axis.name for axis in rest]) for model, values in estimates.models.items()}
    for name, models in groupby(sorted(names, key=lambda model: list(names.values()).index(names[model])), names.get):
        yield name if rest else "", list(models)


def _widen_scale(low: float, high: float, least: float) -> tuple[float, float]:
    """Widen a colour scale to what it spans at least: differences that do not matter then look alike."""
    more = max(least - (high - low), 0.0) / 2
    return low - more, high + more


def _describe_extent(estimates: Estimates, values: list[float]) -> str:
    extent, margin = max(values) - min(values), estimates.inference.margin
    if extent >= margin:
        return ""
    return f" All means lie within {estimates.measure(extent)}, less than the margin of {estimates.measure(margin)}."


def _list_heat_cells(
    estimates: Estimates, pair: tuple[Axis, Axis], block: str, models: list[str]
) -> Iterator[dict[str, Any]]:
    """Yield the cells row by row: large values of the first axis above, of the second to the right."""
    layout, (tall, wide) = estimates.layout, pair
    points = {model: estimates.models[model] for model in models}
    for model in sorted(models, key=lambda each: (-tall.rank(points[each][tall.name]), wide.rank(points[each][wide.name]))):
        key = (model, block)
        cell = estimates.study.cells.get(key, NO_CELL)
        value = NOTHING if cell.number is None else cell.number
        yield {
            "row": spell_level(layout, tall, points[model][tall.name]),
            "column": layout.spell(wide.name, points[model][wide.name]),
            "value": value,
            "finished": cell.finished,
            "planned": cell.planned,
            "text": f"{model}, {block}: no result" if np.isnan(value) else estimates.describe(key, cell, value),
        }


# -- beside published means --------------------------------------------------------------------------------------


def make_difference_figure(estimates: Estimates) -> Iterator[Figure]:
    """Draw by how much our means differ from published ones."""
    rows = list(_list_differences(estimates))
    models = len({row["row"] for row in rows})
    yield from estimates.draw(
        FigureKind.DIFFERENCE,
        "difference-to-published",
        f"Test {estimates.metric.title}: ours minus published",
        f"Our mean test {estimates.metric.title} less the published mean, for every model and "
        f"{estimates.layout.block_word or 'block'}. Bars: our 95 % intervals, the published mean taken as exact; where "
        "a bar crosses zero the two agree within our uncertainty alone." + estimates.say_left_out(models),
        pd.DataFrame([row for row in rows if row["row"] in estimates.best or models <= len(estimates.best)]),
        x_label=with_unit("Ours minus published", estimates.metric.difference_unit),
        note="Bars: our 95 % intervals, the published mean taken as exact.",
    )


def _list_differences(estimates: Estimates) -> Iterator[dict[str, Any]]:
    published = estimates.published
    places = {model: place for place, model in enumerate(estimates.models)}
    means = [each for each in estimates.list_means() if each[0] in published]
    for key, cell, value in sorted(means, key=lambda each: places[each[0][0]]):
        difference, bounds = value - published[key], np.array(estimates.bound(key)) - published[key]
        yield {
            "series": key[1],
            "row": key[0],
            "value": difference,
            "lower": bounds[0],
            "upper": bounds[1],
            "text": (
                f"{estimates.describe(key, cell, value)}, published {format_value(estimates.metric, published[key])}, "
                f"difference {estimates.measure(difference, '+')}"
            ),
        }
