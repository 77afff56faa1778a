"""The kind `decode`: files of images to pixels."""

from collections.abc import Mapping, Sequence
from typing import Any

from sweep.data.decode import Resize, decode_images
from sweep.outcome import Yield


def run(settings: Mapping[str, Any], arrays: Sequence[Sequence[bytes]]) -> Yield:
    """Decode each file once for all resolutions: one (files, resolution, resolution, 3) uint8 array each, in order.

    settings: `names` of the files, for messages, `resolutions`, `resize` and `antialias`; see `decode_images`.
    arrays: one sequence, the contents of the files.

    Raises:
        UserError: files that cannot be decoded, by name.
    """
    (contents,) = arrays
    files = list(zip(settings["names"], contents, strict=True))
    method = Resize(settings["resize"])
    return Yield(
        arrays=tuple(decode_images(files, settings["resolutions"], antialias=settings["antialias"], resize=method))
    )
