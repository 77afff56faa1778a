"""A file appears whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from sweep.data.files import name_beside, remove_leftovers, write_beside
from sweep.errors import FatalError


def write(path, content=b"new"):
    with write_beside(path) as file:
        file.write(content)


def fail_with(number):
    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    return fail


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_and_its_folders_are_made(tmp_path):
    write(tmp_path / "a" / "b" / "file")
    assert (tmp_path / "a" / "b" / "file").read_bytes() == b"new"
    assert names_in(tmp_path / "a" / "b") == ["file"]


def test_until_it_is_whole_the_former_file_is_there(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with write_beside(path) as file:
        file.write(b"half")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"half"
    assert names_in(tmp_path) == ["file"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_while_writing_leaves_nothing_and_stays_what_it_is(tmp_path, error):
    def write_half():
        with write_beside(tmp_path / "file") as file:
            file.write(b"half")
            raise error

    with pytest.raises(error):
        write_half()
    assert names_in(tmp_path) == []


def test_a_full_disk_is_fatal_and_leaves_the_former_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", fail_with(errno.ENOSPC))
    with pytest.raises(FatalError) as caught:
        write(path)
    assert str(caught.value) == (
        f"{path}: cannot be written (No space left on device); what was stored before is intact: "
        "make room, mend the disk or take another folder, then run again"
    )
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["file"]


def test_a_rename_that_fails_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "replace", fail_with(errno.EIO))
    with pytest.raises(FatalError, match=r"cannot be written \(Input/output error\)"):
        write(tmp_path / "file")
    assert names_in(tmp_path) == []


def test_a_disk_that_refuses_everything_is_fatal_too(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "open", fail_with(errno.EROFS))
    monkeypatch.setattr(Path, "unlink", fail_with(errno.EROFS))
    with pytest.raises(FatalError, match="Read-only file system"):
        write(tmp_path / "file")


def test_a_file_in_place_of_the_folder_is_fatal(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FatalError, match="File exists"):
        write(tmp_path / "file" / "below")


def test_the_content_is_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        call = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *given, call=call, name=name: (calls.append(name), call(*given)))
    write(tmp_path / "file")
    assert calls == ["fsync", "replace"]


def test_two_writers_of_one_name_never_share_a_file_even_with_one_process_number(tmp_path):
    with write_beside(tmp_path / "file") as first, write_beside(tmp_path / "file") as second:
        assert len(names_in(tmp_path)) == 2
        first.write(b"first")
        second.write(b"second")
    assert (tmp_path / "file").read_bytes() == b"first", "the last to end"
    assert names_in(tmp_path) == ["file"]


def test_what_a_killed_drawing_left_is_removed_in_time(tmp_path):
    old, living = (name_beside(tmp_path / name) for name in ("demo-a", "demo-b"))
    for folder in (old, living):
        (folder / "NORMAL").mkdir(parents=True)
        (folder / "NORMAL" / "1.jpeg").write_bytes(b"")
        os.utime(folder, (0, 0))
    os.utime(old / "NORMAL", (0, 0))
    remove_leftovers(tmp_path)
    assert names_in(tmp_path) == [living.name]


def test_what_a_killed_process_left_half_written_is_removed_in_time(tmp_path):
    old, fresh, whole = (tmp_path / "a" / name for name in (".x.npy.1.part", ".y.npy.2.part", "z.npy"))
    old.parent.mkdir()
    for path in (old, fresh, whole):
        path.write_bytes(b"")
    for path in (old, whole):
        os.utime(path, (0, 0))
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in old.parent.iterdir()) == [fresh.name, whole.name]
