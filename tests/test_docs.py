"""The documentation says what the code does, and its blocks and links work."""

import fnmatch
import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import click
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pydantic import BaseModel

import sweep
from sweep import cli
from sweep.methods.table import make_plan
from sweep.spec.load import load_spec, parse_spec
from sweep.spec.schema import Product, Spec
from sweep.summary import describe_units
from sweep.testing import make_inputs, make_store

ROOT = Path(__file__).parents[1]
MADE_HERE = {".git", "results", "data", "build", "dist"}  # at the root, not part of the project
MADE_ANYWHERE = ("__pycache__", "*.egg-info", ".venv*", ".*_cache")


def list_own_files():
    """Every file of the project, also where there is no git."""
    for folder, folders, names in os.walk(ROOT):
        ignored = MADE_HERE if Path(folder) == ROOT else set()
        folders[:] = [
            name
            for name in folders
            if name not in ignored and not any(fnmatch.fnmatch(name, pattern) for pattern in MADE_ANYWHERE)
        ]
        yield from (Path(folder, name) for name in names)


OWN_FILES = [*list_own_files(), ROOT / "results" / "README.md"]
PAGES = [path for path in OWN_FILES if path.suffix == ".md"]


def read(*parts):
    return ROOT.joinpath(*parts).read_text()


def find_blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def read_rows(text):
    """Rows of all tables of a text, cells without blanks; heads and rules included."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


# -- README --------------------------------------------------------------------------------------------------------


def test_the_readme_sets_up_with_two_commands_of_one_line_each():
    blocks = find_blocks(read("README.md"), "bash")
    lines = [block.replace("\\\n", "").strip() for block in blocks]
    steps = [[step.strip() for step in line.split("&&")] for line in lines]
    assert steps == [
        [
            "python3 -m venv .venv",
            ". .venv/bin/activate",
            "pip install -c constraints.txt -e .",
            "sweep run grid_specs/mobilenet16.yaml",
            "sweep report",
        ],
        [
            "python3 -m venv .venv",
            ". .venv/bin/activate",
            "pip install -c constraints.txt -e '.[test]'",
            "ruff check .",
            "ruff format --check .",
            "mypy",
            "pytest",
        ],
    ]


def test_continuous_integration_runs_the_second_of_them(tmp_path):
    command = [ROOT / ".ci" / "run", "--print"]
    printed = subprocess.run(
        command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    assert printed.stdout == find_blocks(read("README.md"), "bash")[1]
    assert "bash .ci/run" in read(".github", "workflows", "ci.yml")


def test_every_dependency_has_a_known_version_that_suits_it():
    pins = [Requirement(line) for line in read("constraints.txt").splitlines() if not line.startswith("#")]
    known = {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}
    project = tomllib.loads(read("pyproject.toml"))["project"]
    for line in (*project["dependencies"], *project["optional-dependencies"]["test"]):
        wanted = Requirement(line)
        assert wanted.specifier.contains(known[canonicalize_name(wanted.name)]), line


def test_the_readme_quotes_the_fallbacks_word_for_word(workplace):
    from sweep.execution.places import Places, locate_sweep
    from sweep.execution.weights import RANDOM_NOTICE

    said = []
    spec = load_spec(ROOT / "grid_specs" / "mobilenet16.yaml")
    location = locate_sweep(spec, Places(), said.append)
    assert [f"{text}\n" for text in (*said, RANDOM_NOTICE)] == find_blocks(read("README.md"), "text")[:2]
    assert f"`{location.folder}`" in read("README.md")


def test_the_readme_names_every_command():
    named = {row[0].strip("`").split()[1] for row in read_rows(read("README.md")) if row[0].startswith("`sweep ")}
    assert named == set(cli.cli.commands)


def test_both_tables_of_exit_codes_are_the_code_s_own():
    codes = {str(code) for code in (cli.COMPLETE, cli.WITH_FAILURES, cli.MISTAKE, cli.INTERRUPTED)}
    for page in ("README.md", "docs/cli.md"):
        assert {row[0] for row in read_rows(read(page)) if row[0].isdigit()} == codes


# -- docs/cli.md ---------------------------------------------------------------------------------------------------


def section_of(command):
    """The rows below a command's heading, by the option's name."""
    arguments = [part for part in command.params if isinstance(part, click.Argument)]
    usage = [part.name.upper() if part.required else f"[{part.name.upper()}]" for part in arguments]
    usage = [f"{word}..." if part.nargs < 0 else word for word, part in zip(usage, arguments, strict=True)]
    heading = " ".join(["\n## sweep", command.name, *usage])
    _, _, rest = read("docs", "cli.md").partition(f"{heading}\n")
    assert rest, f"docs/cli.md: has no section{heading}"
    rows = read_rows(rest.partition("\n## ")[0])
    return {row[0].strip("`").split()[0]: row for row in rows if row[0].startswith("`-")}


def test_the_page_has_a_section_for_every_command_and_no_other():
    assert re.findall(r"^## sweep (\w+)", read("docs", "cli.md"), re.MULTILINE) == list(cli.cli.commands)


@pytest.mark.parametrize("command", cli.cli.commands.values(), ids=lambda command: command.name)
def test_a_section_has_every_option_with_its_default_and_choices_and_no_other(command):
    section = section_of(command)
    options = {part.opts[0]: part for part in command.params if isinstance(part, click.Option)}
    assert section.keys() == options.keys()
    for name, option in options.items():
        if option.show_default:
            assert section[name][1] == f"`{option.default}`"
        if isinstance(option.type, click.Choice):
            choices = "\\|".join(option.type.choices)
            assert section[name][0] == f"`{name} [{choices}]`"


# -- docs/spec.md --------------------------------------------------------------------------------------------------


def list_fields(model, prefix=""):
    """Yield (dotted key, default, meaning) of every field of a spec that is no section."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from list_fields(kind, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", spell_default(field), field.description


def spell_default(field):
    if field.is_required() or field.default == ():
        return "required"
    value = field.default[0] if isinstance(field.default, tuple) else field.default
    value = getattr(value, "value", value)
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def test_every_field_of_a_spec_stands_in_the_page_with_its_default_and_meaning():
    rows = read_rows(read("docs", "spec.md"))
    fields = list(list_fields(Spec))
    elsewhere = {key.split(".")[-1] for key, _, _ in fields} | {"weights"}
    in_grid = {name: field for name, field in Product.model_fields.items() if name not in elsewhere}
    fields += [(f"grid.{name}", "required", field.description) for name, field in in_grid.items() if name != "bundles"]
    fields += [("grid.bundles", "none", in_grid["bundles"].description)]
    assert sorted((row[0].strip("`"), row[1], row[3]) for row in rows if row[0].startswith("`")) == sorted(fields)


def test_every_grid_of_the_page_of_specs_is_one():
    blocks = find_blocks(read("docs", "spec.md"), "yaml")
    assert [len(parse_spec(f"name: x\n{block}", "docs/spec.md").grid) for block in blocks] == [1, 1, 2]


# -- docs/architecture.md ------------------------------------------------------------------------------------------


def test_every_table_and_column_of_the_store_stands_in_the_page():
    page = read("docs", "architecture.md")
    rows = {row[0].strip("`"): set(re.findall(r"`(\w+)`", " ".join(row[1:]))) for row in read_rows(page)}
    connection = make_store().connection
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    assert tables
    for table in tables:
        columns = {name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))}
        assert columns <= rows[table], table


# -- docs/python.md ------------------------------------------------------------------------------------------------


def test_the_blocks_of_the_python_page_run_one_after_the_other(workplace):
    names = {}
    for block in find_blocks(read("docs", "python.md"), "python"):
        exec(compile(block, "docs/python.md", "exec"), names)
    columns = {name for row in read_rows(read("docs", "python.md")) for name in re.findall(r"`(\w+)`", row[0])}
    assert columns == set(names["frame"].columns)
    assert (names["frame"].status == "success").all()


def test_the_public_names_stand_in_the_python_page():
    page = read("docs", "python.md")
    assert [name for name in sweep.__all__ if f"sweep.{name}" not in page] == []


# -- grid_specs ----------------------------------------------------------------------------------------------------

# Trials, work units, and the first and last id for inputs that only look like ones.
PLANS = {
    "heads.yaml": (60, "6 decodings, 2 conversions, 12 extractions, 6 fits", "0a6351a4873312d3", "ecaac64129833883"),
    "mobilenet16.yaml": (
        1296,
        "6 decodings, 16 conversions, 96 extractions, 16 fits",
        "5f5973e04bee5661",
        "3faefb1f52185481",
    ),
    "mobilenet16_30.yaml": (
        12960,
        "6 decodings, 16 conversions, 96 extractions, 80 fits",
        "5f5973e04bee5661",
        "ee10cbe8ea1c7ac1",
    ),
    "smoke.yaml": (16, "6 decodings, 2 conversions, 12 extractions, 2 fits", "517c24811def5fdb", "d306847242fbdecc"),
}


@pytest.mark.parametrize("path", sorted((ROOT / "grid_specs").glob("*.yaml")), ids=lambda path: path.name)
def test_every_committed_spec_has_the_plan_it_had(path):
    spec = load_spec(path)
    plan = make_plan(spec, make_inputs(spec, (1341, 3875)))
    assert spec.name == path.stem
    found = len(plan.trials), describe_units(plan, plan.units), plan.trials[0].id, plan.trials[-1].id
    assert found == PLANS[path.name]


# -- all pages and files -------------------------------------------------------------------------------------------


def anchors_of(page):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_to_files_and_headings_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors_of(linked), target


def test_no_file_names_a_place_on_somebody_s_machine_or_a_registry():
    traces = re.compile(rb"(?<![\w.{}~/-])/(?:home|root|Users|tmp)/|py(?:pi|thonhosted)\.org")
    found = {str(path.relative_to(ROOT)): traces.findall(path.read_bytes()) for path in OWN_FILES}
    assert {name: matches for name, matches in found.items() if matches} == {}


def test_only_the_check_itself_knows_what_may_lie_beside_the_repository():
    assert [path.name for path in OWN_FILES if re.search(rb"\.\./shared", path.read_bytes())] == ["run"]
