"""Functions by name, so that a table can name what it need not import and a job can name what its worker runs."""

from importlib import import_module
from typing import Any


def import_object(name: str) -> Any:
    """Import what `module:object` names.

    Raises:
        ImportError: there is no such module, or nothing of that name in it.
    """
    module, _, attribute = name.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except AttributeError as error:
        raise ImportError(f"{name}: {error}") from error
