"""What a figure shows, before it is drawn: a frame with a row for every mark, and the words around it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pandas as pd

BEST = "best"  # the name of the figure that shows the answer
BOUNDED = ("value", "lower", "upper")  # in printed units; NaN: not known
COUNTED = ("finished", "planned")  # trials behind a mean


class FigureKind(Enum):
    """How a figure is drawn. The value: the columns of its frame, before `text`.

    `text` says a mark's numbers in words, and is empty where a point only shapes a line. `drawn_x` is where a mark
    stands that would hide another at its `x`.
    """

    BEST = ("row", "series", *BOUNDED, "is_chosen")  # series: the verdict
    COST = ("panel", "series", "model", "x", "drawn_x", *BOUNDED, "is_pareto", *COUNTED)
    HEATMAP = ("row", "column", "value", *COUNTED)
    CURVES = ("series", "x", *BOUNDED)
    SENSITIVITY = ("panel", "part", "series", "x", *BOUNDED)
    CONFUSION = ("row", "column", "value", "count")  # true class, predicted class, share of the row in %
    ROC = ("series", "x", "value", "area")
    DIFFERENCE = ("series", "row", *BOUNDED)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as data.

    `name` is a file's stem. `stamp` says what the numbers are not. `frame` has a row for every mark, see `FigureKind`.
    `x_label` and `y_label` carry their units. `note` is printed above the drawing: what no axis or legend says.
    `limits`: the colour scale that figures of one kind share. `reference`: an x that is pointed out, `reference_label`
    what it is. `panels` and `repeats`: what readers call a panel, and lines of repetitions.
    """

    name: str
    kind: FigureKind
    title: str
    stamp: str
    caption: str
    frame: pd.DataFrame
    x_label: str = ""
    y_label: str = ""
    note: str = ""
    limits: tuple[float, float] | None = None
    reference: float | None = None
    reference_label: str = ""
    decimals: int = 1
    has_log_x: bool = False
    panels: str = ""
    repeats: str = ""


def tabulate_marks(kind: FigureKind, rows: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    """Make the frame of a kind of figure; rows: the values of its columns, in their order."""
    return pd.DataFrame(rows, columns=[*kind.value, "text"])


def capitalise(text: str) -> str:
    """Begin a text with a capital letter and leave the others as they are."""
    return text[:1].upper() + text[1:]
