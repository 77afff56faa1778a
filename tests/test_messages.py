"""Errors are API: every message that a user can meet stands in a test."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOLD = {"UserError", "FatalError", "WeightsUnavailable", "UsageError"}
TELLING = 12  # letters of a message that are enough to know it by


def find_messages():
    """Yield (place, constant fragments) of every error that is told to the user."""
    for path in sorted((ROOT / "sweep").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and name_of(node.func) in TOLD and node.args:
                fragments = [part.value for part in ast.walk(node.args[0]) if is_text(part)]
                if fragments:
                    yield pytest.param(fragments, id=f"{path.relative_to(ROOT)}:{node.lineno}")


def name_of(function):
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def is_text(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


@pytest.fixture(scope="module")
def tested():
    """All text of the tests, without the escapes of regular expressions and the seams of long strings."""
    files = [path for path in (ROOT / "tests").rglob("*") if path.suffix in {".py", ".txt"} and path != Path(__file__)]
    text = " ".join(path.read_text() for path in files)
    return " ".join(text.replace("\\", "").split()).replace('" "', "").replace('" f"', "").replace('" r"', "")


@pytest.mark.parametrize("fragments", find_messages())
def test_every_message_stands_in_a_test(fragments, tested):
    telling = [" ".join(fragment.split()) for fragment in fragments]
    pieces = [piece for text in telling for piece in text.split(": ") if len(piece) >= TELLING]
    assert any(piece[: 2 * TELLING] in tested for piece in pieces), fragments
