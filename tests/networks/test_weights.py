"""Where weights are looked for, how they are told apart, and what a failed download leaves behind."""

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from sweep.errors import UserError
from sweep.networks import weights
from sweep.networks.table import FeatureKind, Network, WeightsSource, hub_handle
from sweep.networks.weights import (
    HDF5_SIGNATURE,
    WeightsUnavailable,
    download_weights,
    hash_weights,
    hub_cache_folder_name,
    locate_weights,
    random_weights_sha256,
    read_weights,
)

NETWORK = Network.of("mobilenet", alpha=0.25, resolution=128)
POOLED = FeatureKind.POOLED
FILE_NAME = "mobilenet_2_5_128_tf_no_top.h5"
IMAGENET, HUB, FILE, RANDOM = WeightsSource


def write(path, payload=b"weights"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(payload)
    return path


def test_imagenet_weights_lie_where_keras_keeps_them(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert locate_weights(IMAGENET, None, POOLED, NETWORK) is None
    file = write(tmp_path / "models" / FILE_NAME)
    assert locate_weights(IMAGENET, None, POOLED, NETWORK) == file


def test_without_keras_home_the_home_folder_counts(tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    file = write(tmp_path / ".keras" / "models" / FILE_NAME)
    assert locate_weights(IMAGENET, None, POOLED, NETWORK) == file


def test_hub_weights_lie_where_tensorflow_hub_keeps_them(tmp_path, monkeypatch):
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    folder = tmp_path / hub_cache_folder_name(hub_handle(NETWORK, POOLED))
    folder.mkdir()
    assert locate_weights(HUB, None, POOLED, NETWORK) is None, "an empty folder is no download"
    write(folder / "saved_model.pb")
    assert locate_weights(HUB, None, POOLED, NETWORK) == folder


def test_placeholders_of_a_path_are_filled_in(tmp_path):
    file = write(tmp_path / "mobilenet-0.25-128.weights.h5")
    path = str(tmp_path / "{network}-{alpha}-{resolution}.weights.h5")
    assert locate_weights(FILE, path, POOLED, NETWORK) == file


def test_a_missing_file_of_the_users_is_named(tmp_path):
    with pytest.raises(UserError) as caught:
        locate_weights(FILE, f"{tmp_path}/w-{{alpha}}.h5", POOLED, NETWORK)
    assert str(caught.value) == (
        f"weights.path: {tmp_path}/w-0.25.h5 is not there (allowed: a Keras weights file; correct the path)"
    )


def test_a_folder_that_is_no_saved_model_is_named(tmp_path):
    with pytest.raises(UserError) as caught:
        locate_weights(HUB, str(tmp_path), POOLED, NETWORK)
    assert str(caught.value) == (
        f"weights.path: {tmp_path} is no SavedModel (allowed: a folder with saved_model.pb; correct the path)"
    )


def test_a_files_hash_is_plain_sha256(tmp_path):
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, appendix B.1
    assert hash_weights(write(tmp_path / "w.h5", b"abc")) == expected


def test_a_folders_hash_sees_names_and_contents_but_not_its_place(tmp_path):
    def hash_of(place, files):
        for name, payload in files.items():
            write(tmp_path / place / name, payload)
        return hash_weights(tmp_path / place)

    first = hash_of("a", {"saved_model.pb": b"1", "variables/v.index": b"2"})
    assert hash_of("b", {"variables/v.index": b"2", "saved_model.pb": b"1"}) == first
    assert hash_of("c", {"saved_model.pb": b"1", "variables/v.index": b"3"}) != first
    assert hash_of("d", {"saved_model.pb": b"1", "variables/w.index": b"2"}) != first


def test_the_recipe_of_random_weights_is_pinned():
    """A change here changes the id of every trial with random weights."""
    assert random_weights_sha256(NETWORK, POOLED) == "1e9e8e57a254fa2671fb19ed81f89741b17d928f72d4876b2f103b68e5c2a0ff"
    assert random_weights_sha256(NETWORK, FeatureKind.LOGITS) != random_weights_sha256(NETWORK, POOLED)


def test_a_file_travels_as_its_bytes_and_random_weights_as_nothing(tmp_path):
    file = write(tmp_path / "w.h5")
    blob = read_weights(IMAGENET, POOLED, NETWORK, file)
    assert (blob.source, blob.name, blob.payload) == (WeightsSource.IMAGENET, str(file), b"weights")
    assert read_weights(RANDOM, POOLED, NETWORK, locate_weights(RANDOM, None, POOLED, NETWORK)).payload == b""


def test_equal_folders_travel_as_equal_bytes(tmp_path):
    for place in ("a", "b"):
        write(tmp_path / place / "saved_model.pb")
        write(tmp_path / place / "variables" / "v.index")
    first, second = (read_weights(HUB, POOLED, NETWORK, tmp_path / place).payload for place in ("a", "b"))
    assert first == second


def test_looking_for_weights_needs_no_tensorflow():
    code = "import sys, sweep.networks.weights; print([m for m in sys.modules if m in ('tensorflow', 'keras')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.tf
def test_a_download_lands_under_its_final_name(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    served = write(tmp_path / "served.h5", HDF5_SIGNATURE + b"the rest")
    monkeypatch.setattr(weights, "keras_file_url", lambda *_: served.as_uri())
    assert download_weights(IMAGENET, POOLED, NETWORK).read_bytes() == served.read_bytes()
    assert [file.name for file in (tmp_path / "home" / "models").iterdir()] == [FILE_NAME]


class CutOff(BaseHTTPRequestHandler):
    """Promises a megabyte, sends the beginning, hangs up."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.wfile.write(HDF5_SIGNATURE)

    def log_message(self, *args):
        pass


@pytest.fixture
def cut_off_url():
    server = HTTPServer(("127.0.0.1", 0), CutOff)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/w.h5"
    server.shutdown()
    server.server_close()


@pytest.mark.tf
@pytest.mark.parametrize("answer", ["cut off", "a login page", "refused"])
def test_a_failed_download_leaves_nothing_and_says_what_to_put_where(tmp_path, monkeypatch, answer, cut_off_url):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    page = write(tmp_path / "page.html", b"<html>please log in</html>")
    url = {"cut off": cut_off_url, "a login page": page.as_uri(), "refused": "http://127.0.0.1:9/w.h5"}[answer]
    monkeypatch.setattr(weights, "keras_file_url", lambda *_: url)
    with pytest.raises(WeightsUnavailable) as caught:
        download_weights(IMAGENET, POOLED, NETWORK)
    message = str(caught.value)
    assert message.startswith(f"{FILE_NAME}: could not be downloaded (")
    assert message.endswith(f"; put {FILE_NAME} from {url} by hand at {tmp_path}/home/models/{FILE_NAME}")
    assert "\n" not in message
    assert list((tmp_path / "home" / "models").iterdir()) == []
    assert locate_weights(IMAGENET, None, POOLED, NETWORK) is None


@pytest.mark.tf
def test_an_unreachable_hub_says_what_to_put_where(tmp_path, monkeypatch):
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    handle = "http://127.0.0.1:9/model/5"
    monkeypatch.setattr(weights, "hub_handle", lambda *_: handle)
    with pytest.raises(WeightsUnavailable) as caught:
        download_weights(HUB, POOLED, NETWORK)
    folder = tmp_path / hub_cache_folder_name(handle)
    assert str(caught.value).endswith(f"; put the unpacked SavedModel of {handle} by hand at {folder}")
    assert not folder.exists()
