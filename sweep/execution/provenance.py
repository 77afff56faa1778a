"""Where a result came from: code, packages, machine."""

import os
import platform
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

NOT_IN_ARRAYS = {"ray"}
PACKAGES = ("numpy", "pillow", "ai-edge-litert", "tensorflow", "keras", "tensorflow-hub", "ray")


def describe_surroundings(executor: str, workers: int) -> dict[str, Any]:
    """Return JSON values: versions of sweep, Python and packages, machine, executor, workers. Imports none of them."""
    return {
        "sweep": code_version(),
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version_of(name))},
        "machine": describe_machine(),
        "executor": executor,
        "workers": workers,
    }


def describe_making(surroundings: Mapping[str, Any], source: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what of the surroundings can show in an array: versions and CPU.

    `source`: the same of the decoded images that features were made of; Pillow's version is theirs.
    """
    packages = {name: found for name, found in surroundings["packages"].items() if name not in NOT_IN_ARRAYS}
    if source is not None:
        packages.pop("pillow", None)
        packages |= {name: found for name, found in source.get("packages", {}).items() if name == "pillow"}
    return {"sweep": surroundings["sweep"], "packages": packages, "cpu": surroundings["machine"]["cpu"]}


@cache
def code_version() -> str:
    """Release, and the commit where the package lies in a git checkout (with a + for local changes)."""
    release = _version_of("sweep") or "unknown"
    checkout = Path(__file__).parents[2]
    if not (checkout / ".git").exists():
        return release
    command = ["git", "-C", str(checkout), "describe", "--always", "--abbrev=12", "--dirty=+"]
    try:
        described = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return release
    return f"{release} ({described.stdout.strip()})"


def describe_machine() -> dict[str, Any]:
    """Return the driver's CPU, cores, memory, GPUs and platform."""
    return {
        "cpu": _cpu_name(),
        "cores": count_cores(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": _gpu_names(),
        "platform": platform.platform(),
    }


def free_memory_bytes() -> int:
    """Memory that can be taken without swapping."""
    return int(psutil.virtual_memory().available)


def count_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def _version_of(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _gpu_names() -> list[str]:
    files = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    lines = (line for file in files for line in file.read_text().splitlines())
    return [line.partition(":")[2].strip() for line in lines if line.startswith("Model")]
