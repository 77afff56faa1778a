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

from sweep.catalogue import FAMILIES, Backbone
from sweep.errors import UserError
from sweep.metrics import Metric
from sweep.planning.inputs import DataSummary
from sweep.spec.schema import Split

FULL_CONVOLUTION = "full convolution"
TASK_COMMENT = "# Task: "  # a line of our CSV files, by which another sweep knows the task
DEFAULT_FAMILY = "mobilenet"


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper whose figures are part of the package, and the task that they are about."""

    citation: str
    remarks: tuple[str, ...]
    task: str


PAPERS = {
    "duong-trung-2019": Paper(
        "Duong-Trung, Tran Ngoc, Huynh: Automated pneumonia detection in X-ray images via depthwise separable "
        "convolution based learning (2019)",
        ('"244" in the paper\'s tables is a misprint of 224.',),
        "real images, classes NORMAL, PNEUMONIA",
    )
}


@dataclass(frozen=True, slots=True)
class PublishedMeans:
    """Figures of one metric, in its printed unit, by (backbone, split): means, and deviations where they are given.

    `task` says what images and classes they are about, as `describe_task` does; None where that is not known.
    """

    name: str
    means: dict[tuple[str, str], float]
    stds: dict[tuple[str, str], float]
    task: str | None = None


def describe_task(data: DataSummary) -> str:
    """Say what answers are about: figures of different tasks are not compared."""
    kind = "drawn demo images" if data.is_demo else "real images"
    return f"{kind}, classes {', '.join(data.classes)}"


@dataclass(frozen=True, slots=True)
class PublishedCosts:
    """A paper's Table 3: backbone, million_mult_adds, million_parameters; and what to know about it."""

    table: pd.DataFrame
    remarks: tuple[str, ...]


def load_costs(name: str) -> PublishedCosts:
    """Read the mult-adds and parameters of a paper that `published:` may name."""
    with _open_table(name, "table3") as file:
        frame = pd.read_csv(file, dtype={"alpha": str})
    names = [_name_cost(*row) for row in zip(frame.pop("alpha"), frame.pop("resolution"), strict=True)]
    frame.insert(0, "backbone", names)
    return PublishedCosts(frame, PAPERS[name].remarks)


def load_means(name: str, metric: Metric) -> PublishedMeans | None:
    """Read the results of a paper that `published:` may name; None where it does not print the metric."""
    with _open_table(name, "table4") as file:
        frame = pd.read_csv(file, dtype=str)
    if metric.mean_column not in frame:
        return None
    return PublishedMeans(name, *_read_means(frame, metric, name), PAPERS[name].task)


def read_means(path: Path, metric: Metric) -> PublishedMeans:
    """Read a table of results: `alpha` and `resolution` (or `backbone`), `split`, and the metric's mean.

    The column of means is called as in the files of a report, for example `accuracy_mean_percent`; one of deviations,
    `accuracy_std_points`, may stand beside it. Lines that begin with # are left out.

    Raises:
        UserError: the file is not there or not of this form.
    """
    try:
        with warnings.catch_warnings(action="error"):  # rows with more values than columns
            frame = pd.read_csv(path, dtype=str, comment="#", skipinitialspace=True, index_col=False)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); name a readable CSV file") from error
    except (ValueError, pd.errors.ParserWarning) as error:  # of ValueError's kind: not UTF-8, not CSV, empty
        raise UserError(f"{path}: cannot be read as CSV ({_first_line(error)}); name a readable CSV file") from error
    named = {"backbone"} if "backbone" in frame else {"alpha", "resolution"}
    missing = sorted((named | {"split", metric.mean_column}) - set(frame.columns))
    if missing:
        raise UserError(
            f"{path}: lacks the columns {', '.join(missing)} (found: {', '.join(map(str, frame.columns))}); needed are "
            f"alpha and resolution (or backbone), split and {metric.mean_column}"
        )
    means, stds = _read_means(frame, metric, str(path))
    if metric.unit == "%" and means and max(means.values()) <= 1:
        raise UserError(f"{path}: {metric.mean_column} is nowhere above 1; give percentages, not fractions")
    return PublishedMeans(path.name, means, stds, _read_task(path))


def _read_task(path: Path) -> str | None:
    with path.open(encoding="utf-8") as file:
        lines = (line.removeprefix(TASK_COMMENT).strip() for line in file if line.startswith(TASK_COMMENT))
        return next(lines, None)


def _read_means(
    frame: pd.DataFrame, metric: Metric, where: str
) -> tuple[dict[tuple[str, str], float], dict[tuple[str, str], float]]:
    means: dict[tuple[str, str], float] = {}
    stds: dict[tuple[str, str], float] = {}
    for number, row in enumerate(_list_rows(frame), start=1):
        if pd.isna(row[metric.mean_column]):
            continue  # a cell of a partial sweep that has no result
        try:
            key = _name_backbone(row), _read_split(row["split"])
            mean = _read_mean(row, metric)
            if not pd.isna(row.get(metric.std_column)):
                stds[key] = _read_number(row, metric.std_column)
        except ValueError as error:
            raise UserError(f"{where}: row {number}: {error}; mend the file") from error
        if means.setdefault(key, mean) != mean:
            raise UserError(f"{where}: row {number}: {key[0]} at {key[1]} stands there twice; leave one")
    return means, stds


def _list_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(column): value for column, value in row.items()} for row in frame.to_dict("records")]


def _name_backbone(row: Mapping[str, Any]) -> str:
    if "backbone" in row:
        if pd.isna(row["backbone"]):
            raise ValueError("it names no backbone")
        return str(row["backbone"])
    family = row.get("family", DEFAULT_FAMILY)
    if family not in FAMILIES:
        raise ValueError(f"family {family!r} is unknown (allowed: {', '.join(FAMILIES)})")
    resolution = _read_number(row, "resolution")
    if resolution != int(resolution):
        raise ValueError(f"resolution {row['resolution']!r} is no whole number")
    return str(Backbone(family, _read_number(row, "alpha"), int(resolution)))


def _read_mean(row: Mapping[str, Any], metric: Metric) -> float:
    mean, (lower, upper) = _read_number(row, metric.mean_column), metric.bounds
    if not lower <= mean <= upper:
        raise ValueError(f"{metric.mean_column} {mean:g} is impossible (allowed: {lower:g} to {upper:g})")
    return mean


def _read_split(value: object) -> str:
    try:
        return str(Split.parse(value))
    except ValueError as error:
        raise ValueError(f"split {value!r} {error}") from error


def _read_number(row: Mapping[str, Any], column: str) -> float:
    with suppress(ValueError):
        value = float(row[column])
        if isfinite(value):
            return value
    raise ValueError(f"{column} {row[column]!r} is no number")


def _name_cost(alpha: str, resolution: int) -> str:
    return alpha if alpha == FULL_CONVOLUTION else str(Backbone(DEFAULT_FAMILY, float(alpha), resolution))


def _open_table(name: str, table: str) -> IO[str]:
    return (files("sweep.report") / "published" / f"{name}-{table}.csv").open()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
