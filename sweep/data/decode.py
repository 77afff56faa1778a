"""Files to pixels: any size, grey or colour, to square RGB of the resolutions asked for."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sweep.errors import UserError

Floats = NDArray[np.float64]

NAMED_FILES = 5  # undecodable files named in one message


class Resize(StrEnum):
    """Which source pixels make a target pixel, and with what weights."""

    NEAREST = "nearest"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    LANCZOS = "lanczos"  # with three lobes


def decode_images(
    files: Sequence[tuple[str, bytes]],
    resolutions: Sequence[int],
    *,
    antialias: bool,
    resize: Resize = Resize.BILINEAR,
) -> list[NDArray[np.uint8]]:
    """Decode (name, content) pairs once and resize them to each resolution.

    The aspect ratio is not kept and nothing is cropped. With `antialias` a shrinking resize widens the filter so that
    it averages over all source pixels, except for `nearest`, which has nothing to widen; without, it reads as many
    around the centre of each target pixel as a growing one does: 4, 16 or 36 (half-pixel centres).

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
        raise UserError(describe_damage(damaged))
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


def describe_damage(names: Iterable[str]) -> str:
    """Return one line about files that cannot be decoded."""
    damaged = list(names)
    more = f" and {len(damaged) - NAMED_FILES} more" if len(damaged) > NAMED_FILES else ""
    return (
        f"{', '.join(damaged[:NAMED_FILES])}{more}: cannot be decoded as an image; "
        "mend or remove the file, or set data.undecodable: skip to leave such files out"
    )


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
    resampling = Image.Resampling[resize.name]
    if antialias or resize is Resize.NEAREST:
        return image.resize((side, side), resampling)
    if resize in KERNELS:  # Pillow's transform has no Lanczos, and another bicubic kernel than its resize
        return Image.fromarray(_sample(np.asarray(image), side, resize))
    width, height = image.size
    scale = (width / side, 0.0, 0.0, 0.0, height / side, 0.0)
    return image.transform((side, side), Image.Transform.AFFINE, scale, resampling)


def _weigh_bicubic(distance: Floats) -> Floats:
    """Weigh pixels by their distance, at most 2, as Pillow does (Keys 1981, a = -0.5)."""
    inner = (1.5 * distance - 2.5) * distance**2 + 1
    outer = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return np.where(distance < 1, inner, np.where(distance < 2, outer, 0))


def _weigh_lanczos(distance: Floats) -> Floats:
    """Weigh pixels by their distance, at most 3."""
    return np.where(distance < 3, np.sinc(distance) * np.sinc(distance / 3), 0)


KERNELS = {Resize.BICUBIC: (2, _weigh_bicubic), Resize.LANCZOS: (3, _weigh_lanczos)}  # with how far they reach


def _sample(pixels: NDArray[np.uint8], side: int, resize: Resize) -> NDArray[np.uint8]:
    """Resize (height, width, ...) to (side, side, ...) without widening the kernel.

    First across, then down, each rounded, as Pillow does.
    """
    reach, weigh = KERNELS[resize]
    for _ in range(2):
        pixels = pixels.swapaxes(0, 1)
        length = len(pixels)
        centre = (np.arange(side) + 0.5) * length / side - 0.5
        read = np.floor(centre).astype(np.int64) + np.arange(1 - reach, reach + 1)[:, np.newaxis]
        weights = weigh(np.abs(read - centre)) * ((read >= 0) & (read < length))
        weights = (weights / weights.sum(axis=0)).reshape(*read.shape, *(1,) * (pixels.ndim - 1))
        read = read.clip(0, length - 1)
        mixed = sum(weight * pixels[place] for weight, place in zip(weights, read, strict=True))
        pixels = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
    return pixels
