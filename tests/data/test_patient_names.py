"""Patients are told by the publisher's file names or by what the spec names, and are unknown else."""

import pytest

from sweep.data.patients import name_patients, patient_of
from sweep.errors import UserError
from sweep.spec.schema import PatientsSpec

NAMES = ("NORMAL/a_p1_left.png", "NORMAL/b_p2.png", "SICK/c_p1.png", "SICK/b_p2.png", "SICK/scan.png")


@pytest.fixture
def table(tmp_path):
    """Write a CSV file; return its path and the rule that names it."""

    def write(text):
        path = tmp_path / "patients.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path, PatientsSpec(csv=str(path))

    return write


def refusal_of(rule):
    with pytest.raises(UserError) as caught:
        name_patients(NAMES, rule)
    return str(caught.value)


@pytest.mark.parametrize(
    ("file_name", "patient"),
    [
        ("person12_virus_3.jpeg", "person12_virus"),
        ("person1_bacteria_1.jpeg", "person1_bacteria"),
        ("person1000_bacteria_2931_7.jpeg", "person1000_bacteria"),
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


def test_bacteria_and_viruses_are_numbered_apart():
    assert patient_of("person1000_bacteria_2931.jpeg") != patient_of("person1000_virus_1681.jpeg")


def test_the_two_numberings_of_normal_images_are_kept_apart():
    assert patient_of("IM-0129-0001.jpeg") != patient_of("NORMAL2-IM-0129-0001.jpeg")


@pytest.mark.parametrize(
    "file_name", ["scan.png", "person12.jpeg", "person12_3.jpeg", "IM-0115.jpeg", "xIM-0115-1.jpeg"]
)
def test_a_file_of_any_other_name_is_of_an_unknown_patient(file_name):
    assert patient_of(file_name) is None


def test_a_patient_of_the_publishers_is_of_one_class():
    names = ["NORMAL/IM-0115-0001.jpeg", "NORMAL/IM-0115-0002.jpeg", "SICK/IM-0115-0001.jpeg", "SICK/x.png"]
    assert name_patients(names, None) == ["NORMAL/IM-0115", "NORMAL/IM-0115", "SICK/IM-0115", None]


def test_a_patient_with_a_folder_in_two_classes_is_one_patient_and_loose_files_are_of_none():
    names = ["NORMAL/p1/1.png", "NORMAL/p2/1.png", "SICK/p1/1.png", "SICK/loose.png"]
    assert name_patients(names, PatientsSpec(folder=True)) == ["p1", "p2", "p1", None]


@pytest.mark.parametrize("regex", [r"_(p\d)", r"(?P<patient>p\d)(_left)?"])
def test_a_regular_expression_finds_the_patient_in_the_file_name_whatever_the_class(regex):
    assert name_patients(NAMES, PatientsSpec(regex=regex)) == ["p1", "p2", "p1", "p2", None]


def test_a_regular_expression_does_not_see_the_name_of_the_class():
    assert name_patients(["p1/x.png", "p2/p3.png"], PatientsSpec(regex=r"(p\d)")) == [None, "p3"]


def test_a_group_that_matched_nothing_names_nobody():
    assert name_patients(NAMES[:2], PatientsSpec(regex=r"p1( )|b_(?P<patient>p2)")) == [None, "p2"]


def test_a_table_names_files_with_or_without_their_class_and_what_it_leaves_out_is_unknown(table):
    _, rule = table("\ufefffile , ward,patient\n./NORMAL/a_p1_left.png,3,anna\nc_p1.png,3, anna \n\nscan.png,4,\n")
    assert name_patients(NAMES, rule) == ["anna", None, "anna", None, None]


def test_a_table_may_repeat_itself(table):
    _, rule = table("file,patient\nc_p1.png,p\nSICK/c_p1.png,p\n")
    assert name_patients(NAMES, rule)[2] == "p"


def test_a_table_that_names_two_patients_for_a_file_is_refused(table):
    path, rule = table("file,patient\nc_p1.png,p\nSICK/c_p1.png,q\n")
    assert refusal_of(rule) == (
        f"{path}:3: SICK/c_p1.png is of patient 'q' here and of 'p' in line 2 (allowed: one patient for each file); "
        "correct one of the two"
    )


def test_a_table_that_names_a_file_of_another_data_set_is_refused(table):
    path, rule = table("file,patient\nc_p1.png,p\ngone.png,q\n")
    assert refusal_of(rule) == (
        f"{path}:3: 'gone.png' is no image of the data set (allowed: CLASS/FILE, or FILE where only one class has it); "
        "correct or remove the row"
    )


def test_a_bare_name_that_two_classes_have_is_refused(table):
    path, rule = table("file,patient\nb_p2.png,p\n")
    assert refusal_of(rule) == (f"{path}:2: 'b_p2.png' stands for NORMAL/b_p2.png and SICK/b_p2.png; write CLASS/FILE")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("file,person\n", "no column patient (found: file, person"),
        ("", "no column file and no column patient (found: none"),
    ],
)
def test_a_table_without_its_columns_is_refused(text, found, table):
    path, rule = table(text)
    assert refusal_of(rule) == (f"{path}:1: has {found}; needed: file, patient); name the columns in the first line")


def test_a_table_that_is_not_there_is_refused(tmp_path):
    path = tmp_path / "gone.csv"
    assert refusal_of(PatientsSpec(csv=str(path))) == (
        f"data.patients.csv: {path} cannot be read (No such file or directory); name a CSV file with the columns "
        "file and patient, by a path from the current folder"
    )


def test_a_table_that_is_no_text_is_refused(table):
    path, rule = table(b"file,patient\n\xff\xfe,p\n")
    assert refusal_of(rule) == f"{path}: is not UTF-8 text; save it as a CSV file in UTF-8"


def test_a_table_with_an_endless_field_is_refused(table):
    path, rule = table("file,patient\n" + "x" * 200_000 + ",p\n")
    assert refusal_of(rule).startswith(f"{path}: cannot be read beyond line 1 (field larger than field limit")
