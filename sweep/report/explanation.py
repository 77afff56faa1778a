"""Where a mean comes from: the trials behind it, how they were chosen, and how to run one again. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from shlex import join
from typing import Any

import pandas as pd

from sweep.metrics import with_blank
from sweep.networks.table import WeightsSource
from sweep.report.cells import Cell, Column, Explanation, Mark, MeanCell, Row, Table
from sweep.report.choices import CELL, none_if_nan, rank_configurations
from sweep.report.costs import read_weighted
from sweep.report.frames import Status
from sweep.report.header import make_header
from sweep.report.inference import Inference
from sweep.report.layout import CellKey
from sweep.report.study import Study, list_trials_behind
from sweep.report.tables.build import make_table
from sweep.report.words import describe_header, print_cell

RESULTS = "results"  # the default of the command line
LONGEST_NAME = 63  # of a sweep whose name is to be followed by a trial's id
FOLDER = "FOLDER"  # stands for the reader's images
SEEDS = (
    "the fingerprint of the data and the values of the partition seed the partition; what is trained on seeds the "
    "first weights and the batches"
)


@dataclass(frozen=True, slots=True)
class Source:
    """How the command that runs a trial again names the resolved spec, the folder of images and that of results."""

    spec: str
    images: str = FOLDER
    results: str = RESULTS


def explain_cell(study: Study, inference: Inference, key: CellKey, source: Source) -> Explanation:
    """Explain the mean of a model and block."""
    trials = study.frames.trials
    trials = trials[(trials[CELL] == list(key)).all(axis=1)]
    return Explanation(
        f"Test {study.metric.title} of {key[0]} at {key[1]}",
        tuple(_list_facts(study, inference, key, trials, source)),
        (_tabulate_configurations(study, key, trials), _tabulate_trials(study, study.cells[key], trials)),
    )


def _list_facts(
    study: Study, inference: Inference, key: CellKey, trials: pd.DataFrame, source: Source
) -> Iterator[tuple[str, str]]:
    cell, metric, layout = study.cells[key], study.metric, study.layout
    printed = print_cell(cell, Column(metric.name, metric.title, metric.decimals))
    yield "Value", with_blank(printed.value + printed.std, metric.unit) if cell.repeats else "none yet"
    interval = inference.intervals[key]
    yield (
        "95 % interval",
        with_blank(metric.say_range(interval.lower, interval.upper), metric.unit)
        if interval
        else "cannot tell: too little data",
    )
    yield "Trials", f"{cell.finished:,} of {cell.planned:,} finished"
    header = dict(describe_header(make_header(study)))
    if cell.repeats:
        yield layout.repeats_word.capitalize(), f"{cell.repeats} of {cell.repeats_planned} at the chosen configuration"
    if cell.choice:
        order = ", ".join(f"the smaller {axis.title}" for axis in sorted(layout.tuned, key=lambda axis: axis.order))
        most = f"those over the most {layout.repeats_word} come first"
        ties = f"{most}, and ties go to the lower validation log loss, {order}"
        yield "Chosen", f"{layout.describe(cell.choice, layout.tuned)}; {header['Selection']}; {ties}"
    yield "Seeds", SEEDS
    yield "Data", header["Data"]
    behind = list_trials_behind(trials, {key: cell}).sort_values("repeat")
    point, *_ = (trials if behind.empty else behind).to_dict("records")
    weights = study.frames.inputs.weights[read_weighted(point)]
    yield "Weights", f"{weights.source.value}, SHA-256 {weights.sha256}"
    yield "Feature set", point["network_id"]
    yield "Code", header["Code"]
    yield "Machine", header["Machine"]
    if not behind.empty:
        yield "Run one again", _make_command(study, point, weights.source, source)


def _make_command(study: Study, point: Mapping[Any, Any], weights: WeightsSource, source: Source) -> str:
    """Make the command that runs a trial in a sweep of its own, whose grid is that point alone; its id is the same.

    The name ends in the id: a folder of another trial would refuse to leave that one out.
    """
    frames = study.frames
    given = {axis.name: point[axis.name] for axis in study.layout.axes if point[axis.name] is not None}
    if weights is WeightsSource.RANDOM:
        given["weights"] = weights.value
    grid = {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}
    settings = [
        f"name={frames.name[:LONGEST_NAME]}-{point['trial_id']}",
        f"grid={json.dumps(grid, separators=(',', ':'))}",
    ]
    settings += ["data.source=demo"] if frames.inputs.data.is_demo else []
    images = [] if frames.inputs.data.is_demo else ["--data", source.images]
    results = [] if source.results == RESULTS else ["--results", source.results]
    words = (word for setting in settings for word in ("--set", setting))
    return join(["sweep", "run", source.spec, *words, *images, *results])


def _tabulate_configurations(study: Study, key: CellKey, trials: pd.DataFrame) -> Table:
    metric, cell, over = study.metric, study.cells[key], study.layout.repeats_word
    ranked = rank_configurations(trials[trials["status"] == Status.SUCCESS], metric, study.select)
    columns = (
        Column("configuration", "configuration"),
        Column("repeats", over, 0),
        Column("validation", f"validation {metric.label}", metric.decimals + 1, metric.unit),
        Column("validation_log_loss", "validation log loss", 4, "nats"),
        Column("test", f"test {metric.label}", metric.decimals, metric.unit),
    )
    rows: tuple[Row, ...] = tuple(
        (
            Cell(_name_choice(study, row["choice"]), _mark_chosen(row["choice"], cell)),
            Cell(row["repeats"]),
            Cell(none_if_nan(row["validation"])),
            Cell(none_if_nan(row["validation_log_loss"])),
            MeanCell(none_if_nan(row["test"]), std=none_if_nan(row["std"])),
        )
        for row in ranked.to_dict("records")
    )
    title = f"Configurations in the order of choice, means over the {over}; the chosen one is marked"
    return make_table(study.frames, "configurations", title, columns, rows)


def _tabulate_trials(study: Study, cell: MeanCell, trials: pd.DataFrame) -> Table:
    metric, layout, repeats = study.metric, study.layout, study.frames.repeats
    columns = (
        Column("trial_id", "trial"),
        Column("fit_id", "fit"),
        Column("repeat", layout.repeat_word),
        Column("configuration", "configuration"),
        Column("validation", f"validation {metric.label}", metric.decimals + 1, metric.unit),
        Column("test", f"test {metric.label}", metric.decimals + 1, metric.unit),
        Column("status", "status"),
        Column("finished_at", "finished"),
    )
    rows: tuple[Row, ...] = tuple(
        (
            Cell(row["trial_id"], _mark_chosen(row["choice"], cell)),
            Cell(row["fit_id"]),
            Cell(layout.name(repeats[row["repeat"]], list(repeats[row["repeat"]])) or "-"),
            Cell(_name_choice(study, row["choice"])),
            Cell(none_if_nan(row[f"validation_{metric.name}"], metric.scale)),
            Cell(none_if_nan(row[f"test_{metric.name}"], metric.scale)),
            Cell(row["status"] if pd.isna(row["reason"]) else f"{row['status']}: {row['reason']}"),
            Cell(None if pd.isna(row["finished_at"]) else row["finished_at"]),
        )
        for row in trials.sort_values(["choice", "repeat"]).to_dict("records")
    )
    return make_table(study.frames, "trials", "Trials; those behind the number are marked", columns, rows)


def _name_choice(study: Study, place: int) -> str:
    return study.layout.describe(study.frames.choices[place], study.layout.tuned) or "the only one"


def _mark_chosen(place: int, cell: MeanCell) -> tuple[Mark, ...]:
    return (Mark.BEST,) if place == cell.place else ()
