"""YAML text to values, with the place of each.

PyYAML follows YAML 1.1, where `1e-4` is text, `no` is false, 1:30 is ninety and the last of repeated keys wins. Here
plain scalars are read as in YAML 1.2, so that JSON is read as JSON, and a repeated key is a mistake.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.reader import ReaderError

from sweep.errors import UserError
from sweep.spec.mistakes import Key, Mistake, Place
from sweep.spec.schema import SHORT_FORMS

_TAG = "tag:yaml.org,2002:"
_NULL, _TEXT, _MAPPING, _LIST = (f"{_TAG}{name}" for name in ("null", "str", "map", "seq"))


def _read_float(text: str) -> float:
    return float(re.sub(r"\.(?=inf|nan)", "", text.lower()))


def _read_text(text: str) -> str:
    # JSON escapes a character beyond U+FFFF in two halves, and YAML reads each half by itself.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


# Tag: what it matches and how it is read, in the order tried. An integer too long for `int` becomes an infinite float.
_SCALARS: dict[str, tuple[str, Callable[[str], Any]]] = {
    _NULL: (r"~|null|Null|NULL|", lambda _: None),
    f"{_TAG}bool": (r"true|True|TRUE|false|False|FALSE", lambda text: text.lower() == "true"),
    f"{_TAG}int": (r"[-+]?[0-9]{1,300}", int),
    f"{_TAG}float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        _read_float,
    ),
    _TEXT: (r"(?s:.*)", _read_text),
}


class _Loader(yaml.SafeLoader):
    """Gives plain scalars the tags of `_SCALARS`, whatever they start with (None)."""


_Loader.yaml_implicit_resolvers = {
    None: [(tag, re.compile(rf"(?:{pattern})\Z")) for tag, (pattern, _) in _SCALARS.items()]
}


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML mapping. `sources` are the file and the overrides, as places name them."""

    root: MappingNode
    sources: tuple[str, ...]

    def locate(self, key: Key) -> Place:
        """Find the place of a key, or of the innermost section around it that was written."""
        node: Node = self.root
        mark = node.start_mark
        for part in key:
            if isinstance(node, SequenceNode) and isinstance(part, int):
                node = node.value[part]
                mark = node.start_mark
                continue
            pair = _find_pair(node, str(part))
            if pair is None:
                break
            mark, node = pair[0].start_mark, pair[1]
        return self._place(mark)

    def read(self) -> tuple[dict[str, Any], list[Mistake]]:
        """Return the values, and the mistakes that YAML itself would let pass. The first of repeated keys counts."""
        mistakes: list[Mistake] = []
        try:
            return self._read_mapping(self.root, (), mistakes), mistakes
        except RecursionError:
            raise UserError(f"{self.sources[0]}: is nested too deeply, or contains itself") from None

    def _read(self, node: Node, key: Key, mistakes: list[Mistake]) -> Any:
        if not _fits_tag(node):
            text = f"cannot be read as {node.tag.replace(_TAG, '!!')} (allowed: no tag)"
            mistakes.append(Mistake(self._place(node.start_mark), key, text))
            return node.value if isinstance(node, ScalarNode) else {}
        if isinstance(node, MappingNode):
            return self._read_mapping(node, key, mistakes)
        if isinstance(node, SequenceNode):
            return [self._read(item, (*key, index), mistakes) for index, item in enumerate(node.value)]
        return _SCALARS[node.tag][1](node.value)

    def _read_mapping(self, node: MappingNode, key: Key, mistakes: list[Mistake]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for name, value in node.value:
            place = self._place(name.start_mark)
            if not isinstance(name, ScalarNode):
                mistakes.append(Mistake(place, key, "a list or a mapping is not a key (allowed: text)"))
            elif name.value in values:
                text = f"is given twice, first in line {lines[name.value]} (allowed: each key once)"
                mistakes.append(Mistake(place, (*key, name.value), text))
            else:
                lines[name.value] = place.line
                values[name.value] = self._read(value, (*key, name.value), mistakes)
        return values

    def _place(self, mark: yaml.Mark) -> Place:
        source, line = self.sources.index(mark.name), mark.line + 1
        return Place(source, line, mark.column, mark.name if source else f"{mark.name}:{line}")


def read_document(text: str, where: str, overrides: Sequence[str]) -> Document:
    """Parse YAML text and put `overrides` (`key.path=YAML value`) in; UserError where either is no YAML."""
    root = _compose(text, where)
    if root is None:
        raise UserError(f"{where}: is empty (allowed: a mapping)")
    if not isinstance(root, MappingNode):
        what = "a list" if isinstance(root, SequenceNode) else "a single value"
        raise UserError(f"{where}:{root.start_mark.line + 1}: {what} is not a spec (allowed: a mapping)")
    sources, complaints = [where], []
    for override in overrides:
        try:
            path, value = _read_override(override)
            root = _graft(root, path, value)
        except UserError as error:
            complaints.append(str(error))
        else:
            sources.append(value.start_mark.name)
    if complaints:
        raise UserError("\n".join(complaints))
    return Document(root, tuple(sources))


def _fits_tag(node: Node) -> bool:
    if isinstance(node, ScalarNode):
        return node.tag in _SCALARS and re.fullmatch(_SCALARS[node.tag][0], node.value) is not None
    return node.tag in {_MAPPING, _LIST}


def _compose(text: str, where: str) -> Node | None:
    try:
        loader = _Loader(text)
        loader.name = where
        return loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, problem = mark.line if mark else 0, ", ".join(filter(None, (error.context, error.problem)))
    except ReaderError as error:
        line, problem = text.count("\n", 0, error.position), f"U+{error.character:04X} is not allowed"
    except RecursionError:
        line, problem = 0, "it is nested too deeply"
    place = where if where.startswith("--set ") else f"{where}:{line + 1}"
    raise UserError(f"{place}: is not YAML: {problem}")


def _read_override(override: str) -> tuple[list[str], Node]:
    """Split `key.path=value`; the value's mark names the override."""
    path, equals, text = override.partition("=")
    keys = path.strip().split(".")
    source = f"--set {path.strip()}"
    if not equals or not all(keys):
        raise UserError(f"--set {override}: is not KEY=VALUE (allowed: for example training.batch_size=50)")
    mark = yaml.Mark(source, 0, 0, 0, None, 0)
    return keys, _compose(text, source) or ScalarNode(_NULL, "", mark, mark)


def _graft(section: MappingNode | None, path: Sequence[str], value: Node) -> MappingNode:
    """Return a copy of a section with `value` at `path`; a value in the way is replaced, a list of sections is not."""
    name, *rest = path
    key, mark = ScalarNode(_TEXT, name, value.start_mark), value.start_mark
    if rest:
        written, old = _find_pair(section, name) or (key, None)
        if isinstance(old, SequenceNode) and any(isinstance(item, MappingNode) for item in old.value):
            allowed = f"allowed: {mark.name.removesuffix('.'.join(['', *rest]))}=[...], which replaces the list"
            raise UserError(f"{mark.name}: {name} is a list here, which has no key {rest[0]} ({allowed})")
        inner = _as_section(name, old)
        key = key if inner is None else written
        value = _graft(inner, rest, value)
    pairs = [] if section is None else [pair for pair in section.value if pair[0].value != name]
    return MappingNode(_MAPPING, [*pairs, (key, value)], mark if section is None else section.start_mark)


def _as_section(name: str, node: Node | None) -> MappingNode | None:
    if name in SHORT_FORMS and isinstance(node, ScalarNode | SequenceNode) and node.tag != _NULL:
        return MappingNode(_MAPPING, [(ScalarNode(_TEXT, SHORT_FORMS[name], node.start_mark), node)], node.start_mark)
    return node if isinstance(node, MappingNode) else None


def _find_pair(node: Node | None, name: str) -> tuple[ScalarNode, Node] | None:
    pairs = node.value if isinstance(node, MappingNode) else []
    return next((pair for pair in pairs if isinstance(pair[0], ScalarNode) and pair[0].value == name), None)
