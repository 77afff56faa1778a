"""`sweep` and `python -m sweep`."""

import sys

from sweep.execution.signals import heed_signals

INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        heed_signals()
        from sweep.cli import run_command

        code = run_command(sys.argv[1:])
    except KeyboardInterrupt:  # before the command began, or once more while it was ending
        sys.stderr.write("interrupted\n")
        code = INTERRUPTED
    eval("None")  # noqa: S307 - forgets an interrupt within `exec`, which CPython would repeat as it exits
    sys.exit(code)


if __name__ == "__main__":
    main()
