"""What a kept model says of an image: of one that it was tested on, the stored score bit for bit."""

import csv
import io
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

import sweep
from sweep.cli import run_command
from sweep.errors import FatalError, UserError
from sweep.outcome import TEST
from sweep.prediction import predict
from sweep.report.cells import Selection
from sweep.report.report import find_trials
from sweep.store.store import Store

CELL = "accuracy:tiny-1-32:60/20/20"
ROUNDING = 1e-12  # of sums of probabilities


@pytest.fixture(scope="module")
def finished(tmp_path_factory, drawn):
    """The folder of a sweep that is there to be read."""
    place = tmp_path_factory.mktemp("finished")
    cache = place / "results" / ".cache"
    cache.mkdir(parents=True)
    (cache / drawn.name).symlink_to(drawn)
    spec = {
        "name": "tiny",
        "data": {"source": "demo", "demo": {"images": 40}},
        "weights": "random",
        "grid": {
            "network": "tiny",
            "alpha": [0.5, 1.0],
            "resolution": [16, 32],
            "split": "60/20/20",
            "learning_rate": [0.1, 0.01],
            "shuffle": [0, 1],
            "steps": [20, 50],
        },
    }
    return sweep.run(spec, results=place / "results", executor="inline", say=print).folder


@pytest.fixture
def results(finished, tmp_path, monkeypatch):
    """A copy of the sweep, with its cache, as the current folder's."""
    shutil.copytree(finished.parent, tmp_path / "results", symlinks=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "results" / "tiny"


def read_tested(folder, trial_id):
    """Return the test images of a trial and their stored logits, (images, classes)."""
    with Store.read(folder) as store:
        plan = store.load_plan()
        (trial,) = [trial for trial in plan.trials if trial.id == trial_id]
        data = plan.inputs["data"]
        names = store.load_images(data["fingerprint"]).names
        partition = store.load_partition(data["fingerprint"], trial.partition_id)
        scores = store.load_scores(trial_id, TEST, len(data["classes"]))
        images = Path(store.load_images_folder())
    return [images / names[place] for place in partition[TEST]], scores


def assert_stored_scores_are_given(folder, trial_id):
    images, scores = read_tested(folder, trial_id)
    np.testing.assert_array_equal(predict(folder, trial_id, images).scores, scores)
    for place in (0, len(images) - 1):
        np.testing.assert_array_equal(predict(folder, trial_id, [images[place]]).scores[0], scores[place])


@pytest.mark.parametrize("repeat", [0, 1])
def test_a_test_image_gets_its_stored_score_bit_for_bit_among_others_and_alone(finished, repeat):
    trial_id = find_trials(finished, CELL, Selection.VALIDATION)[repeat]
    assert predict(finished, CELL, read_tested(finished, trial_id)[0][:1], repeat).trial == trial_id
    assert_stored_scores_are_given(finished, trial_id)


def test_every_read_out_has_a_model_of_its_own(finished):
    with Store.read(finished) as store:
        trials = store.load_plan().trials
    for trial in trials[::5]:
        images, scores = read_tested(finished, trial.id)
        np.testing.assert_array_equal(predict(finished, trial.id, images).scores, scores)


def test_a_network_that_is_gone_from_the_cache_is_made_again_and_gives_the_same_bits(results):
    shutil.rmtree(results.parent / ".cache" / "v1")
    assert_stored_scores_are_given(results, find_trials(results, CELL, Selection.VALIDATION)[0])
    assert [path.name for path in (results.parent / ".cache" / "v1").rglob("*.npy")] == ["model.npy"]


def drop_biases(path):
    with ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist() if "biases" not in name}
    with ZipFile(path, "w") as archive:
        for name, content in kept.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    ("pattern", "damage"),
    [
        ("*/networks/*/model.npy", lambda path: np.save(path, np.zeros((3, 4), complex))),
        ("*/networks/*/model.npy", lambda path: np.save(path, np.load(path)[:-40])),
        ("*/networks/*/model.npy", lambda path: path.write_bytes(path.read_bytes()[:100].replace(b"}", b"("))),
        ("tiny/states/*.npz", drop_biases),
    ],
    ids=["another array", "cut", "no header", "no biases"],
)
def test_a_model_that_is_damaged_but_readable_is_told_in_a_line(pattern, damage, results, request):
    trial_id = find_trials(results, CELL, Selection.VALIDATION)[0]
    images, _ = read_tested(results, trial_id)
    for path in [*results.parent.glob(pattern), *results.parent.glob(f".cache/{pattern}")]:
        damage(path)
    with pytest.raises((UserError, FatalError), match="damaged") as error:
        predict(results, trial_id, images)
    assert "\n" not in str(error.value)
    if "no biases" in request.node.name:
        assert "or its state is damaged; delete the former, which is then made anew, and ask again" in str(error.value)


def test_answers_are_a_frame_of_files_classes_and_probabilities(finished):
    (trial_id, _) = find_trials(finished, CELL, Selection.VALIDATION)
    images, scores = read_tested(finished, trial_id)
    frame = sweep.open_results(finished).predict(CELL, map(str, images))
    assert list(frame) == ["file", "class", "NORMAL", "PNEUMONIA"]
    assert sweep.open_results(finished).predict(CELL, images[0]).equals(frame.iloc[:1])
    assert list(frame["file"]) == list(map(str, images))
    probabilities = frame[["NORMAL", "PNEUMONIA"]].to_numpy()
    assert abs(probabilities.sum(axis=1) - 1).max() < ROUNDING
    odds = np.log(probabilities[:, 0] / probabilities[:, 1])
    np.testing.assert_allclose(odds, scores[:, 0] - scores[:, 1], rtol=1e-4, atol=1e-6)
    assert list(frame["class"]) == [("NORMAL", "PNEUMONIA")[label] for label in scores.argmax(axis=1)]


# -- sweep predict -------------------------------------------------------------------------------------------------


@pytest.fixture
def call(results, capsys):
    """Call the command in the folder of `results`; return exit code, output and errors."""

    def run(*arguments):
        code = run_command(["predict", *map(str, arguments)])
        return code, *capsys.readouterr()

    return run


def test_the_command_prints_a_row_an_image_whose_probabilities_add_up_to_1(call, results):
    trial_id = find_trials(results, CELL, Selection.VALIDATION)[1]
    images, scores = read_tested(results, trial_id)
    code, out, err = call(CELL, *images, "--repeat", "1")
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == ["file", "class", "NORMAL", "PNEUMONIA"]
    assert [row["file"] for row in rows] == list(map(str, images))
    assert [row["class"] for row in rows] == [("NORMAL", "PNEUMONIA")[label] for label in scores.argmax(axis=1)]
    assert all(abs(float(row["NORMAL"]) + float(row["PNEUMONIA"]) - 1) < ROUNDING for row in rows)
    note, warning = err.splitlines()
    assert note == f"tiny: trial {trial_id}, one model of its kind; no diagnosis"
    assert warning.startswith("DEMO IMAGES: it was trained on drawn images")
    assert call(trial_id, *images)[1] == out


def change(folder, statement):
    with closing(sqlite3.connect(folder / "sweep.db")) as connection, connection:
        connection.execute(statement)


def test_a_mistake_is_told_in_one_line(call, results):
    trial_id = find_trials(results, CELL, Selection.VALIDATION)[0]
    image = read_tested(results, trial_id)[0][0]
    Path("notes.txt").write_text("no image")
    mistakes = {
        ("accuracy", image): "sweep: 'accuracy' is neither a cell nor a trial of tiny (allowed: a trial's id of 16 ",
        ("0" * 16, image): "sweep: '0000000000000000' is neither a cell nor a trial of tiny (allowed: a trial's id of ",
        (trial_id, image, "--repeat", 1): f"sweep: repeat: 1 is of no use to trial {trial_id}, which is one repetition",
        ("accuracy:tiny-9-32:60/20/20", image): "sweep: 'accuracy:tiny-9-32:60/20/20': tiny has no such cell (models: ",
        ("luck:tiny-1-32:60/20/20", image): "sweep: metric: 'luck' is unknown",
        (CELL, "nowhere.png"): "sweep: nowhere.png: cannot be read (No such file or directory); name an image file",
        (CELL, "results"): "sweep: results: cannot be read (Is a directory); name an image file",
        (CELL, "notes.txt"): "sweep: notes.txt: cannot be decoded as an image; name image files alone\n",
        (CELL, image, "--repeat", 2): "sweep: repeat: 2 is out of range (allowed: 0 to 1, the repetitions of accuracy:",
        (CELL, image, "--repeat", -1): "sweep: Invalid value for '--repeat': -1 is not in the range",
        (CELL, image, "--sweep", "other"): "sweep: other: is no sweep of results (there: tiny)",
        (CELL,): "sweep: Missing argument 'IMAGES...'. (see `sweep predict --help`)",
    }
    for arguments, message in mistakes.items():
        code, out, err = call(*arguments)
        assert (code, out) == (2, ""), arguments
        assert err.startswith(message), arguments
        assert len(err.splitlines()) == 1, arguments


def test_a_trial_without_a_model_and_a_network_of_another_release_are_told(call, results):
    trial_id = find_trials(results, CELL, Selection.VALIDATION)[0]
    image = read_tested(results, trial_id)[0][0]
    change(results, """UPDATE facts SET value = '"0000000000000000"' WHERE name = 'converted'""")
    refused = f"sweep: tiny: the network of trial {trial_id} is no longer in the cache, and this release makes another "
    assert (call(CELL, image)[0], call(CELL, image)[2].startswith(refused)) == (2, True)
    change(results, f"DELETE FROM states WHERE trial_id = '{trial_id}'")
    code, _, err = call(CELL, image)
    assert code == 2
    assert err.startswith(f"sweep: {CELL}: the model of trial {trial_id} was not kept (it failed, is missing, or an ")


# -- real weights --------------------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.tf
@pytest.mark.skipif(
    not (os.environ.get("SWEEP_DATA") and os.environ.get("KERAS_HOME")),
    reason="needs the real images ($SWEEP_DATA) and weights ($KERAS_HOME)",
)
def test_real_images_get_their_stored_scores_with_and_without_hidden_layers(tmp_path):
    for name in ("NORMAL", "PNEUMONIA"):
        found = sorted(Path(os.environ["SWEEP_DATA"], "train", name).iterdir())
        folder = tmp_path / "images" / name
        folder.mkdir(parents=True)
        for image in found[:20]:
            (folder / image.name).symlink_to(image)
    grid = {"network": "mobilenet", "alpha": 0.25, "resolution": 128, "split": "60/20/20", "shuffle": 0}
    training = {"learning_rate": 0.1, "steps": 20, "hidden": [[], [16]]}
    spec = {"name": "real", "grid": grid, "training": training}
    results = sweep.run(spec, data=tmp_path / "images", results=tmp_path / "results", executor="inline", say=print)
    for trial_id in results.frame().trial_id:
        assert_stored_scores_are_given(results.folder, trial_id)
