"""The two errors that stop a command; anything else a trial raises is a failed trial."""


class UserError(Exception):
    """A mistake the user can mend. The message is one line a mistake: what, where, received, allowed, what to do."""


class FatalError(Exception):
    """The surroundings gave way (full disk, lost cluster). Nothing stored is lost; the message says how to go on."""
