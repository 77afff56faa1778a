"""What the fields of a spec demand of each other, checked on whichever of them are right by themselves."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from sweep.catalogue import FAMILIES, BackboneFamily, FeatureKind, WeightsSource
from sweep.spec.messages import show_value
from sweep.spec.mistakes import Complaint, Key, as_written
from sweep.spec.schema import MAX_TRIALS, PATIENTS_FORMS, SHORT_FORMS, Grid, WeightsSpec
from sweep.spec.values import Split

_SOURCES_WITH_PATH = {WeightsSource.HUB, WeightsSource.FILE}


@dataclass(frozen=True, slots=True)
class _Given:
    """A spec's values as written, and the keys whose values are wrong by themselves."""

    values: Mapping[str, Any]
    faulty: set[Key]

    def section(self, name: str) -> Mapping[str, Any]:
        """Return a section written out; empty where it is missing or something else."""
        section = self.values.get(name)
        if name in SHORT_FORMS and isinstance(section, str):
            return {SHORT_FORMS[name]: section}
        return section if isinstance(section, dict) else {}

    def axis(self, name: str) -> list[tuple[Key, Any]]:
        """Return the right values of an axis, each with its key."""
        key: Key = ("grid", name)
        values = self.section("grid").get(name, [])
        if isinstance(values, dict):  # a number of seeds, which are what they should be
            return []
        if not isinstance(values, list):
            return [] if key in self.faulty else [(key, values)]
        items = [((*key, index), value) for index, value in enumerate(values)]
        return [item for item in items if item[0] not in self.faulty]

    def families(self) -> list[BackboneFamily]:
        """Return the families of the grid, each once."""
        return [FAMILIES[name] for name in dict.fromkeys(name for _, name in self.axis("backbone"))]


def find_conflicts(values: Mapping[str, Any], faulty: set[Key]) -> Iterator[Complaint]:
    """Yield what is wrong between the fields of a spec; `faulty` are the keys that are wrong by themselves."""
    given = _Given(values, faulty)
    yield from _check_repeats(given)
    yield from _check_variants(given)
    yield from _check_features(given)
    yield from _check_weights(given)
    yield from _check_patients(given)
    yield from _check_size(given)


def _check_repeats(given: _Given) -> Iterator[Complaint]:
    for name in Grid.model_fields:
        seen: set[Any] = set()
        for key, written in given.axis(name):
            value = Split.parse(written) if name == "split" else written
            if value in seen:
                yield key, f"{show_value(written)} is given twice (allowed: each value once)"
            seen.add(value)


def _check_variants(given: _Given) -> Iterator[Complaint]:
    for family in given.families():
        for name, offered in (("alpha", family.alphas), ("resolution", family.resolutions)):
            for key, value in given.axis(name):
                if value not in offered:
                    yield key, _refuse(show_value(value), family, offered)


def _check_features(given: _Given) -> Iterator[Complaint]:
    for family in given.families():
        if family.name == "tiny" and given.values.get("features") == FeatureKind.LOGITS:
            yield ("features",), _refuse("'logits'", family, [FeatureKind.POOLED])


def _check_weights(given: _Given) -> Iterator[Complaint]:
    weights = given.section("weights")
    key = as_written(given.values, ("weights", "source"))
    if key in given.faulty:
        return
    source = weights.get("source", WeightsSpec().source.value)
    for family in given.families():
        if source not in family.sources:
            default = "" if "source" in weights else " (the default)"
            yield key, _refuse(f"{show_value(source)}{default}", family, family.sources)
    if ("weights", "path") not in given.faulty:
        yield from ((("weights", "path"), text) for text in _check_path(given, source, weights.get("path")))


def _check_path(given: _Given, source: str, path: str | None) -> Iterator[str]:
    if path is None:
        if source == WeightsSource.FILE:
            yield "is missing (a Keras weights file, which source 'file' needs)"
    elif source not in _SOURCES_WITH_PATH:
        yield f"{show_value(path)} is not used by source {source!r} (allowed: no path, or source hub or file)"
    else:
        yield from _check_placeholders(path, {name: len(given.axis(name)) for name in ("alpha", "resolution")})


def _check_patients(given: _Given) -> Iterator[Complaint]:
    patients = given.section("data").get("patients")
    if not isinstance(patients, dict) or any(key[:2] == ("data", "patients") for key in given.faulty):
        return
    named = [name for name, value in patients.items() if value not in {None, False}]
    if len(named) != 1:
        what = f"has {' and '.join(named)}" if named else "names nothing"
        yield ("data", "patients"), f"{what} (allowed: one of {PATIENTS_FORMS})"


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


def _check_size(given: _Given) -> Iterator[Complaint]:
    grid = given.section("grid")
    size = prod(_count_values(grid[name]) for name in Grid.model_fields if name in grid)
    if size > MAX_TRIALS:
        limit = f"allowed: at most {MAX_TRIALS:,}; shorten an axis or make several sweeps"
        yield ("grid",), f"{size:,} trials are too many to plan in memory ({limit})"


def _count_values(axis: Any) -> int:
    if isinstance(axis, dict):
        count = axis.get("count")
        return count if isinstance(count, int) and 1 <= count <= MAX_TRIALS else 1
    return len(axis) if isinstance(axis, list) else 1


def _refuse(given: str, family: BackboneFamily, offered: Iterable[Any]) -> str:
    return f"{given} is not offered for {family.name} (allowed: {', '.join(map(str, offered))})"
