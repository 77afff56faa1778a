import json
from fractions import Fraction
from pathlib import Path

import jsonschema
import pytest
import yaml
from pydantic import ValidationError

from sweep.spec.load import load_spec, spec_schema
from sweep.spec.schema import Product, TrainingSpec
from sweep.spec.values import Split

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "docs" / "spec.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(spec_schema())
GRID = {
    "network": "mobilenet",
    "alpha": [0.25, 0.5],
    "resolution": 128,
    "split": ["80/10/10", "60/20/20"],
    "learning_rate": 0.1,
    "shuffle": [0, 1, 2],
    "steps": 100,
}


def test_a_single_value_is_an_axis_of_one():
    assert Product.model_validate(GRID).resolution == (128,)


@pytest.mark.parametrize("name", ["momentum", "weight_decay", "dropout", "initial_stddev"])
def test_zero_has_no_sign_that_would_make_it_another_value(name):
    assert str(getattr(TrainingSpec.model_validate({name: -0.0}), name)) == "(0.0,)"


@pytest.mark.parametrize("values", [[], [0.5, 0.5], [1, 1.0]])
def test_an_axis_has_values_and_none_twice(values):
    with pytest.raises(ValidationError, match="an axis has"):
        Product.model_validate({**GRID, "alpha": values})


@pytest.mark.parametrize("text", ["80/10/10", "33.3/33.3/33.4", "99.9998/0.0001/0.0001"])
def test_a_split_is_exact_and_comes_back_from_its_text(text):
    split = Split.parse(text)
    assert split.training + split.validation + split.test == Fraction(100)
    assert str(split) == text
    assert Split.parse(split) is split


@pytest.mark.parametrize(
    "value", ["80/10", "80/10/10/0", "a/b/c", "80/10/10\n", "-80/90/90", "1e9/1/1", "1/0/2/3", " 80/10/10", 80, None]
)
def test_what_is_no_split_is_refused(value):
    with pytest.raises(ValueError, match="is not a split"):
        Split.parse(value)


def test_the_json_schema_is_a_json_schema_with_a_title():
    schema = spec_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$id"]
    assert schema["title"]


@pytest.mark.parametrize("path", sorted((ROOT / "grid_specs").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_spec_fits_the_json_schema_as_written_and_as_stored(path):
    VALIDATOR.validate(yaml.safe_load(path.read_text()))
    VALIDATOR.validate(load_spec(path).model_dump(mode="json"))


@pytest.mark.parametrize(
    "change",
    [
        {"alpha": []},
        {"alpha": "x"},
        {"split": "80"},
        {"network": ["resnet"]},
        {"steps": 0},
        {"steps": {"count": 3}},
        {"step": 1},
        {"shuffle": {}},
        {"shuffle": {"count": 0}},
        {"shuffle": {"count": "all"}},
        {"shuffle": {"count": 3, "from": 5}},
        {"hidden": 512},
        {"hidden": [512, [3]]},
        {"hidden": [0]},
        {"antialias": "yes"},
        {"dropout": 1},
        {"bundles": {"alpha": 1.0}},
        {"bundles": []},
        {"bundles": [{"bundles": []}]},
        {"bundles": [{"alhpa": 1.0}]},
        {"backbone": "mobilenet"},
    ],
)
def test_the_json_schema_refuses_what_the_loader_refuses(change):
    counted = {**GRID, "shuffle": {"count": 30}}
    bundled = {**GRID, "hidden": [[], [512, 64]], "bundles": [{"alpha": 1.0, "hidden": []}, {"hidden": [512]}]}
    for grid in (GRID, counted, bundled, [GRID, bundled]):
        VALIDATOR.validate({"name": "x", "grid": grid, "weights": {"source": "hub"}})
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({"name": "x", "grid": {**GRID, **change}})


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("grid", []),
        ("grid", [5]),
        ("roles", {"alpha": "best"}),
        ("roles", {"alhpa": "tuned"}),
        ("features", ["pooled", "pooled"]),
        ("weights", ["imagenet", "hubb"]),
        ("preprocessing", {"scaling": ["unit", 5]}),
        ("training", {"optimizer": ["sgd", "adm"]}),
    ],
)
def test_the_json_schema_refuses_what_the_loader_refuses_outside_the_grid_too(place, value):
    several = {"features": ["pooled", "logits"], "weights": ["imagenet", "hub"], "roles": {"alpha": "tuned"}}
    VALIDATOR.validate({"name": "x", "grid": GRID, **several})
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({"name": "x", "grid": GRID, **several, place: value})


def test_the_json_schema_names_a_default_only_where_there_is_one():
    product, training = (spec_schema()["$defs"][name]["properties"] for name in ("Product", "TrainingSpec"))
    assert not [name for name, field in product.items() if "default" in field]
    assert "default" not in training["learning_rate"]
    assert (training["batch_size"]["default"], training["hidden"]["default"]) == (100, [])


def test_every_key_of_the_json_schema_is_described():
    schema = spec_schema()
    for section in [schema, *(part for part in schema["$defs"].values() if "properties" in part)]:
        for name, field in section["properties"].items():
            reference = field.get("$ref", "").rpartition("/")[-1]
            assert field.get("description") or schema["$defs"].get(reference, {}).get("description"), name


def test_the_committed_json_schema_is_up_to_date():
    assert COMMITTED.read_text() == json.dumps(spec_schema(), indent=2) + "\n", (
        "the schema changed: run `sweep schema > docs/spec.schema.json` and commit it"
    )
