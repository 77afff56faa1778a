import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sweep.axes import Role
from sweep.errors import UserError
from sweep.networks.table import FeatureKind, WeightsSource
from sweep.spec.load import dump_spec, load_spec, make_spec, parse_spec
from sweep.spec.messages import explain_error

GRID_SPECS = Path(__file__).parents[2] / "grid_specs"
GOOD = """\
name: x
grid:
  network: mobilenet
  alpha: 0.5
  resolution: 128
  split: 80/10/10
  learning_rate: 0.1
  shuffle: 0
  steps: 100
"""
KEYS = "name, published, method, data, preprocessing, weights, features, grid, roles, training, margin"
NAME = "letters, digits, '_', '-', '.', at most 80, starting with a letter or digit"
SEEDS = "0 to 4,294,967,295"
COUNTS = "1 to 2,000,000"
SPLIT = "training/validation/test percentages, for example 80/10/10"
PATIENTS = "folder, {regex: ...} or {csv: ...}"
GROUPS = "one group (...), or one named (?P<patient>...)"
TRAINING = (
    "optimizer, learning_rate, momentum, batch_size, sampling, weight_decay, hidden, dropout, initial_stddev, steps"
)
AXES = f"network, alpha, resolution, split, shuffle, weights, features, resize, antialias, scaling, {TRAINING}"
NETWORKS = "mobilenet, mobilenet_v2, tiny"
WIDTHS = "a list of whole numbers, [] for none"
SHARES = "0 or more, below 1"

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
    (
        10,
        "preprocessing: {antialias: [yes, 1]}",
        (
            "10: preprocessing.antialias[0]: 'yes' is text, not true or false (allowed: true, false)\n"
            "10: preprocessing.antialias[1]: 1 is not true or false (allowed: true, false)"
        ),
    ),
    (10, "training: 5", f"10: training: 5 is not a mapping (allowed: {TRAINING})"),
    (10, "training:", f"10: training: an empty value is not a mapping (allowed: {TRAINING})"),
    (10, "training: !set {a}", "10: training: cannot be read as !set (allowed: no tag)"),
    (10, "training: {optimizer: adm}", "10: training.optimizer: 'adm' is not offered (allowed: sgd, momentum, adam)"),
    (10, "features: [pooled, x]", "10: features[1]: 'x' is not offered (allowed: pooled, logits)"),
    (10, "features: {a: 1}", "10: features: a mapping is not offered (allowed: pooled, logits)"),
    (10, "method: probing", "10: method: 'probing' is not offered (allowed: probe)"),
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
    # what a network is offered in
    (3, "  network: resnet", f"3: grid.network: 'resnet' is not offered (allowed: {NETWORKS})"),
    (
        4,
        "  alpha:\n    - 0.5\n    - 0.6",
        "6: grid.alpha[1]: 0.6 is not offered for mobilenet (allowed: 0.25, 0.5, 0.75, 1.0)",
    ),
    (5, "  resolution: 100", "5: grid.resolution: 100 is not offered for mobilenet (allowed: 128, 160, 192, 224)"),
    (
        3,
        "  network: [mobilenet, tiny]",
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
            "10: weights.path: '{size}' is not a placeholder (allowed: {network}, {alpha}, {resolution})\n"
            "10: weights.path: '{' is not a placeholder (allowed: {network}, {alpha}, {resolution})"
        ),
    ),
    (10, "weights: [imagenet, hubb]", "10: weights[1]: 'hubb' is not offered (allowed: imagenet, hub, file, random)"),
    (10, "weights: [hub, imagenet, hub]", "10: weights[2]: 'hub' is given twice (allowed: each value once)"),
    (
        10,
        "weights: [imagenet, file]",
        "10: weights.path: is missing (a Keras weights file, which source 'file' needs)",
    ),
    # fields that may be lists
    (10, "training: {dropout: [0.5, 1]}", f"10: training.dropout[1]: 1 is out of range (allowed: {SHARES})"),
    (10, "training: {momentum: x}", f"10: training.momentum: 'x' is text, not a number (allowed: {SHARES})"),
    (10, "training: {weight_decay: -1}", "10: training.weight_decay: -1 is out of range (allowed: 0 or more)"),
    (
        10,
        "training: {batch_size: []}",
        "10: training.batch_size: an empty list leaves no trials (allowed: one value or more)",
    ),
    (10, "training: {batch_size: [5, 5]}", "10: training.batch_size[1]: 5 is given twice (allowed: each value once)"),
    (10, "features: [pooled, pooled]", "10: features[1]: 'pooled' is given twice (allowed: each value once)"),
    # widths of hidden layers
    (10, "training: {hidden: 512}", f"10: training.hidden: 512 is not a list (allowed: {WIDTHS})"),
    (10, "training: {hidden: '512'}", f"10: training.hidden: '512' is text, not a list (allowed: {WIDTHS})"),
    (10, "training: {hidden:}", f"10: training.hidden: an empty value is not a list (allowed: {WIDTHS})"),
    (10, "training: {hidden: {a: 1}}", f"10: training.hidden: a mapping is not a list (allowed: {WIDTHS})"),
    (10, "training: {hidden: [512, [3]]}", f"10: training.hidden[0]: 512 is not a list (allowed: {WIDTHS})"),
    (10, "training: {hidden: [512, 0]}", "10: training.hidden[1]: 0 is out of range (allowed: 1 to 65,536)"),
    (10, "training: {hidden: [[], [8, 0]]}", "10: training.hidden[1][1]: 0 is out of range (allowed: 1 to 65,536)"),
    (
        10,
        "training: {hidden: [a, true]}",
        (
            "10: training.hidden[0]: 'a' is text, not a whole number (allowed: 1 to 65,536)\n"
            "10: training.hidden[1]: true is not a whole number (allowed: 1 to 65,536)"
        ),
    ),
    (
        10,
        "training: {hidden: [[[3]]]}",
        "10: training.hidden[0][0]: a list is not a whole number (allowed: 1 to 65,536)",
    ),
    (
        10,
        "training: {hidden: [[], [8, 9], [8, 9]]}",
        "10: training.hidden[2]: [8, 9] is given twice (allowed: each value once)",
    ),
    # roles
    (10, "roles: {alpha: best}", "10: roles.alpha: 'best' is not offered (allowed: compared, tuned, repeated)"),
    (10, "roles: {alpha: 5}", "10: roles.alpha: 5 is not offered (allowed: compared, tuned, repeated)"),
    (10, "roles: {alhpa: tuned}", f"10: roles.alhpa: unknown key (did you mean alpha? allowed: {AXES})"),
    (10, "roles: {backbone: tuned}", f"10: roles.backbone: unknown key (allowed: {AXES})"),
    (10, "roles: {split: tuned}", "10: roles.split: 'tuned' is not offered for split (allowed: compared)"),
    (10, "roles: {shuffle: tuned}", "10: roles.shuffle: 'tuned' is not offered for shuffle (allowed: repeated)"),
    (
        10,
        "roles: {steps: repeated}",
        "10: roles.steps: 'repeated' is not offered for steps (allowed: compared, tuned)",
    ),
    (10, "roles: 5", f"10: roles: 5 is not a mapping (allowed: {AXES})"),
    (10, "roles: [alpha]", f"10: roles: a list is not a mapping (allowed: {AXES})"),
    # bundles
    (10, "  bundles: 5", "10: grid.bundles: 5 is not a list (allowed: a list of mappings)"),
    (10, "  bundles: {alpha: 1}", "10: grid.bundles: a mapping is not a list (allowed: a list of mappings)"),
    (10, "  bundles: []", "10: grid.bundles: an empty list leaves no trials (allowed: one value or more)"),
    (10, "  bundles: [tiny]", f"10: grid.bundles[0]: 'tiny' is text, not a mapping (allowed: {AXES})"),
    (10, "  bundles: [{}, {bundles: []}]", f"10: grid.bundles[1].bundles: unknown key (allowed: {AXES})"),
    (
        10,
        "  bundles:\n  - alpha: 1.0\n    batchsize: 5",
        f"12: grid.bundles[0].batchsize: unknown key (did you mean batch_size? allowed: {AXES})",
    ),
    (
        10,
        "  bundles:\n  - {alpha: 0.25}\n  - {alpha: [0.25, 0.3]}",
        "12: grid.bundles[1].alpha[1]: 0.3 is not offered for mobilenet (allowed: 0.25, 0.5, 0.75, 1.0)",
    ),
    (
        9,
        "  bundles:\n  - {alpha: 0.25, steps: 5}\n  - alpha: 1.0",
        "11: grid.bundles[1].steps: is missing (step budgets at which a head in training is read out)",
    ),
    (
        9,
        "  bundles: [{alpha: 0.25}, {alpha: 1.0}]",
        "2: grid.steps: is missing (step budgets at which a head in training is read out)",
    ),
    (9, "  bundles: 5", "9: grid.bundles: 5 is not a list (allowed: a list of mappings)"),
    # former names
    (10, "  backbone: tiny", "10: grid.backbone: is the former name of network (allowed: network alone)"),
    (
        10,
        "  bundles: [{backbone: tiny}]",
        "10: grid.bundles[0].backbone: is the former name of network (allowed: network alone)",
    ),
    (10, "data: {antialias: 1}", "10: data.antialias: 1 is not true or false (allowed: true, false)"),
    (
        10,
        "data: {antialias: true}\npreprocessing: {antialias: true}",
        ("10: data.antialias: is the former name of preprocessing.antialias (allowed: preprocessing.antialias alone)"),
    ),
    (3, "  backbone: resnet", f"3: grid.backbone: 'resnet' is not offered (allowed: {NETWORKS})"),
    # a list in a section and in the grid
    (
        10,
        "  batch_size: [5, 6]\ntraining: {batch_size: [7, 8]}",
        "10: grid.batch_size: is a list here and in training.batch_size (allowed: a list in one of them)",
    ),
    (
        10,
        "  bundles: [{weights: [imagenet, hub]}]\nweights: [hub, random]",
        "10: grid.bundles[0].weights: is a list here and in weights (allowed: a list in one of them)",
    ),
    (
        10,
        "  dropout: [0, 0.5]\n  bundles: [{dropout: 0.1}, {dropout: 0.2}]",
        "10: grid.dropout: is a list that every bundle overrides (allowed: a list here or in the bundles)",
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
  network: mobilenet
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
        f"x.yaml:9: grid.step: unknown key (did you mean steps? allowed: {AXES}, bundles)",
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


def test_a_network_that_is_given_twice_is_told_once():
    assert refusal(GOOD, "grid.network=[mobilenet, mobilenet]", "grid.alpha=0.6").splitlines() == [
        "--set grid.network: grid.network[1]: 'mobilenet' is given twice (allowed: each value once)",
        "--set grid.alpha: grid.alpha: 0.6 is not offered for mobilenet (allowed: 0.25, 0.5, 0.75, 1.0)",
    ]


def test_logits_are_not_offered_for_a_network_without_classes():
    tiny = ["grid.network=tiny", "grid.resolution=16", "weights=random"]
    assert parse_spec(GOOD, "x.yaml", tiny).features == (FeatureKind.POOLED,)
    assert refusal(GOOD, *tiny, "features=logits") == (
        "--set features: features: 'logits' is not offered for tiny (allowed: pooled)"
    )


@pytest.mark.parametrize("rate", ["1e-4", "1E-4", "0.0001", ".0001", "+1.e-4"])
def test_a_number_may_be_written_in_any_usual_way(rate):
    assert parse_spec(GOOD, "x.yaml", [f"grid.learning_rate={rate}"]).grid[0].learning_rate == (0.0001,)


def test_a_leading_zero_does_not_make_a_number_octal():
    assert parse_spec(GOOD, "x.yaml", ["grid.shuffle=010"]).grid[0].shuffle == (10,)


@pytest.mark.parametrize("word", ["no", "off", "yes", "on", "y", "2001-01-01", "1:30", "0x10", "'1'", "!!str 1"])
def test_words_that_only_look_like_something_else_are_text(word):
    assert parse_spec(GOOD, "x.yaml", [f"data.folder={word}"]).data.folder == word.removeprefix("!!str ").strip("'")


def test_anchors_and_aliases_are_followed():
    spec = parse_spec(GOOD.replace("shuffle: 0", "shuffle: &few [1, 2]").replace("steps: 100", "steps: *few"), "x.yaml")
    assert spec.grid[0].shuffle == spec.grid[0].steps == (1, 2)


def test_a_byte_order_mark_is_passed_over(tmp_path):
    (tmp_path / "x.yaml").write_text(GOOD, encoding="utf-8-sig")
    assert load_spec(tmp_path / "x.yaml").name == "x"


def test_an_override_replaces_a_value_and_makes_the_sections_it_needs():
    overrides = ["grid.alpha=[0.25, 0.5]", "data.demo.images = 50", "training.batch_size=5", "training.batch_size=7"]
    spec = parse_spec(GOOD, "x.yaml", overrides)
    assert (spec.grid[0].alpha, spec.data.demo.images, spec.training.batch_size) == ((0.25, 0.5), 50, (7,))
    assert spec.grid[0].resolution == (128,)


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
    assert (spec.weights.source, spec.weights.path) == ((WeightsSource.HUB,), "here")


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


PRODUCTS = """\
name: x
grid:
- {network: mobilenet, alpha: [0.5, 1.0], resolution: 128, split: 80/10/10, shuffle: 0, learning_rate: 0.1, steps: 100}
- network: mobilenet_v2
  resolution: 224
  split: 80/10/10
  shuffle: {count: 2}
  learning_rate: 0.1
  steps: 100
  hidden: [[], [512, 64]]
  bundles:
  - {alpha: 1.4}
  - {alpha: [0.35, 1.0], batch_size: 40}
"""


def test_a_grid_may_be_a_list_of_products_with_axes_and_bundles_of_their_own():
    first, second = parse_spec(PRODUCTS, "x.yaml").grid
    assert (first.alpha, first.hidden, first.bundles) == ((0.5, 1.0), (), ())
    assert (second.shuffle, second.hidden) == ((0, 1), ((), (512, 64)))
    assert [(bundle.alpha, bundle.batch_size) for bundle in second.bundles] == [((1.4,), ()), ((0.35, 1.0), (40,))]


def test_mistakes_of_products_and_bundles_are_told_at_once_each_at_its_own_key():
    wrong = PRODUCTS.replace("alpha: [0.5, 1.0]", "alpha: 1.4").replace("  steps: 100\n", "").replace("40", "0")
    assert refusal(wrong.replace("- {alpha: 1.4}", "- {bundles: []}")).splitlines() == [
        "x.yaml:3: grid[0].alpha: 1.4 is not offered for mobilenet (allowed: 0.25, 0.5, 0.75, 1.0)",
        "x.yaml:4: grid[1].steps: is missing (step budgets at which a head in training is read out)",
        "x.yaml:11: grid[1].bundles[0].alpha: is missing (width multiplier)",
        f"x.yaml:11: grid[1].bundles[0].bundles: unknown key (allowed: {AXES})",
        "x.yaml:12: grid[1].bundles[1].batch_size: 0 is out of range (allowed: 1 to 10,000)",
    ]


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ("5", f"x.yaml:2: grid: 5 is not a mapping (allowed: {AXES}, bundles)"),
        ("", f"x.yaml:2: grid: an empty value is not a mapping (allowed: {AXES}, bundles)"),
        ("[]", "x.yaml:2: grid: an empty list leaves no trials (allowed: one value or more)"),
        (
            "[5, [], x]",
            f"""\
x.yaml:2: grid[0]: 5 is not a mapping (allowed: {AXES}, bundles)
x.yaml:2: grid[1]: a list is not a mapping (allowed: {AXES}, bundles)
x.yaml:2: grid[2]: 'x' is text, not a mapping (allowed: {AXES}, bundles)""",
        ),
    ],
)
def test_a_grid_that_is_no_product_is_refused_in_one_line_each(grid, message):
    assert refusal(f"name: x\ngrid: {grid}") == message


def test_a_grid_that_is_missing_is_told_in_one_line():
    told = "the axes: a product of them, or a list of products, which need not have the same axes"
    assert refusal("name: x") == f"x.yaml:1: grid: is missing ({told})"


@pytest.mark.parametrize("grid", ["{}", "[{}]"])
def test_a_product_that_says_nothing_is_told_all_that_it_must_say(grid):
    missing = [line.split(": ")[1] for line in refusal(f"name: x\ngrid: {grid}").splitlines()]
    prefix = "grid[0]" if "[" in grid else "grid"
    needed = ("network", "resolution", "split", "shuffle", "learning_rate", "steps")
    assert missing == [f"{prefix}.{name}" for name in needed]


def test_the_trials_of_all_products_and_bundles_count_for_the_size_of_the_grid():
    assert refusal(PRODUCTS.replace("count: 2", "count: 400000")) == (
        "x.yaml:2: grid: 2,400,002 trials are too many to plan in memory "
        "(allowed: at most 2,000,000; shorten an axis or make several sweeps)"
    )


def test_an_override_cannot_reach_into_a_list_of_products_but_replaces_it():
    told = "a list here, which has no key"
    assert refusal(PRODUCTS, "grid.alpha=0.5").splitlines() == [
        f"--set grid.alpha: grid is {told} alpha (allowed: --set grid=[...], which replaces the list)"
    ]
    replaces = "(allowed: --set grid.bundles=[...], which replaces the list)"
    assert refusal(f"{GOOD}  bundles: [{{alpha: 1.0}}]\n", "grid.bundles.alpha=0.5") == (
        f"--set grid.bundles.alpha: bundles is {told} alpha {replaces}"
    )
    products = json.dumps([yaml.safe_load(GOOD)["grid"]])
    assert parse_spec(PRODUCTS, "x.yaml", [f"grid={products}"]) == parse_spec(GOOD, "x.yaml")


def test_every_field_of_preprocessing_weights_features_and_training_may_be_an_axis():
    lists = {
        "preprocessing.resize": ["bilinear", "nearest"],
        "preprocessing.antialias": [True, False],
        "preprocessing.scaling": ["native", "unit"],
        "weights.source": ["imagenet", "hub"],
        "features": ["pooled", "logits"],
        "training.optimizer": ["sgd", "momentum", "adam"],
        "training.learning_rate": [0.1, 1e-4],
        "training.momentum": [0.8, 0.9],
        "training.batch_size": [30, 100],
        "training.sampling": ["class_balanced", "uniform"],
        "training.weight_decay": [0, 1e-4],
        "training.hidden": [[], [512], [1024, 1024, 512]],
        "training.dropout": [0, 0.5],
        "training.initial_stddev": [0.0, 0.001],
        "training.steps": [10, 20],
    }
    without = "\n".join(line for line in GOOD.splitlines() if not re.match("  (learning_rate|steps)", line))
    spec = parse_spec(without, "x.yaml", [f"{key}={json.dumps(values)}" for key, values in lists.items()])
    for key, values in lists.items():
        found = spec
        for part in key.split("."):
            found = getattr(found, part)
        assert json.loads(json.dumps(found)) == values
    in_grid = {key.rpartition(".")[2].replace("source", "weights"): values for key, values in lists.items()}
    product = {**yaml.safe_load(GOOD)["grid"], **in_grid}
    assert make_spec({"name": "x", "grid": product}).grid[0].hidden == spec.training.hidden


def test_what_the_grid_says_stands_in_for_its_section_unless_both_are_lists():
    training = "training: {batch_size: [5, 6], hidden: [8, 9], steps: 7}"
    overrides = ["grid.batch_size=7", "grid.hidden=[[], [8]]", "grid.steps=[1, 2]"]
    assert parse_spec(f"{GOOD}{training}", "x.yaml", overrides).grid[0].batch_size == (7,)
    assert refusal(f"{GOOD}{training}", "grid.batch_size=[7, 8]") == (
        "--set grid.batch_size: grid.batch_size: is a list here and in training.batch_size "
        "(allowed: a list in one of them)"
    )


def test_roles_are_kept_as_they_are_given():
    spec = parse_spec(GOOD, "x.yaml", ["roles.alpha=tuned", "roles.steps=compared", "roles.shuffle=repeated"])
    assert spec.roles == {"alpha": Role.TUNED, "steps": Role.COMPARED, "shuffle": Role.REPEATED}


def test_former_names_are_read_as_those_of_today_and_named_as_they_were_written():
    former = GOOD.replace("network:", "backbone:")
    today = parse_spec(GOOD, "x.yaml", ["preprocessing.antialias=false"])
    assert parse_spec(former, "x.yaml", ["data.antialias=false"]) == today
    assert parse_spec(former, "x.yaml", ["grid.backbone=mobilenet_v2"]).grid[0].network == ("mobilenet_v2",)
    assert refusal(former, "grid.network=mobilenet_v2") == (
        "x.yaml:3: grid.backbone: is the former name of network (allowed: network alone)"
    )
    assert refusal(former, "grid.backbone=[mobilenet_v2, vgg]") == (
        f"--set grid.backbone: grid.backbone[1]: 'vgg' is not offered (allowed: {NETWORKS})"
    )


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["grid.hidden=[]"],
        ["grid.hidden=[512, 64]"],
        ["grid.hidden=[[512]]"],
        ["grid.hidden=[[], [512, 64]]", "grid.antialias=[true, false]", "grid.optimizer=[sgd, adam]"],
        [
            "training.hidden=[[512], []]",
            "training.steps=[1, 2]",
            "weights=[imagenet, hub]",
            "features=[pooled, logits]",
        ],
        ["roles={alpha: tuned, hidden: tuned}", "grid.shuffle={count: 3}", "preprocessing.scaling=[unit, none]"],
        ["grid.bundles=[{alpha: 0.25}, {alpha: [0.5, 1.0], hidden: [[], [8]]}]"],
    ],
    ids=" ".join,
)
def test_every_form_of_a_spec_comes_back_from_its_text(overrides):
    spec = parse_spec(GOOD, "x.yaml", overrides)
    assert parse_spec(dump_spec(spec), "dumped") == spec
    assert parse_spec(json.dumps(spec.model_dump(mode="json")), "stored spec") == spec
    assert make_spec(spec.model_dump()) == spec


def test_products_come_back_from_their_text():
    spec = parse_spec(PRODUCTS, "x.yaml")
    assert parse_spec(dump_spec(spec), "dumped") == spec
    assert "bundles" not in yaml.safe_load(dump_spec(spec))["grid"][0]


@pytest.mark.parametrize("place", ["grid", "grid.bundles", "grid.hidden", "roles", "roles.alpha", "training.dropout"])
@pytest.mark.parametrize("value", [*WRONG_VALUES, [[[]]], [{"a": []}], {"alpha": {}}, [{"bundles": [{}]}, 0], "\0"])
def test_no_nonsense_in_the_grid_is_told_in_other_words_than_ours(place, value):
    section, _, name = place.partition(".")
    good = yaml.safe_load(GOOD)
    values = {**good, section: {**good.get(section, {}), name: value} if name else value}
    try:
        make_spec(values)
    except UserError as error:
        lines = str(error).splitlines()
        assert lines
        assert all(re.fullmatch(r"spec: [\w.\[\]]+: .*(allowed: .+|is missing \(.+)\)", line) for line in lines)
