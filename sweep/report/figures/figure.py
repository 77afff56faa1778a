"""What a figure shows, before it is drawn: a frame with a row for every mark, and the words around it."""

from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

from sweep.metrics import Metric, with_blank

BEST = "best"  # the name of the figure that shows the answer


class FigureKind(StrEnum):
    """How a figure is drawn, and which columns its frame has beside `text`."""

    BEST = "best"  # row, series (verdict), value, lower, upper, is_chosen
    # panel, series, backbone, x, value, lower, upper, is_published, is_comparable, is_pareto, finished, planned
    COST = "cost"
    HEATMAP = "heatmap"  # row, column, value, finished, planned
    CURVES = "curves"  # series, x, value, lower, upper
    SENSITIVITY = "sensitivity"  # panel, part, series, x, value, lower, upper
    CONFUSION = "confusion"  # row (true class), column (predicted class), value (share of the row, %), count
    ROC = "roc"  # series, x, value, area
    DIFFERENCE = "difference"  # series, row, value, lower, upper


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as data.

    `name` is a file's stem. `stamp` says what the numbers are not. `frame` has a row for every mark; its column `text`
    says the mark's numbers in words, and is empty for points that only shape a line. `x_label` and `y_label` carry
    their units. `note` is printed above the drawing: what no axis or legend says. `limits`: the colour scale that
    figures of one kind share. `reference`: an x that is pointed out, `reference_label` what it is.
    """

    name: str
    kind: FigureKind
    title: str
    stamp: str
    caption: str
    frame: pd.DataFrame
    x_label: str
    y_label: str
    note: str = ""
    limits: tuple[float, float] | None = None
    reference: float | None = None
    reference_label: str = ""
    decimals: int = 1


def format_value(metric: Metric, value: float) -> str:
    """Print a value with its unit; `value` is in the metric's printed unit."""
    return with_blank(f"{value:.{metric.decimals}f}", metric.unit)


def format_range(metric: Metric, lower: float, upper: float) -> str:
    """Print two bounds without their unit."""
    return f"{lower:.{metric.decimals}f} to {upper:.{metric.decimals}f}"


def replace_unprintable(text: str) -> str:
    """Put ? for what neither fonts nor XML can hold: folders, and so classes, may be called anything."""
    return "".join(character if character.isprintable() else "?" for character in text)


def capitalise(text: str) -> str:
    """Begin a text with a capital letter and leave the others as they are."""
    return text[:1].upper() + text[1:]
