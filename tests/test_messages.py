"""Errors are API: every message that a user can meet stands in a test."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOLD = {"UserError", "FatalError", "WeightsUnavailable", "UsageError"}
LEAST, MOST = 12, 16  # letters of a message that are enough to know it by


def find_messages():
    """Yield the telling pieces of every error that is told to the user."""
    for path in sorted((ROOT / "sweep").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and name_of(node.func) in TOLD and node.args:
                texts = [" ".join(part.value.split()) for part in ast.walk(node.args[0]) if is_text(part)]
                pieces = [piece.strip(" ();:,") for text in texts for piece in re.split(r"[:;,] ", text)]
                telling = [piece[:MOST] for piece in pieces if len(piece) >= LEAST]
                if telling:
                    yield pytest.param(telling, id=f"{path.relative_to(ROOT)}:{node.lineno}")


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


@pytest.mark.parametrize("pieces", list(find_messages()))
def test_every_message_stands_in_a_test(pieces, tested):
    assert any(piece in tested for piece in pieces), pieces
