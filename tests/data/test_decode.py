"""Files of any kind become square RGB pixels, or are named."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from sweep.data.decode import decode_images, describe_damage, open_image
from sweep.errors import UserError
from sweep.spec.values import Resize

NOISE = np.random.default_rng(0).integers(0, 256, (40, 56, 3), np.uint8)


def encode(pixels, mode=None, kind="PNG"):
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = BytesIO()
    (image.convert(mode) if mode else image).save(file, kind)
    return file.getvalue()


def decode(content, side, *, antialias=True, resize=Resize.BILINEAR):
    (output,) = decode_images([("NORMAL/one.png", content)], [side], antialias=antialias, resize=resize)
    return output[0]


def resize_by_hand(pixels, side):
    """Read the four nearest pixels around each target pixel's centre: pixels (height, width, 3)."""

    def neighbours(length):
        place = np.clip((np.arange(side) + 0.5) * length / side - 0.5, 0, length - 1)
        low = np.floor(place).astype(int)
        return low, np.minimum(low + 1, length - 1), place - low

    top, bottom, down = neighbours(pixels.shape[0])
    left, right, across = neighbours(pixels.shape[1])
    across, down = across[None, :, None], down[:, None, None]
    rows = [pixels[row][:, left] * (1 - across) + pixels[row][:, right] * across for row in (top, bottom)]
    return rows[0] * (1 - down) + rows[1] * down


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "1", "LA", "CMYK"])
def test_every_mode_becomes_rgb(mode):
    kind = "TIFF" if mode == "CMYK" else "PNG"
    decoded = decode(encode(NOISE[:32, :32], mode, kind), 16)
    assert (decoded.shape, decoded.dtype) == ((16, 16, 3), np.uint8)


def test_grey_is_three_equal_channels():
    grey = NOISE[:32, :32, 0]
    decoded = decode(encode(grey), 32)
    np.testing.assert_array_equal(decoded, np.repeat(grey[..., None], 3, axis=2))


def test_a_palette_is_looked_up():
    image = Image.new("P", (16, 16), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    assert (decode(encode(image), 16) == [10, 20, 30]).all()


def test_transparency_is_left_out():
    pixels = np.full((16, 16, 4), (10, 20, 30, 0), np.uint8)
    assert (decode(encode(pixels), 16) == [10, 20, 30]).all()


def test_16_bit_grey_is_scaled_not_cut_off():
    pixels = np.repeat(np.uint16([0, 255, 256, 32768, 65535]), 5).reshape(5, 5)
    decoded = decode(encode(pixels), 5)
    assert decoded[:, 0, 0].tolist() == [0, 0, 1, 128, 255]


@pytest.mark.parametrize("resize", Resize)
@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (2, 700), (15, 17)])
def test_any_shape_becomes_square(shape, antialias, resize):
    decoded = decode(encode(np.full((*shape, 3), (10, 20, 30), np.uint8)), 16, antialias=antialias, resize=resize)
    assert (decoded == [10, 20, 30]).all()


@pytest.mark.parametrize("resize", Resize)
@pytest.mark.parametrize("antialias", [True, False])
def test_an_image_of_the_right_size_stays_as_it_is(antialias, resize):
    decoded = decode(encode(NOISE[:40, :40]), 40, antialias=antialias, resize=resize)
    np.testing.assert_array_equal(decoded, NOISE[:40, :40])


@pytest.mark.parametrize("side", [7, 16, 33, 40, 64])
def test_without_antialias_the_four_nearest_pixels_are_read(side):
    decoded = decode(encode(NOISE), side, antialias=False)
    lost = resize_by_hand(NOISE.astype(float), side) - decoded
    assert lost.min() > -0.001
    assert lost.max() < 1.001, "Pillow rounds down here"


STRIPES = np.zeros((160, 160, 3), np.uint8)
STRIPES[:, ::10] = 255


@pytest.mark.parametrize("resize", [Resize.BILINEAR, Resize.BICUBIC, Resize.LANCZOS])
def test_a_shrinking_resize_averages(resize):
    averaged = decode(encode(STRIPES), 16, resize=resize)
    assert np.abs(averaged[:, 3:-3].astype(float) - 255 / 10).max() <= 4


def test_without_antialias_the_nearest_pixels_miss_the_stripes():
    assert decode(encode(STRIPES), 16, antialias=False).max() == 0


@pytest.mark.parametrize("resize", Resize)
def test_growing_is_the_same_with_and_without_antialias(resize):
    content = encode(NOISE[:10, :10])
    grown = [decode(content, 25, antialias=antialias, resize=resize).astype(int) for antialias in (True, False)]
    assert np.abs(grown[0] - grown[1]).max() <= 2, "rounded twice, and down"


def test_the_nearest_pixel_is_taken_where_so_asked():
    rows, columns = (np.floor((np.arange(16) + 0.5) * length / 16).astype(int) for length in NOISE.shape[:2])
    expected = NOISE[rows][:, columns]
    for antialias in (True, False):
        np.testing.assert_array_equal(decode(encode(NOISE), 16, antialias=antialias, resize=Resize.NEAREST), expected)


def test_every_way_to_resize_is_another():
    pixels = {
        (way, antialias): decode(encode(NOISE), 16, antialias=antialias, resize=way)
        for way in Resize
        for antialias in (True, False)
    }
    assert len({value.tobytes() for value in pixels.values()}) == 5, "only bilinear knows antialias"


def test_the_aspect_ratio_is_not_kept_and_nothing_is_cropped():
    pixels = np.zeros((20, 60, 3), np.uint8)
    pixels[:, :20], pixels[:, 40:] = 100, 200
    decoded = decode(encode(pixels), 30)
    assert [int(decoded[15, column, 0]) for column in (2, 15, 27)] == [100, 0, 200]


def test_one_decoding_serves_every_resolution():
    contents = [encode(NOISE), encode(NOISE[::-1].copy())]
    large, small = decode_images([("a", contents[0]), ("b", contents[1])], [32, 16], antialias=True)
    assert (large.shape, small.shape) == ((2, 32, 32, 3), (2, 16, 16, 3))
    for index, content in enumerate(contents):
        np.testing.assert_array_equal(large[index], decode(content, 32))
        np.testing.assert_array_equal(small[index], decode(content, 16))


@pytest.mark.filterwarnings("ignore:Truncated File Read")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF"])
@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.9])
def test_a_truncated_file_is_no_image(kind, kept):
    content = encode(NOISE, kind=kind)
    assert open_image(content) is not None
    assert open_image(content[: int(kept * len(content))]) is None


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 100, b"GIF89a", b"<html>not found</html>", b"\x89PNG\r\n\x1a\n" + b"x" * 50]
)
def test_what_is_no_image_is_none(content):
    assert open_image(content) is None


@pytest.mark.parametrize("error", [RuntimeError, NotImplementedError, SyntaxError, ValueError, OSError])
def test_whatever_a_decoder_says_of_a_damaged_file_it_is_no_image(error, monkeypatch):
    def fail(_):
        raise error("broken")

    monkeypatch.setattr(Image, "open", fail)
    assert open_image(encode(NOISE)) is None


def test_an_image_of_absurd_size_is_no_image(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert open_image(encode(NOISE)) is None


def test_all_damaged_files_are_named():
    files = [("NORMAL/good.png", encode(NOISE)), ("NORMAL/cut.png", encode(NOISE)[:99]), ("PNEUMONIA/note.txt", b"hi")]
    with pytest.raises(UserError) as caught:
        decode_images(files, [16], antialias=True)
    assert str(caught.value) == (
        "NORMAL/cut.png, PNEUMONIA/note.txt: cannot be decoded as an image; "
        "mend or remove the file, or set data.undecodable: skip to leave such files out"
    )


def test_of_many_damaged_files_five_are_named_and_the_rest_counted():
    assert describe_damage("abcde").startswith("a, b, c, d, e: cannot be decoded")
    assert describe_damage("abcdefgh").startswith("a, b, c, d, e and 3 more: cannot be decoded")


@pytest.mark.parametrize(("pixels", "is_decodable"), [(np.int32([[65535]]), True), (np.int32([[70000]]), False)])
def test_grey_of_32_bits_is_taken_where_16_hold_it(pixels, is_decodable):
    file = BytesIO()
    Image.fromarray(pixels).save(file, "TIFF")
    image = open_image(file.getvalue())
    assert (image is not None) == is_decodable
    assert image is None or image.getpixel((0, 0)) == 255
