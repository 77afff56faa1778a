"""What a result costs: mult-adds, seconds as measured, and the best model within each budget. Pure."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from sweep.networks.table import Complexity
from sweep.report.cells import Cell, Column, Row, Table
from sweep.report.costs import FORWARD, MILLION, Cost, count_costs
from sweep.report.inference import Inference
from sweep.report.methods import warn_of_selection
from sweep.report.statistics.comparisons import pareto_front
from sweep.report.study import Study
from sweep.report.tables.build import MODEL, head_block, like, make_table

RESOURCES: dict[str, tuple[Callable[[Complexity], int], int]] = {  # how it is counted; decimals of millions
    "mult-adds": (lambda complexity: complexity.mult_adds, 2),
    "parameters": (lambda complexity: complexity.parameters, 3),
}


def make_cost(study: Study, _: Inference) -> Iterator[Table]:
    """Yield every model by its mult-adds: parameters, measured seconds; marked where no cheaper one is as good."""
    frames, metric = study.frames, study.metric
    costs, kinds = count_costs(frames), sorted({kind for spent in frames.seconds.values() for kind in spent})
    columns = (
        MODEL,
        Column("mult_adds_m", "mult-adds (M)", 2, "M"),
        Column("parameters_m", "parameters (M)", 3, "M"),
        *(Column(f"{kind}_s", f"{kind} (s)", 1, "s") for kind in kinds),
        Column(f"{FORWARD}_ms_per_image", "ms an image", 2, "ms"),
        *(Column(f"pareto_{block}", f"in the Pareto set, {block}") for block in frames.blocks),
    )
    fronts = {block: list_front(study, costs, block, "mult-adds") for block in frames.blocks}
    rows = tuple(
        _make_row(study, model, costs[model], kinds, fronts)
        for model in sorted(costs, key=lambda model: costs[model].own.mult_adds)
    )
    pareto = (
        f"Pareto set: the models whose test {metric.title} none of as many mult-adds or fewer beats. "
        f"Mult-adds and parameters with the head of {len(frames.inputs.data.classes)} classes."
    )
    seconds = (
        f"Seconds of one worker as measured, by kind of work: {FORWARD}, the features of all "
        f"{frames.inputs.data.images:,} images; fit, all heads on the network's features together; decoding the images "
        "is not counted. -: not measured (not run, or taken from the cache). Differences of means that cannot be told "
        "apart can make a Pareto set, too."
    )
    title = "Cost: mult-adds, parameters and seconds"
    notes = (*warn_of_selection(study.select), pareto, seconds)
    yield make_table(frames, "cost", title, columns, rows, notes=notes)


def make_budgets(study: Study, _: Inference) -> Iterator[Table]:
    """Yield, for each resource, the best model within each budget: every row holds from its budget up to the next."""
    metric, frames, costs = study.metric, study.frames, count_costs(study.frames)
    note = (
        "The models listed are the Pareto set: none is beaten by one that costs as much or less. A better mean is no "
        f"proof of a better model: what is shown of each stands in {frames.profile.mention('means')}."
    )
    for resource, (measure, decimals) in RESOURCES.items():
        columns = (
            head_block(study.layout),
            Column("budget_m", f"from {resource} (M)", decimals, "M"),
            Column("model", "best model"),
            Column("mean", metric.label, metric.decimals, metric.unit),
        )
        rows = tuple(
            (Cell(block), Cell(measure(costs[model].own) / MILLION), Cell(model), study.cells[model, block])
            for block in frames.blocks
            for model in list_front(study, costs, block, resource)
        )
        title = f"Best model for each budget of {resource}, by test {metric.label}"
        more = {"notes": (*warn_of_selection(study.select), note), "keys": 2, "is_detail": True}
        yield make_table(frames, f"budgets_{resource.replace('-', '_')}", title, columns, rows, **more)


def list_front(study: Study, costs: Mapping[str, Cost], block: str, resource: str) -> list[str]:
    """List the models with all repetitions that none beats at the same or a lower cost, the cheapest first."""
    measure, _ = RESOURCES[resource]
    cells = {model: study.cells[model, block] for model in study.list_models(block)}
    spent = {model: measure(costs[model].own) for model, cell in cells.items() if cell.is_comparable}
    values = [study.metric.direction.sign * (cells[model].number or 0.0) for model in spent]
    front = pareto_front(np.array(list(spent.values()), float), np.array(values, float))
    return sorted((each for each, is_in in zip(spent, front, strict=True) if is_in), key=spent.__getitem__)


def _make_row(study: Study, model: str, cost: Cost, kinds: list[str], fronts: Mapping[str, list[str]]) -> Row:
    seconds = study.frames.seconds.get(cost.network_id, {})
    forward = seconds.get(FORWARD)
    cells = {block: study.cells.get((model, block)) for block in fronts}
    return (
        Cell(model),
        Cell(cost.own.mult_adds / MILLION),
        Cell(cost.own.parameters / MILLION),
        *(Cell(seconds.get(kind)) for kind in kinds),
        Cell(1000 * forward / study.frames.inputs.data.images if forward else None),
        *(
            like(cell, ("yes" if model in fronts[block] else "no") if cell.is_comparable else None)
            if cell
            else Cell(None)
            for block, cell in cells.items()
        ),
    )
