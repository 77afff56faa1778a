"""A study with what its figures have in common: what of it is drawn, means in words, the stamp. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from sweep.axes import Axis, Layer, Value
from sweep.metrics import Metric
from sweep.report.answer import Answer
from sweep.report.cells import MeanCell
from sweep.report.figures.figure import Figure, FigureKind, capitalise
from sweep.report.header import make_stamp
from sweep.report.inference import Inference
from sweep.report.layout import CellKey, Layout
from sweep.report.study import Study

NO_CELL = MeanCell(None)
MOST_NAMED, MOST_NAMED_LONG = 50, 20  # models in a figure that names them, shortly or on several lines
SHORT_NAME = 30  # characters
MOST_PANELS = 12


@dataclass(frozen=True)
class Estimates:
    """A study, its inference and its answer. costs: mult-adds of a model in millions."""

    study: Study
    inference: Inference
    answer: Answer
    costs: Mapping[str, float]

    @property
    def metric(self) -> Metric:
        """The metric that all is measured with."""
        return self.study.metric

    @property
    def layout(self) -> Layout:
        """What the axes are for."""
        return self.study.layout

    @cached_property
    def blocks(self) -> list[str]:
        """The blocks that have a panel: all in the order of the plan, or where these are too many the answer's."""
        blocks = list(self.study.frames.blocks)
        return blocks if len(blocks) <= MOST_PANELS else [self.answer.block]

    @cached_property
    def ranking(self) -> list[str]:
        """All models, that of the answer first, then by their means at its block, the best first."""
        sign, answer = self.metric.direction.sign, self.answer
        losses = {model: -sign * value for (model, block), _, value in self.list_means() if block == answer.block}
        return sorted(self.study.frames.models, key=lambda each: (each != answer.model, losses.get(each, np.inf)))

    @property
    def most_named(self) -> int:
        """How many models a figure names."""
        return MOST_NAMED if max(map(len, self.ranking)) <= SHORT_NAME else MOST_NAMED_LONG

    def say_left_out(self, models: int, drawn: int) -> str:
        """Say which of some models are drawn, where it is not all."""
        return f" Of {models:,} models: the {drawn} best at {self.answer.block}." if models > drawn else ""

    @property
    def panels(self) -> str:
        """What stands before the name of a block: a bare value's axis."""
        return self.layout.block_word if len(self.layout.of_blocks) == 1 else ""

    def at(self, block: str) -> str:
        """Name a block as titles do: split 80/10/10."""
        return f"{self.panels} {block}".strip()

    @property
    def over(self) -> str:
        """What a mean is over, nothing for a single repetition."""
        return f" over the {self.layout.repeats_word}" if self.layout.repeated else ""

    @property
    def each_block(self) -> str:
        """What panels are for."""
        return f"each {self.layout.block_word or 'block'}"

    def list_means(self) -> Iterator[tuple[CellKey, MeanCell, float]]:
        """Yield every cell that has a mean, and the mean: block after block, in the order of the plan."""
        for block, model in product(self.blocks, self.study.frames.models):
            cell = self.study.cells.get((model, block), NO_CELL)
            if cell.number is not None:
                yield (model, block), cell, cell.number

    def list_published(self) -> dict[CellKey, float]:
        """Return the published means of this metric beside ours, in its printed unit."""
        published = self.study.published.means if self.study.published else {}
        return {key: published[key] for key, _, _ in self.list_means() if key in published}

    def bound(self, key: CellKey) -> tuple[float, float]:
        """Return a cell's bounds, NaN where they cannot be told."""
        found = self.inference.intervals.get(key)
        return (found.lower, found.upper) if found else (np.nan, np.nan)

    def describe(self, key: CellKey, cell: MeanCell, value: float) -> str:
        """Say a mean in words: where, how much, how sure, how complete."""
        bounds = self.bound(key)
        interval = "" if np.isnan(bounds).any() else f" (95 % interval {self.metric.say_range(*bounds)})"
        gaps = f", {cell.finished}/{cell.planned} trials finished" if cell.finished < cell.planned else ""
        return f"{key[0]}, {key[1]}: {self.metric.say(value)}{interval}{gaps}"

    def draw(
        self, kind: FigureKind, name: str, title: str, caption: str, frame: pd.DataFrame, **more: Any
    ) -> Iterator[Figure]:
        """Yield the figure of a frame, none of an empty one; more: other fields of the figure."""
        if len(frame):
            stamp = make_stamp(self.study.frames)
            yield Figure(name, kind, title, stamp, caption, frame, **{"decimals": self.metric.decimals} | more)


def spell_level(layout: Layout, axis: Axis, value: Value) -> str:
    """Spell a value with its axis: learning rate 0.1; amounts as 2,000 steps."""
    if axis.layer is Layer.READOUT and isinstance(value, int | float):
        return f"{value:,g} {axis.title}"
    return f"{axis.title} {layout.spell(axis.name, value)}"


def label_axis(axis: Axis, *, is_log: bool = False) -> str:
    """Name an axis of a drawing, with its unit and scale."""
    said = ", ".join(part for part in (axis.unit, "log scale" if is_log else "") if part)
    return capitalise(axis.title) + (f" ({said})" if said else "")


def list_numbers(values: Iterable[Value]) -> list[float]:
    """Return the values that are numbers, in their order."""
    return [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
