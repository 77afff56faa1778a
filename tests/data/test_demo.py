"""The drawn data set has the layout and the proportions of the published one, and is the same for the same seed."""

import re
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from sweep.data import demo
from sweep.data.demo import draw_demo, list_pictures
from sweep.data.files import SUFFIX
from sweep.data.radiograph import Finding
from sweep.errors import FatalError

NAMES = re.compile(r"NORMAL/(IM|NORMAL2-IM)-\d{4}-\d{4}\.jpeg|PNEUMONIA/person\d+_(bacteria|virus)_\d+\.jpeg", re.ASCII)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "drawn"
    draw_demo(folder, 100, 0)
    return folder


def contents(folder):
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*.jpeg")}


@pytest.mark.parametrize("images", [20, 100, 600, 601])
def test_as_many_pictures_as_asked_and_27_in_100_of_them_normal(images):
    findings = [picture.finding for picture in list_pictures(images, 0)]
    assert len(findings) == images
    assert findings.count(Finding.NONE) == round(0.27 * images)


def test_every_file_is_named_as_the_publisher_names_them():
    names = [picture.name for picture in list_pictures(600, 0)]
    assert [name for name in names if not NAMES.fullmatch(name)] == []
    assert len(set(names)) == 600
    assert {match[1] for name in names if (match := NAMES.fullmatch(name))} == {"IM", "NORMAL2-IM", None}


def test_a_patient_has_one_to_four_pictures_of_one_finding():
    pictures = list(list_pictures(600, 0))
    per_patient = Counter(picture.patient for picture in pictures)
    assert set(per_patient.values()) == {1, 2, 3, 4}
    assert len({(picture.patient, picture.finding) for picture in pictures}) == len(per_patient)


def test_pneumonia_is_bacterial_or_viral():
    findings = Counter(picture.finding for picture in list_pictures(600, 0))
    assert findings[Finding.BACTERIA] > findings[Finding.VIRUS] > 100


def test_the_same_seed_draws_the_same_bytes(drawn, tmp_path):
    draw_demo(tmp_path / "again", 100, 0)
    assert contents(tmp_path / "again") == contents(drawn)


def test_another_seed_draws_other_pictures(drawn, tmp_path):
    draw_demo(tmp_path / "other", 20, 1)
    assert not set(contents(tmp_path / "other").values()) & set(contents(drawn).values())


def test_a_picture_does_not_depend_on_those_drawn_before_it(drawn, tmp_path):
    last = list(list_pictures(100, 0))[-1]
    demo._draw_picture(tmp_path / "alone.jpeg", last, 0)
    assert (tmp_path / "alone.jpeg").read_bytes() == (drawn / last.name).read_bytes()


def test_pictures_are_jpegs_of_many_sizes_and_a_few_are_rgb(drawn):
    pictures = [Image.open(file) for file in drawn.rglob("*.jpeg")]
    assert {picture.format for picture in pictures} == {"JPEG"}
    assert len({picture.size for picture in pictures}) > 80
    assert all(180 <= side <= 360 for picture in pictures for side in picture.size)
    modes = Counter(picture.mode for picture in pictures)
    assert set(modes) == {"L", "RGB"}
    assert modes["RGB"] < 15


def test_no_picture_is_blank_or_blown_out(drawn):
    for file in drawn.rglob("*.jpeg"):
        pixels = np.asarray(Image.open(file).convert("L"))
        assert pixels.std() > 25, file.name
        assert (pixels == 255).mean() < 0.2, file.name


def test_a_folder_that_is_there_is_not_drawn_over(drawn):
    before = contents(drawn)
    with pytest.raises(FileExistsError):
        draw_demo(drawn, 20, 1)
    assert contents(drawn) == before


def test_what_a_killed_drawing_leaves_is_known_as_a_leftover(tmp_path, monkeypatch):
    names = []

    def draw(path, *_):
        names.append(path.relative_to(tmp_path).parts[0])
        path.write_bytes(b"")

    monkeypatch.setattr(demo, "_draw_picture", draw)
    draw_demo(tmp_path / "demo", 20, 0)
    (unfinished,) = set(names)
    assert unfinished.startswith(".demo.")
    assert unfinished.endswith(SUFFIX)


def test_a_half_drawn_set_is_never_seen(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(demo, "_draw_picture", fail)
    with pytest.raises(FatalError, match=r"demo: cannot be drawn \(No space left on device\); make room"):
        draw_demo(tmp_path / "cache" / "demo", 20, 0)
    assert list((tmp_path / "cache").iterdir()) == []
