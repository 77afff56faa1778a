"""Files to pixels: any size, grey or colour, to square RGB of the resolutions asked for."""

from collections.abc import Iterable, Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sweep.errors import UserError
from sweep.spec.values import Resize

NAMED_FILES = 5  # undecodable files named in one message


def decode_images(
    files: Sequence[tuple[str, bytes]],
    resolutions: Sequence[int],
    *,
    antialias: bool = True,
    resize: Resize = Resize.BILINEAR,
    can_skip: bool = True,
) -> list[NDArray[np.uint8]]:
    """Decode (name, content) pairs once and resize them to each resolution.

    The aspect ratio is not kept and nothing is cropped. A resize that shrinks averages over the source pixels, but for
    `nearest`, and for `bilinear` without `antialias`, which reads the four nearest to the centre of each target pixel
    (half-pixel centres). `can_skip`: whether the files are of a spec, which may leave the damaged ones out.

    Returns:
        One (files, resolution, resolution, 3) array per resolution.

    Raises:
        UserError: files that cannot be decoded, by name.
    """
    outputs = [np.empty((len(files), side, side, 3), np.uint8) for side in resolutions]
    damaged = []
    for index, (name, content) in enumerate(files):
        image = open_image(content)
        if image is None:
            damaged.append(name)
            continue
        for side, output in zip(resolutions, outputs, strict=True):
            pixels = np.asarray(_resize(image, side, resize, antialias=antialias))
            output[index] = pixels if pixels.ndim == 3 else pixels[..., np.newaxis]
    if damaged:
        raise UserError(describe_damage(damaged, can_skip=can_skip))
    return outputs


def open_image(content: bytes) -> Image.Image | None:
    """Decode a whole file, to grey where it is grey and else to RGB; None where that cannot be done."""
    try:
        with Image.open(BytesIO(content)) as opened:
            image = _to_8_bits(opened)
            return image.convert("L" if image.mode == "L" else "RGB")
    except (OSError, ValueError, SyntaxError, RuntimeError, Image.DecompressionBombError):
        return None


def is_decodable(content: bytes) -> bool:
    """Whether a whole file can be decoded."""
    return open_image(content) is not None


def describe_damage(names: Iterable[str], *, can_skip: bool = True) -> str:
    """Return one line about files that cannot be decoded."""
    damaged = list(names)
    more = f" and {len(damaged) - NAMED_FILES} more" if len(damaged) > NAMED_FILES else ""
    advice = "mend or remove the file, or set data.undecodable: skip to leave such files out"
    if not can_skip:
        advice = "name image files alone"
    return f"{', '.join(damaged[:NAMED_FILES])}{more}: cannot be decoded as an image; {advice}"


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Scale 16-bit grey down to 8 bits: Pillow itself would turn all above 255 white.

    Raises:
        ValueError: grey of 32 bits, whose range the file does not tell.
    """
    if not image.mode.startswith(("I", "F")):
        return image
    pixels = np.asarray(image)
    if image.mode == "F" or pixels.min() < 0 or pixels.max() > 0xFFFF:
        raise ValueError("grey of 32 bits")
    return Image.fromarray((pixels >> 8).astype(np.uint8))


def _resize(image: Image.Image, side: int, resize: Resize, *, antialias: bool) -> Image.Image:
    if antialias or resize is not Resize.BILINEAR:
        return image.resize((side, side), Image.Resampling[resize.name])
    width, height = image.size
    scale = (width / side, 0.0, 0.0, 0.0, height / side, 0.0)
    return image.transform((side, side), Image.Transform.AFFINE, scale, Image.Resampling.BILINEAR)
