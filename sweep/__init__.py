"""Run a grid of transfer-learning experiments once, share the work between trials, and report what came out.

    import sweep

    sweep.plan("grid_specs/smoke.yaml").saving
    results = sweep.run("grid_specs/smoke.yaml")
    results.frame().groupby("model").test_accuracy.describe()

Importing the package imports nothing heavy: names are loaded when they are used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweep.api import Results, open_results, plan, run
    from sweep.errors import FatalError, UserError
    from sweep.spec.schema import Spec

__all__ = ["FatalError", "Results", "Spec", "UserError", "open_results", "plan", "run"]

_HOMES = {
    "FatalError": "sweep.errors",
    "Results": "sweep.api",
    "Spec": "sweep.spec.schema",
    "UserError": "sweep.errors",
    "open_results": "sweep.api",
    "plan": "sweep.api",
    "run": "sweep.api",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("sweep")
    if name not in _HOMES:
        raise AttributeError(f"module 'sweep' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
