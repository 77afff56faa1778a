"""Figures of the means: against the best, against cost, as heat maps, and beside published ones. Pure."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from sweep.axes import Axis
from sweep.metrics import with_unit
from sweep.report.costs import list_front
from sweep.report.figures.estimates import (
    MOST_NAMED,
    MOST_PANELS,
    NO_CELL,
    Estimates,
    label_axis,
    list_numbers,
    spell_level,
)
from sweep.report.figures.figure import BEST, Figure, FigureKind, capitalise, tabulate_marks
from sweep.report.figures.style import LOOKS
from sweep.report.layout import NETWORK, slug
from sweep.report.statistics.arrays import Floats

CLOSE, ASIDE = 0.007, 0.03  # of the axis: how near marks hide each other, how far apart they are then set
AXIS_MORE = 0.36  # natural logarithms by which the axis of costs is longer than these are apart
COST_ALIKE = 1.05  # a factor within which costs say nothing

# -- against the best -----------------------------------------------------------------------------------------


def make_best_figure(estimates: Estimates) -> Iterator[Figure]:
    """Draw what every model may lose against, or lead, the best of the others; nothing where there is no comparison."""
    answer, metric, inference = estimates.answer, estimates.metric, estimates.inference
    models = inference.standings[answer.block].models
    margin, shown = (
        estimates.metric.say_difference(inference.margin),
        estimates.say_left_out(len(models), estimates.most_named),
    )
    left_out = sum(block == answer.block for _, block in estimates.study.cells) - len(models)
    choice = "the model to take" if answer.is_shown else "the best mean"
    yield from estimates.draw(
        FigureKind.BEST,
        BEST,
        f"Test {metric.title} at {answer.block}, against the best model",
        f"Every model at {answer.block} against the best of the others in test {metric.title}, the best mean first. "
        "Dots: difference of the means; bars: bounds of the true difference, that hold for all models at once in 95 of "
        "100 studies (Hsu 1981). A model whose bar ends at 0 is not the best; one whose bar begins within the margin "
        f"of {margin} loses no more than that.{shown}"
        + (f" Left out, not finished or not known: {left_out}." if left_out else ""),
        tabulate_marks(FigureKind.BEST, _list_models(estimates)),
        x_label=with_unit("Better than the best other model by", metric.difference_unit),
        note=f"Bars: 95 % bounds, for all models together.{f' Bold: {choice}.' if answer.model else ''}{shown}",
        reference=-inference.margin,
        reference_label=f"margin {margin}",
    )


def _list_models(estimates: Estimates) -> Iterator[tuple[Any, ...]]:
    standing, decimals = estimates.inference.standings[estimates.answer.block], estimates.metric.decimals + 1
    if standing.ranks is None:
        return
    leads, named = measure_leads(standing.means), estimates.ranking[: estimates.most_named]
    for place in np.argsort(-np.round(standing.means, 10), kind="stable"):
        name = standing.models[place]
        if name in named:
            verdict = standing.verdicts[name].value
            lower, lead, upper = (float(each[place]) for each in (standing.ranks.lower, leads, standing.ranks.upper))
            apart = estimates.metric.say_difference(abs(lead))
            behind = f"{apart} {'behind' if lead < 0 else 'ahead of'} the best other model"
            text = f"{name}: {behind} (95 % bounds {lower:.{decimals}f} to {upper:.{decimals}f}); {verdict}"
            yield name, verdict, lead, lower, upper, name == estimates.answer.model, text


def measure_leads(means: Floats) -> Floats:
    """Return by how much each of some means is above the best of the others, (models,); two models or more."""
    second, first = np.sort(means)[-2:]
    is_best = np.arange(len(means)) == means.argmax()
    return np.asarray(means - np.where(is_best, second, first))


# -- against cost ------------------------------------------------------------------------------------------------


def make_cost_figure(estimates: Estimates) -> Iterator[Figure]:
    """Draw every mean against the mult-adds of its model, unless all cost about the same."""
    frame = tabulate_marks(FigureKind.COST, _list_points(estimates))
    if not frame["x"].max() > COST_ALIKE * frame["x"].min():
        return
    metric, models = estimates.metric, frame["model"].nunique()
    frame, has_close = _set_apart(frame[frame["is_pareto"] | frame["model"].isin(estimates.ranking[:MOST_NAMED])])
    beside = " Marks of nearly the same cost stand beside each other." if has_close else ""
    over_few = f"; a mean without a bar is over too few {estimates.layout.repeats_word} to tell"
    without = over_few if frame["lower"].isna().any() else ""
    left_out = estimates.say_left_out(models, MOST_NAMED).replace(".", ", and the Pareto set.")
    yield from estimates.draw(
        FigureKind.COST,
        f"{metric.name.replace('_', '-')}-vs-mult-adds",
        f"Test {metric.title} against cost",
        f"Mean test {metric.title}{estimates.over} against the mult-adds of one forward pass, a panel for "
        f"{estimates.each_block}. Bars: 95 % intervals{without}. Step line and ringed marks: the Pareto set, models "
        "that no other one of the same or lower cost beats in its mean; the line does not say that they differ."
        + beside
        + _say_gaps(frame, " Hollow marks: not all trials have finished; their text says how many.")
        + left_out,
        frame,
        x_label="Mult-adds (millions, log scale)",
        y_label=capitalise(f"test {metric.label}"),
        note=f"Bars: 95 % intervals. Pareto set: no model that costs as much or less has a better mean.{beside}",
        panels=estimates.panels,
    )


def _say_gaps(frame: pd.DataFrame, text: str) -> str:
    return text if (frame["finished"] < frame["planned"]).any() else ""


def _list_points(estimates: Estimates) -> Iterator[tuple[Any, ...]]:
    series = _name_series(estimates)
    fronts = {block: list_front(estimates.study, estimates.costs, block) for block in estimates.blocks}
    for (model, block), cell, value in estimates.list_means():
        if (cost := estimates.costs.get(model)) is not None:
            said = f"{cost:,.0f}" if cost >= 10 else f"{cost:.3g}"
            is_pareto = model in fronts[block]
            where = ", in the Pareto set" if is_pareto else ""
            text = f"{estimates.describe((model, block), cell, value)}, {said} M mult-adds{where}"
            names, place = (block, series[model], model), (cost, cost, value, *estimates.bound((model, block)))
            yield *names, *place, is_pareto, cell.finished, cell.planned, text


def _name_series(estimates: Estimates) -> dict[str, str]:
    """Name what tells models apart at a glance: network and first number, where there are not too many for that."""
    layout, models = estimates.layout, estimates.study.frames.models
    varying, series = [axis for axis in layout.of_models if axis.varies], {model: model for model in models}
    networks = [axis for axis in varying if axis.name == NETWORK]
    numeric = [axis for axis in varying if len(list_numbers(axis.values)) > 1][:1]
    for axes in filter(None, ([*networks, *numeric], networks or numeric, varying[:1])):
        names = [axis.name for axis in axes]
        for model, values in models.items():
            series[model] = layout.name(values, names) if NETWORK in names else layout.describe(values, axes) or model
        if len(set(series.values())) <= len(LOOKS):
            break
    return series


def _set_apart(frame: pd.DataFrame) -> tuple[pd.DataFrame, bool]:
    """Set the marks of a panel beside each other where they would hide one another; say whether there are any."""
    frame, has_close = frame.reset_index(drop=True), False
    whole = np.log(frame["x"].max() / frame["x"].min()) + AXIS_MORE
    for _, costs in frame.groupby("panel")["x"]:
        places = np.log(costs).sort_values(kind="stable")
        for _, group in places.groupby((places.diff() > CLOSE * whole).cumsum()):
            if len(group) > 1:
                has_close = True
                aside = ASIDE * whole * (np.arange(len(group)) - (len(group) - 1) / 2)
                frame.loc[group.index, "drawn_x"] = np.exp(group + aside)
    return frame, has_close


# -- heat maps ---------------------------------------------------------------------------------------------------


def make_heatmaps(estimates: Estimates) -> Iterator[Figure]:
    """Yield a map of any two numbers for every block and point on what else is compared, on one colour scale.

    Where these are too many, only those of the answer.
    """
    metric, pairs, answer = estimates.metric, estimates.layout.numeric_pairs, estimates.answer
    means = [value for _, _, value in estimates.list_means()]
    maps = [
        (pair, block, rest, models)
        for pair in pairs
        for rest, models in _group_models(estimates, pair).items()
        for block in estimates.blocks
    ]
    if len(maps) > MOST_PANELS:
        maps = [each for each in maps if each[1] == answer.block and answer.model in {None, *each[3]}][:MOST_PANELS]
    for (tall, wide), block, rest, models in maps:
        frame = tabulate_marks(FigureKind.HEATMAP, _list_heat_cells(estimates, (tall, wide), block, models))
        if frame["value"].notna().any() and min(frame["row"].nunique(), frame["column"].nunique()) > 1:
            where = ", ".join(filter(None, (estimates.at(block), rest)))
            of_pair = f"{tall.name}-{wide.name}" if len(pairs) > 1 else ""
            yield from estimates.draw(
                FigureKind.HEATMAP,
                "-".join(filter(None, ("heatmap", of_pair, slug(block), slug(rest)))),
                f"Test {metric.label}, {where}",
                f"Mean test {metric.title}{estimates.over} by {tall.title} and {wide.title}, {where}. All maps share "
                f"one colour scale, at least two margins wide.{_describe_extent(estimates, max(means) - min(means))}"
                + _say_gaps(frame, " k/n: only k of n trials have finished."),
                frame,
                x_label=label_axis(wide),
                y_label=capitalise(f"test {metric.label}"),
                limits=_widen_scale(min(means), max(means), 2 * estimates.inference.margin),
            )


def _group_models(estimates: Estimates, pair: tuple[Axis, Axis]) -> dict[str, list[str]]:
    """Group the models that agree in all but two axes, by what they agree in."""
    layout, groups = estimates.layout, dict[str, list[str]]()
    rest = [axis for axis in layout.of_models if axis.varies and axis not in pair]
    for model, values in estimates.study.frames.models.items():
        groups.setdefault(layout.describe(values, rest), []).append(model)
    return groups


def _widen_scale(low: float, high: float, least: float) -> tuple[float, float]:
    """Widen a colour scale to what it spans at least: differences that do not matter then look alike."""
    more = max(least - (high - low), 0.0) / 2
    return low - more, high + more


def _describe_extent(estimates: Estimates, extent: float) -> str:
    margin, say = estimates.inference.margin, estimates.metric.say_difference
    within = f" All means lie within {say(extent)}, less than the margin of {say(margin)}."
    return within if extent < margin else ""


def _list_heat_cells(
    estimates: Estimates, pair: tuple[Axis, Axis], block: str, models: list[str]
) -> Iterator[tuple[Any, ...]]:
    """Yield the cells row by row: large values of the first axis above, of the second to the right."""
    points = {model: tuple(estimates.study.frames.models[model][axis.name] for axis in pair) for model in models}
    tall, wide = pair
    for model in sorted(models, key=lambda each: (-tall.rank(points[each][0]), wide.rank(points[each][1]))):
        cell = estimates.study.cells.get((model, block), NO_CELL)
        row = spell_level(estimates.layout, tall, points[model][0])
        column = estimates.layout.spell(wide.name, points[model][1])
        value, text = cell.number, f"{model}, {block}: no result"
        text = text if value is None else estimates.describe((model, block), cell, value)
        yield row, column, np.nan if value is None else value, cell.finished, cell.planned, text


# -- beside published means --------------------------------------------------------------------------------------


def make_difference_figure(estimates: Estimates) -> Iterator[Figure]:
    """Draw by how much our means differ from published ones."""
    metric, models = estimates.metric, len({model for model, _ in estimates.list_published()})
    yield from estimates.draw(
        FigureKind.DIFFERENCE,
        "difference-to-published",
        f"Test {metric.title}: ours minus published",
        f"Our mean test {metric.title} less the published mean, for every model and {estimates.each_block[5:]}. Bars: "
        "our 95 % intervals, the published mean taken as exact; where a bar crosses zero the two agree within our "
        f"uncertainty alone.{estimates.say_left_out(models, estimates.most_named)}",
        tabulate_marks(FigureKind.DIFFERENCE, _list_differences(estimates)),
        x_label=with_unit("Ours minus published", metric.difference_unit),
        note="Bars: our 95 % intervals, the published mean taken as exact.",
    )


def _list_differences(estimates: Estimates) -> Iterator[tuple[Any, ...]]:
    """Yield the differences model after model."""
    metric, published, named = estimates.metric, estimates.list_published(), estimates.ranking[: estimates.most_named]
    places = {model: place for place, model in enumerate(estimates.study.frames.models)}
    for key, cell, value in sorted(estimates.list_means(), key=lambda each: places[each[0][0]]):
        if key in published and key[0] in named:
            difference = value - published[key]
            lower, upper = np.array(estimates.bound(key)) - published[key]
            said = f"published {metric.say(published[key])}"
            text = (
                f"{estimates.describe(key, cell, value)}, {said}, difference {metric.say_difference(difference, '+')}"
            )
            yield key[1], key[0], difference, lower, upper, text
