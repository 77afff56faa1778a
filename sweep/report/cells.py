"""What tables are made of: raw numbers and what they must not be mistaken for. Text is made in `words`."""

from dataclasses import dataclass
from enum import StrEnum

from sweep.planning.inputs import DataSummary, WeightsId


class Selection(StrEnum):
    """What the learning rate and the step budget of a cell are chosen on."""

    VALIDATION = "validation"
    TEST = "test"  # what papers often print; optimistic


class Mark(StrEnum):
    """What a reader must know about a cell."""

    BEST = "best"
    DIFFERS = "differs"  # the published figure is not what the model's arithmetic gives
    BY_ARITHMETIC = "by arithmetic"  # not counted in a built model


@dataclass(frozen=True, slots=True)
class Cell:
    """One value; None where there is none."""

    value: float | str | None
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class MeanCell(Cell):
    """A mean over `shuffles` repetitions of one configuration, chosen among the finished trials of the cell.

    `value` is in percent and `std` (sample, n - 1) in percentage points; `finished` and `planned` count trials.
    """

    std: float | None = None
    shuffles: int = 0
    learning_rate: float | None = None
    steps: int | None = None
    finished: int = 0
    planned: int = 0


Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `key` for machines, `title` for readers; numbers are printed with `decimals`, None: as they are."""

    key: str
    title: str
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under columns. `stamp` says what the numbers are not.

    `axis` names what the columns after the first have in common, where they are values of one axis of the grid.
    """

    name: str
    title: str
    stamp: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    axis: str | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """What a report is about. `weights` by backbone; `made_at` is when the newest result came, None without any."""

    sweep: str
    stamp: str
    data: DataSummary
    weights: dict[str, WeightsId]
    code: tuple[str, ...]
    machines: tuple[str, ...]
    succeeded: int
    failed: int
    missing: int
    select: Selection
    made_at: str | None

    @property
    def planned(self) -> int:
        """Number of trials of the plan."""
        return self.succeeded + self.failed + self.missing
