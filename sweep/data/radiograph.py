"""One drawn chest radiograph: enough anatomy, findings and nuisance to classify, and no more.

Coordinates run from -1 to 1 across (`x`, the patient's right is negative) and down (`y`); brightness from 0 to 1,
where dense tissue is bright. No drawn picture is of any use in medicine.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import cos, sin
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

Field = NDArray[Any]  # (height, width) float32, which the types lose in products with plain numbers

SHORTEST_SIDE_PX, LONGEST_SIDE_PX = 180, 360


class Finding(StrEnum):
    """What a picture shows, in the words of the published file names."""

    NONE = "normal"
    BACTERIA = "bacteria"  # one or two dense areas
    VIRUS = "virus"  # faint patches all over both lungs


@dataclass(frozen=True, slots=True)
class Anatomy:
    """What the pictures of one patient share."""

    lung_width: float
    lung_height: float
    lung_tilt: float
    heart_width: float
    diaphragm: float
    ribs: float
    rib_contrast: float
    vessels: float
    stoutness: float


def draw_anatomy(generator: Generator) -> Anatomy:
    """Draw one patient."""
    return Anatomy(
        lung_width=generator.uniform(0.27, 0.35),
        lung_height=generator.uniform(0.60, 0.78),
        lung_tilt=generator.uniform(0.06, 0.16),
        heart_width=generator.uniform(0.20, 0.34),
        diaphragm=generator.uniform(0.42, 0.62),
        ribs=generator.uniform(7.0, 10.0),
        rib_contrast=generator.uniform(0.03, 0.10),
        vessels=generator.uniform(0.02, 0.07),
        stoutness=generator.uniform(0.80, 1.00),
    )


def draw_radiograph(anatomy: Anatomy, finding: Finding, generator: Generator) -> NDArray[np.uint8]:
    """Draw one picture of a patient: (height, width), sides of 180 to 360 pixels."""
    height = int(generator.integers(SHORTEST_SIDE_PX, 280))
    width = int(min(LONGEST_SIDE_PX, height * generator.uniform(1.0, 1.5)))
    x, y = _place_patient(width, height, generator)
    lungs = _draw_lungs(anatomy, x, y)
    picture = _draw_chest(anatomy, x, y, lungs)
    picture += lungs * _draw_vessels(anatomy, x, y, generator)
    picture += lungs * _draw_opacity(finding, x, y, generator)
    return _expose(picture, generator)


def _place_patient(width: int, height: int, generator: Generator) -> tuple[Field, Field]:
    """Coordinates of every pixel for a patient who is turned, shifted, and nearer or farther."""
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    angle, zoom = generator.normal(0, 0.035), generator.uniform(0.93, 1.06)
    cosine, sine = zoom * cos(angle), zoom * sin(angle)
    right, below = generator.normal(0, 0.03), generator.normal(0, 0.03)
    return across * cosine + down * sine + right, down * cosine - across * sine + below


def _inside(distance: Field, softness: float) -> Field:
    """1 where `distance` is well below 0, 0 where well above, smooth between."""
    return 0.5 - 0.5 * np.tanh(distance / softness)


def _bump(x: Field, y: Field, centre: tuple[float, float], radii: tuple[float, float]) -> Field:
    """A Gaussian hill of height 1."""
    across, down = (x - centre[0]) / radii[0], (y - centre[1]) / radii[1]
    return np.exp(-(across * across + down * down))


def _draw_lungs(anatomy: Anatomy, x: Field, y: Field) -> Field:
    """How much of each pixel is lung, 0 to 1: two leaning ellipses, cut off by the diaphragm."""
    aside = np.abs(x) - 0.43 - anatomy.lung_tilt * y
    across, down = aside / anatomy.lung_width, (y + 0.12) / anatomy.lung_height
    dome = y - anatomy.diaphragm - 0.9 * aside * aside
    return _inside(across * across + down * down - 1, 0.25) * _inside(dome, 0.04)


def _draw_chest(anatomy: Anatomy, x: Field, y: Field, lungs: Field) -> Field:
    """Brightness of body, lungs, ribs, spine, heart and collar bones."""
    aside = np.abs(x)
    body = _inside(aside - anatomy.stoutness - 0.08 * y, 0.05)
    ribs = np.sin(np.pi * anatomy.ribs * (y - 0.35 * aside * aside))
    cage = _inside(aside - 0.80, 0.05) * _inside(y - anatomy.diaphragm - 0.1, 0.15)
    ribs = np.maximum(ribs, 0) * cage * anatomy.rib_contrast
    heart_x, heart_y = (x - 0.12) / anatomy.heart_width, (y - 0.28) / 0.33
    heart = _inside(heart_x * heart_x + heart_y * heart_y - 1, 0.3)
    collar = y + 0.72 + 0.2 * aside
    chest: Field = (
        body * 0.60
        - lungs * 0.36
        + ribs * body
        + 0.16 * np.exp(-((x / 0.10) ** 2))
        + 0.22 * heart * (0.3 + 0.7 * lungs)
        + 0.10 * np.exp(-((collar / 0.05) ** 2)) * body
    )
    return chest


def _draw_texture(shape: tuple[int, int], cells: int, generator: Generator) -> Field:
    """Smooth noise of mean 0 and variance near 1, with about `cells` grains across the picture."""
    coarse = Image.fromarray(generator.standard_normal((cells, cells), dtype=np.float32))
    return np.asarray(coarse.resize((shape[1], shape[0]), Image.Resampling.BICUBIC))


def _draw_vessels(anatomy: Anatomy, x: Field, y: Field, generator: Generator) -> Field:
    """Branches that fade from the root of the lung outwards; healthy lungs have more or less of them."""
    near_root = np.exp(-np.abs(np.abs(x) - 0.18) / 0.25) * np.exp(-((y / 0.5) ** 2))
    branches = np.maximum(_draw_texture(x.shape, 22, generator) + _draw_texture(x.shape, 40, generator), 0)
    haze = generator.uniform(0.0, 0.04)  # a shallow breath, soft tissue in front
    vessels: Field = near_root * branches * anatomy.vessels + haze
    return vessels


def _draw_opacity(finding: Finding, x: Field, y: Field, generator: Generator) -> Field:
    """Added brightness of the finding, from hardly visible to plain."""
    if finding is Finding.NONE:
        return np.zeros_like(x)
    severity = generator.uniform(0.0, 1.0)
    if finding is Finding.VIRUS:
        patches = np.maximum(_draw_texture(x.shape, 9, generator) + 0.4, 0)
        fine = np.maximum(_draw_texture(x.shape, 30, generator), 0)
        return (0.03 + 0.11 * severity) * (patches + 0.6 * fine)
    opacity = np.zeros_like(x)
    for _ in range(int(generator.integers(1, 3))):
        centre = (float(generator.choice([-1, 1])) * generator.uniform(0.30, 0.58), generator.uniform(-0.45, 0.40))
        radii = (generator.uniform(0.12, 0.26), generator.uniform(0.12, 0.32))
        opacity = np.maximum(opacity, _bump(x, y, centre, radii))
    grain = 1 + 0.25 * _draw_texture(x.shape, 14, generator)
    return opacity * grain * (0.15 + 0.37 * severity)


def _expose(picture: Field, generator: Generator) -> NDArray[np.uint8]:
    """Turn brightness into grey values under varying exposure, contrast and noise."""
    gamma, gain = generator.uniform(0.85, 1.20), generator.uniform(0.93, 1.07)
    bright = gain * np.clip(picture + 0.06, 0.001, 1) ** gamma
    bright += generator.standard_normal(picture.shape, dtype=np.float32) * generator.uniform(0.006, 0.020)
    return np.clip(bright * 255, 0, 255).astype(np.uint8)
