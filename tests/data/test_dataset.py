"""A data set is known by its names and contents, wherever it lies; what was read once is not read again."""

import json
import os
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from PIL import Image

from sweep.data.dataset import describe_doubts, open_data_set
from sweep.data.hashes import HashCache
from sweep.errors import UserError
from sweep.spec.schema import PatientsSpec
from sweep.spec.values import Undecodable

NAMES = ("NORMAL/IM-0001-0001.png", "NORMAL/IM-0001-0002.png", "PNEUMONIA/person1_virus_1.png", "PNEUMONIA/x.png")


def write_image(path, grey):
    path.parent.mkdir(parents=True, exist_ok=True)
    file = BytesIO()
    Image.new("L", (8, 8), grey).save(file, "PNG")
    path.write_bytes(file.getvalue())


@pytest.fixture
def folder(tmp_path):
    """Two images of each of two classes."""
    for grey, name in enumerate(NAMES):
        write_image(tmp_path / "data" / name, grey)
    return tmp_path / "data"


@pytest.fixture
def cache_file(tmp_path):
    return tmp_path / "cache" / "hashes.json"


@pytest.fixture
def open_folder(cache_file):
    def open_it(folder, undecodable=Undecodable.ERROR, patients=None):
        return open_data_set(folder, "x-rays", HashCache(cache_file), undecodable, is_demo=False, patients=patients)

    return open_it


@pytest.fixture
def files_read(monkeypatch):
    """Names of the files whose contents are read."""
    names = []
    read = Path.read_bytes

    def read_and_note(path):
        names.append(path.name)
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", read_and_note)
    return names


def test_a_data_set_is_its_classes_names_labels_and_patients(open_folder, folder):
    data = open_folder(folder)
    assert (data.summary.name, data.summary.is_demo, data.summary.left_out) == ("x-rays", False, 0)
    assert data.summary.classes == ("NORMAL", "PNEUMONIA")
    assert data.summary.images_per_class == (2, 2)
    assert data.summary.images == 4
    assert data.images.names == NAMES
    assert data.images.labels.tolist() == [0, 0, 1, 1]
    assert data.images.labels.dtype == np.int64
    assert data.images.patients == ("NORMAL/IM-0001", "NORMAL/IM-0001", "PNEUMONIA/person1_virus", None)
    assert (data.images.copies, data.images.contradictions) == (0, 0)


def test_positions_read_names_and_contents(open_folder, folder):
    fetched = open_folder(folder).select((3, 0)).fetch()
    assert fetched == [(NAMES[at], (folder / NAMES[at]).read_bytes()) for at in (3, 0)]


def test_a_file_that_is_gone_is_told_in_a_line(open_folder, folder):
    data = open_folder(folder)
    (folder / NAMES[1]).unlink()
    with pytest.raises(UserError, match=r"cannot be read any more \(No such file or directory\); put it back and run"):
        data.select((0, 1)).fetch()


def test_the_fingerprint_is_pinned(open_folder, tmp_path):
    for name in ("a/1", "b/2"):
        (tmp_path / "pinned" / name).parent.mkdir(parents=True)
        (tmp_path / "pinned" / name).write_bytes(name.encode())
    assert (
        open_folder(tmp_path / "pinned").summary.fingerprint
        == "e2f01081c3bab91371d859d72cf71397a08e7062fb271a3e85f928d8655ac1bc"
    )


def test_the_fingerprint_depends_neither_on_the_place_nor_on_times_nor_on_hidden_files(open_folder, folder, tmp_path):
    elsewhere = copytree(folder, tmp_path / "else" / "where")
    for name in NAMES:
        os.utime(elsewhere / name, (1, 1))
    (elsewhere / "NORMAL" / ".DS_Store").write_bytes(b"hidden")
    assert open_folder(elsewhere).summary == open_folder(folder).summary


def change_a_byte(folder):
    path = folder / NAMES[0]
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def rename_a_file(folder):
    (folder / NAMES[0]).rename(folder / "NORMAL" / "IM-0002-0001.png")


def swap_two_contents(folder):
    first, second = ((folder / name).read_bytes() for name in NAMES[:2])
    (folder / NAMES[0]).write_bytes(second)
    (folder / NAMES[1]).write_bytes(first)


def move_to_another_class(folder):
    (folder / NAMES[3]).rename(folder / "NORMAL" / "x.png")


def rename_a_class(folder):
    (folder / "NORMAL").rename(folder / "HEALTHY")


def add_a_file(folder):
    write_image(folder / "NORMAL" / "new.png", 9)


def remove_a_file(folder):
    (folder / NAMES[0]).unlink()


@pytest.mark.parametrize(
    "change",
    [
        change_a_byte,
        rename_a_file,
        swap_two_contents,
        move_to_another_class,
        rename_a_class,
        add_a_file,
        remove_a_file,
    ],
)
def test_the_fingerprint_changes_with(change, open_folder, folder):
    before = open_folder(folder).summary.fingerprint
    change(folder)
    assert open_folder(folder).summary.fingerprint != before


def test_files_that_copy_another_are_counted(open_folder, folder):
    content = (folder / NAMES[0]).read_bytes()
    for name in ("NORMAL/again.png", "PNEUMONIA/again.png"):
        (folder / name).write_bytes(content)
    assert open_folder(folder).images.copies == 2


def test_files_whose_content_lies_in_two_classes_are_counted_and_said(open_folder, folder):
    (folder / "NORMAL" / "IM-0001-0003.png").write_bytes((folder / NAMES[0]).read_bytes())
    assert open_folder(folder).images.contradictions == 0, "a copy within a class contradicts nothing"
    (folder / NAMES[3]).write_bytes((folder / NAMES[0]).read_bytes())
    images = open_folder(folder).images
    assert images.contradictions == 3
    assert list(describe_doubts(images))[1] == (
        "3 files are byte-identical to a file of another class (contradictory labels); remove the wrong ones"
    )


def test_patients_are_known_of_all_images_of_some_or_of_none(open_folder, folder):
    images = open_folder(folder).images
    assert (images.knows_patients, images.images_of_known_patients) == (False, 3)
    assert list(describe_doubts(images)) == ["patients known for 3 of 4 images, by file names or data.patients"]
    none = replace(images, patients=(None,) * 4)
    assert (none.knows_patients, none.images_of_known_patients) == (False, 0)
    assert list(describe_doubts(none)) == ["patients unknown: neither file names nor data.patients tell them"]
    known = replace(images, patients=("p", "p", "q", "q"))
    assert (known.knows_patients, known.images_of_known_patients) == (True, 4)
    assert list(describe_doubts(known)) == []


def test_an_image_of_an_unknown_patient_is_grouped_with_no_other(open_folder, folder):
    images = replace(open_folder(folder).images, patients=("p", None, None, "p"))
    first, second, third, last = images.clusters
    assert first == last
    assert len({first, second, third}) == 3


def test_patients_named_by_the_spec_change_neither_fingerprint_nor_splits(open_folder, folder):
    named = open_folder(folder, patients=PatientsSpec(regex="([a-z]+)"))
    assert named.images.patients != open_folder(folder).images.patients
    assert named.summary == open_folder(folder).summary


def test_patients_of_files_that_are_left_out_may_be_listed_all_the_same(open_folder, folder, tmp_path):
    (folder / "NORMAL" / "notes.txt").write_text("no image")
    (tmp_path / "patients.csv").write_text(f"file,patient\nnotes.txt,p1\n{NAMES[0]},p2\n")
    rule = PatientsSpec(csv=str(tmp_path / "patients.csv"))
    assert open_folder(folder, Undecodable.SKIP, patients=rule).images.patients == ("p2", None, None, None)


def test_a_folder_for_each_patient_is_opened_where_the_spec_says_so(open_folder, tmp_path):
    for grey, name in enumerate(("a/p1/1.png", "a/p2/1.png", "b/p1/1.png")):
        write_image(tmp_path / "nested" / name, grey)
    data = open_folder(tmp_path / "nested", patients=PatientsSpec(folder=True))
    assert data.images.names == ("a/p1/1.png", "a/p2/1.png", "b/p1/1.png")
    assert data.images.patients == ("p1", "p2", "p1")


def test_undecodable_files_are_left_out_and_counted_where_the_spec_says_so(open_folder, folder):
    before = open_folder(folder).summary
    (folder / "NORMAL" / "notes.txt").write_text("no image")
    (folder / "PNEUMONIA" / "a.png").write_bytes((folder / NAMES[0]).read_bytes()[:30])
    data = open_folder(folder, Undecodable.SKIP)
    assert data.images.names == NAMES
    assert data.summary.left_out == 2
    assert data.summary.fingerprint == before.fingerprint, "the images that are left are the same"
    assert open_folder(folder).summary.images == 6, "by default they stay, and decoding will name them"


def test_a_class_of_undecodable_files_only_is_refused_by_name(open_folder, folder):
    for name in NAMES[:2]:
        (folder / name).write_bytes(b"no image")
    with pytest.raises(UserError, match=f"^{NAMES[0]}, {NAMES[1]}: cannot be decoded as an image; "):
        open_folder(folder, Undecodable.SKIP)


def test_a_second_look_reads_no_file(open_folder, folder, files_read):
    first = open_folder(folder)
    assert len(files_read) == 4
    assert open_folder(folder).summary == first.summary
    assert len(files_read) == 4


def test_a_changed_file_and_only_it_is_read_again(open_folder, folder, files_read):
    before = open_folder(folder).summary.fingerprint
    files_read.clear()
    write_image(folder / NAMES[2], 99)
    os.utime(folder / NAMES[2], (5, 5))
    assert open_folder(folder).summary.fingerprint != before
    assert files_read == [Path(NAMES[2]).name]


def test_a_touched_file_is_read_again_and_found_the_same(open_folder, folder, files_read):
    before = open_folder(folder).summary
    files_read.clear()
    os.utime(folder / NAMES[0], (5, 5))
    assert open_folder(folder).summary == before
    assert files_read == [Path(NAMES[0]).name]


@pytest.mark.parametrize(
    "content",
    [
        *(
            b"",
            b'{"version": 1, "fil',
            b"\xff\xfe\0",
            b"[]",
            b"null",
            b'{"version": 0, "files": "old"}',
            b"[" * 100_000,
        ),
        *(b'{"version": 1, "files": [], "verdicts": {}}', b'{"version": 1, "files": {}, "verdicts": [[]]}'),
    ],
)
def test_a_damaged_or_older_cache_is_ignored_and_made_anew(content, open_folder, folder, cache_file, files_read):
    before = open_folder(folder).summary
    cache_file.write_bytes(content)
    assert open_folder(folder).summary == before
    assert len(files_read) == 8
    assert len(json.loads(cache_file.read_text())["files"]) == 4


@pytest.mark.parametrize("damage", [None, 5, [], [0, 0], "text", [0, 0, 7]])
def test_a_damaged_entry_of_the_cache_is_no_entry(damage, open_folder, folder, cache_file, files_read):
    before = open_folder(folder).summary
    stored = json.loads(cache_file.read_text())
    place = next(iter(stored["files"]))
    stored["files"][place] = damage if damage != [0, 0, 7] else [*stored["files"][place][:2], 7]
    cache_file.write_text(json.dumps(stored))
    assert open_folder(folder).summary == before
    assert len(files_read) == 5


def test_a_file_named_from_another_folder_is_not_read_again(folder, cache_file, files_read, monkeypatch, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    for start, path in ((folder.parent, "data"), (folder, "."), (tmp_path, str(folder)), (tmp_path, "link")):
        monkeypatch.chdir(start)
        open_data_set(Path(path), "x-rays", HashCache(cache_file), Undecodable.ERROR, is_demo=False)
    assert len(files_read) == 4


def test_the_cache_is_not_written_where_nothing_was_learnt(open_folder, folder, cache_file):
    open_folder(folder)
    os.utime(cache_file, (1, 1))
    open_folder(folder)
    assert cache_file.stat().st_mtime == 1


def test_whether_a_content_decodes_is_asked_once(tmp_path):
    files = [tmp_path / name for name in ("a", "copy of a", "b")]
    for file, content in zip(files, (b"a", b"a", b"b"), strict=True):
        file.write_bytes(content)
    asked = []

    def judge(content):
        asked.append(content)
        return content == b"a"

    for _ in range(2):
        assert HashCache(tmp_path / "cache.json").judge_files(files, judge) == [True, True, False]
    assert asked == [b"a", b"b"]
