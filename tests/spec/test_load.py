import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sweep.catalogue import FeatureKind, WeightsSource
from sweep.errors import UserError
from sweep.spec.load import dump_spec, load_spec, make_spec, parse_spec
from sweep.spec.messages import explain_error

GRID_SPECS = Path(__file__).parents[2] / "grid_specs"
GOOD = """\
name: x
grid:
  backbone: mobilenet
  alpha: 0.5
  resolution: 128
  split: 80/10/10
  learning_rate: 0.1
  shuffle: 0
  steps: 100
"""
KEYS = "name, published, data, weights, features, grid, training, margin"
NAME = "letters, digits, '_', '-', '.', at most 80, starting with a letter or digit"
SEEDS = "0 to 4,294,967,295"
COUNTS = "1 to 2,000,000"
SPLIT = "training/validation/test percentages, for example 80/10/10"
PATIENTS = "folder, {regex: ...} or {csv: ...}"
GROUPS = "one group (...), or one named (?P<patient>...)"
TRAINING = "optimizer, batch_size, sampling, initial_stddev"

WRONG_VALUES = [None, True, -1, 10**400, 1.5, float("nan"), "", "x/y", [], [None, -1, "x", []], {}, {"a": 1}, object()]


def write_line(number, text):
    lines = GOOD.splitlines()
    lines[number - 1 : number] = [text]
    return "\n".join(lines)


def refusal(text, *overrides):
    with pytest.raises(UserError) as caught:
        parse_spec(text, "x.yaml", overrides)
    return str(caught.value)


def change(values, path, value):
    head, *rest = path
    return {**values, head: change(values.get(head, {}), rest, value) if rest else value}


# (line of GOOD that is replaced, 10 to append; its new text; the whole message, `x.yaml:` left out)
MISTAKES = [
    # names
    (1, "name: ../x", f"1: name: '../x' is not a name (allowed: {NAME})"),
    (1, "name: a/b", f"1: name: 'a/b' is not a name (allowed: {NAME})"),
    (1, "name: ''", f"1: name: '' is not a name (allowed: {NAME})"),
    (1, "name: .", f"1: name: '.' is not a name (allowed: {NAME})"),
    (1, 'name: "x\\n"', f"1: name: 'x\\n' is not a name (allowed: {NAME})"),
    (1, "name: 2019", f"1: name: 2019 is not text: put it in quotes (allowed: {NAME})"),
    (1, "name:", f"1: name: an empty value is not text (allowed: {NAME})"),
    (10, "data: {subfolder: ..}", f"10: data.subfolder: '..' is not a name (allowed: {NAME})"),
    # keys
    (1, "", "2: name: is missing (names the folder under results/ and reports/)"),
    (5, "", "2: grid.resolution: is missing (side of the square input, in pixels)"),
    (10, "nmae: y", f"10: nmae: unknown key (did you mean name? allowed: {KEYS})"),
    (10, "zzz: y", f"10: zzz: unknown key (allowed: {KEYS})"),
    (10, "7: y", f"10: 7: unknown key (allowed: {KEYS})"),
    (10, "<<: {name: y}", f"10: <<: unknown key (allowed: {KEYS})"),
    (10, "weights: {sauce: hub}", "10: weights.sauce: unknown key (did you mean source? allowed: source, path)"),
    (
        10,
        "training:\n  batchsize: 5",
        f"11: training.batchsize: unknown key (did you mean batch_size? allowed: {TRAINING})",
    ),
    (10, "name: y", "10: name: is given twice, first in line 1 (allowed: each key once)"),
    (5, "  alpha: 1\n  resolution: 128", "5: grid.alpha: is given twice, first in line 4 (allowed: each key once)"),
    (10, "? [a]\n: 5", "10: a list or a mapping is not a key (allowed: text)"),
    # numbers
    (9, "  steps: '1.5'", "9: grid.steps: '1.5' is text, not a whole number (allowed: 1 or more)"),
    (9, "  steps: 1.5", "9: grid.steps: 1.5 is not a whole number (allowed: 1 or more)"),
    (9, "  steps: 0", "9: grid.steps: 0 is out of range (allowed: 1 or more)"),
    (9, "  steps: true", "9: grid.steps: true is not a whole number (allowed: 1 or more)"),
    (9, "  steps: 0x10", "9: grid.steps: '0x10' is text, not a whole number (allowed: 1 or more)"),
    (9, "  steps: 1:30", "9: grid.steps: '1:30' is text, not a whole number (allowed: 1 or more)"),
    (9, "  steps: 1_000", "9: grid.steps: '1_000' is text, not a whole number (allowed: 1 or more)"),
    (9, "  steps: 2001-01-01", "9: grid.steps: '2001-01-01' is text, not a whole number (allowed: 1 or more)"),
    (9, "  steps: {a: 1}", "9: grid.steps: a mapping is not a whole number (allowed: 1 or more)"),
    (9, "  steps: [1, [2]]", "9: grid.steps[1]: a list is not a whole number (allowed: 1 or more)"),
    (9, "  steps: []", "9: grid.steps: an empty list leaves no trials (allowed: one value or more)"),
    (9, "  steps:", "9: grid.steps: an empty value is not a whole number (allowed: 1 or more)"),
    (
        9,
        "  steps: !!int a",
        (
            "9: grid.steps: 'a' is text, not a whole number (allowed: 1 or more)\n"
            "9: grid.steps: cannot be read as !!int (allowed: no tag)"
        ),
    ),
    (8, "  shuffle: -1", f"8: grid.shuffle: -1 is out of range (allowed: {SEEDS})"),
    (8, "  shuffle: 4294967296", f"8: grid.shuffle: 4294967296 is out of range (allowed: {SEEDS})"),
    (8, "  shuffle: [{count: 3}]", f"8: grid.shuffle[0]: a mapping is not a whole number (allowed: {SEEDS})"),
    (8, "  shuffle: {count: 0}", f"8: grid.shuffle.count: 0 is out of range (allowed: {COUNTS})"),
    (8, "  shuffle: {count: -3}", f"8: grid.shuffle.count: -3 is out of range (allowed: {COUNTS})"),
    (8, "  shuffle: {count: 2000001}", f"8: grid.shuffle.count: 2000001 is out of range (allowed: {COUNTS})"),
    (8, "  shuffle: {count: 2.0}", f"8: grid.shuffle.count: 2.0 is not a whole number (allowed: {COUNTS})"),
    (8, "  shuffle: {count: true}", f"8: grid.shuffle.count: true is not a whole number (allowed: {COUNTS})"),
    (8, "  shuffle: {count: all}", f"8: grid.shuffle.count: 'all' is text, not a whole number (allowed: {COUNTS})"),
    (8, "  shuffle: {count: [1]}", f"8: grid.shuffle.count: a list is not a whole number (allowed: {COUNTS})"),
    (8, "  shuffle: {count:}", f"8: grid.shuffle.count: an empty value is not a whole number (allowed: {COUNTS})"),
    (8, "  shuffle: {count: 3, from: 5}", "8: grid.shuffle.from: unknown key (allowed: count)"),
    (
        8,
        "  shuffle: {}",
        "8: grid.shuffle.count: is missing (how many shuffles: their seeds are 0, 1, 2 and so on)",
    ),
    (7, "  learning_rate: 0", "7: grid.learning_rate: 0 is out of range (allowed: above 0)"),
    (7, "  learning_rate: no", "7: grid.learning_rate: 'no' is text, not a number (allowed: above 0)"),
    (7, "  learning_rate: .inf", "7: grid.learning_rate: must be a finite number, not .inf (allowed: above 0)"),
    (7, "  learning_rate: 1e999", "7: grid.learning_rate: must be a finite number, not .inf (allowed: above 0)"),
    (7, "  learning_rate: .nan", "7: grid.learning_rate: must be a finite number, not .nan (allowed: above 0)"),
    (10, "training: {batch_size: 10001}", "10: training.batch_size: 10001 is out of range (allowed: 1 to 10,000)"),
    (10, "training: {initial_stddev: -1}", "10: training.initial_stddev: -1 is out of range (allowed: 0 or more)"),
    (10, "data: {demo: {images: 19}}", "10: data.demo.images: 19 is out of range (allowed: 20 to 100,000)"),
    # patients
    (10, "data: {patients: foldr}", f"10: data.patients: 'foldr' is not offered (allowed: {PATIENTS})"),
    (10, "data: {patients: [folder]}", f"10: data.patients: a list is not offered (allowed: {PATIENTS})"),
    (10, "data: {patients: {}}", f"10: data.patients: names nothing (allowed: one of {PATIENTS})"),
    (10, "data: {patients: {folder: false}}", f"10: data.patients: names nothing (allowed: one of {PATIENTS})"),
    (
        10,
        "data: {patients: {regex: (a), csv: x}}",
        f"10: data.patients: has regex and csv (allowed: one of {PATIENTS})",
    ),
    (10, "data: {patients: {csv: ''}}", "10: data.patients.csv: '' is empty (allowed: at least one character)"),
    (
        10,
        "data: {patients: {regx: a}}",
        "10: data.patients.regx: unknown key (did you mean regex? allowed: folder, regex, csv)",
    ),
    (
        10,
        "data: {patients: {regex: 5}}",
        "10: data.patients.regex: 5 is not text: put it in quotes (allowed: at least one character)",
    ),
    (
        10,
        "data:\n  patients:\n    regex: 'a('",
        (
            "12: data.patients.regex: 'a(' is no regular expression: missing ), unterminated subpattern at position 1 "
            f"(allowed: {GROUPS})"
        ),
    ),
    (10, "data: {patients: {regex: abc}}", f"10: data.patients.regex: 'abc' has no groups (allowed: {GROUPS})"),
    (10, "data: {patients: {regex: (a)(b)}}", f"10: data.patients.regex: '(a)(b)' has 2 groups (allowed: {GROUPS})"),
    # texts, booleans, sections
    (10, "data: {folder: ''}", "10: data.folder: '' is empty (allowed: at least one character)"),
    (10, "data: {antialias: yes}", "10: data.antialias: 'yes' is text, not true or false (allowed: true, false)"),
    (10, "data: {antialias: 1}", "10: data.antialias: 1 is not true or false (allowed: true, false)"),
    (10, "training: 5", f"10: training: 5 is not a mapping (allowed: {TRAINING})"),
    (10, "training:", f"10: training: an empty value is not a mapping (allowed: {TRAINING})"),
    (10, "training: !set {a}", "10: training: cannot be read as !set (allowed: no tag)"),
    (10, "training: {optimizer: adam}", "10: training.optimizer: 'adam' is not offered (allowed: sgd)"),
    (10, "features: [pooled]", "10: features: a list is not offered (allowed: pooled, logits)"),
    (10, "published: me", "10: published: 'me' is not offered (allowed: duong-trung-2019)"),
    (
        10,
        f"published: {'a' * 99}",
        f"10: published: '{'a' * 27}...{'a' * 28}' is not offered (allowed: duong-trung-2019)",
    ),
    # splits
    (6, "  split: 80/20", f"6: grid.split: '80/20' is not a split (allowed: {SPLIT})"),
    (6, "  split: 1e9/1/1", f"6: grid.split: '1e9/1/1' is not a split (allowed: {SPLIT})"),
    (6, "  split: [80/10/10, 80]", f"6: grid.split[1]: 80 is not a split (allowed: {SPLIT})"),
    (
        6,
        "  split: 80/10/20",
        "6: grid.split: '80/10/20' adds up to 110 (allowed: three percentages that add up to 100)",
    ),
    (6, "  split: 90/10/0", "6: grid.split: '90/10/0' leaves a part empty (allowed: three percentages above 0)"),
    # repeated values
    (4, "  alpha: [1, 0.5, 1.0]", "4: grid.alpha[2]: 1.0 is given twice (allowed: each value once)"),
    (6, "  split: [80/10/10, 80.0/10/10]", "6: grid.split[1]: '80.0/10/10' is given twice (allowed: each value once)"),
    (
        8,
        "  shuffle: [1, a, 1]",
        (
            f"8: grid.shuffle[1]: 'a' is text, not a whole number (allowed: {SEEDS})\n"
            "8: grid.shuffle[2]: 1 is given twice (allowed: each value once)"
        ),
    ),
    # what a backbone is offered in
    (3, "  backbone: resnet", "3: grid.backbone: 'resnet' is not offered (allowed: mobilenet, tiny)"),
    (
        4,
        "  alpha:\n    - 0.5\n    - 0.6",
        "6: grid.alpha[1]: 0.6 is not offered for mobilenet (allowed: 0.25, 0.5, 0.75, 1.0)",
    ),
    (5, "  resolution: 100", "5: grid.resolution: 100 is not offered for mobilenet (allowed: 128, 160, 192, 224)"),
    (
        3,
        "  backbone: [mobilenet, tiny]",
        (
            "1: weights: 'imagenet' (the default) is not offered for tiny (allowed: random)\n"
            "5: grid.resolution: 128 is not offered for tiny (allowed: 16, 32)"
        ),
    ),
    # weights
    (10, "weights: imagenett", "10: weights: 'imagenett' is not offered (allowed: imagenet, hub, file, random)"),
    (10, "weights: {source: 5}", "10: weights.source: 5 is not offered (allowed: imagenet, hub, file, random)"),
    (10, "weights: 5", "10: weights: 5 is not offered (allowed: imagenet, hub, file, random)"),
    (10, "weights: file", "10: weights.path: is missing (a Keras weights file, which source 'file' needs)"),
    (
        10,
        "weights: {path: a.h5}",
        "10: weights.path: 'a.h5' is not used by source 'imagenet' (allowed: no path, or source hub or file)",
    ),
    (
        10,
        "weights: {source: random, path: a.h5}",
        "10: weights.path: 'a.h5' is not used by source 'random' (allowed: no path, or source hub or file)",
    ),
    (
        10,
        "weights: {source: hub, path: 'a{size}{'}",
        (
            "10: weights.path: '{size}' is not a placeholder (allowed: {alpha}, {resolution})\n"
            "10: weights.path: '{' is not a placeholder (allowed: {alpha}, {resolution})"
        ),
    ),
]


@pytest.mark.parametrize(("line", "text", "message"), MISTAKES)
def test_a_mistake_is_told_with_its_place_and_what_is_allowed(line, text, message):
    assert refusal(write_line(line, text)) == "\n".join(f"x.yaml:{told}" for told in message.split("\n"))


def test_all_mistakes_are_told_at_once_from_top_to_bottom():
    text = """\
name: a b
published: me
grid:
  backbone: mobilenet
  alpha: [0.5, 0.6]
  resolution: 128
  split: [80/10/10, 80/10]
  shuffle: 0
  step: 100
  learning_rate: 1e-4
training: {batch_size: 1.5}
"""
    assert refusal(text).splitlines() == [
        f"x.yaml:1: name: 'a b' is not a name (allowed: {NAME})",
        "x.yaml:2: published: 'me' is not offered (allowed: duong-trung-2019)",
        "x.yaml:3: grid.steps: is missing (step budgets at which a head in training is read out)",
        "x.yaml:5: grid.alpha[1]: 0.6 is not offered for mobilenet (allowed: 0.25, 0.5, 0.75, 1.0)",
        f"x.yaml:7: grid.split[1]: '80/10' is not a split (allowed: {SPLIT})",
        (
            "x.yaml:9: grid.step: unknown key (did you mean steps? allowed: "
            "backbone, alpha, resolution, split, learning_rate, shuffle, steps)"
        ),
        "x.yaml:11: training.batch_size: 1.5 is not a whole number (allowed: 1 to 10,000)",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x.yaml: is empty (allowed: a mapping)"),
        ("# nothing\n", "x.yaml: is empty (allowed: a mapping)"),
        ("# a list\n- name: x", "x.yaml:2: a list is not a spec (allowed: a mapping)"),
        ("mobilenet", "x.yaml:1: a single value is not a spec (allowed: a mapping)"),
        ("name: x: y", "x.yaml:1: is not YAML: mapping values are not allowed here"),
        (
            "name: x\ngrid: [1, 2",
            "x.yaml:2: is not YAML: while parsing a flow sequence, expected ',' or ']', but got '<stream end>'",
        ),
        ("name: x\nname: \x07", "x.yaml:2: is not YAML: U+0007 is not allowed"),
        (
            "name: x\n---\nname: y",
            "x.yaml:2: is not YAML: expected a single document in the stream, but found another document",
        ),
        ("name: *x", "x.yaml:1: is not YAML: found undefined alias 'x'"),
        ("name: &x [*x]", "x.yaml: is nested too deeply, or contains itself"),
        ("name: " + "[" * 3000, "x.yaml:1: is not YAML: it is nested too deeply"),
    ],
)
def test_text_that_is_no_yaml_mapping_is_refused_in_one_line(text, message):
    assert refusal(text) == message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name: x\nname: \xff", "{path}:2: is not UTF-8 text (allowed: a YAML file in UTF-8)"),
        (None, "{path}: is a folder (allowed: a YAML file)"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_line(tmp_path, content, message):
    path = tmp_path / "x.yaml"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        load_spec(path)
    assert str(caught.value) == message.format(path=path)


def test_a_path_through_a_file_is_refused_in_one_line(tmp_path):
    (tmp_path / "x").touch()
    with pytest.raises(UserError, match=r"x/y.yaml: cannot be read: Not a directory$"):
        load_spec(tmp_path / "x" / "y.yaml")


def test_a_missing_file_is_refused_in_one_line(tmp_path):
    with pytest.raises(UserError, match=r"nowhere.yaml: is not there \(allowed: a YAML file\)$"):
        load_spec(tmp_path / "nowhere.yaml")


def test_a_grid_that_is_too_large_is_refused_before_it_is_expanded():
    overrides = [f"grid.{axis}={list(range(1, 1001))}" for axis in ("shuffle", "steps")]
    assert refusal(GOOD, *overrides, "grid.learning_rate=[0.1, 0.01, 0.001]") == (
        "x.yaml:2: grid: 3,000,000 trials are too many to plan in memory "
        "(allowed: at most 2,000,000; shorten an axis or make several sweeps)"
    )


def test_shuffles_that_are_counted_count_for_the_size_of_the_grid():
    rates = "grid.learning_rate=[0.1, 0.01, 0.001]"
    assert refusal(GOOD, "grid.shuffle={count: 1000000}", rates) == (
        "x.yaml:2: grid: 3,000,000 trials are too many to plan in memory "
        "(allowed: at most 2,000,000; shorten an axis or make several sweeps)"
    )
    wrong = refusal(GOOD, "grid.shuffle={count: 3000000}", rates)
    assert wrong == f"--set grid.shuffle: grid.shuffle.count: 3000000 is out of range (allowed: {COUNTS})"


@pytest.mark.parametrize("override", ["grid.shuffle={count: 30}", "grid.shuffle.count=30"])
def test_counted_shuffles_are_the_seeds_from_zero_on_written_out(override):
    spec = parse_spec(GOOD, "x.yaml", [override])
    assert spec == parse_spec(GOOD, "x.yaml", [f"grid.shuffle={list(range(30))}"])
    assert yaml.safe_load(dump_spec(spec))["grid"]["shuffle"] == list(range(30))
    assert (
        make_spec({**yaml.safe_load(GOOD), "grid": {**yaml.safe_load(GOOD)["grid"], "shuffle": {"count": 30}}}) == spec
    )


def test_a_path_names_every_axis_that_its_weights_vary_over():
    overrides = ["weights={source: file, path: a.h5}", "grid.alpha=[0.5, 1.0]", "grid.resolution=[128, 160, 192]"]
    told = "--set weights: weights.path: 'a.h5' is one path for"
    assert refusal(GOOD, *overrides).splitlines() == [
        f"{told} 2 values of grid.alpha (allowed: a path with {{alpha}})",
        f"{told} 3 values of grid.resolution (allowed: a path with {{resolution}})",
    ]
    spec = parse_spec(GOOD, "x.yaml", [*overrides, "weights.path=w/{alpha}-{resolution}.h5"])
    assert spec.weights.path == "w/{alpha}-{resolution}.h5"


def test_a_backbone_that_is_given_twice_is_told_once():
    assert refusal(GOOD, "grid.backbone=[mobilenet, mobilenet]", "grid.alpha=0.6").splitlines() == [
        "--set grid.backbone: grid.backbone[1]: 'mobilenet' is given twice (allowed: each value once)",
        "--set grid.alpha: grid.alpha: 0.6 is not offered for mobilenet (allowed: 0.25, 0.5, 0.75, 1.0)",
    ]


def test_logits_are_not_offered_for_a_backbone_without_classes():
    tiny = ["grid.backbone=tiny", "grid.resolution=16", "weights=random"]
    assert parse_spec(GOOD, "x.yaml", tiny).features is FeatureKind.POOLED
    assert refusal(GOOD, *tiny, "features=logits") == (
        "--set features: features: 'logits' is not offered for tiny (allowed: pooled)"
    )


@pytest.mark.parametrize("rate", ["1e-4", "1E-4", "0.0001", ".0001", "+1.e-4"])
def test_a_number_may_be_written_in_any_usual_way(rate):
    assert parse_spec(GOOD, "x.yaml", [f"grid.learning_rate={rate}"]).grid.learning_rate == (0.0001,)


def test_a_leading_zero_does_not_make_a_number_octal():
    assert parse_spec(GOOD, "x.yaml", ["grid.shuffle=010"]).grid.shuffle == (10,)


@pytest.mark.parametrize("word", ["no", "off", "yes", "on", "y", "2001-01-01", "1:30", "0x10", "'1'", "!!str 1"])
def test_words_that_only_look_like_something_else_are_text(word):
    assert parse_spec(GOOD, "x.yaml", [f"data.folder={word}"]).data.folder == word.removeprefix("!!str ").strip("'")


def test_anchors_and_aliases_are_followed():
    spec = parse_spec(GOOD.replace("shuffle: 0", "shuffle: &few [1, 2]").replace("steps: 100", "steps: *few"), "x.yaml")
    assert spec.grid.shuffle == spec.grid.steps == (1, 2)


def test_a_byte_order_mark_is_passed_over(tmp_path):
    (tmp_path / "x.yaml").write_text(GOOD, encoding="utf-8-sig")
    assert load_spec(tmp_path / "x.yaml").name == "x"


def test_an_override_replaces_a_value_and_makes_the_sections_it_needs():
    overrides = ["grid.alpha=[0.25, 0.5]", "data.demo.images = 50", "training.batch_size=5", "training.batch_size=7"]
    spec = parse_spec(GOOD, "x.yaml", overrides)
    assert (spec.grid.alpha, spec.data.demo.images, spec.training.batch_size) == ((0.25, 0.5), 50, 7)
    assert spec.grid.resolution == (128,)


def test_an_override_without_a_value_is_null():
    text = f"{GOOD}data: {{subfolder: train}}"
    assert parse_spec(text, "x.yaml", ["data.subfolder="]).data.subfolder is None


def test_an_override_leaves_the_other_uses_of_an_anchor_alone():
    text = f"{GOOD}data: {{demo: &demo {{images: 50}}}}\ntraining: *demo"
    overridden = refusal(text, "data.demo.images=1")
    assert overridden.splitlines()[0].startswith("x.yaml:10: training.images: unknown key")
    assert overridden.splitlines()[1].startswith("--set data.demo.images: data.demo.images: 1 is out of range")


def test_a_path_of_weights_expands_their_short_form():
    spec = parse_spec(f"{GOOD}weights: hub", "x.yaml", ["weights.path=here"])
    assert (spec.weights.source, spec.weights.path) == (WeightsSource.HUB, "here")


def test_a_mistake_in_an_override_is_placed_there():
    overrides = ["grid.alpha=[0.5, 0.6]", "training.batchsize=50", "name.first=x"]
    assert refusal(GOOD.replace("128", "100"), *overrides).splitlines() == [
        "x.yaml:5: grid.resolution: 100 is not offered for mobilenet (allowed: 128, 160, 192, 224)",
        "--set grid.alpha: grid.alpha[1]: 0.6 is not offered for mobilenet (allowed: 0.25, 0.5, 0.75, 1.0)",
        f"--set training.batchsize: training.batchsize: unknown key (did you mean batch_size? allowed: {TRAINING})",
        f"--set name.first: name: a mapping is not text (allowed: {NAME})",
    ]


def test_overrides_that_cannot_be_read_are_all_told():
    assert refusal(GOOD, "grid.alpha", "grid..alpha=1", "grid.alpha=]").splitlines() == [
        "--set grid.alpha: is not KEY=VALUE (allowed: for example training.batch_size=50)",
        "--set grid..alpha=1: is not KEY=VALUE (allowed: for example training.batch_size=50)",
        "--set grid.alpha: is not YAML: while parsing a block node, expected the node content, but found ']'",
    ]


def test_a_dictionary_is_checked_like_a_file():
    values = json.loads(json.dumps(parse_spec(GOOD, "x.yaml").model_dump(mode="json")))
    assert make_spec(values) == parse_spec(GOOD, "x.yaml")
    assert make_spec(values | {"features": FeatureKind.POOLED}) == make_spec(values)
    with pytest.raises(UserError) as caught:
        make_spec(values | {"grid": values["grid"] | {"alpha": (0.6,), "steps": float("inf")}, 5: None})
    assert str(caught.value).splitlines() == [
        "spec: grid.steps: .inf is not a whole number (allowed: 1 or more)",
        f"spec: 5: unknown key (allowed: {KEYS})",
        "spec: grid.alpha[0]: 0.6 is not offered for mobilenet (allowed: 0.25, 0.5, 0.75, 1.0)",
    ]


@pytest.mark.parametrize("path", sorted(GRID_SPECS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_spec_loads_and_comes_back_from_its_json(path):
    spec = load_spec(path)
    assert spec.name == path.stem
    assert parse_spec(json.dumps(spec.model_dump(mode="json")), "stored spec") == spec


def test_any_text_comes_back_from_its_json():
    spec = parse_spec(GOOD, "x.yaml", ['data.folder="a\\tb\\"c: é 🫁 \\\\"'])
    assert spec.data.folder == 'a\tb"c: é 🫁 \\'
    assert parse_spec(json.dumps(spec.model_dump(mode="json")), "stored spec") == spec


def list_keys(model, prefix=()):
    for name, value in model:
        yield (*prefix, name)
        yield from list_keys(value, (*prefix, name)) if hasattr(value, "model_fields_set") else ()


@pytest.mark.parametrize("path", list(list_keys(parse_spec(GOOD, "x.yaml"))), ids=".".join)
def test_no_wrong_value_is_told_in_the_words_of_pydantic(path):
    good = parse_spec(GOOD, "x.yaml").model_dump(mode="json")
    for value in WRONG_VALUES:
        try:
            make_spec(change(good, path, value))
        except UserError as error:
            for line in str(error).splitlines():
                assert re.fullmatch(r"spec: [\w.\[\]]+: .*(allowed: .+|is missing \(.+)\)", line)
                assert not re.search("input should|value error|pydantic|valid ", line, re.IGNORECASE)


def test_an_error_that_we_have_no_words_for_is_told_in_lower_case():
    error = {"type": "new", "loc": ("name",), "msg": "Something Else", "input": "x"}
    assert list(explain_error(error, ("name",))) == [(("name",), "something else")]


def test_reading_a_spec_imports_nothing_heavy():
    command = "import sys, sweep.spec.load; print(*sys.modules)"
    imported = subprocess.run([sys.executable, "-c", command], check=True, capture_output=True, text=True).stdout
    assert not {"numpy", "pandas", "tensorflow", "ray", "PIL"} & set(imported.split())


@pytest.mark.parametrize("patients", ["folder", {"regex": "(?P<patient>p)(x)"}, {"csv": "patients.csv"}, None])
def test_what_names_the_patients_comes_back_as_it_was_written(patients):
    spec = make_spec({**parse_spec(GOOD, "x.yaml").model_dump(mode="json"), "data": {"patients": patients}})
    assert spec.model_dump(mode="json")["data"]["patients"] == patients
    assert parse_spec(dump_spec(spec), "x.yaml") == spec


def test_an_override_replaces_what_names_the_patients():
    text = f"{GOOD}data: {{patients: folder}}\n"
    spec = parse_spec(text, "x.yaml", ["data.patients.csv=p.csv"])
    assert spec.model_dump(mode="json")["data"]["patients"] == {"csv": "p.csv"}
