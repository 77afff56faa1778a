"""What a result costs: training seconds as measured, and the best model within each budget. Pure."""

from collections.abc import Callable, Mapping

import numpy as np

from sweep.catalogue import Backbone, Complexity
from sweep.planning.units import UnitKind
from sweep.report.cells import Cell, Column, Row, Table
from sweep.report.methods import warn_of_selection
from sweep.report.statistics.comparisons import pareto_front
from sweep.report.study import Study
from sweep.report.tables.build import make_table, rest_on
from sweep.report.tables.complexities import MILLION, count_costs

Costs = Mapping[Backbone, Complexity]

RESOURCES: dict[str, tuple[Callable[[Complexity], int], int]] = {  # how it is counted; decimals of millions
    "mult-adds": (lambda complexity: complexity.mult_adds, 2),
    "parameters": (lambda complexity: complexity.parameters, 3),
}


def make_cost(study: Study) -> Table:
    """Every model by its mult-adds: parameters, measured seconds, results; marked where no cheaper one is as good."""
    frames, metric = study.frames, study.metric
    splits = [str(split) for split in frames.spec.grid.split]
    columns = (
        Column("backbone", "backbone"),
        Column("mult_adds_m", "mult-adds (M)", 2, "M"),
        Column("parameters_m", "parameters (M)", 3, "M"),
        Column("extract_s", "extracting (s)", 1, "s"),
        Column("extract_ms_per_image", "ms an image", 2, "ms"),
        Column("fit_s", "fitting (s)", 1, "s"),
        *(Column(f"pareto_{split}", f"in the Pareto set, {split}") for split in splits),
    )
    costs = count_costs(frames)
    fronts = {split: list_front(study, costs, split, "mult-adds") for split in splits}
    rows = tuple(
        _make_row(study, backbone, costs[backbone], fronts)
        for backbone in sorted(costs, key=lambda backbone: costs[backbone].mult_adds)
    )
    pareto = (
        f"Pareto set: the models whose test {metric.title} none of as many mult-adds or fewer beats. "
        f"Mult-adds and parameters with the head of {len(frames.inputs.data.classes)} classes."
    )
    seconds = (
        f"Seconds of one worker as measured: extracting the features of all {frames.inputs.data.images:,} images, and "
        "fitting all heads of the backbone on them together; decoding the images is not counted. -: not measured (not "
        "run, or taken from the cache). Differences of means that cannot be told apart can make a Pareto set, too."
    )
    title = "Cost: mult-adds, parameters and seconds"
    notes = (*warn_of_selection(study.select), pareto, seconds)
    return make_table(frames, "cost", title, columns, rows, notes=notes)


def make_budgets(study: Study, resource: str) -> Table:
    """The best model within each budget of a resource: every row holds from its budget up to the next."""
    metric, costs = study.metric, count_costs(study.frames)
    measure, decimals = RESOURCES[resource]
    columns = (
        Column("split", "split"),
        Column("budget_m", f"from {resource} (M)", decimals, "M"),
        Column("backbone", "best model"),
        Column("mean", metric.label, metric.decimals, metric.unit),
    )
    rows = tuple(
        (
            Cell(split),
            Cell(measure(costs[backbone]) / MILLION),
            Cell(str(backbone)),
            study.cells[str(backbone), split],
        )
        for split in map(str, study.frames.spec.grid.split)
        for backbone in list_front(study, costs, split, resource)
    )
    note = (
        "The models listed are the Pareto set: none is beaten by one that costs as much or less. A better mean is no "
        "proof of a better model: what is shown of each stands in Table 4."
    )
    title = f"Best model for each budget of {resource}, by test {metric.label}"
    notes = (*warn_of_selection(study.select), note)
    return make_table(
        study.frames, f"budgets_{resource.replace('-', '_')}", title, columns, rows, notes=notes, keys=2, is_detail=True
    )


def list_front(study: Study, costs: Costs, split: str, resource: str) -> list[Backbone]:
    """List the backbones with all shuffles that none beats at the same or a lower cost, the cheapest first."""
    cells = {backbone: study.cells[str(backbone), split] for backbone in costs}
    measure, _ = RESOURCES[resource]
    spent = {backbone: measure(costs[backbone]) for backbone, cell in cells.items() if cell.is_comparable}
    values = [study.metric.direction.sign * (cells[backbone].number or 0.0) for backbone in spent]
    front = pareto_front(np.array(list(spent.values()), float), np.array(values, float))
    return sorted((each for each, is_in in zip(spent, front, strict=True) if is_in), key=spent.__getitem__)


def _make_row(study: Study, backbone: Backbone, cost: Complexity, fronts: Mapping[str, list[Backbone]]) -> Row:
    seconds = study.frames.seconds.get(backbone, {})
    extracting = seconds.get(UnitKind.EXTRACT)
    cells = {split: study.cells[str(backbone), split] for split in fronts}
    return (
        Cell(str(backbone)),
        Cell(cost.mult_adds / MILLION),
        Cell(cost.parameters / MILLION),
        Cell(extracting),
        Cell(1000 * extracting / study.frames.inputs.data.images if extracting else None),
        Cell(seconds.get(UnitKind.FIT)),
        *(rest_on(cell, "yes" if backbone in fronts[split] else "no") for split, cell in cells.items()),
    )
