"""YAML to Spec. A spec with mistakes is refused with all of them, one line each: place, key, what, what is allowed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from sweep.errors import UserError
from sweep.spec.checks import find_conflicts
from sweep.spec.messages import explain_error
from sweep.spec.mistakes import Complaint, Key, Mistake, Place, as_written
from sweep.spec.nodes import read_document
from sweep.spec.schema import FORMER_NAMES, Spec


def load_spec(path: Path, overrides: Sequence[str] = ()) -> Spec:
    """Read a YAML file; each of `overrides` is a `key.path=YAML value`. UserError with one line per mistake."""
    return parse_spec(_read_file(path), str(path), overrides)


def parse_spec(text: str, where: str, overrides: Sequence[str] = ()) -> Spec:
    """Read YAML or JSON text; `where` names it in messages. UserError with one line per mistake."""
    document = read_document(text, where, overrides)
    values, mistakes = document.read()
    return _validate(values, document.locate, mistakes)


def make_spec(values: Mapping[str, Any]) -> Spec:
    """Check a dictionary as if it had been read from YAML. UserError with one line per mistake."""
    return _validate(_to_yaml_values(values), lambda _: Place(), ())


def dump_spec(spec: Spec) -> str:
    """Return a spec as YAML that `parse_spec` reads, every default written out."""
    return yaml.safe_dump(spec.model_dump(mode="json"), sort_keys=False)


def spec_schema() -> dict[str, Any]:
    """JSON schema of a spec, for editors."""
    schema = Spec.json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Spec of a sweep"}


def _validate(values: dict[str, Any], locate: Callable[[Key], Place], mistakes: Iterable[Mistake]) -> Spec:
    values, former_keys = _rename_former(values)
    spec, complaints = _build_spec(values)
    complaints += find_conflicts(values, {key for key, _ in complaints})
    written = [((*former_keys.get(key[:2], key[:2]), *key[2:]), text) for key, text in complaints]
    found = [*mistakes, *(Mistake(locate(key), key, text) for key, text in written)]
    if spec is None or found:
        raise UserError("\n".join(map(str, sorted(found, key=lambda mistake: mistake.place))))
    return spec


def _rename_former(values: dict[str, Any]) -> tuple[dict[str, Any], dict[Key, Key]]:
    """Give fields that were called otherwise in version 0.1.0 their names of today; also return which they were."""
    renamed: dict[str, Any] = dict(values)
    former_keys: dict[Key, Key] = {}
    for (section, name), (new_section, new_name) in FORMER_NAMES.items():
        fields = renamed.get(section)
        target = fields if new_section == section else renamed.get(new_section, {})
        if isinstance(fields, dict) and name in fields and isinstance(target, dict) and new_name not in target:
            former_keys[new_section, new_name] = (section, name)
            value = fields[name]
            renamed[section] = {key: each for key, each in fields.items() if key != name}
            renamed[new_section] = {**renamed.get(new_section, {}), new_name: value}
    return renamed, former_keys


def _build_spec(values: dict[str, Any]) -> tuple[Spec | None, list[Complaint]]:
    try:
        return Spec.model_validate(values), []
    except ValidationError as error:
        errors = error.errors()
    return None, [complaint for each in errors for complaint in explain_error(each, as_written(values, each["loc"]))]


def _read_file(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: is not there (allowed: a YAML file)") from None
    except IsADirectoryError:
        raise UserError(f"{path}: is a folder (allowed: a YAML file)") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}:{line}: is not UTF-8 text (allowed: a YAML file in UTF-8)") from None


def _to_yaml_values(value: Any) -> Any:
    match value:
        case BaseModel():
            return value.model_dump(mode="json")
        case Mapping():
            return {str(key): _to_yaml_values(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_to_yaml_values(inner) for inner in value]
        case Enum():
            return value.value
    return value
