"""The import rules of docs/architecture.md, and the sizes of modules and functions, read off the sources."""

import ast
import json
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sweep"
MODULES = sorted(PACKAGE.rglob("*.py"))
FRONT_DOORS = {"__init__", "__main__"}  # they import what they name, when it is asked for

MOST_MODULE_LINES = 350
MOST_FUNCTION_LINES = 50
HEAVY = ("tensorflow", "keras", "tensorflow_hub", "ray", "pandas", "sklearn", "scipy", "statsmodels", "matplotlib")
PURE_PARTS = {"axes", "durations", "identity", "inputs", "measures", "metrics", "outcome", "planning"}
PURE_MODULES = {"networks/table.py", *(f"methods/probe/{name}.py" for name in ("axes", "identity", "plan", "settings"))}
IMPURE_MODULES = {
    *(
        "asyncio",
        "datetime",
        "glob",
        "io",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "random",
        "secrets",
        "shutil",
    ),
    *("socket", "sqlite3", "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid"),
}


def part_of(path):
    """The package or module directly below `sweep` that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def tree_of(path):
    return ast.parse(path.read_text())


@cache
def imports_of(path):
    """Absolute dotted names of everything a file imports, wherever in it."""
    return tuple(_list_imports(path))


def _list_imports(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_parts_of(path):
    """The parts of `sweep` that a file imports, its own left out."""
    found = {name.split(".")[1] for name in imports_of(path) if name.startswith("sweep.")}
    return found - {part_of(path)}


def own_modules_of(path):
    """Files of `sweep` that a file imports."""
    for name in set(imports_of(path)):
        module = PACKAGE.parent.joinpath(*name.split("."))
        yield from ({module.with_suffix(".py"), module.parent.with_suffix(".py")} & set(MODULES) - {path})


def calls_of(path):
    """(called name as written, call) of every call in a file."""
    return [(ast.unparse(node.func), node) for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]


def read_table(heading):
    """Rows of the table with a heading in the architecture page: names of the first cell, names of the second."""
    lines = (ROOT / "docs" / "architecture.md").read_text().splitlines()
    start = lines.index(heading) + 2
    stop = next(number for number in range(start, len(lines)) if not lines[number].startswith("|"))
    for line in lines[start:stop]:
        first, second = line.strip("|").split("|")
        yield re.findall(r"`([^`]+)`", first), set(re.findall(r"`([^`]+)`", second))


ALLOWED = {part: names for (part,), names in read_table("| part | may import |")}
PLACES = {name: places for names, places in read_table("| package | imported by |") for name in names}


def test_every_part_has_a_row_in_the_architecture_page():
    assert {part_of(path) for path in MODULES} - FRONT_DOORS == set(ALLOWED)


def test_the_rows_go_one_way():
    order = list(ALLOWED)
    for part, names in ALLOWED.items():
        assert names <= set(order[: order.index(part)]), part


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_its_row_names(path):
    if part_of(path) not in FRONT_DOORS:
        assert own_parts_of(path) <= ALLOWED[part_of(path)]


def test_no_modules_import_each_other_in_a_circle():
    TopologicalSorter({path: own_modules_of(path) for path in MODULES}).prepare()  # CycleError names the circle


@pytest.mark.parametrize("package", PLACES)
def test_a_heavy_or_special_package_stays_in_its_place(package):
    importers = [path for path in MODULES if any(name.split(".")[0] == package for name in imports_of(path))]
    strangers = [
        str(path.relative_to(PACKAGE))
        for path in importers
        if not {part_of(path), path.name, str(path.relative_to(PACKAGE))} & PLACES[package]
    ]
    assert importers
    assert not strangers


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if part_of(path) in PURE_PARTS or str(path.relative_to(PACKAGE)) in PURE_MODULES],
    ids=lambda path: path.stem,
)
def test_pure_parts_reach_for_no_file_clock_or_chance(path):
    assert not {name.split(".")[0] for name in imports_of(path)} & IMPURE_MODULES
    assert not {name for name, _ in calls_of(path)} & {"open", "input", "print"}


def test_only_the_console_prints_and_only_to_the_console_it_is_given():
    prints = [(path.name, call) for path in MODULES for name, call in calls_of(path) if name == "print"]
    assert {name for name, _ in prints} <= {"console.py"}
    assert all(any(keyword.arg == "file" for keyword in call.keywords) for _, call in prints)


def test_only_the_front_door_exits():
    exits = {"sys.exit", "exit", "quit", "os._exit"}
    assert {path.name for path in MODULES for name, _ in calls_of(path) if name in exits} == {"__main__.py"}


@pytest.mark.parametrize("name", ["common", "core", "db", "helpers", "misc", "util", "utils"])
def test_no_module_has_a_name_that_says_nothing(name):
    assert not [path for path in MODULES if name in path.relative_to(PACKAGE).with_suffix("").parts]


def test_no_module_is_longer_than_350_lines():
    lengths = {str(path): len(path.read_text().splitlines()) for path in MODULES}
    assert {name: length for name, length in lengths.items() if length > MOST_MODULE_LINES} == {}


def test_no_function_is_longer_than_50_lines():
    functions = [
        (f"{path}:{node.name}", node.end_lineno - node.lineno + 1)
        for path in MODULES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert [(name, length) for name, length in functions if length > MOST_FUNCTION_LINES] == []


def heavy_after(code):
    """Which heavy packages a fresh interpreter has imported after some code."""
    probe = f"import json, sys\n{code}\nprint(json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    process = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return json.loads(process.stdout.splitlines()[-1])


def call_command(*arguments):
    return f"from sweep.cli import run_command\nassert run_command({list(arguments)}) == 0"


RUN = call_command("run", "tiny.yaml", "--executor", "inline")
LIGHT = {
    "the package": "import sweep",
    "the command line": "import sweep.cli",
    "the public functions": "from sweep import open_results, plan, run",
    "help": call_command("--help"),
    "schema": call_command("schema"),
    "plan": call_command("plan", "tiny.yaml"),
}


@pytest.mark.parametrize("code", LIGHT.values(), ids=LIGHT)
def test_nothing_heavy_is_imported_by(code, workplace):
    assert heavy_after(code) == []


def test_a_run_of_the_tiny_backbone_needs_no_more_than_its_headline_does(workplace):
    assert heavy_after(RUN) == ["pandas", "scipy", "statsmodels"]


def test_a_finished_sweep_is_looked_at_and_run_again_without_anything_heavy(workplace):
    heavy_after(RUN)
    assert heavy_after(call_command("status")) == []
    assert heavy_after(call_command("run", "tiny.yaml")) == []


@pytest.mark.slow
def test_a_report_needs_tables_and_statistics_and_draws_only_where_there_are_figures(workplace):
    heavy_after(RUN)
    assert heavy_after(call_command("report")) == ["pandas", "scipy", "statsmodels"]
    assert heavy_after(call_command("explain", "accuracy:tiny-1-16:60/20/20")) == ["pandas", "scipy", "statsmodels"]
    drawn = ["pandas", "sklearn", "scipy", "statsmodels", "matplotlib"]
    assert heavy_after(call_command("report", "--format", "html")) == drawn
    assert heavy_after(call_command("report", "--figures")) == drawn
