"""What the fields of a spec demand of each other, checked on whichever of them are right by themselves."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from sweep.networks.table import NETWORKS, FeatureKind, Row, WeightsSource
from sweep.spec.messages import describe_field, show_value
from sweep.spec.mistakes import Complaint, Key, as_written, spell_key
from sweep.spec.schema import AXES, MAX_TRIALS, PATIENTS_FORMS, SHORT_FORMS, TrainingSpec
from sweep.spec.values import Split

_SOURCES_WITH_PATH = {WeightsSource.HUB, WeightsSource.FILE}
_NEEDED = ("network", "resolution", "split", "shuffle", "learning_rate", "steps")  # have no default
_ONLY_COMPARED, _ONLY_REPEATED = ("split",), ("shuffle",)

Item = tuple[Key, Any]  # a value with its key
Section = tuple[Key, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Given:
    """A spec's values as written, and the keys whose values are wrong by themselves."""

    values: Mapping[str, Any]
    faulty: set[Key]

    def section(self, name: str) -> Mapping[str, Any]:
        """Return a section written out; empty where it is missing or something else."""
        section = self.values.get(name)
        if name in SHORT_FORMS and isinstance(section, str | list):
            return {SHORT_FORMS[name]: section}
        return section if isinstance(section, dict) else {}

    def read(self, key: Key, value: Any) -> list[Item]:
        """Return the right ones of the values of a field, each with its key."""
        if isinstance(value, dict):  # a number of seeds, which are what they should be
            return []
        if key[-1] == "hidden":
            are_several = isinstance(value, list) and any(isinstance(each, list) for each in value)
            value = [tuple(each) if isinstance(each, list) else each for each in (value if are_several else [value])]
            items = [((*key, index) if are_several else key, each) for index, each in enumerate(value)]
        elif isinstance(value, list):
            items = [((*key, index), each) for index, each in enumerate(value)]
        else:
            items = [(key, value)]
        return [item for item in items if not self._is_faulty(item[0])]

    def _is_faulty(self, key: Key) -> bool:
        return any(key[: len(faulty)] == faulty or faulty[: len(key)] == key for faulty in self.faulty)

    def list_axes(self) -> Iterator[tuple[str, Key, Any]]:
        """Yield every axis that is written anywhere, with its key and value."""
        for axis, (key, value) in self.list_section_fields().items():
            yield axis, key, value
        for key, product, bundles in self.list_products():
            for where, axes in [(key, product), *bundles]:
                yield from ((axis, (*where, axis), value) for axis, value in axes.items() if axis in AXES)

    def list_alternatives(self) -> Iterator["_Alternative"]:
        """Yield every product of the grid, bundle by bundle, as the sections fill it in."""
        defaults = {"weights": WeightsSource.IMAGENET.value, "features": FeatureKind.POOLED.value}
        base = {axis: self.read((axis,), value) for axis, value in defaults.items()}
        base |= {axis: self.read(key, value) for axis, (key, value) in self.list_section_fields().items()}
        for key, product, bundles in self.list_products():
            own = {axis: self.read((*key, axis), value) for axis, value in product.items() if axis in AXES}
            bundled = frozenset(axis for _, bundle in bundles for axis in bundle)
            for where, bundle in bundles or [(key, {})]:
                more = {axis: self.read((*where, axis), value) for axis, value in bundle.items() if axis in AXES}
                yield _Alternative(where, {**base, **own, **more}, {**product, **bundle}, key, bundled)

    def list_section_fields(self) -> dict[str, Item]:
        """Return what the sections say of axes, by axis."""
        fields: dict[str, Item] = {}
        for name in ("preprocessing", "training"):
            fields |= {axis: ((name, axis), value) for axis, value in self.section(name).items() if axis in AXES}
        if "source" in self.section("weights"):
            fields["weights"] = as_written(self.values, ("weights", "source")), self.section("weights")["source"]
        if "features" in self.values:
            fields["features"] = ("features",), self.values["features"]
        return fields

    def list_products(self) -> Iterator[tuple[Key, Mapping[str, Any], list[Section]]]:
        """Yield every product of the grid with its key and its bundles."""
        for key, product in _list_mappings(("grid",), self.values.get("grid")):
            bundles = product.get("bundles")
            yield key, product, _list_mappings((*key, "bundles"), bundles) if isinstance(bundles, list) else []


@dataclass(frozen=True, slots=True)
class _Alternative:
    """A product of axes with one of its bundles: the right values by axis, and all that is written in the grid."""

    key: Key
    axes: Mapping[str, list[Item]]
    written: Mapping[str, Any]
    product: Key
    bundled: frozenset[str]  # what any bundle of the product says

    def locate(self, name: str) -> Key:
        """Return where an axis should be: in the bundle where others have it, else in the product."""
        return (*(self.key if name in self.bundled else self.product), name)

    def rows(self) -> Iterator[tuple[str, Row]]:
        """Yield the networks, each once."""
        for name in dict.fromkeys(name for _, name in self.axes.get("network", [])):
            yield name, NETWORKS[name]


def find_conflicts(values: Mapping[str, Any], faulty: set[Key]) -> Iterator[Complaint]:
    """Yield what is wrong between the fields of a spec; `faulty` are the keys that are wrong by themselves."""
    given = _Given(values, faulty)
    yield from _check_repeats(given)
    yield from _check_lists(given)
    yield from _check_roles(given)
    yield from _check_patients(given)
    complaints: dict[Complaint, None] = {}
    for alternative in given.list_alternatives():
        for check in (_check_presence, _check_variants, _check_offers):
            complaints |= dict.fromkeys(check(given, alternative))
        complaints |= dict.fromkeys(_check_path(given, alternative))
    yield from complaints
    yield from _check_size(given)


def _check_repeats(given: _Given) -> Iterator[Complaint]:
    for axis, key, value in given.list_axes():
        seen: set[Any] = set()
        for where, written in given.read(key, value):
            read = Split.parse(written) if axis == "split" else written
            if read in seen:
                yield where, f"{show_value(written)} is given twice (allowed: each value once)"
            seen.add(read)


def _check_lists(given: _Given) -> Iterator[Complaint]:
    """A product's value stands in for its section's; where both are lists, one of them was forgotten."""
    fields = given.list_section_fields()
    for axis, key, value in given.list_axes():
        other, values = fields.get(axis, (key, value))
        if key != other and _count_values(axis, value) > 1 < _count_values(axis, values):
            yield key, f"is a list here and in {spell_key(other)} (allowed: a list in one of them)"
    for key, product, bundles in given.list_products():
        for axis in AXES if bundles else ():
            is_unused = axis in product and all(axis in bundle for _, bundle in bundles)
            if is_unused and _count_values(axis, product[axis]) > 1:
                yield (*key, axis), "is a list that every bundle overrides (allowed: a list here or in the bundles)"


def _check_presence(given: _Given, alternative: _Alternative) -> Iterator[Complaint]:
    if (*alternative.product, "bundles") in given.faulty:  # it may have been there
        return
    needed = dict.fromkeys((*_NEEDED, *(axis for _, row in alternative.rows() for axis in row.axes)))
    elsewhere = given.section("training")
    for name in needed:
        if name not in alternative.written and not (name in TrainingSpec.model_fields and name in elsewhere):
            yield alternative.locate(name), f"is missing ({describe_field(name)})"


def _check_variants(_: _Given, alternative: _Alternative) -> Iterator[Complaint]:
    rows = list(alternative.rows())
    own = {axis for _, row in rows for axis in row.axes}
    for name, row in rows:
        for axis, offered in row.axes.items():
            for key, value in alternative.axes.get(axis, []):
                if value not in offered:
                    yield key, _refuse(show_value(value), name, offered)
    for axis in sorted({axis for row in NETWORKS.values() for axis in row.axes} - own):
        for key, value in alternative.axes.get(axis, []) if rows else []:
            yield key, f"{show_value(value)} is of no use (no network of this product has the axis {axis})"


def _check_offers(given: _Given, alternative: _Alternative) -> Iterator[Complaint]:
    for name, row in alternative.rows():
        for key, kind in alternative.axes.get("features", []):
            if kind not in row.features:
                yield key, _refuse(show_value(kind), name, row.features)
        for key, source in alternative.axes.get("weights", []):
            if source not in row.sources:
                is_default = key[0] == "weights" and "weights" not in given.values
                default = " (the default)" if is_default else ""
                yield key, _refuse(f"{show_value(source)}{default}", name, row.sources)


def _check_path(given: _Given, alternative: _Alternative) -> Iterator[Complaint]:
    key: Key = ("weights", "path")
    path = given.section("weights").get("path")
    sources = {source for _, source in alternative.axes.get("weights", [])}
    if key in given.faulty or not sources:
        return
    if path is None:
        if WeightsSource.FILE in sources:
            yield key, "is missing (a Keras weights file, which source 'file' needs)"
    elif not sources & _SOURCES_WITH_PATH:
        source = " and ".join(map(repr, sorted(map(str, sources))))
        yield key, f"{show_value(path)} is not used by source {source} (allowed: no path, or source hub or file)"
    else:
        own = dict.fromkeys(axis for _, row in alternative.rows() for axis in row.axes)
        counts = {name: len(alternative.axes.get(name, [])) for name in ("network", *own)}
        yield from ((key, text) for text in _check_placeholders(path, counts))


def _check_placeholders(path: str, counts: Mapping[str, int]) -> Iterator[str]:
    """Check a path against the number of values that each placeholder stands for."""
    allowed = [f"{{{name}}}" for name in counts]
    for found in re.findall(r"\{[^{}]*\}?|\}", path):
        if found not in allowed:
            yield f"{show_value(found)} is not a placeholder (allowed: {', '.join(allowed)})"
    for placeholder, (name, count) in zip(allowed, counts.items(), strict=True):
        if count > 1 and placeholder not in path:
            values = f"{count} values of grid.{name}"
            yield f"{show_value(path)} is one path for {values} (allowed: a path with {placeholder})"


def _check_roles(given: _Given) -> Iterator[Complaint]:
    for name, role in given.section("roles").items():
        key: Key = ("roles", name)
        if key in given.faulty:
            continue
        if name in _ONLY_REPEATED and role != "repeated":
            yield key, f"{show_value(role)} is not offered for {name} (allowed: repeated)"
        elif name in _ONLY_COMPARED and role != "compared":
            yield key, f"{show_value(role)} is not offered for {name} (allowed: compared)"
        elif name not in _ONLY_REPEATED and role == "repeated":
            yield key, f"{show_value(role)} is not offered for {name} (allowed: compared, tuned)"


def _check_patients(given: _Given) -> Iterator[Complaint]:
    patients = given.section("data").get("patients")
    if not isinstance(patients, dict) or any(key[:2] == ("data", "patients") for key in given.faulty):
        return
    named = [name for name, value in patients.items() if value not in {None, False}]
    if len(named) != 1:
        what = f"has {' and '.join(named)}" if named else "names nothing"
        yield ("data", "patients"), f"{what} (allowed: one of {PATIENTS_FORMS})"


def _check_size(given: _Given) -> Iterator[Complaint]:
    training = given.section("training")
    size = 0
    for alternative in given.list_alternatives():
        counts = {name: max(len(items), 1) for name, items in alternative.axes.items()}
        written = {**training, **alternative.written}
        counts |= {name: _count_values(name, written[name]) for name in AXES if name in written}
        size += prod(counts.values())
    if size > MAX_TRIALS:
        limit = f"allowed: at most {MAX_TRIALS:,}; shorten an axis or make several sweeps"
        yield ("grid",), f"{size:,} trials are too many to plan in memory ({limit})"


def _count_values(name: str, axis: Any) -> int:
    if isinstance(axis, dict):
        count = axis.get("count")
        return count if isinstance(count, int) and 1 <= count <= MAX_TRIALS else 1
    if name == "hidden" and isinstance(axis, list):
        return len(axis) if any(isinstance(each, list) for each in axis) else 1
    return len(axis) if isinstance(axis, list) else 1


def _list_mappings(key: Key, value: Any) -> list[Section]:
    """Return a mapping, or those of a list, each with its key."""
    if isinstance(value, dict):
        return [(key, value)]
    items = enumerate(value) if isinstance(value, list) else ()
    return [((*key, index), each) for index, each in items if isinstance(each, dict)]


def _refuse(given: str, network: str, offered: Iterable[Any]) -> str:
    return f"{given} is not offered for {network} (allowed: {', '.join(map(str, offered))})"
