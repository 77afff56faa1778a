"""Every number of Table 4 can be traced to its trials, and the command that it names yields them again."""

import re
import shlex
import sqlite3

import pytest
import yaml
from study_example import MODELS, TRUE, fill_example, make_example, read_example

import sweep
from sweep.cli import run_command
from sweep.outcome import Failure
from sweep.report.cells import Mark, Selection
from sweep.report.documents import write_explanation
from sweep.report.explanation import FOLDER, Source, explain_cell
from sweep.report.inference import infer
from sweep.report.report import explain_number
from sweep.spec.load import load_spec
from sweep.store.store import Store
from sweep.testing import make_store

KEY = ("tiny-1-16", "60/20/20")
SOURCE = Source("results/example/spec.yaml")


def explain(study, key=KEY, source=SOURCE):
    return explain_cell(study, infer(study), key, source)


def read_command(explanation):
    return shlex.split(dict(explanation.facts)["Run one again"])


def read_settings(command):
    words = iter(command)
    return dict(next(words).split("=", 1) for word in words if word == "--set")


@pytest.fixture(scope="module")
def study():
    return make_example(**MODELS)


def test_an_explanation_says_all_that_a_number_stands_on(study):
    explanation = explain(study)
    facts = dict(explanation.facts)
    cell = study.cells[KEY]
    assert explanation.title == "Test accuracy of tiny-1-16 at 60/20/20"
    assert facts["Value"] == f"{cell.value:.1f} ± {cell.std:.2f} %"
    assert facts["Trials"] == "12 of 12 finished"
    assert facts["Shuffles"] == "3 of 3 at the chosen configuration"
    assert facts["Chosen"].startswith(f"learning rate {cell.choice['learning_rate']:g}, steps {cell.choice['steps']}; ")
    assert "validation accuracy" in facts["Chosen"]
    interval = infer(study).intervals[KEY]
    assert facts["95 % interval"] == f"{interval.lower:.1f} to {interval.upper:.1f} %"
    weights = next(each for asked, each in study.frames.inputs.weights.items() if str(asked.network) == KEY[0])
    assert facts["Weights"] == f"random, SHA-256 {weights.sha256}"
    assert study.frames.inputs.data.fingerprint[:12] in facts["Data"]
    assert "seed" in facts["Seeds"]
    assert re.fullmatch(r"[0-9a-f]{16}", facts["Feature set"])
    assert facts["Code"] == "sweep 0.1.0, Python 3.11.9, numpy 2.0.0"
    assert facts["Machine"].startswith("Example CPU, 2 cores")


def test_all_configurations_stand_in_the_order_of_choice(study):
    configurations, _ = explain(study).tables
    means = [row[2].value for row in configurations.rows]
    assert len(means) == 4
    assert means == sorted(means, reverse=True)
    marked = [row[0].value for row in configurations.rows if Mark.BEST in row[0].marks]
    assert marked == [study.layout.describe(study.cells[KEY].choice, study.layout.tuned)]
    assert Mark.BEST in configurations.rows[0][0].marks
    assert configurations.rows[0][4].value == study.cells[KEY].value


def test_the_trials_behind_the_number_are_marked_and_their_mean_is_the_number(study):
    _, trials = explain(study).tables
    behind = [row for row in trials.rows if Mark.BEST in row[0].marks]
    assert [row[0].value for row in behind] == [readout.trial_id for readout in study.readouts[KEY]]
    assert sum(row[5].value for row in behind) / 3 == pytest.approx(study.cells[KEY].value)
    assert len(trials.rows) == 12


def test_trials_that_failed_or_are_missing_are_listed_as_such():
    def become(trial):
        return {0: TRUE, 1: Failure(trial.id, "x"), 2: None}[trial.shuffle]

    _, trials = explain(make_example(become=become)).tables
    found = {(row[2].value, row[6].value) for row in trials.rows}
    assert found == {("0", "success"), ("1", "failure: x"), ("2", "missing")}
    assert all((row[5].value is None) == (row[6].value != "success") for row in trials.rows)


def test_a_number_of_one_shuffle_has_the_interval_that_its_images_allow_and_no_deviation():
    facts = dict(explain(make_example(shuffle=0)).facts)
    assert re.fullmatch(r"[\d.]+ to [\d.]+ %", facts["95 % interval"])
    assert re.fullmatch(r"[\d.]+ %", facts["Value"])


def test_a_number_without_images_has_no_interval():
    assert dict(explain(make_example(has_images=False)).facts)["95 % interval"].startswith("cannot tell")


def test_a_cell_without_results_is_explained_without_a_command():
    facts = dict(explain(make_example(become=lambda _: None)).facts)
    assert facts["Value"] == "none yet"
    assert facts["Trials"].startswith("0 of 12 finished")
    assert "Run one again" not in facts
    assert "Chosen" not in facts


@pytest.mark.parametrize("metric", ["log_loss", "cohen_kappa", "roc_auc"])
def test_other_metrics_are_explained_in_their_own_unit(metric):
    study = read_example(fill_example(make_store()), metric)
    explanation = explain(study)
    cell, unit = study.cells[KEY], study.metric.unit
    assert dict(explanation.facts)["Value"].startswith(f"{cell.value:.{study.metric.decimals}f} ± ")
    assert re.fullmatch(rf"[\d.]+ ± [\d.]+{f' {unit}' if unit else ''}", dict(explanation.facts)["Value"])
    text = write_explanation(explanation)
    assert "()" not in text
    assert "nan" not in text


def test_what_was_chosen_on_test_images_is_said_to_be(study):
    chosen = read_example(fill_example(make_store()), select=Selection.TEST)
    assert "optimistic" in dict(explain(chosen).facts)["Chosen"]


def test_the_text_marks_what_was_chosen_with_a_star(study):
    text = write_explanation(explain(study))
    assert len(re.findall(r"^\*", text, re.MULTILINE)) == 1 + 3
    assert text.count("RANDOM WEIGHTS") >= 2


# -- the command -------------------------------------------------------------------------------------------------


def test_the_command_names_one_trial_in_a_sweep_of_its_own(study):
    settings = read_settings(read_command(explain(study)))
    cell = study.cells[KEY]
    assert settings["name"] == f"example-{find_first_trial(study, cell)}"
    grid = yaml.safe_load(settings["grid"])
    expected = {"network": "tiny", "alpha": 1.0, "resolution": 16, "weights": "random", "split": KEY[1], "shuffle": 0}
    assert grid.items() >= {**expected, **cell.choice}.items()
    assert set(grid) == {axis.name for axis in study.layout.axes} - {"momentum"}  # which plain descent has not


def find_first_trial(study, cell):
    trials = study.frames.trials
    chosen = {
        "model": KEY[0],
        "split": KEY[1],
        "learning_rate": cell.choice["learning_rate"],
        "steps": cell.choice["steps"],
    }
    return trials.trial_id[(trials[list(chosen)] == chosen).all(axis=1) & (trials.shuffle == 0)].item()


def test_the_command_takes_the_images_of_the_reader_unless_they_are_drawn(study):
    assert read_command(explain(study))[-2:] == ["--data", FOLDER]
    elsewhere = read_command(explain(study, source=Source("spec.yaml", "my images/train")))
    assert elsewhere[:3] == ["sweep", "run", "spec.yaml"]
    assert elsewhere[-2:] == ["--data", "my images/train"]
    drawn = read_command(explain(make_example(is_demo=True)))
    assert "--data" not in drawn
    assert read_settings(drawn)["data.source"] == "demo"


def test_the_command_runs_a_shuffle_that_has_finished():
    study = make_example(become=lambda trial: TRUE if trial.shuffle == 2 else None)
    assert yaml.safe_load(read_settings(read_command(explain(study)))["grid"])["shuffle"] == 2


def test_the_command_leaves_weights_that_are_not_random_to_the_spec(study):
    sources = {"weights": "imagenet", "network": "mobilenet", "resolution": 128}
    settings = read_settings(
        read_command(explain(make_example(**sources, skill=lambda _: 0.9), ("mobilenet-1-128", KEY[1])))
    )
    assert yaml.safe_load(settings["grid"])["weights"] == "imagenet"


def read_evidence(folder, trial_id):
    with sqlite3.connect(folder / "sweep.db") as connection:
        results = connection.execute(
            """SELECT fit_id, point, part, metric, value FROM trials JOIN measures USING (trial_id)
               WHERE trial_id = ? ORDER BY part, metric""",
            (trial_id,),
        ).fetchall()
        return results, connection.execute("SELECT * FROM scores WHERE trial_id = ?", (trial_id,)).fetchall()


def explain_and_run_again(cell, capsys):
    """Explain a cell of the tiny sweep, run the printed command, and return the evidence for its trial, twice."""
    assert run_command(["explain", cell, "tiny"]) == 0
    text = capsys.readouterr().out
    (line,) = re.findall(r"^Run one again: sweep (.*)$", text, re.MULTILINE)
    assert run_command([*shlex.split(line), "--executor", "inline"]) == 0
    again = sweep.open_results(f"results/{re.search('name=(tiny-[0-9a-f]{16}) ', line)[1]}")
    (trial_id,) = again.frame().trial_id
    assert again.folder.name == f"tiny-{trial_id}"
    assert f"*{trial_id}" in text
    return [read_evidence(folder, trial_id) for folder in (sweep.open_results("results/tiny").folder, again.folder)]


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["grid.learning_rate=1e-05", "training.batch_size=7", "grid.shuffle=[3, 1]"],
        ["grid.split=62.5/17.5/20", "grid.learning_rate=0.30000000000000004"],
    ],
    ids=["as it is", "odd numbers", "odd splits"],
)
def test_the_command_yields_the_same_trial_with_the_same_scores(workplace, capsys, overrides):
    small = ["grid.alpha=1.0", "grid.resolution=16", *overrides]
    sweep.run(load_spec(workplace / "tiny.yaml", small), executor="inline", say=lambda _: None)
    split = "62.5/17.5/20" if any("62.5" in override for override in overrides) else "60/20/20"
    first, again = explain_and_run_again(f"accuracy:tiny-1-16:{split}", capsys)
    assert first == again
    results, scores = again
    assert (len(results), len(scores)) == (4, 2)  # accuracy and log loss, of validation and test


def test_the_command_works_for_images_in_a_folder_with_a_blank_in_its_name(workplace, drawn, capsys):
    (workplace / "my images").symlink_to(drawn)
    overrides = ["data={source: folder}", "grid.alpha=1.0", "grid.resolution=16"]
    spec = load_spec(workplace / "tiny.yaml", overrides)
    sweep.run(spec, data="my images", executor="inline", say=lambda _: None)
    first, again = explain_and_run_again("log_loss:tiny-1-16:60/20/20", capsys)
    assert first == again


# -- naming a cell -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("results") / "example"
    path.mkdir()
    with Store.open(path) as store:
        fill_example(store)
    return path


def test_a_number_is_explained_from_the_folder(folder):
    text = explain_number(folder, "f1:tiny-1-16:60/20/20", Selection.TEST)
    assert text.startswith("Test F1 of tiny-1-16 at 60/20/20\n")
    assert f"sweep run {folder / 'spec.yaml'} --set" in text
    assert text.rstrip().splitlines()[-1].count("success") == 1


MISTAKES = {
    "accuracy": "'accuracy' is not a cell (allowed: metric:model:block, for example",
    "accuracy:tiny-1-16": "'accuracy:tiny-1-16' is not a cell (allowed: metric:model:block",
    "luck:tiny-1-16:60/20/20": "metric: 'luck' is unknown (allowed: accuracy, balanced_accuracy, ",
    "accuracy:tiny-9-16:60/20/20": "'accuracy:tiny-9-16:60/20/20': example has no such cell (models: tiny-1-16; "
    "blocks: 60/20/20)",
}


@pytest.mark.parametrize(("cell", "message"), MISTAKES.items())
def test_a_cell_that_is_none_is_told_in_one_line(folder, cell, message):
    with pytest.raises(sweep.UserError) as caught:
        explain_number(folder, cell, Selection.VALIDATION)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
