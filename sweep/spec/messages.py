"""Pydantic's errors in our own words. What is allowed is read from the JSON schema, so that it is written down once."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from reprlib import Repr
from typing import Any

from pydantic_core import ErrorDetails

from sweep.errors import list_allowed
from sweep.spec.mistakes import Complaint, Key
from sweep.spec.schema import FORMER_NAMES, Spec

Fragment = dict[str, Any]  # a part of the JSON schema

_KINDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}
_VERDICTS = {
    "enum": "is not offered",
    "literal_error": "is not offered",
    "string_pattern_mismatch": "is not a name",
    "string_too_short": "is empty",
    "greater_than": "is out of range",
    "greater_than_equal": "is out of range",
    "less_than_equal": "is out of range",
    "less_than": "is out of range",
}
_TYPE_ERRORS = {"bool_type", "dict_type", "float_type", "int_type", "model_type", "string_type", "tuple_type"}
_LISTS = {"integer": "a list of whole numbers, [] for none", "object": "a list of mappings"}
_NAME_RULE = "letters, digits, '_', '-', '.', at most 80, starting with a letter or digit"
_ALLOWED: dict[str, Callable[[Fragment], str]] = {  # the first whose key is in the fragment
    "enum": lambda fragment: ", ".join(fragment["enum"]),
    "const": lambda fragment: fragment["const"],
    "properties": lambda fragment: ", ".join(fragment["properties"]),
    "propertyNames": lambda fragment: ", ".join(fragment["propertyNames"]["enum"]),
    "items": lambda fragment: _LISTS[_resolve(fragment["items"])["type"]],
    "pattern": lambda _: _NAME_RULE,
    "minLength": lambda _: "at least one character",
    "exclusiveMinimum": lambda fragment: (
        f"above {fragment['exclusiveMinimum']:g}"
        + (f", at most {fragment['maximum']:g}" if "maximum" in fragment else "")
    ),
    "exclusiveMaximum": lambda fragment: f"{fragment['minimum']:g} or more, below {fragment['exclusiveMaximum']:g}",
    "maximum": lambda fragment: f"{fragment['minimum']:,} to {fragment['maximum']:,}",
    "minimum": lambda fragment: f"{fragment['minimum']:,} or more",
    "type": lambda _: "true, false",
}
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 60


def explain_error(error: ErrorDetails, key: Key) -> Iterator[Complaint]:
    """Yield what is wrong with `key`: as much of the error's own key as the user wrote."""
    match error["type"]:
        case "missing":
            yield key, f"is missing ({_describe(_find_fragment(error['loc']))})"
        case "extra_forbidden":
            yield key, _explain_unknown_key(key, _find_fragment(error["loc"][:-1], "properties")["properties"])
        case "literal_error" if error["loc"][-1] == "[key]":
            yield key, _explain_unknown_key(key, _find_fragment(error["loc"][:-2])["propertyNames"]["enum"])
        case "empty_axis":
            yield key, "an empty list leaves no trials (allowed: one value or more)"
        case "repeated_value":
            pass  # found by `find_conflicts`, which sees repeats beside wrong values too
        case "value_error":
            yield key, f"{show_value(error['input'])} {error['ctx']['error']}"
        case _:
            yield key, _explain_value(error)


def describe_field(name: str) -> str:
    """Say what a field of the grid is, as a part of a line."""
    return _describe(_find_fragment(("grid", name)))


def _describe(fragment: Fragment) -> str:
    description = str(fragment["description"])
    return f"{description[0].lower()}{description[1:].rstrip('.')}"


def show_value(value: Any) -> str:
    """Spell a value as YAML does, shortened to a part of a line."""
    match value:
        case None:
            return "an empty value"
        case bool():
            return str(value).lower()
        case float():
            return repr(value).replace("inf", ".inf").replace("nan", ".nan")
        case tuple():
            return _SHORT.repr(list(value))
        case list() | dict():
            return "a list" if isinstance(value, list) else "a mapping"
    return _SHORT.repr(value)


def _explain_value(error: ErrorDetails) -> str:
    given, shown, fragment = error["input"], show_value(error["input"]), _find_fragment(error["loc"])
    if error["type"] in _TYPE_ERRORS and "enum" not in fragment:
        text = f"{shown} {_compare_types(given, _KINDS[fragment['type']])}"
    elif error["type"] in _TYPE_ERRORS:  # a section with a short form
        text = f"{shown} is not offered"
    elif error["type"] == "finite_number":
        text = f"must be a finite number, not {shown}"
    elif error["type"] in _VERDICTS:
        text = f"{shown} {_VERDICTS[error['type']]}"
    else:
        return error["msg"].lower()
    allowed = next(spell(fragment) for part, spell in _ALLOWED.items() if part in fragment)
    return f"{text} (allowed: {allowed})"


def _compare_types(given: Any, wanted: str) -> str:
    if isinstance(given, str):
        return f"is text, not {wanted}"
    hint = ": put it in quotes" if wanted == "text" and isinstance(given, int | float) else ""
    return f"is not {wanted}{hint}"


def _explain_unknown_key(key: Key, allowed: Iterable[str]) -> str:
    section, name = FORMER_NAMES.get((str(key[0]), str(key[-1])), ("", ""))
    if name:
        today = name if section == key[0] else f"{section}.{name}"
        return f"is the former name of {today} (allowed: {today} alone)"
    return f"unknown key {list_allowed(str(key[-1]), allowed)}"


def _find_fragment(loc: Key, keyword: str = "") -> Fragment:
    """The JSON schema of the value at `loc`: of several forms the one with a keyword, else the plainest."""
    found, description = _schema(), ""
    for part in loc:
        forms = _list_forms(found)
        if isinstance(part, str):
            section = next(form for form in forms if "properties" in form or "propertyNames" in form)
            found = section["properties"][part] if "properties" in section else section["additionalProperties"]
            description = found.get("description", "")
        else:  # an axis is allowed what its items are
            found = found["items"] if "items" in found else forms[0]
    forms = _list_forms(found)
    return {**next((form for form in forms if keyword in form), forms[0]), "description": description}


def _list_forms(fragment: Fragment) -> list[Fragment]:
    fragment = _resolve(fragment)
    return [form for each in fragment["anyOf"] for form in _list_forms(each)] if "anyOf" in fragment else [fragment]


def _resolve(fragment: Fragment) -> Fragment:
    target = fragment.get("$ref", "").rpartition("/")[-1]
    return {**_schema()["$defs"][target], **fragment} if target else fragment


@cache
def _schema() -> Fragment:
    return Spec.json_schema()
