"""What a terminal shows while a sweep runs, on a terminal that is a real one to the program."""

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from sweep.console import (
    NARROWEST_BAR,
    describe_progress,
    describe_rate,
    fit_fields,
    fit_step,
    list_fields,
    wrap,
)
from sweep.execution.progress import Progress, count, describe_step
from sweep.methods.table import find_method

RAY = pytest.param(("--workers", "2"), marks=pytest.mark.ray, id="ray")
MOVES = re.compile(r"\x1b\[[?0-9;]*[A-Za-z]")
OUR_LINES = (
    r"",
    r". (starting|starting 2 workers|reading images and weights|comparing models|letting go of the workers)…?, \d+ s",
    r". (decoding \d+ images|converting tiny|extracting tiny|fitting tiny).*, \d+ s",
    r"[━╸╺]+ \d+ %(, \d+/32 trials)?(, about \d+ s left)?",
    r"tiny: 32 trials, read-outs of 16 fits on 4 networks, in .*",
    r"complete: 32 of 32 trials done, 0 failed, 0 missing in \d+ s",
    r"No model is shown to be within 1\.0 points of the best at 60/20/20 by 2 shuffles\. .*\[DEMO IMAGES, .*\]",
    r"`sweep report tiny` prints the tables; `sweep report tiny --format html` writes a page with figures",
)


@pytest.fixture
def on_a_terminal(workplace):
    """Call the command line on a terminal of so many columns; returns the exit code and all that it wrote there."""

    def call(*arguments, columns=100):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
        surroundings = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS"}}
        process = subprocess.Popen(
            [sys.executable, "-m", "sweep", *arguments],
            cwd=workplace,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**surroundings, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(theirs)
        written = b"".join(iter(lambda: read(ours), b""))
        os.close(ours)
        return process.wait(timeout=60), written.decode()

    return call


def read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # the last process has let go of the terminal
        return b""


def lines_of(written):
    return [line.strip() for line in re.split(r"[\r\n]+", MOVES.sub("", written))]


@pytest.mark.parametrize("executor", [pytest.param(("--executor", "inline"), id="inline"), RAY])
def test_a_terminal_shows_our_lines_and_nothing_of_any_library(executor, on_a_terminal):
    code, written = on_a_terminal("run", "tiny.yaml", *executor, columns=200)
    assert code == 0, written
    strangers = [line for line in lines_of(written) if not any(re.fullmatch(ours, line) for ours in OUR_LINES)]
    assert strangers == []
    assert re.findall("letting go of the workers|comparing models", written)[-1] == "comparing models"


@pytest.mark.parametrize("columns", [60, 72, 100])
def test_no_line_is_wider_than_the_terminal_and_the_bar_keeps_ten_cells(columns, on_a_terminal):
    _, written = on_a_terminal("run", "tiny.yaml", "--executor", "inline", columns=columns)
    lines = lines_of(written)
    assert max(len(line) for line in lines) <= columns
    bars = [re.match("[━╸╺]+", line)[0] for line in lines if re.match("[━╸╺]{2}", line)]
    assert min(len(bar) for bar in bars) >= NARROWEST_BAR


def test_the_bar_is_green_and_never_the_colour_of_an_error(on_a_terminal):
    _, written = on_a_terminal("run", "tiny.yaml", "--executor", "inline")
    assert "\x1b[32m━" in written
    assert not re.search(r"\x1b\[(31|35|38;5;197)m", written)


def test_the_screen_moves_although_no_unit_ends(on_a_terminal):
    _, written = on_a_terminal(
        "run", "tiny.yaml", "--executor", "inline", "--set", "grid.steps=100000", "--set", "grid.alpha=1.0"
    )
    shown = [line[2:] for line in lines_of(written) if "fitting tiny" in line]
    assert len(set(shown)) > len({line.rpartition(", ")[0] for line in shown}), "the clock goes on within a fit"


def test_mistakes_are_wrapped_at_words(on_a_terminal):
    code, written = on_a_terminal("run", "tiny.yaml", "--data", "nowhere", columns=60)
    lines = lines_of(written)
    assert code == 2
    assert max(map(len, lines)) <= 60
    assert " ".join(" ".join(lines).split()) == (
        "sweep: --data: nowhere has no use here, as this sweep takes drawn images; leave it out"
    )


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_wrapped_line_keeps_its_column_and_a_pipe_gets_it_whole(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    line = "  data     DEMO IMAGES: 40 images (NORMAL 11, PNEUMONIA 29)"
    assert wrap(line, Terminal()).splitlines() == [
        "  data     DEMO IMAGES: 40 images",
        "           (NORMAL 11, PNEUMONIA 29)",
    ]
    assert wrap(line, io.StringIO()) == line


def make_progress(**values):
    return Progress(**{"trials": 288, "done": 108, "failed": 0, "done_before": 0, "units": 9, **values})


def test_fields_go_by_width_and_the_share_of_the_work_is_the_last():
    fields = list_fields(make_progress(failed=3, left_s=90.0, work=100, work_left=63), since_s=20.0)
    assert fields == ["37 %", "3 failed", "108/288 trials", "about 1 min 10 s left"]
    assert fit_fields(fields, 100) == "37 %, 3 failed, 108/288 trials, about 1 min 10 s left"
    assert fit_fields(fields, 40) == "37 %, 3 failed, 108/288 trials"
    assert fit_fields(fields, 2) == "37 %"


def test_time_left_never_runs_out_before_the_work():
    assert list_fields(make_progress(left_s=5.0, work=2, work_left=1), since_s=60.0)[-1] == "about 1 s left"
    assert list_fields(make_progress(left_s=0.0, work=2, work_left=0), since_s=0.0)[-1] == "108/288 trials"


def test_a_step_is_cut_where_there_is_no_room_and_its_time_is_not():
    assert fit_step("extracting mobilenet-1-224", 65, 80) == "extracting mobilenet-1-224, 1 min 5 s"
    assert fit_step("extracting mobilenet-1-224", 65, 24) == "extracting m…, 1 min 5 s"


def test_a_rate_is_told_in_the_unit_that_makes_it_a_number():
    assert [describe_rate(rate) for rate in (2.34, 0.05, 0.001)] == ["2.3 trials/s", "3.0 trials/min", "3.6 trials/h"]


def test_the_last_line_says_how_long_it_took_and_not_what_is_left():
    last = make_progress(done=288, units_done=9, elapsed_s=65.0, left_s=0.0)
    assert describe_progress(last) == "288/288 trials, 9/9 units, 4.4 trials/s, in 1 min 5 s, 0 failed"
    within = make_progress(units_done=4, elapsed_s=65.0, left_s=20.0, done_before=108)
    assert describe_progress(within) == "108/288 trials, 4/9 units, after 1 min 5 s, about 20 s left, 0 failed"


def test_one_is_singular():
    assert [count(number, "trial") for number in (0, 1, 1296)] == ["0 trials", "1 trial", "1,296 trials"]


def test_a_step_names_what_is_done_and_how_many_do_it(workplace):
    import sweep

    decode, *others = sweep.plan("tiny.yaml").units
    extract = [unit for unit in others if unit.kind == "extract"]
    fit = next(unit for unit in others if unit.kind == "fit")
    kinds = find_method("probe").kinds
    assert describe_step([decode], kinds, 1) == "decoding 40 images"
    assert describe_step([extract[0], fit], kinds, 4).endswith("; fitting tiny-0.5-16, 2 workers busy")
    assert describe_step(extract, kinds, 2) == "extracting tiny-0.5-16, tiny-0.5-32 and 2 more, 2 workers busy"
