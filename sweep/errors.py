"""The two errors that stop a command; anything else a trial raises is a failed trial."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """A mistake the user can mend. The message is one line a mistake: what, where, received, allowed, what to do."""


class FatalError(Exception):
    """The surroundings gave way (full disk, lost cluster). Nothing stored is lost; the message says how to go on."""


def list_allowed(name: str, allowed: Iterable[str]) -> str:
    """List the names there are, behind the one that an unknown name is close to."""
    names = list(allowed)
    close = get_close_matches(name.lower(), names, 1)
    return f"({f'did you mean {close[0]}? ' if close else ''}allowed: {', '.join(names)})"
