"""One driver per sweep folder; a dead driver's lock holds nobody up."""

import os
import re
import socket
import subprocess
import sys

import pytest

from sweep.errors import UserError
from sweep.store.lock import LOCK_NAME, find_holder, hold_lock

HOLD = """
import sys, time
from pathlib import Path
from sweep.store.lock import hold_lock
with hold_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds the lock of the test's folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def name_of(pid):
    return f"process {pid} on {socket.gethostname()}"


def test_a_folder_nobody_ever_ran_has_no_holder(tmp_path):
    assert find_holder(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_the_holder_is_this_process_until_it_lets_go(tmp_path):
    with hold_lock(tmp_path):
        assert find_holder(tmp_path) == name_of(os.getpid())
    assert find_holder(tmp_path) is None


def test_looking_for_the_holder_leaves_the_lock_free(tmp_path):
    with hold_lock(tmp_path):
        pass
    find_holder(tmp_path)
    with hold_lock(tmp_path):
        pass


def test_an_error_lets_go_of_the_lock(tmp_path):
    with pytest.raises(ZeroDivisionError), hold_lock(tmp_path):
        raise ZeroDivisionError
    assert find_holder(tmp_path) is None


def test_a_second_driver_is_refused_and_told_which_process_is_at_it(tmp_path, other):
    with pytest.raises(UserError) as error, hold_lock(tmp_path):
        pytest.fail("two processes hold one lock")
    assert str(error.value) == (
        f"{tmp_path}: already being run by {name_of(other.pid)}; wait for it, or watch it with `sweep status`"
    )
    assert find_holder(tmp_path) == name_of(other.pid)


def test_the_lock_of_a_killed_driver_is_taken_over(tmp_path, other):
    other.kill()
    other.wait()
    assert find_holder(tmp_path) is None
    with hold_lock(tmp_path):
        assert (tmp_path / LOCK_NAME).read_text() == f"{name_of(os.getpid())}\n"


def test_a_longer_name_left_behind_leaves_no_trace(tmp_path):
    (tmp_path / LOCK_NAME).write_text("process 123456789 on a-machine-with-a-long-name\n" * 3)
    with hold_lock(tmp_path):
        assert find_holder(tmp_path) == name_of(os.getpid())


def test_a_holder_that_has_not_yet_written_its_name_is_unknown(tmp_path):
    with hold_lock(tmp_path):
        (tmp_path / LOCK_NAME).write_text("")
        assert find_holder(tmp_path) == "an unknown process"
        with pytest.raises(UserError, match=re.escape("already being run by an unknown process;")), hold_lock(tmp_path):
            pytest.fail("two drivers hold one lock")
