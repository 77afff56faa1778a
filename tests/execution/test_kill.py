"""Killing anything at any moment loses at most the units in flight."""

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from sweep.store.store import Store

pytestmark = pytest.mark.slow

LONGER = ("--set", "grid.steps=[3000, 6000]")  # fits of about a second
UNITS = 13  # 1 decoding, 4 conversions, 4 extractions, 4 fits
INTERRUPTED = "interrupted: what was finished is stored; `sweep resume` goes on, `sweep status` counts"


@pytest.fixture
def undisturbed(sweep_command, workplace, evidence):
    sweep_command("run", "tiny.yaml", *LONGER, "--set", "name=calm", "--executor", "inline", check=0)
    for array in (workplace / "results" / ".cache" / "v1").rglob("*.npy"):
        array.unlink()
    return evidence(workplace / "results" / "calm")


def wait_for(condition, process, timeout_s=180.0):
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)
    return found


def find_children(process, name):
    """Processes below the driver whose name begins with `name`."""
    try:
        children = psutil.Process(process.pid).children(recursive=True)
        return [child for child in children if child.name().startswith(name)]
    except psutil.NoSuchProcess:  # one of them ended while being looked at
        return []


def is_reading(process):
    """Whether a process waits for somebody to write to a named pipe."""
    return any(word in Path(f"/proc/{process.pid}/wchan").read_text() for word in ("fifo", "pipe", "wait_for_partner"))


def is_fitting(workplace):
    log = workplace / "results" / "tiny" / "sweep.log"
    return log.exists() and "start fit" in log.read_text()


def assert_as_undisturbed(workplace, undisturbed, evidence, computed_units):
    folder = workplace / "results" / "tiny"
    assert evidence(folder) == undisturbed
    computed = Counter(computed_units(folder))
    assert len(computed) <= UNITS
    assert max(computed.values()) == 1, "a unit that was kept was computed again"


@pytest.mark.parametrize("seed", [0, 1])
def test_kill_9_of_the_driver_at_random_moments(seed, sweep_command, workplace, undisturbed, evidence, computed_units):
    moments = random.Random(seed)
    for _ in range(8):
        process = sweep_command.start("run", "tiny.yaml", *LONGER, "--executor", "inline")
        time.sleep(moments.uniform(0.3, 1.6))
        process.kill()
        process.communicate()
    sweep_command("run", "tiny.yaml", *LONGER, "--executor", "inline", check=0)
    assert_as_undisturbed(workplace, undisturbed, evidence, computed_units)


@pytest.mark.ray
def test_kill_9_of_the_driver_takes_ray_along_and_the_sweep_goes_on(
    sweep_command, workplace, undisturbed, evidence, computed_units
):
    process = sweep_command.start("run", "tiny.yaml", *LONGER, "--workers", "2")
    wait_for(lambda: is_fitting(workplace), process)
    workers = wait_for(lambda: find_children(process, "ray::perform"), process)
    process.kill()
    process.communicate()
    sweep_command("resume", "--workers", "2", check=0)
    psutil.wait_procs(workers, timeout=30)
    assert not [worker for worker in workers if worker.is_running()]
    assert_as_undisturbed(workplace, undisturbed, evidence, computed_units)


@pytest.mark.ray
def test_kill_9_of_a_worker_is_made_good_by_ray(sweep_command, workplace, undisturbed, evidence, computed_units):
    process = sweep_command.start("run", "tiny.yaml", *LONGER, "--workers", "2")
    wait_for(lambda: is_fitting(workplace), process)
    wait_for(lambda: find_children(process, "ray::perform"), process)[0].kill()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert_as_undisturbed(workplace, undisturbed, evidence, computed_units)


@pytest.mark.ray
def test_kill_9_of_the_raylet_is_told_in_a_line_and_the_sweep_goes_on(
    sweep_command, workplace, undisturbed, evidence, computed_units
):
    process = sweep_command.start("run", "tiny.yaml", *LONGER, "--workers", "2")
    wait_for(lambda: is_fitting(workplace), process)
    wait_for(lambda: find_children(process, "raylet"), process)[0].kill()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "the workers are lost" in err
    assert err.strip().endswith("run again to go on")
    assert "Traceback" not in err
    sweep_command("resume", "--workers", "2", check=0)
    assert_as_undisturbed(workplace, undisturbed, evidence, computed_units)


RAY = pytest.param(("--workers", "2"), marks=pytest.mark.ray, id="ray")


@pytest.mark.parametrize("executor", [pytest.param(("--executor", "inline"), id="inline"), RAY])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_is_told_in_a_line_and_the_sweep_goes_on(
    how, executor, sweep_command, workplace, undisturbed, evidence, computed_units
):
    process = sweep_command.start("run", "tiny.yaml", *LONGER, *executor)
    wait_for(lambda: is_fitting(workplace), process)
    process.send_signal(how)
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err.strip()) == (130, INTERRUPTED)
    sweep_command("resume", "--executor", "inline", check=0)
    assert_as_undisturbed(workplace, undisturbed, evidence, computed_units)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_is_heeded_from_the_very_start(how, sweep_command, workplace):
    os.mkfifo(workplace / "slow.yaml")  # the command waits here for its spec
    process = sweep_command.start("run", "slow.yaml", "--executor", "inline")
    wait_for(lambda: (Path("/proc") / str(process.pid) / "wchan").exists() and is_reading(process), process)
    process.send_signal(how)
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err.strip()) == (130, INTERRUPTED)


def test_a_hang_up_that_the_caller_ignores_stays_ignored(sweep_command, workplace):
    command = ("run", "tiny.yaml", *LONGER, "--executor", "inline")
    process = sweep_command.start(*command, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    wait_for(lambda: is_fitting(workplace), process)
    process.send_signal(signal.SIGHUP)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err


def test_an_interrupt_within_generated_code_exits_with_130_too(tmp_path):
    (tmp_path / "victim.py").write_text(
        "from sweep import __main__, cli\n"
        "def interrupted(arguments):\n"
        "    exec('raise KeyboardInterrupt')\n"
        "cli.run_command = interrupted\n"
        "__main__.main()\n"
    )
    done = subprocess.run([sys.executable, "-m", "victim"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


@pytest.mark.ray
def test_ctrl_c_reaches_every_process_of_the_terminal_and_none_stays(sweep_command, workplace):
    process = sweep_command.start("run", "tiny.yaml", *LONGER, "--workers", "2", start_new_session=True)
    wait_for(lambda: is_fitting(workplace), process)
    children = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err.strip()) == (130, INTERRUPTED)
    psutil.wait_procs(children, timeout=30)
    assert not [child for child in children if child.is_running()]


def test_a_running_sweep_is_watched_from_another_terminal_and_refused_a_second_driver(sweep_command, workplace):
    endless = ("run", "tiny.yaml", "--set", "grid.steps=1000000", "--executor", "inline")
    process = sweep_command.start(*endless)
    wait_for(lambda: is_fitting(workplace), process)
    status = sweep_command("status", check=0).stdout
    assert f"running  process {process.pid} on " in status
    second = sweep_command(*endless)
    assert second.returncode == 2
    assert f"already being run by process {process.pid} on" in second.stderr
    process.kill()
    process.communicate()
    assert "running  no" in sweep_command("status", check=0).stdout


@pytest.fixture
def small_disk(workplace):
    """`results/` on a file system of 1 MiB."""
    folder = workplace / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def assert_goes_on_with_room(sweep_command, workplace, evidence, undisturbed, results):
    folder = workplace / results / "tiny"
    with Store.read(folder) as store:
        assert store.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    sweep_command("run", "tiny.yaml", *LONGER, "--executor", "inline", "--results", results, check=0)
    assert evidence(folder) == undisturbed


@pytest.mark.parametrize("left_kib", [20, 160, 300])
def test_a_full_disk_gives_a_clear_error_and_an_intact_store(
    left_kib, small_disk, sweep_command, workplace, undisturbed, evidence
):
    (small_disk / ".cache").symlink_to(workplace / "results" / ".cache")
    sweep_command("run", "tiny.yaml", *LONGER, "--executor", "inline", "--results", "small", "--set", "grid.shuffle=0")
    free = os.statvfs(small_disk)
    filler = small_disk / "filler"
    filler.write_bytes(bytes(max(0, free.f_bavail * free.f_frsize - left_kib * 1024)))
    stopped = sweep_command("run", "tiny.yaml", *LONGER, "--executor", "inline", "--results", "small")
    if left_kib < 100:
        assert stopped.returncode == 2
        assert "cannot be" in stopped.stderr
        intact = "what was stored before is intact: make room, mend the disk or take another folder, then run again"
        assert intact in stopped.stderr
    assert "Traceback" not in stopped.stderr
    filler.unlink()
    assert_goes_on_with_room(sweep_command, workplace, evidence, undisturbed, "small")


@pytest.mark.parametrize("limit_kib", [4, 60, 200])
def test_a_quota_gives_a_clear_error_and_an_intact_store(limit_kib, sweep_command, workplace, undisturbed, evidence):
    sweep_command("run", "tiny.yaml", *LONGER, "--executor", "inline", "--set", "grid.shuffle=0", check=0)

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_kib * 1024, limit_kib * 1024))

    stopped = sweep_command("run", "tiny.yaml", *LONGER, "--executor", "inline", preexec_fn=limit)
    assert stopped.returncode in (0, 2)
    assert "Traceback" not in stopped.stderr
    if stopped.returncode == 2:
        assert "intact" in stopped.stderr
    assert_goes_on_with_room(sweep_command, workplace, evidence, undisturbed, "results")
