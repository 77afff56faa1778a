"""What papers print, to stand beside what a sweep computes."""

import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from math import isfinite
from pathlib import Path
from typing import IO, Any

import pandas as pd

from sweep.axes import Value, show_value
from sweep.errors import UserError
from sweep.inputs import DataSummary
from sweep.metrics import Metric
from sweep.report.frames import SweepFrames
from sweep.report.layout import CellKey
from sweep.report.profiles import PROFILES, Profile

TASK_COMMENT = "# Task: "  # a line of our CSV files, by which another sweep knows the task
MODEL = {"model", "backbone"}  # columns that name a model by its label
BLOCK = {"block"}


@dataclass(frozen=True, slots=True)
class PublishedMeans:
    """Figures of one metric, in its printed unit, by cell: means, and deviations where they are given.

    `task` says what images and classes they are about, as `describe_task` does; None where that is not known.
    `strangers` are rows of no cell of the sweep, in words.
    """

    name: str
    means: Mapping[CellKey, float]
    stds: Mapping[CellKey, float]
    task: str | None = None
    strangers: tuple[str, ...] = ()


def describe_task(data: DataSummary) -> str:
    """Say what answers are about: figures of different tasks are not compared."""
    kind = "drawn demo images" if data.is_demo else "real images"
    return f"{kind}, classes {', '.join(data.classes)}"


def load_costs(profile: Profile) -> dict[str, dict[str, float]]:
    """Return the mult-adds and parameters (million_mult_adds, million_parameters) that a paper prints, by network."""
    if not profile.name:
        return {}
    with _open_table(profile, "complexities") as file:
        table = pd.read_csv(file, index_col="model")
    return {str(name): {str(key): float(value) for key, value in row.items()} for name, row in table.iterrows()}


def load_means(frames: SweepFrames, metric: Metric) -> PublishedMeans | None:
    """Read the results of the sweep's paper; None where there is none or it does not print the metric."""
    profile = frames.profile
    if not profile.name or profile.task != describe_task(frames.inputs.data):
        return None
    with _open_table(profile, "means") as file:
        table = pd.read_csv(file, dtype=str)
    return _read_means(table, frames, metric, profile.name, profile.task) if metric.mean_column in table else None


def read_means(path: Path, frames: SweepFrames, metric: Metric) -> PublishedMeans:
    """Read a table of results: columns that tell a cell, and the metric's mean.

    A row stands for the cell that has its values on all axes that are columns, or its label in `model` and `block`.
    The column of means is called as in the files of a report, for example `accuracy_mean_percent`; one of deviations,
    `accuracy_std_points`, may stand beside it. Lines that begin with # are left out.

    Raises:
        UserError: the file is not there or not of this form, about another task, or of no cell of the sweep.
    """
    try:
        with warnings.catch_warnings(action="error"):  # rows with more values than columns
            table = pd.read_csv(path, dtype=str, comment="#", skipinitialspace=True, index_col=False)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); name a readable CSV file") from error
    except (ValueError, pd.errors.ParserWarning) as error:  # of ValueError's kind: not UTF-8, not CSV, empty
        raise UserError(f"{path}: cannot be read as CSV ({_first_line(error)}); name a readable CSV file") from error
    if metric.mean_column not in table or not _list_naming(table, frames):
        axes = ", ".join(axis.name for axis in frames.layout.compared)
        raise UserError(
            f"{path}: lacks columns (found: {', '.join(map(str, table.columns))}); needed are {metric.mean_column}, "
            f"and model or axes of this sweep that tell its cells apart ({axes})"
        )
    try:
        found = _read_means(table, frames, metric, path.name, _read_task(path))
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error
    task = describe_task(frames.inputs.data)
    if found.task not in (None, task):
        raise UserError(
            f"{path}: is about another task (theirs: {found.task}; ours: {task}); compare results on the same images "
            "and classes"
        )
    if not found.means:
        ours = " at ".join(next(iter(_list_cells(frames))))
        raise UserError(
            f"{path}: has no cell of this sweep (found: {', '.join(found.strangers[:1]) or 'none'}, ...; the sweep "
            f"has: {ours}, ...); name a file with some of the same models and values"
        )
    if metric.unit == "%" and max(found.means.values()) <= 1:
        raise UserError(f"{path}: {metric.mean_column} is nowhere above 1; give percentages, not fractions")
    return found


def _read_task(path: Path) -> str | None:
    with path.open(encoding="utf-8") as file:
        lines = (line.removeprefix(TASK_COMMENT).strip() for line in file if line.startswith(TASK_COMMENT))
        return next(lines, None)


def _read_means(
    table: pd.DataFrame, frames: SweepFrames, metric: Metric, name: str, task: str | None
) -> PublishedMeans:
    """Read the figures. Raises ValueError on a row of no use; one of a paper may stand for several cells."""
    cells, naming = _list_cells(frames), _list_naming(table, frames)
    if name in PROFILES:  # of a value that is chosen here, a paper has figures of each
        naming = [each for each in table.columns if each in {axis.name for axis in frames.layout.axes}]
    means, stds, strangers = dict[CellKey, float](), dict[CellKey, float](), list[str]()
    for number, row in enumerate(table.to_dict("records"), start=1):
        if pd.isna(row[metric.mean_column]):
            continue  # a cell of a partial sweep that has no result
        label = " at ".join(str(row[column]) for column in naming)
        keys = [
            key
            for key, values in cells.items()
            if all(each in values and _fits(row[each], values[each]) for each in naming)
        ]
        try:
            mean = _read_mean(row, metric)
            std = None if pd.isna(row.get(metric.std_column)) else _read_number(row, metric.std_column)
        except ValueError as error:
            raise ValueError(f"row {number}: {error}; mend the file") from error
        if len(keys) > 1 and name in PROFILES:
            continue  # the sweep divides it further
        if len(keys) > 1:
            cells_named = ", ".join(map(" at ".join, keys[:2]))
            raise ValueError(f"row {number}: stands for several cells ({cells_named}, ...); name more axes")
        strangers += [] if keys else [label]
        for key in keys:
            if means.setdefault(key, mean) != mean:
                raise ValueError(f"row {number}: {label} stands there twice; leave one")
            stds |= {} if std is None else {key: std}
    return PublishedMeans(name, means, stds, task, tuple(strangers))


def _list_cells(frames: SweepFrames) -> dict[CellKey, dict[str, Value]]:
    """Return the cells of a sweep with all that a column may name them by: no axis that is chosen or averaged over."""
    single = {axis.name: next(iter(axis.values)) for axis in frames.layout.axes if len(axis.values) == 1}
    keys = frames.trials[["model", "block"]].drop_duplicates().itertuples(index=False, name=None)
    labels = {key: dict.fromkeys(MODEL, key[0]) | dict.fromkeys(BLOCK, key[1]) for key in keys}
    return {key: {**single, **frames.models[key[0]], **frames.blocks[key[1]], **label} for key, label in labels.items()}


def _list_naming(table: pd.DataFrame, frames: SweepFrames) -> list[str]:
    named = MODEL | BLOCK | {axis.name for axis in (*frames.layout.of_models, *frames.layout.of_blocks)}
    return [column for column in table.columns if column in named]


def _fits(text: Any, value: Value) -> bool:
    """Whether a text of a file, NaN where there is none, stands for a value."""
    if pd.isna(text):
        return value is None
    if isinstance(value, float | int) and not isinstance(value, bool):
        with suppress(ValueError):
            return float(text) == value
    return str(text).strip() in (str(value), show_value(value))


def _read_mean(row: Mapping[Any, Any], metric: Metric) -> float:
    mean, (lower, upper) = _read_number(row, metric.mean_column), metric.bounds
    if not lower <= mean <= upper:
        raise ValueError(f"{metric.mean_column} {mean:g} is impossible (allowed: {lower:g} to {upper:g})")
    return mean


def _read_number(row: Mapping[Any, Any], column: str) -> float:
    with suppress(ValueError):
        value = float(row[column])
        if isfinite(value):
            return value
    raise ValueError(f"{column} {row[column]!r} is no number")


def _open_table(profile: Profile, content: str) -> IO[str]:
    return (files("sweep.report") / "published" / f"{profile.name}-{profile.name_table(content)}.csv").open()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
