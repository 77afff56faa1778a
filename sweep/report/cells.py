"""What tables are made of: raw numbers and what they must not be mistaken for. Text is made in `words`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sweep.inputs import DataSummary, WeightsId
from sweep.report.layout import CellKey, Values
from sweep.report.statistics.best import Verdict
from sweep.report.statistics.intervals import Interval


class Selection(StrEnum):
    """What the tuned values of a cell are chosen on."""

    VALIDATION = "validation"
    TEST = "test"  # what papers often print; optimistic


class Mark(StrEnum):
    """What a reader must know about a cell."""

    BEST = "may be the best"  # at 95 % for all models of a block together
    DIFFERS = "differs"  # the published figure is not what the model's arithmetic gives
    BY_ARITHMETIC = "by arithmetic"  # not counted in a built model
    CANNOT_TELL = "cannot tell"  # too little data


@dataclass(frozen=True, slots=True)
class Cell:
    """One value, in the unit of its column; None where there is none.

    `finished` of the `planned` trials that the value rests on are there; 0 of 0 where it rests on no trial.
    """

    value: float | str | None
    marks: tuple[Mark, ...] = ()
    finished: int = 0
    planned: int = 0

    @property
    def number(self) -> float | None:
        """The value where it is a number."""
        return None if isinstance(self.value, str) or self.value is None else float(self.value)


@dataclass(frozen=True, slots=True)
class MeanCell(Cell):
    """A mean over `repeats` of the planned repetitions of one configuration, chosen among the finished trials.

    `value`, `std` (sample, n - 1), its 95 % `interval`, `validation` (the mean on the validation images), and a
    `published` mean with its deviation are in the unit of the column. `choice`: the chosen value of every tuned axis
    that varies; empty without a finished trial. `place`: which of the plan's choices it is. `verdict` says how it
    stands to the best. `key`: which cell it is.
    """

    std: float | None = None
    interval: Interval | None = None
    validation: float | None = None
    repeats: int = 0
    repeats_planned: int = 0
    choice: Values = field(default_factory=dict)
    place: int | None = None
    verdict: Verdict | None = None
    published: float | None = None
    published_std: float | None = None
    key: CellKey = ("", "")

    @property
    def is_finished(self) -> bool:
        """Whether every planned repetition has finished; means over fewer are of other images."""
        return self.repeats == self.repeats_planned

    @property
    def is_comparable(self) -> bool:
        """Whether the mean is known and over all repetitions."""
        return self.value is not None and self.is_finished

    def rank(self, sign: int) -> tuple[bool, bool, float]:
        """Order means: those over all repetitions, the best first, then those over fewer, and gaps last."""
        return self.number is None, not self.is_comparable, -sign * (self.number or 0.0)


Row = tuple[Cell, ...]

MEANS = "means"  # the content of the tables that the answer rests on


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `key` for machines, `title` for readers; numbers are printed with `decimals`, None: as they are."""

    key: str
    title: str
    decimals: int | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under columns.

    `name` is that of its file, `content` what it holds, whatever the profile numbers; a reader may say either.
    `stamp` says what the numbers are not, `methods` how they were made.
    The first `keys` columns name a row. `axis` names what the others have in common, where they are values of one
    axis, and `mean_keys` what files call the mean and the deviation of a cell there. `is_detail`: too long for a
    document to be read; files for programs and pages that filter have it.
    """

    name: str
    content: str
    title: str
    stamp: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    keys: int = 1
    axis: str | None = None
    mean_keys: tuple[str, str] = ("mean", "std")
    is_partial: bool = False
    is_detail: bool = False


def list_means(cells: Iterable[Cell]) -> list[MeanCell]:
    """Return the cells that are means."""
    return [cell for cell in cells if isinstance(cell, MeanCell)]


@dataclass(frozen=True, slots=True)
class Header:
    """What a report is about. `weights` by network; `made_at` is when the newest result came, None without any.

    `recipe` says how models are trained, `preprocessing` what happens to images before, `selection` what was chosen
    and on what.
    """

    sweep: str
    stamp: str
    data: DataSummary
    weights: Mapping[str, WeightsId]
    code: tuple[str, ...]
    machines: tuple[str, ...]
    succeeded: int
    failed: int
    missing: int
    metric: str
    select: Selection
    selection: str
    made_at: str | None
    recipe: str = ""
    preprocessing: str = ""

    @property
    def planned(self) -> int:
        """Number of trials of the plan."""
        return self.succeeded + self.failed + self.missing


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where one mean comes from: facts as (what, text), and the tables that show it."""

    title: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
