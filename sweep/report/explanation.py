"""Where a number of Table 4 comes from: the trials behind it, how they were chosen, and how to run one again. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from shlex import join

import pandas as pd

from sweep.catalogue import Backbone, WeightsSource
from sweep.metrics import with_blank
from sweep.planning.expand import list_backbones
from sweep.planning.trial import canonical_json, features_identity, short_hash
from sweep.report.cells import Cell, Column, Explanation, Mark, MeanCell, Row, Table
from sweep.report.choices import CELL, CellKey, known, rank_configurations
from sweep.report.frames import Status
from sweep.report.header import make_header
from sweep.report.inference import Inference
from sweep.report.study import Study
from sweep.report.tables.build import make_table
from sweep.report.words import describe_header, format_mean

ORDER = (
    "those over the most shuffles come first, and ties go to the lower validation log loss, fewer steps, the lower rate"
)
RESULTS = "results"  # the default of the command line
LONGEST_NAME = 63  # of a sweep whose name is to be followed by a trial's id
FOLDER = "FOLDER"  # stands for the reader's images
SEEDS = (
    "the fingerprint of the data, the split and the shuffle seed the partition; the head's id seeds its first weights "
    "and its batches"
)


@dataclass(frozen=True, slots=True)
class Source:
    """How the command that runs a trial again names the resolved spec, the folder of images and that of results."""

    spec: str
    images: str = FOLDER
    results: str = RESULTS


def explain_cell(study: Study, inference: Inference, key: CellKey, source: Source) -> Explanation:
    """Explain a cell of Table 4."""
    trials = study.frames.trials
    trials = trials[(trials[CELL] == list(key)).all(axis=1)]
    return Explanation(
        f"Test {study.metric.title} of {key[0]} at {key[1]}",
        tuple(_list_facts(study, inference, key, source)),
        (_tabulate_configurations(study, key, trials), _tabulate_trials(study, study.cells[key], trials)),
    )


def _list_facts(study: Study, inference: Inference, key: CellKey, source: Source) -> Iterator[tuple[str, str]]:
    cell, metric = study.cells[key], study.metric
    backbone = next(each for each in list_backbones(study.frames.spec) if str(each) == key[0])
    yield "Value", format_mean(cell, metric) if cell.shuffles else "none yet"
    interval = inference.intervals[key]
    yield (
        "95 % interval",
        with_blank(f"{interval.lower:.{metric.decimals}f} to {interval.upper:.{metric.decimals}f}", metric.unit)
        if interval
        else "cannot tell: too little data",
    )
    yield "Trials", f"{cell.finished:,} of {cell.planned:,} finished"
    header = dict(describe_header(make_header(study)))
    if cell.shuffles:
        yield "Shuffles", f"{cell.shuffles} of {cell.shuffles_planned} at the chosen configuration"
        yield "Chosen", f"learning rate {cell.learning_rate:g}, {cell.steps} steps; {header['Selection']}; {ORDER}"
    yield "Seeds", SEEDS
    yield "Data", header["Data"]
    weights = study.frames.inputs.weights[backbone]
    yield "Weights", f"{weights.source.value}, SHA-256 {weights.sha256}"
    features = features_identity(study.frames.spec, study.frames.inputs, backbone)
    yield "Feature set", short_hash(canonical_json(features))
    yield "Code", header["Code"]
    yield "Machine", header["Machine"]
    if cell.shuffles:
        yield "Run one again", _make_command(study, backbone, cell, key[1], source)


def _make_command(study: Study, backbone: Backbone, cell: MeanCell, split: str, source: Source) -> str:
    """Make the command that runs the first trial behind a cell in a sweep of its own; its id is the same.

    The name ends in the id: a folder of another trial would refuse to leave that one out.
    """
    inputs, spec = study.frames.inputs, study.frames.spec
    shuffle = min((readout.shuffle for readout in study.readouts[str(backbone), split]), default=spec.grid.shuffle[0])
    trials = study.frames.trials
    chosen = {"learning_rate": cell.learning_rate, "steps": cell.steps, "shuffle": shuffle}
    is_chosen = (trials[CELL] == [str(backbone), split]).all(axis=1) & (trials[list(chosen)] == chosen).all(axis=1)
    values = {
        "name": f"{spec.name[:LONGEST_NAME]}-{trials.trial_id[is_chosen].item()}",
        "grid.backbone": backbone.family,
        "grid.alpha": f"{backbone.alpha:g}",
        "grid.resolution": backbone.resolution,
        "grid.split": split,
        "grid.learning_rate": repr(cell.learning_rate),
        "grid.shuffle": shuffle,
        "grid.steps": cell.steps,
    }
    if inputs.data.is_demo:
        values["data.source"] = "demo"
    if inputs.weights[backbone].source is WeightsSource.RANDOM:
        values["weights"] = WeightsSource.RANDOM.value
    settings = [word for key, value in values.items() for word in ("--set", f"{key}={value}")]
    images = [] if inputs.data.is_demo else ["--data", source.images]
    results = [] if source.results == RESULTS else ["--results", source.results]
    return join(["sweep", "run", source.spec, *settings, *images, *results])


def _tabulate_configurations(study: Study, key: CellKey, trials: pd.DataFrame) -> Table:
    metric, cell = study.metric, study.cells[key]
    ranked = rank_configurations(trials[trials["status"] == Status.SUCCESS], metric, study.select)
    columns = (
        Column("learning_rate", "learning rate"),
        Column("steps", "steps"),
        Column("shuffles", "shuffles", 0),
        Column("validation", f"validation {metric.label}", metric.decimals + 1, metric.unit),
        Column("validation_log_loss", "validation log loss", 4, "nats"),
        Column("test", f"test {metric.label}", metric.decimals, metric.unit),
    )
    rows: tuple[Row, ...] = tuple(
        (
            Cell(row["learning_rate"], _mark_chosen(row["learning_rate"], row["steps"], cell)),
            Cell(row["steps"]),
            Cell(row["shuffles"]),
            Cell(known(row["validation"])),
            Cell(known(row["validation_log_loss"])),
            MeanCell(known(row["test"]), std=known(row["std"])),
        )
        for row in ranked.to_dict("records")
    )
    title = "Configurations in the order of choice, means over the shuffles; the chosen one is marked"
    return make_table(study.frames, "configurations", title, columns, rows, keys=2)


def _tabulate_trials(study: Study, cell: MeanCell, trials: pd.DataFrame) -> Table:
    metric = study.metric
    decimals = metric.decimals + 1
    columns = (
        Column("trial_id", "trial"),
        Column("head_id", "head"),
        Column("shuffle", "shuffle"),
        Column("learning_rate", "learning rate"),
        Column("steps", "steps"),
        Column("validation", f"validation {metric.label}", decimals, metric.unit),
        Column("test", f"test {metric.label}", decimals, metric.unit),
        Column("status", "status"),
        Column("finished_at", "finished"),
    )
    rows: tuple[Row, ...] = tuple(
        (
            Cell(row["trial_id"], _mark_chosen(row["learning_rate"], row["steps"], cell)),
            Cell(row["head_id"]),
            Cell(row["shuffle"]),
            Cell(row["learning_rate"]),
            Cell(row["steps"]),
            Cell(known(row[f"validation_{metric.name}"], metric.scale)),
            Cell(known(row[f"test_{metric.name}"], metric.scale)),
            Cell(row["status"] if pd.isna(row["reason"]) else f"{row['status']}: {row['reason']}"),
            Cell(None if pd.isna(row["finished_at"]) else row["finished_at"]),
        )
        for row in trials.sort_values(["learning_rate", "steps", "shuffle"]).to_dict("records")
    )
    return make_table(study.frames, "trials", "Trials; those behind the number are marked", columns, rows)


def _mark_chosen(learning_rate: float, steps: int, cell: MeanCell) -> tuple[Mark, ...]:
    return (Mark.BEST,) if (learning_rate, steps) == (cell.learning_rate, cell.steps) else ()
