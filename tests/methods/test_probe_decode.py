"""The kind `decode`: each file once, one array a resolution."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from sweep.data.decode import decode_images
from sweep.errors import UserError
from sweep.methods.probe import decode
from sweep.spec.values import Resize


def encode(seed):
    file = BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (30, 40), np.uint8)).save(file, "PNG")
    return file.getvalue()


SETTINGS = {"resolutions": [32, 16], "resize": "lanczos", "antialias": False}


def test_each_file_is_decoded_once_for_all_resolutions(monkeypatch):
    opened, really_open = [], Image.open
    monkeypatch.setattr(Image, "open", lambda file: (opened.append(file), really_open(file))[1])
    files = [("a.png", encode(0)), ("b.png", encode(1))]
    pixels = decode.run(SETTINGS, [files]).arrays
    assert len(opened) == 2
    expected = decode_images(files, [32, 16], resize=Resize.LANCZOS)
    for ours, theirs in zip(pixels, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_damaged_file_is_named():
    with pytest.raises(UserError, match=r"^b\.png: cannot be decoded"):
        decode.run(SETTINGS, [[("a.png", encode(0)), ("b.png", b"no image")]])
