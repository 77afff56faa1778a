"""Arrays come back, whole or not at all, from a folder and from a URL; so do the states of trials."""

import pickle
from uuid import uuid4

import numpy as np
import pytest

from sweep.data.files import SUFFIX
from sweep.errors import FatalError, UserError
from sweep.planning.units import ArtifactKey
from sweep.store.artifacts import Artifacts, read_state, write_states

KEY = ArtifactKey("features", "abc", "0000000-0000002")
MADE = {"sweep": "0.1.0", "packages": {"tensorflow": "2.19.0"}, "cpu": "a CPU"}
FOUND = {"mult_adds": 3, "parameters": 2}
UNREADABLE = [b"", b"{", b"[]", b"3", b"\xff", b"null", b'{"provenance": []}', b"[" * 100_000]
STATES = {"a": {"weights": np.arange(6.0).reshape(2, 3), "bias": np.zeros(3, np.float32)}, "b": {"weights": np.eye(2)}}


@pytest.fixture(params=["folder", "file", "memory"])
def root(request, tmp_path):
    """Where arrays are kept: as a path, as the URL of a folder, and as one of no folder at all."""
    return {"folder": tmp_path, "file": tmp_path.as_uri(), "memory": f"memory://{uuid4()}"}[request.param]


@pytest.fixture
def artifacts(root):
    return Artifacts(root)


def break_off(file):
    """Write as a process does that is killed in the middle, or whose disk is full."""
    file.write(b"half")
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("array", [np.eye(2, dtype=np.float32), np.zeros((0, 3), np.int8), np.arange(4)[:, None].T])
def test_an_array_comes_back_with_what_was_said_of_it(array, artifacts):
    assert not artifacts.has(KEY)
    artifacts.write(KEY, array, MADE, FOUND)
    assert artifacts.has(KEY)
    loaded = artifacts.read(KEY)
    assert np.array_equal(loaded, array)
    assert (loaded.shape, loaded.dtype) == (array.shape, array.dtype)
    assert artifacts.describe(KEY).get("provenance") == MADE
    assert artifacts.describe(KEY) == {"provenance": MADE, "facts": FOUND}


def test_an_array_of_which_nothing_is_said_has_nothing_said_of_it(artifacts):
    artifacts.write(KEY, np.eye(2), MADE)
    artifacts.write(KEY, np.zeros(2))
    assert artifacts.read(KEY).tolist() == [0, 0]
    assert artifacts.describe(KEY).get("provenance") is None
    assert artifacts.describe(KEY) == {}


def test_a_cache_of_the_releases_before_is_read_on(tmp_path):
    folder = tmp_path / "v1" / "features" / "abc"
    folder.mkdir(parents=True)
    np.save(folder / "0000000-0000002.npy", np.eye(2))
    (folder / "0000000-0000002.json").write_text('{"provenance": {"cpu": "x"}}')
    (folder / "complexity.json").write_text('{"mult_adds": 3}')
    artifacts = Artifacts(tmp_path)
    assert np.array_equal(artifacts.read(KEY), np.eye(2))
    assert artifacts.describe(KEY) == {"provenance": {"cpu": "x"}, "facts": {"mult_adds": 3}}


def test_an_array_in_a_folder_is_opened_without_reading_it(tmp_path):
    artifacts = Artifacts(tmp_path)
    artifacts.write(KEY, np.eye(2))
    assert isinstance(artifacts.read(KEY).base, np.memmap)
    assert not artifacts.read(KEY).flags.writeable


def test_who_unpickles_it_opens_the_same_place(root):
    artifacts = Artifacts(root)
    artifacts.write(KEY, np.eye(2))
    assert pickle.loads(pickle.dumps(artifacts)).has(KEY)


@pytest.mark.parametrize("length", [0, 5, 100, 140])
def test_a_damaged_array_is_told_in_a_line(length, tmp_path):
    path = tmp_path / "v1" / f"{KEY}.npy"
    for artifacts in (Artifacts(tmp_path), Artifacts(tmp_path.as_uri())):
        artifacts.write(KEY, np.eye(2))
        path.write_bytes(path.read_bytes()[:length])
        with pytest.raises(FatalError, match=r"abc/0000000-0000002.npy: damaged \(.+\); delete it and run again$"):
            artifacts.read(KEY)


def test_an_array_of_python_objects_is_not_opened(tmp_path):
    Artifacts(tmp_path).write(KEY, np.eye(2))
    np.save(tmp_path / "v1" / f"{KEY}.npy", np.array([{}]), allow_pickle=True)
    for root in (tmp_path, tmp_path.as_uri()):
        with pytest.raises(FatalError, match=r"damaged \(.*[Oo]bject.*\); delete it"):
            Artifacts(root).read(KEY)


@pytest.mark.parametrize("content", UNREADABLE)
def test_a_word_that_cannot_be_read_is_none(content, tmp_path):
    artifacts = Artifacts(tmp_path)
    artifacts.write(KEY, np.eye(2), MADE)
    (tmp_path / "v1" / f"{KEY}.json").write_bytes(content)
    assert artifacts.describe(KEY).get("provenance") is None


def test_an_array_that_is_not_written_to_its_end_is_absent_and_leaves_nothing(root, tmp_path, monkeypatch):
    artifacts = Artifacts(root)
    monkeypatch.setattr(np, "save", lambda file, *_, **__: break_off(file))
    with pytest.raises(FatalError, match=r"No space left on device.*; what was stored before is intact: "):
        artifacts.write(KEY, np.eye(2), MADE)
    assert not artifacts.has(KEY)
    assert not list(tmp_path.rglob(f"*{SUFFIX}"))


def test_an_array_that_cannot_be_reached_is_told_in_a_line():
    with pytest.raises(FatalError, match=r"^memory:///nowhere/v1/features/abc/0000000-0000002.npy: cannot be read"):
        Artifacts("memory://nowhere").read(KEY)


def test_a_url_that_nothing_reads_is_refused():
    with pytest.raises(UserError) as error:
        Artifacts("nothing://x/")
    assert str(error.value) == (
        "nothing://x/v1: cannot be reached (Protocol not known: nothing); name a folder, or a URL that fsspec reads"
    )


# -- states -------------------------------------------------------------------------------------------------------


def is_used(_):
    return True


def test_the_state_of_a_trial_comes_back_bit_for_bit(tmp_path):
    name = write_states(tmp_path / "states", "fit-0", STATES, is_used)
    assert name == "fit-0.npz"
    for trial_id, state in STATES.items():
        loaded = read_state(tmp_path / "states" / name, trial_id)
        assert loaded.keys() == state.keys()
        for array_name, array in state.items():
            assert np.array_equal(loaded[array_name], array)
            assert loaded[array_name].dtype == array.dtype


def test_states_are_read_by_numpy_alone(tmp_path):
    write_states(tmp_path, "fit", STATES, is_used)
    with np.load(tmp_path / "fit.npz") as archive:
        assert np.array_equal(archive["a/weights"], STATES["a"]["weights"])


def test_equal_states_are_equal_files_and_an_earlier_file_that_is_used_is_left_alone(tmp_path):
    names = [write_states(tmp_path, "fit", STATES, lambda name: name != "fit-3.npz") for _ in range(4)]
    assert names == ["fit.npz", "fit-2.npz", "fit-3.npz", "fit-3.npz"]
    assert len({(tmp_path / name).read_bytes() for name in names}) == 1


def test_a_state_that_cannot_be_pickled_away_leaves_no_file(tmp_path):
    with pytest.raises(ValueError, match="Object arrays"):
        write_states(tmp_path, "fit", {"a": {"weights": np.array([{}])}}, is_used)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("damage", "trial_id", "why"),
    [
        (lambda path: path.unlink(), "a", "No such file or directory"),
        (lambda path: path.write_bytes(b""), "a", "File is not a zip file"),
        (lambda path: path.write_bytes(path.read_bytes()[:-40]), "a", "File is not a zip file"),
        (lambda path: path.write_bytes(path.read_bytes().replace(b"\0\0\xf0?", b"\0\0\xf0@")), "b", "Bad CRC-32"),
        (lambda path: None, "c", "it holds other trials only"),
    ],
    ids=["missing", "empty", "cut", "changed", "another"],
)
def test_a_state_that_cannot_be_read_is_told_in_a_line(damage, trial_id, why, tmp_path):
    path = tmp_path / write_states(tmp_path, "fit", STATES, is_used)
    damage(path)
    with pytest.raises(UserError) as error:
        read_state(path, trial_id)
    message = str(error.value)
    assert message.startswith(f"{path}: the state of trial {trial_id} cannot be read (")
    assert why in message
    assert message.endswith("); put a copy in its place, or run the sweep anew in another folder")
