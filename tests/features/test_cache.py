"""Arrays come back with the word of what made them; what cannot be read is absent."""

import numpy as np
import pytest

from sweep.catalogue import Complexity
from sweep.features.cache import ArrayCache
from sweep.planning.units import ArtifactKey

KEY = ArtifactKey("features", "abc", "0000000-0000002")
MADE = {"sweep": "0.1.0", "packages": {"tensorflow": "2.19.0"}, "cpu": "a CPU"}
UNREADABLE = [b"", b"{", b"[]", b"3", b"\xff", b"null", b'{"provenance": []}', b'{"mult_adds": 1}', b"[" * 100_000]
NEARLY_COUNTS = [
    b'{"mult_adds": "1", "parameters": 1, "trainable_parameters": 1}',
    b'{"mult_adds": 1, "parameters": 1, "trainable_parameters": null}',
    b'{"mult_adds": 1, "parameters": 1, "trainable_parameters": 1, "more": 1}',
]


@pytest.fixture
def cache(tmp_path):
    return ArrayCache(tmp_path)


def sidecar(cache, name):
    path = cache.root / "features" / "abc" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_an_array_comes_back_with_what_made_it(cache):
    cache.write(KEY, np.eye(2), MADE)
    assert np.array_equal(cache.read(KEY), np.eye(2))
    assert cache.read_provenance(KEY) == MADE


def test_an_array_of_an_earlier_release_does_not_say_what_made_it(cache):
    cache.write(KEY, np.eye(2))
    assert cache.read_provenance(KEY) is None


def test_what_is_said_of_an_array_is_not_said_of_the_next_under_its_name(cache):
    cache.write(KEY, np.eye(2), MADE)
    cache.write(KEY, np.zeros(2))
    assert cache.read_provenance(KEY) is None


@pytest.mark.parametrize("content", UNREADABLE)
def test_a_word_that_cannot_be_read_is_none(content, cache):
    sidecar(cache, f"{KEY.part}.json").write_bytes(content)
    assert cache.read_provenance(KEY) is None


@pytest.mark.parametrize("content", [*UNREADABLE, *NEARLY_COUNTS])
def test_a_complexity_that_cannot_be_read_is_absent(content, cache):
    sidecar(cache, "complexity.json").write_bytes(content)
    assert cache.read_complexity("abc") is None
    cache.write_complexity("abc", Complexity(3, 2, 1))
    assert cache.read_complexity("abc") == Complexity(3, 2, 1)
