"""A folder per class; the publisher's file names tell the patients."""

import pytest

from sweep.data.scan import patient_of, scan_folder
from sweep.errors import UserError


def fill(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return folder


def refusal_of(folder):
    with pytest.raises(UserError) as caught:
        scan_folder(folder)
    return str(caught.value)


@pytest.mark.parametrize(
    ("file_name", "patient"),
    [
        ("person12_virus_3.jpeg", "person12"),
        ("person1_bacteria_1.jpeg", "person1"),
        ("person1000_bacteria_2931_7.jpeg", "person1000"),
        ("IM-0115-0001.jpeg", "IM-0115"),
        ("IM-0011-0001-0002.jpeg", "IM-0011"),
        ("NORMAL2-IM-0027-0001.jpeg", "NORMAL2-IM-0027"),
        ("NORMAL2-IM-1094-0001-0001.jpeg", "NORMAL2-IM-1094"),
        ("BACTERIA-1008087-0001.jpeg", "BACTERIA-1008087"),
        ("VIRUS-9815549-0002.jpeg", "VIRUS-9815549"),
        ("NORMAL-28501-0001.jpeg", "NORMAL-28501"),
    ],
)
def test_the_publishers_names_tell_the_patient(file_name, patient):
    assert patient_of(file_name) == patient


@pytest.mark.parametrize(
    "file_name", ["scan.png", "person12.jpeg", "person12_3.jpeg", "IM-0115.jpeg", "xIM-0115-1.jpeg"]
)
def test_a_file_of_any_other_name_is_a_patient_of_its_own(file_name):
    assert patient_of(file_name) == file_name


def test_the_two_numberings_of_normal_images_are_kept_apart():
    assert patient_of("IM-0129-0001.jpeg") != patient_of("NORMAL2-IM-0129-0001.jpeg")


def test_classes_and_files_are_sorted_by_name(tmp_path):
    fill(tmp_path, "b/2.png", "b/10.png", "a/z.png", "a/Z.png")
    classes, files = scan_folder(tmp_path)
    assert classes == ("a", "b")
    assert [file.name for file in files] == ["a/Z.png", "a/z.png", "b/10.png", "b/2.png"]
    assert [file.label for file in files] == [0, 0, 1, 1]
    assert all(file.path == tmp_path / file.name for file in files)


def test_a_patient_belongs_to_a_class(tmp_path):
    fill(tmp_path, "NORMAL/IM-0115-0001.jpeg", "NORMAL/IM-0115-0002.jpeg", "SICK/IM-0115-0001.jpeg")
    _, files = scan_folder(tmp_path)
    assert [file.patient for file in files] == ["NORMAL/IM-0115", "NORMAL/IM-0115", "SICK/IM-0115"]


def test_hidden_files_and_folders_and_files_beside_the_classes_are_no_images(tmp_path):
    fill(tmp_path, "a/1.png", "b/2.png", "a/.DS_Store", ".DS_Store", ".git/config", "README.txt")
    classes, files = scan_folder(tmp_path)
    assert classes == ("a", "b")
    assert [file.name for file in files] == ["a/1.png", "b/2.png"]


def test_a_data_set_of_parts_is_refused_with_the_setting_that_names_a_part(tmp_path):
    fill(tmp_path, "test/NORMAL/1.png", "train/NORMAL/2.png")
    assert refusal_of(tmp_path) == (
        f"{tmp_path}/test: holds folders (NORMAL) where images should be; "
        "if test is a part of the data set and no class, set data.subfolder: test"
    )


def test_a_class_without_images_is_refused(tmp_path):
    fill(tmp_path, "a/1.png", "b/.DS_Store")
    assert refusal_of(tmp_path) == f"{tmp_path}/b: holds no images; remove the folder or fill it"


@pytest.mark.parametrize(("names", "found"), [(["a/1.png"], "a"), (["1.png"], "none")])
def test_fewer_than_two_classes_are_refused(tmp_path, names, found):
    fill(tmp_path, *names)
    assert refusal_of(tmp_path) == (
        f"{tmp_path}: needs one folder per class, at least two (found: {found}); name another folder"
    )


def test_a_folder_that_cannot_be_read_is_refused(tmp_path):
    assert refusal_of(tmp_path / "gone") == (
        f"{tmp_path}/gone: cannot be read (No such file or directory); name a folder with one folder per class"
    )
