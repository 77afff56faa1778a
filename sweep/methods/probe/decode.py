"""The kind `decode`: files of images to pixels."""

from collections.abc import Mapping, Sequence
from typing import Any

from sweep.data.decode import decode_images
from sweep.outcome import Yield
from sweep.spec.values import Resize


def run(settings: Mapping[str, Any], arrays: Sequence[Any]) -> Yield:
    """Yield one (images, side, side, 3) uint8 array for each of `resolutions`.

    settings: `resolutions`, `resize` (a way of it), `antialias`. arrays: one list of the (name, content) of the files.
    UserError for files that cannot be decoded.
    """
    (files,) = arrays
    resize, antialias = Resize(settings["resize"]), settings["antialias"]
    return Yield(tuple(decode_images(files, settings["resolutions"], resize=resize, antialias=antialias)))
