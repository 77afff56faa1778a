"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Option = Callable[[Callable[..., Any]], Callable[..., Any]]

results_option: Option = click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("results"),
    show_default=True,
    help="Folder of all sweeps and their caches.",
)
data_option: Option = click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder of images, one folder per class. [default: $SWEEP_DATA, else the spec's]",
)
set_option: Option = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a value of the spec, for example grid.alpha='[0.25, 0.5]'.",
)
spec_argument: Option = click.argument("spec", type=click.Path(path_type=Path))
sweep_argument: Option = click.argument("sweep", required=False)


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that `run` and `resume` share."""
    options: list[Option] = [
        click.option("--workers", type=click.IntRange(1, 4096), help="Processes of one thread. [default: one a core]"),
        click.option(
            "--executor",
            type=click.Choice(["ray", "inline"]),
            default="ray",
            show_default=True,
            help="Who does the work: Ray, or this process alone.",
        ),
        click.option("--address", help="Address of an existing Ray cluster, for example auto or 10.0.0.1:6379."),
        click.option("--cache", metavar="PLACE", help="Folder or URL for arrays that all workers reach, on a cluster."),
        click.option("--retry-failed", is_flag=True, help="Run the trials again that failed before."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


select_option: Option = click.option(
    "--select",
    type=click.Choice(["validation", "test"]),
    default="validation",
    show_default=True,
    help="What chooses a cell's configuration; `test` is what papers often print, and optimistic.",
)
