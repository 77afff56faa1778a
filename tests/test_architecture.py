"""The rules of docs/architecture.md: which module may import which, how large things are, and what stays unloaded."""

import ast
import json
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "sweep").rglob("*.py"))
TREES = {".".join(file.relative_to(ROOT).with_suffix("").parts): ast.parse(file.read_text()) for file in FILES}

# From the bottom up. A module imports from its own part and from layers below it; parts of one layer do not meet.
LAYERS = (
    {"errors", "catalogue", "metrics", "outcome"},
    {"spec"},
    {"planning"},
    {"data"},
    {"models", "store", "training"},
    {"features", "report"},
    {"execution"},
    {"api", "console"},
    {"summary"},
    {"cli"},
    {"__main__"},
)
OUTSIDE_LAYERS = {"__init__", "testing"}  # the public names, loaded when used; small sweeps for tests

# Who may import what is heavy, or what only one part should know of.
CONFINED = {
    "tensorflow": ("sweep.models.",),
    "keras": ("sweep.models.",),
    "tensorflow_hub": ("sweep.models.",),
    "ray": ("sweep.execution.ray_pool",),
    "pandas": ("sweep.report.", "sweep.api"),
    "tabulate": ("sweep.report.",),
    "sqlite3": ("sweep.store.", "sweep.testing"),
    "PIL": ("sweep.data.",),
    "yaml": ("sweep.spec.nodes",),
    "click": ("sweep.cli",),
    "rich": ("sweep.console",),
}
PURE = ("sweep.catalogue", "sweep.metrics", "sweep.outcome", "sweep.planning.")
EFFECTS = {"datetime", "io", "logging", "os", "pathlib", "random", "shutil", "socket", "subprocess", "sys", "time"}

MODULE_LINES, FUNCTION_LINES = 350, 50
HEAVY = {"tensorflow", "keras", "tensorflow_hub", "ray", "pandas", "sklearn", "matplotlib"}


def list_imports(tree):
    """Yield every imported module, those inside functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            children = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from ({child if child in TREES else node.module for child in children})


def own_imports(module):
    return {name for name in list_imports(TREES[module]) if name.startswith("sweep.")}


def part_of(module):
    return module.split(".")[1]


def is_one_of(module, places):
    return any(module == place or (place.endswith(".") and module.startswith(place)) for place in places)


RANKS = {part: rank for rank, layer in enumerate(LAYERS) for part in layer}
LAYERED = [module for module in TREES if part_of(module) not in OUTSIDE_LAYERS]


def test_every_module_has_a_layer():
    assert {part_of(module) for module in TREES} == RANKS.keys() | OUTSIDE_LAYERS


@pytest.mark.parametrize("module", LAYERED)
def test_a_module_imports_only_its_own_part_and_layers_below(module):
    own = part_of(module)
    wrong = {name for name in own_imports(module) if part_of(name) != own and RANKS[part_of(name)] >= RANKS[own]}
    assert not wrong


def test_no_module_imports_the_test_kit():
    assert not [module for module in TREES if "sweep.testing" in own_imports(module)]


def test_the_public_names_are_imported_by_nobody_but_the_pool_which_ships_the_package():
    assert [module for module, tree in TREES.items() if "sweep" in list_imports(tree)] == ["sweep.execution.ray_pool"]


def test_no_modules_import_each_other_in_a_circle():
    TopologicalSorter({module: own_imports(module) for module in TREES}).prepare()  # CycleError names the circle


@pytest.mark.parametrize("package", CONFINED)
def test_a_package_is_imported_only_where_it_belongs(package):
    users = {module for module, tree in TREES.items() for name in list_imports(tree) if name.split(".")[0] == package}
    assert users, f"nobody imports {package} any more: drop it here and from the dependencies"
    assert not {module for module in users if not is_one_of(module, CONFINED[package])}


@pytest.mark.parametrize("module", [module for module in TREES if is_one_of(module, PURE)])
def test_a_pure_module_reaches_for_no_file_clock_or_chance(module):
    assert not EFFECTS & {name.split(".")[0] for name in list_imports(TREES[module])}
    assert not {"open", "print", "input"} & set(list_calls(module))


def list_calls(module):
    """Yield the spelt-out name of every call; of a `print` to a given stream, `print to file`."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            to_file = name == "print" and any(keyword.arg == "file" for keyword in node.keywords)
            yield "print to file" if to_file else name


@pytest.mark.parametrize("module", [module for module in TREES if module not in {"sweep.cli", "sweep.__main__"}])
def test_only_the_command_line_prints_and_exits(module):
    """The console prints too, to the stream it is given."""
    calls = set(list_calls(module))
    assert not calls & {"print", "input", "exit", "quit", "sys.exit", "os._exit", "click.echo", "sys.stdout.write"}
    assert "print to file" not in calls or module == "sweep.console"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_modules_and_functions_are_short(file):
    text = file.read_text()
    assert text.count("\n") <= MODULE_LINES
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    assert not {node.name for node in functions if node.end_lineno - node.lineno + 1 > FUNCTION_LINES}


@pytest.mark.parametrize("name", ["common", "core", "db", "helpers", "misc", "util", "utils"])
def test_no_name_that_says_nothing(name):
    assert not [module for module in TREES if name in module.split(".")]


def load_heavy_modules(statement, folder):
    """Run a statement in a process of its own and return what of HEAVY it has loaded."""
    code = f"import json, sys\n{statement}\nprint(json.dumps([*sys.modules]), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return HEAVY & set(json.loads(done.stderr.splitlines()[-1]))


def call_command(*arguments):
    return f"from sweep.cli import run_command\nassert run_command({list(arguments)}) == 0"


LIGHT = {
    "the package": "import sweep",
    "the command line": "import sweep.cli",
    "the public functions": "from sweep import open_results, plan, run",
    "help": call_command("--help"),
    "schema": call_command("schema"),
    "plan": call_command("plan", "tiny.yaml"),
    "a run on the tiny network": call_command("run", "tiny.yaml", "--executor", "inline"),
}


@pytest.mark.parametrize("statement", LIGHT.values(), ids=LIGHT)
def test_nothing_heavy_is_loaded_by(workplace, statement):
    assert not load_heavy_modules(statement, workplace)


def test_a_finished_sweep_is_asked_without_anything_heavy_and_reported_with_pandas_alone(workplace):
    load_heavy_modules(LIGHT["a run on the tiny network"], workplace)
    assert not load_heavy_modules(call_command("status", "tiny"), workplace)
    assert not load_heavy_modules(call_command("run", "tiny.yaml"), workplace)
    assert load_heavy_modules(call_command("report", "tiny"), workplace) == {"pandas"}
