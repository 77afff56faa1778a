"""The embedded data set: drawn radiographs in the publisher's layout, for trying the tool out without a download."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image

from sweep.data.files import name_beside
from sweep.data.radiograph import Finding, draw_anatomy, draw_radiograph
from sweep.errors import FatalError

DEMO_VERSION = 1  # raised when the same seed draws other pictures
NORMAL_SHARE = 0.27  # as published: 1,349 of 5,232
BACTERIA_SHARE = 0.65  # of the patients with pneumonia
RGB_SHARE = 0.05
MOST_IMAGES_PER_PATIENT = 4
JPEG_QUALITY = 90


@dataclass(frozen=True, slots=True)
class Picture:
    """One file to draw. `patient` and `index` count from 1; the pair names the picture's random stream."""

    name: str
    finding: Finding
    patient: int
    index: int


def draw_demo(folder: Path, images: int, seed: int) -> None:
    """Draw `images` pictures into `folder`, which appears whole or not at all.

    The same seed draws the same bytes. Raises FileExistsError where `folder` is there already.
    """
    if folder.exists():
        raise FileExistsError(f"{folder} is there already")
    unfinished = name_beside(folder)
    try:
        for label in ("NORMAL", "PNEUMONIA"):
            (unfinished / label).mkdir(parents=True)
        for picture in list_pictures(images, seed):
            _draw_picture(unfinished / picture.name, picture, seed)
        unfinished.replace(folder)
    except OSError as error:
        if not folder.is_dir():  # another process may have drawn the same pictures meanwhile
            raise FatalError(f"{folder}: cannot be drawn ({error.strerror}); make room, then run again") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def list_pictures(images: int, seed: int) -> Iterator[Picture]:
    """Yield the pictures of a demo data set, patient by patient, healthy ones first."""
    generator = _stream(seed, 0, 0)
    normal = round(images * NORMAL_SHARE)
    patient = 0
    for stop, is_normal in ((normal, True), (images, False)):
        drawn = 0 if is_normal else normal
        while drawn < stop:
            patient += 1
            finding = _draw_finding(generator, is_normal=is_normal)
            count = min(int(generator.integers(1, MOST_IMAGES_PER_PATIENT + 1)), stop - drawn)
            for index in range(1, count + 1):
                yield Picture(_name_file(finding, patient, index, drawn + index), finding, patient, index)
            drawn += count


def _draw_finding(generator: Generator, *, is_normal: bool) -> Finding:
    is_bacterial = generator.random() < BACTERIA_SHARE
    if is_normal:
        return Finding.NONE
    return Finding.BACTERIA if is_bacterial else Finding.VIRUS


def _name_file(finding: Finding, patient: int, index: int, number: int) -> str:
    """Name a file as the publisher does; every other healthy patient is of the second series."""
    if finding is Finding.NONE:
        series = "IM" if patient % 2 else "NORMAL2-IM"
        return f"NORMAL/{series}-{patient:04d}-{index:04d}.jpeg"
    return f"PNEUMONIA/person{patient}_{finding}_{number}.jpeg"


def _draw_picture(path: Path, picture: Picture, seed: int) -> None:
    anatomy = draw_anatomy(_stream(seed, picture.patient, 0))
    generator = _stream(seed, picture.patient, picture.index)
    image = Image.fromarray(draw_radiograph(anatomy, picture.finding, generator))
    if generator.random() < RGB_SHARE:
        image = image.convert("RGB")
    image.save(path, quality=JPEG_QUALITY)


def _stream(seed: int, patient: int, index: int) -> Generator:
    """Random numbers of their own for each picture (index from 1), patient (index 0) and data set (both 0)."""
    return np.random.default_rng([seed, patient, index])
