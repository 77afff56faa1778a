"""Which image is for training, validation and test."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from math import floor

import numpy as np
from numpy.typing import NDArray

from sweep.errors import UserError
from sweep.identity import canonical_json, partition_identity
from sweep.spec.values import Split


@dataclass(frozen=True, slots=True)
class Partition:
    """Positions of the images of each part, each (images of the part,) int64, ascending."""

    training: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]

    @property
    def parts(self) -> dict[str, NDArray[np.int64]]:
        """The positions by part."""
        return {"training": self.training, "validation": self.validation, "test": self.test}


def count_parts(images: int, split: Split) -> tuple[int, int, int]:
    """Numbers of training, validation and test images, as in Table 1 of Duong-Trung et al. 2019.

    Validation and test are rounded to the nearest image, half up; training takes the rest.
    """
    validation, test = (floor(images * part / 100 + Fraction(1, 2)) for part in (split.validation, split.test))
    return images - validation - test, validation, test


def check_split(labels: NDArray[np.int64], fingerprint: str, split: Split, shuffles: Sequence[int]) -> None:
    """Raise a UserError where a split leaves a part without images, or a training part without one of the classes.

    labels: (images,) class of each image.
    """
    images = len(labels)
    training, validation, test = count_parts(images, split)
    if min(training, validation, test) < 1:
        raise UserError(
            f"grid.split: {split} of {images} images leaves a part empty ({training}/{validation}/{test} images); "
            "take more images or another split"
        )
    if np.bincount(labels).min() <= images - training:  # else no shuffle can miss a class
        for shuffle in shuffles:
            partition_images(labels, fingerprint, split, shuffle)


def partition_images(labels: NDArray[np.int64], fingerprint: str, split: Split, shuffle: int) -> Partition:
    """Shuffle the images and cut them into parts without replacement; every split and shuffle anew.

    Args:
        labels: (images,) class of each image.
        fingerprint: of the data set; with the split and the shuffle it seeds the permutation.
        split: percentages.
        shuffle: the repetition's seed.

    Raises:
        UserError: the training part is left without one of the classes.
    """
    identity = {"data": fingerprint, **partition_identity(str(split), shuffle)}
    seed = int.from_bytes(sha256(canonical_json(identity).encode()).digest()[:16])
    order = np.random.default_rng(seed).permutation(len(labels))
    training, validation, _ = count_parts(len(labels), split)
    partition = Partition(*(np.sort(part) for part in np.split(order, [training, training + validation])))
    absent = np.setdiff1d(labels, labels[partition.training])
    if len(absent):
        raise UserError(
            f"grid.split: {split} leaves no training image of class {absent[0]} (shuffle {shuffle}, "
            f"{len(labels)} images in all); take more images or another split"
        )
    return partition
