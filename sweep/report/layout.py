"""How a report is laid out: what is compared within what, what is chosen, what the ± is over. Pure.

A *block* is a point on the compared axes of the partition: the models of a block are tested on the same images and are
compared with each other. A *model* is a point on all other compared axes. Rows, columns and panels only arrange them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Self

from sweep.axes import Axis, Layer, Role, Value, show_value
from sweep.errors import UserError, list_allowed
from sweep.networks.table import NETWORKS

Values = Mapping[str, Value]  # by the axis's name
CellKey = tuple[str, str]  # model, block

NETWORK = "network"  # the axis that says which row of the table of networks, which has axes of its own
ALL_IMAGES = "all images"  # the block where no axis of the partition is compared


@dataclass(frozen=True, slots=True)
class Layout:
    """The axes of a report by what they are for; rows, columns and panels are compared ones, by name.

    of_models, of_blocks: axes that tell models and blocks apart, also those of one value. Of those that vary: compared
    ones; tuned ones, whose values are chosen for each cell; repeated ones, that a mean and its ± are over.
    """

    axes: tuple[Axis, ...]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    of_models: tuple[Axis, ...]
    of_blocks: tuple[Axis, ...]
    compared: tuple[Axis, ...]
    tuned: tuple[Axis, ...]
    repeated: tuple[Axis, ...]

    @classmethod
    def of(cls, axes: Sequence[Axis], rows: Sequence[str] = (), columns: Sequence[str] = ()) -> Self:
        """Lay the axes of a plan out: models as rows and blocks as columns, unless something else is asked for.

        Raises:
            UserError: rows or columns are not compared axes, or the plan repeats what the statistics are not made for.
        """
        _check_repeated(axes)
        _check_names([axis.name for axis in axes if axis.role is Role.COMPARED], rows, columns)
        models, blocks = (
            tuple(each for each in axes if each.role is Role.COMPARED and (each.layer is Layer.PARTITION) is is_block)
            for is_block in (False, True)
        )
        whole = tuple(columns) or tuple(axis.name for axis in blocks if axis.name not in rows)
        rest = tuple(rows) or tuple(axis.name for axis in models if axis.name not in whole)
        of_role = (tuple(axis for axis in axes if axis.role is role and axis.varies) for role in Role)
        return cls(tuple(axes), rest, whole, models, blocks, *of_role)

    @property
    def panels(self) -> tuple[str, ...]:
        """Name the compared axes that are neither rows nor columns: a table for each point on them."""
        return tuple(axis.name for axis in self.compared if axis.name not in (*self.rows, *self.columns))

    @property
    def numeric_pairs(self) -> tuple[tuple[Axis, Axis], ...]:
        """List the pairs of models' axes that a heat map can span: all values are numbers."""
        return tuple(combinations([axis for axis in self.of_models if axis.varies and is_numeric(axis)], 2))

    def __getitem__(self, name: str) -> Axis:
        return next(axis for axis in self.axes if axis.name == name)

    # -- names of points -----------------------------------------------------------------------------------------

    def name_model(self, values: Values) -> str:
        """Name a model: mobilenet-1-224, hidden layers 512, optimizer adam."""
        return self.name(values, [axis.name for axis in self.of_models])

    def name_block(self, values: Values) -> str:
        """Name a block: 80/10/10."""
        return self.name(values, [axis.name for axis in self.of_blocks]) or ALL_IMAGES

    def name(self, values: Values, names: Sequence[str]) -> str:
        """Name a point on some axes: its network, if it is one of them, and what else varies and applies.

        Where a single axis is left and no network, its bare value.
        """
        own = NETWORKS[str(values[NETWORK])].axes if NETWORK in names else ()
        is_whole = all(name in names or not self[name].varies for name in own)
        known = {name: self[name].values[0] for name in own} | dict(values)  # tuned, of one value, tells none apart
        named = "-".join(show_value(known[name]) for name in (NETWORK, *own)) if is_whole and own else ""
        if NETWORK in names and not named:
            named, own = str(values[NETWORK]), ()
        rest = [self[name] for name in names if name not in (NETWORK, *own)]
        shown = [axis for axis in rest if axis.varies] or ([] if named else rest)
        if not named and len(shown) == 1:
            return self.spell(shown[0].name, values[shown[0].name])
        return ", ".join(part for part in (named, self.describe(values, shown)) if part)

    def describe(self, values: Values, axes: Iterable[Axis]) -> str:
        """Say where on some axes a point lies, as far as they apply: learning rate 0.1, steps 2000."""
        applying = [axis for axis in axes if values[axis.name] is not None]
        return ", ".join(f"{axis.title} {self.spell(axis.name, values[axis.name])}" for axis in applying)

    def spell(self, name: str, value: Value) -> str:
        """Spell a value of an axis, in full where a short form is that of another value too."""
        values = self[name].values
        is_plain = len(set(map(show_value, values))) == len(values)
        return show_value(value) if is_plain else str(value)

    def rank(self, choice: Values) -> tuple[float, ...]:
        """Order points on the tuned axes: of equally good ones the first is taken."""
        return tuple(axis.rank(choice[axis.name]) for axis in sorted(self.tuned, key=lambda axis: axis.order))

    # -- words ---------------------------------------------------------------------------------------------------

    @property
    def choice_words(self) -> str:
        """Name what is chosen: learning rate and steps; nothing where there is one configuration."""
        return join_words([axis.title for axis in self.tuned])

    @property
    def block_word(self) -> str:
        """Name what makes blocks: split."""
        return join_words([axis.title for axis in self.of_blocks if axis.varies] or [a.title for a in self.of_blocks])

    @property
    def repeat_word(self) -> str:
        """Name one repetition: shuffle."""
        repeated = self.repeated or [axis for axis in self.axes if axis.role is Role.REPEATED]
        return repeated[0].title if len(repeated) == 1 else "repetition"

    @property
    def repeats_word(self) -> str:
        """Name several repetitions: shuffles."""
        return f"{self.repeat_word}s"

    def count_repeats(self, count: int) -> str:
        """Say how many repetitions: one shuffle, 3 shuffles."""
        return f"one {self.repeat_word}" if count == 1 else f"{count:,} {self.repeats_word}"


def restrict(axes: Sequence[Axis], where: Mapping[str, Sequence[str]]) -> dict[str, set[Value]]:
    """Find the values of axes that a user names by their text.

    Raises:
        UserError: there is no such axis or value.
    """
    kept: dict[str, set[Value]] = {}
    known = {axis.name: axis for axis in axes}
    for name, texts in where.items():
        if name not in known:
            raise UserError(f"where: axis {name!r} is unknown {list_allowed(name, known)}")
        spelt = {
            spell(value): value for spell in (show_value, str) for value in known[name].values
        }  # in full comes last
        for text in texts:
            if text not in spelt:
                allowed = ", ".join(map(show_value, known[name].values))
                raise UserError(f"where: {name}: {text!r} is not in this sweep (allowed: {allowed})")
            kept.setdefault(name, set()).add(spelt[text])
    return kept


def narrow(axes: Sequence[Axis], columns: Sequence[Iterable[Value]]) -> tuple[Axis, ...]:
    """Leave of every axis the values that are there; columns: the values of each axis at all points."""
    found = [set(column) for column in columns]
    return tuple(
        replace(axis, values=tuple(value for value in axis.values if value in own))
        for axis, own in zip(axes, found, strict=True)
    )


def cross(points: Sequence[Mapping[str, object]], axis: Axis) -> list[list[int]]:
    """Group points by their value on an axis, in its order; nothing where its values do not go with the same rests."""
    groups: dict[object, list[int]] = {value: [] for value in axis.values}
    rests: dict[object, set[frozenset[tuple[str, object]]]] = {value: set() for value in axis.values}
    for place, point in enumerate(points):
        groups[point[axis.name]].append(place)
        rests[point[axis.name]].add(frozenset((name, value) for name, value in point.items() if name != axis.name))
    is_crossed = axis.varies and None not in groups and all(own == rests[axis.values[0]] for own in rests.values())
    return list(groups.values()) if is_crossed else []


def is_numeric(axis: Axis) -> bool:
    """Whether all values are numbers."""
    return all(map(is_number, axis.values))


def is_number(value: Value) -> bool:
    """Whether a value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_plain(axis: Axis) -> bool:
    """Whether all values are numbers or texts, as a column of a frame has them."""
    return all(isinstance(value, int | float | str) for value in axis.values)


def join_words(words: Sequence[str]) -> str:
    """Join words: a, b and c; or, of words that hold commas, a; b and c."""
    between = "; " if any(", " in word for word in words) else ", "
    return " and ".join(part for part in (between.join(words[:-1]), *words[-1:]) if part)


def slug(text: str) -> str:
    """Turn a name into a part of a file's name: 80-10-10."""
    return "-".join("".join(each if each.isalnum() or each in "._-" else " " for each in text).split())


def _check_repeated(axes: Iterable[Axis]) -> None:
    for axis in axes:
        if axis.role is Role.REPEATED and axis.varies and axis.layer is not Layer.PARTITION:
            raise UserError(
                f"roles: {axis.name} is repeated, and the error of a mean over values of it cannot be told (allowed: "
                f"axes of the partition); compare its values, or look at one with --where {axis.name}=VALUE"
            )


def _check_names(compared: Sequence[str], rows: Sequence[str], columns: Sequence[str]) -> None:
    for what, names in (("rows", rows), ("columns", columns)):
        for name in names:
            if name not in compared:
                raise UserError(f"{what}: {name!r} is no compared axis {list_allowed(name, compared)}")
            if [*rows, *columns].count(name) > 1:
                raise UserError(f"{what}: {name!r} stands there twice; name an axis once among rows and columns")
