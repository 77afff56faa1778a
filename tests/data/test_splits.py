"""Every split and every shuffle is a partition of its own, and always the same one."""

import numpy as np
import pytest

from sweep.data.splits import check_split, count_parts, partition_images
from sweep.errors import UserError
from sweep.spec.values import Split

FINGERPRINT = "a" * 64
LABELS = np.repeat([0, 1], [1341, 3875])
SPLITS = ["80/10/10", "70/15/15", "60/20/20"]


def partition_of(split="60/20/20", shuffle=0, fingerprint=FINGERPRINT, labels=LABELS):
    return partition_images(labels, fingerprint, Split.parse(split), shuffle)


def parts_of(partition):
    return partition.training, partition.validation, partition.test


@pytest.mark.parametrize(
    ("split", "counts"),
    [("80/10/10", (4172, 522, 522)), ("70/15/15", (3652, 782, 782)), ("60/20/20", (3130, 1043, 1043))],
)
def test_the_counts_are_those_of_table_1_of_the_paper(split, counts):
    assert count_parts(5216, Split.parse(split)) == counts
    assert tuple(map(len, parts_of(partition_of(split)))) == counts


@pytest.mark.parametrize(
    ("images", "split", "counts"),
    [(10, "80/10/10", (8, 1, 1)), (5, "80/10/10", (3, 1, 1)), (1000, "99.85/0.05/0.1", (998, 1, 1))],
)
def test_halves_are_rounded_up_and_training_takes_the_rest(images, split, counts):
    assert count_parts(images, Split.parse(split)) == counts


@pytest.mark.parametrize("images", [20, 101, 160, 5232])
@pytest.mark.parametrize("split", [*SPLITS, "33.3/33.3/33.4"])
def test_the_parts_are_disjoint_cover_the_images_and_ascend(images, split):
    labels = np.arange(images) % 2
    parts = parts_of(partition_of(split, labels=labels))
    assert sorted(np.concatenate(parts)) == list(range(images))
    assert all(part.dtype == np.int64 and (np.diff(part) > 0).all() for part in parts)
    assert tuple(map(len, parts)) == count_parts(images, Split.parse(split))


def test_the_same_seed_gives_the_same_partition():
    for one, again in zip(parts_of(partition_of(shuffle=3)), parts_of(partition_of(shuffle=3)), strict=True):
        np.testing.assert_array_equal(one, again)


def test_a_partition_is_pinned():
    parts = parts_of(partition_of(labels=np.arange(20) % 2))
    assert [part.tolist() for part in parts[1:]] == [[5, 6, 7, 10], [2, 4, 12, 13]]


def test_another_shuffle_another_split_and_other_images_give_another_partition():
    tests = [
        partition_of().test,
        partition_of(shuffle=1).test,
        partition_of(fingerprint="b" * 64).test,
        partition_of("70/10/20").test,
    ]
    shared = [len(np.intersect1d(tests[0], other)) / len(other) for other in tests[1:]]
    assert shared == pytest.approx([0.2] * 3, abs=0.05), "as many in common as chance has it"


def test_seed_0_is_a_seed_like_any_other():
    assert not np.array_equal(partition_of(shuffle=0).training, np.arange(3130))


def test_every_image_is_tested_on_equally_often():
    labels = np.arange(20) % 2
    tested = np.concatenate([partition_of(shuffle=shuffle, labels=labels).test for shuffle in range(500)])
    assert np.bincount(tested) == pytest.approx([100] * 20, abs=5 * np.sqrt(500 * 0.2 * 0.8))


def test_a_split_that_leaves_a_part_empty_is_refused():
    with pytest.raises(UserError) as caught:
        check_split(np.array([0, 0, 1, 1]), "f", Split.parse("80/10/10"), (0,))
    assert str(caught.value) == (
        "grid.split: 80/10/10 of 4 images leaves a part empty (4/0/0 images); take more images or another split"
    )
    check_split(np.array([0, 0, 1, 1, 1]), "f", Split.parse("80/10/10"), ())


def test_a_split_that_leaves_a_class_untrained_is_refused():
    labels = np.array([0] * 12 + [1] * 12 + [2])
    with pytest.raises(UserError) as caught:
        partition_of("20/40/40", labels=labels)
    with pytest.raises(UserError, match="leaves no training image of class 2"):
        check_split(labels, "f", Split.parse("20/40/40"), range(20))
    assert str(caught.value) == (
        "grid.split: 20/40/40 leaves no training image of class 2 (shuffle 0, 25 images in all); "
        "take more images or another split"
    )
