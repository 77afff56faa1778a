"""A folder per class, and within it one per patient where the spec says so."""

import pytest

from sweep.data.scan import scan_folder
from sweep.errors import UserError


def fill(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return folder


def refusal_of(folder, **options):
    with pytest.raises(UserError) as caught:
        scan_folder(folder, **options)
    return str(caught.value)


def test_classes_and_files_are_sorted_by_name(tmp_path):
    fill(tmp_path, "b/2.png", "b/10.png", "a/z.png", "a/Z.png")
    classes, files = scan_folder(tmp_path)
    assert classes == ("a", "b")
    assert [file.name for file in files] == ["a/Z.png", "a/z.png", "b/10.png", "b/2.png"]
    assert [file.label for file in files] == [0, 0, 1, 1]
    assert all(file.path == tmp_path / file.name for file in files)


def test_a_class_may_hold_a_folder_for_each_patient_where_the_spec_says_so(tmp_path):
    fill(tmp_path, "a/p2/1.png", "a/p1/2.png", "a/p1/.hidden", "a/loose.png", "b/p1/1.png")
    _, files = scan_folder(tmp_path, by_patient=True)
    assert [file.name for file in files] == ["a/loose.png", "a/p1/2.png", "a/p2/1.png", "b/p1/1.png"]
    assert [file.label for file in files] == [0, 0, 0, 1]
    assert all(file.path == tmp_path / file.name for file in files)


def test_folders_below_a_patient_are_refused(tmp_path):
    fill(tmp_path, "a/p1/left/1.png", "b/p2/2.png")
    assert refusal_of(tmp_path, by_patient=True) == (
        f"{tmp_path}/a/p1: holds folders (left) where the images of a patient should be (allowed: CLASS/PATIENT/FILE); "
        "move the images up"
    )


def test_a_patient_without_images_is_refused(tmp_path):
    fill(tmp_path, "a/p1/.DS_Store", "b/p2/2.png")
    assert refusal_of(tmp_path, by_patient=True) == (
        f"{tmp_path}/a/p1: holds no images of the patient; remove the folder or fill it"
    )


def test_hidden_files_and_folders_and_files_beside_the_classes_are_no_images(tmp_path):
    fill(tmp_path, "a/1.png", "b/2.png", "a/.DS_Store", ".DS_Store", ".git/config", "README.txt")
    classes, files = scan_folder(tmp_path)
    assert classes == ("a", "b")
    assert [file.name for file in files] == ["a/1.png", "b/2.png"]


def test_a_data_set_of_parts_is_refused_with_the_setting_that_names_a_part(tmp_path):
    fill(tmp_path, "test/NORMAL/1.png", "train/NORMAL/2.png")
    assert refusal_of(tmp_path) == (
        f"{tmp_path}/test: holds folders (NORMAL) where images should be; if test is a part of the data set and no "
        "class, set data.subfolder: test; if each is a patient, set data.patients: folder"
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
