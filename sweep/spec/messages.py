"""Pydantic's errors in our own words. What is allowed is read from the JSON schema, so that it is written down once."""

from collections.abc import Callable, Iterator
from functools import cache
from reprlib import Repr
from typing import Any

from pydantic_core import ErrorDetails

from sweep.errors import list_allowed
from sweep.spec.mistakes import Complaint, Key
from sweep.spec.schema import Spec

Fragment = dict[str, Any]  # a part of the JSON schema

_KINDS = {
    "array": "a list of widths",
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
}
_TYPE_ERRORS = {"bool_type", "float_type", "int_type", "model_type", "string_type"}
_NAME_RULE = "letters, digits, '_', '-', '.', at most 80, starting with a letter or digit"
_ALLOWED: dict[str, Callable[[Fragment], str]] = {  # the first whose key is in the fragment
    "enum": lambda fragment: ", ".join(fragment["enum"]),
    "const": lambda fragment: fragment["const"],
    "properties": lambda fragment: ", ".join(fragment["properties"]),
    "pattern": lambda _: _NAME_RULE,
    "minLength": lambda _: "at least one character",
    "exclusiveMinimum": lambda fragment: (
        f"above {fragment['exclusiveMinimum']:g}"
        + (f", at most {fragment['maximum']:g}" if "maximum" in fragment else "")
    ),
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
            yield key, _explain_unknown_key(str(key[-1]), _find_section(error["loc"][:-1]))
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
        case list() | tuple():
            return "a list"
        case dict():
            return "a mapping"
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


def _explain_unknown_key(name: str, section: Fragment) -> str:
    return f"unknown key {list_allowed(name, section['properties'])}"


def _find_fragment(loc: Key) -> Fragment:
    """The JSON schema of the value at `loc`: of its plainest form, where it has several."""
    names = [part for part in loc if isinstance(part, str)]  # an axis and its items are allowed the same
    if not names:
        return _schema()
    field = _resolve(_find_section(tuple(names[:-1]))["properties"][names[-1]])
    plain = _list_forms(field)[0]
    if "additionalProperties" in field:  # the values of a mapping
        plain = _resolve(field["additionalProperties"])
    return {**plain, "description": field.get("description", "")}


def _find_section(loc: Key) -> Fragment:
    section = _schema()
    for part in (part for part in loc if isinstance(part, str)):
        forms = _list_forms(section["properties"][part])
        forms += [_resolve(form["items"]) for form in forms if "items" in form]
        section = next(form for form in forms if "properties" in form)
    return section


def _list_forms(fragment: Fragment) -> list[Fragment]:
    fragment = _resolve(fragment)
    return [_resolve(form) for form in fragment.get("anyOf", [fragment])]


def _resolve(fragment: Fragment) -> Fragment:
    target = fragment.get("$ref", "").rpartition("/")[-1]
    return {**_schema()["$defs"][target], **fragment} if target else fragment


@cache
def _schema() -> Fragment:
    return Spec.model_json_schema()
