"""Arguments in, one call per command, one answer out; the only file that prints or exits.

Commands import what they need when they run: `sweep --help` starts in a blink.
"""

import json
import select
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sweep.errors import FatalError, UserError
from sweep.options import (
    data_option,
    results_option,
    run_options,
    select_option,
    set_option,
    spec_argument,
    sweep_argument,
)

if TYPE_CHECKING:
    from sweep.execution.executor import Executor
    from sweep.execution.places import Location, Places
    from sweep.spec.schema import Spec

INTERRUPTED_RUN = "interrupted: what was finished is stored; `sweep resume` goes on, `sweep status` counts"
STDOUT = 1
COMPLETE, WITH_FAILURES, MISTAKE, INTERRUPTED = 0, 1, 2, 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="sweep", message="%(prog)s %(version)s")
def cli() -> None:
    """Run a grid of transfer-learning experiments once, and say honestly what came out."""


@cli.command()
@spec_argument
@data_option
@set_option
@results_option
def plan(spec: Path, data: Path | None, overrides: Sequence[str], results: Path) -> None:
    """Say what running SPEC would do. Starts neither TensorFlow nor Ray."""
    from sweep.execution.places import Places, locate_sweep
    from sweep.execution.prepare import prepare_sweep
    from sweep.spec.load import load_spec
    from sweep.summary import describe_plan, foresee_refusal

    places = Places(results, data)
    checked = load_spec(spec, overrides)
    prepared = prepare_sweep(checked, locate_sweep(checked, places, _note), places, _note, download=False)
    _answer("\n".join(describe_plan(prepared)))
    if refusal := foresee_refusal(prepared):
        _note(f"`sweep run` will refuse: {refusal}")


@cli.command()
@spec_argument
@data_option
@set_option
@results_option
@run_options
def run(spec: Path, data: Path | None, overrides: Sequence[str], results: Path, **how: Any) -> int:
    """Run SPEC, or what is missing of it."""
    from sweep.execution.places import Places, locate_sweep
    from sweep.spec.load import load_spec

    places = Places(results, data, how["cache"])
    checked = load_spec(spec, overrides)
    return _run(checked, locate_sweep(checked, places, _note), places, **how)


@cli.command()
@sweep_argument
@data_option
@results_option
@run_options
def resume(sweep: str | None, data: Path | None, results: Path, **how: Any) -> int:
    """Go on with SWEEP from its stored spec; the latest one when none is named."""
    from sweep.execution.places import Places, locate_again

    folder = _find_sweep(results, sweep)
    places = Places(folder.parent, data, how["cache"])
    return _run(*locate_again(folder, places), places, **how)


@cli.command()
@sweep_argument
@results_option
@click.option("--failed", is_flag=True, help="List the failed trials and their reasons.")
def status(sweep: str | None, results: Path, *, failed: bool) -> None:
    """Say how far SWEEP is, also while it runs; the latest one when none is named."""
    from sweep.summary import describe_failures, describe_status

    folder = _find_sweep(results, sweep)
    _answer("\n".join(describe_failures(folder) if failed else describe_status(folder)))


@cli.command()
@sweep_argument
@results_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "text", "latex", "csv", "json", "html"]),
    default="markdown",
    show_default=True,
    help="What to print and write; `html` is one page with figures.",
)
@click.option(
    "--table",
    "tables",
    multiple=True,
    metavar="NAME",
    help="Print this table alone, for example table4, and write nothing; may be given several times.",
)
@click.option("--rows", metavar="AXES", default="", help="Compared axes that are rows of the table of means, by comma.")
@click.option("--columns", metavar="AXES", default="", help="Compared axes that are its columns; others make panels.")
@click.option(
    "--where",
    multiple=True,
    metavar="AXIS=VALUE",
    help="Look at these trials alone, for example alpha=0.25; of one axis given twice, either value.",
)
@click.option("--full", is_flag=True, help="Print the whole report on a terminal too, not one screen of it.")
@click.option(
    "--metric",
    default="accuracy",
    show_default=True,
    help="Metric of the means and all that stands on them: accuracy, balanced_accuracy, sensitivity, specificity, "
    "precision, negative_predictive_value, f1, roc_auc, average_precision, cohen_kappa, log_loss or "
    "calibration_error.",
)
@select_option
@click.option(
    "--about",
    type=click.Choice(["pool", "procedure"]),
    default="pool",
    show_default=True,
    help="What bounds hold for: heads trained on this pool of images, or on any pool drawn like it.",
)
@click.option(
    "--against",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV file of results to compare with. [default: the paper that the spec names]",
)
@click.option("--figures", is_flag=True, help="Draw the figures too, as SVG and PNG with their data as CSV.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("reports"),
    show_default=True,
    help="Folder of all reports.",
)
def report(sweep: str | None, results: Path, output: Path, tables: Sequence[str], *, full: bool, **what: Any) -> None:
    """Print the report of SWEEP and write it under reports/.

    A terminal gets one screen of it: the answer, the means and warnings. SWEEP is the latest one when none is named.
    """
    from sweep.report.cells import Selection
    from sweep.report.render import Format
    from sweep.report.report import Request, print_tables, publish_report
    from sweep.report.screen import draw_screen
    from sweep.report.statistics.errors import About

    form, select, about = Format(what["form"]), Selection(what["select"]), About(what["about"])
    rows, columns = (tuple(filter(None, what[name].replace(" ", "").split(","))) for name in ("rows", "columns"))
    request = Request(
        form, select, what["metric"], what["against"], what["figures"], about, rows, columns, _read_where(what["where"])
    )
    for name, is_asked in {"full": full, "figures": request.has_figures, "format html": form is Format.HTML}.items():
        if tables and is_asked:
            raise click.UsageError(f"--table prints tables alone; leave it out, or --{name}")
    folder = _find_sweep(results, sweep)
    if tables:
        click.echo(print_tables(folder, request, tables), nl=False)
        return
    written = publish_report(folder, request, output)
    is_screen = sys.stdout.isatty() and not full
    click.echo(draw_screen(written, *shutil.get_terminal_size()) if is_screen else written.text, nl=False)


@cli.command()
@click.argument("cell")
@sweep_argument
@results_option
@select_option
def explain(cell: str, sweep: str | None, results: Path, select: str) -> None:
    """Say where a mean of the report comes from. CELL is metric:model:block.

    For example accuracy:mobilenet-0.75-192:80/10/10. SWEEP is the latest one when none is named.
    """
    from sweep.report.cells import Selection
    from sweep.report.report import explain_number

    click.echo(explain_number(_find_sweep(results, sweep), cell, Selection(select)), nl=False)


@cli.command()
@click.argument("cell")
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--sweep", help="Name or folder of the sweep. [default: the latest one]")
@results_option
@click.option(
    "--repeat", type=click.IntRange(0), default=0, show_default=True, help="Which repetition's model answers."
)
@select_option
def predict(cell: str, images: Sequence[Path], *, sweep: str | None, results: Path, **which: Any) -> None:
    """Say what a trained model makes of IMAGES, as CSV: file, class, probability of each class.

    CELL is metric:model:block, for example accuracy:mobilenet-0.75-192:80/10/10, or a trial's id.
    """
    from sweep.prediction import predict as answer

    folder = _find_sweep(results, sweep)
    prediction = answer(folder, cell, images, **which)
    _note(f"{folder.name}: trial {prediction.trial}, one model of its kind; no diagnosis")
    if prediction.is_demo:
        _note("DEMO IMAGES: it was trained on drawn images; its answers say nothing about real ones")
    click.echo(prediction.frame.to_csv(index=False, lineterminator="\n"), nl=False)


@cli.command()
def schema() -> None:
    """Print the JSON schema of a spec, for editors."""
    from sweep.spec.load import spec_schema

    click.echo(json.dumps(spec_schema(), indent=2))


def run_command(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. Whatever the user got wrong is told in plain lines."""
    try:
        code = cli.main(list(arguments), prog_name="sweep", standalone_mode=False)
    except SystemExit as error:
        code = _read_code(error)
    except (KeyboardInterrupt, click.Abort):
        is_run = arguments[:1] in (["run"], ["resume"])
        _note(INTERRUPTED_RUN if is_run else "interrupted")
        code = INTERRUPTED
    except (UserError, FatalError, click.ClickException, OSError) as error:
        _note(_explain(error))
        code = MISTAKE
    return code if isinstance(code, int) else COMPLETE


def _read_code(error: SystemExit) -> int:
    """Return the code that somebody else wants to exit with; nothing but a closed pipe makes it a success."""
    if error.code == 1 and _has_lost_its_reader():  # click's answer to `| head`: the reader has seen enough
        return COMPLETE
    if isinstance(error.code, str):
        return MISTAKE
    return error.code or COMPLETE


def _has_lost_its_reader() -> bool:
    """Whether standard output is a pipe that nobody reads from any more."""
    watcher = select.poll()
    watcher.register(STDOUT, 0)
    return any(event & select.POLLERR for _, event in watcher.poll(0))


def _explain(error: Exception) -> str:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.format_message()
    if isinstance(error, click.ClickException):
        message = f"{error.format_message()} (see `{_command_path(error)} --help`)"
    elif isinstance(error, OSError):
        message = f"{error.filename or 'disk'}: {error.strerror}; nothing stored is lost: mend it, then run again"
    else:
        message = str(error)
    return "\n".join(f"sweep: {line}" for line in message.splitlines())


def _run(spec: "Spec", location: "Location", places: "Places", *, retry_failed: bool, **how: Any) -> int:
    """Prepare and run a sweep with the chatter of its libraries in its log; return the exit code."""
    from sweep.api import make_executor
    from sweep.console import show_progress
    from sweep.execution.chatter import LOG_NAME, divert_chatter
    from sweep.execution.prepare import prepare_sweep
    from sweep.execution.run import run_sweep
    from sweep.summary import describe_end, describe_start, describe_starting

    executor, workers, address = how["executor"], how["workers"], how["address"]
    if how["cache"] and not address:
        raise click.UsageError("--cache needs --address: without a cluster, arrays lie in the results folder")
    for option in ("address", "workers"):
        if how[option] and executor == "inline":
            raise click.UsageError(f"--{option} needs --executor ray")
    with divert_chatter(location.folder / LOG_NAME) as consoles, show_progress(consoles) as screen:

        def make() -> "Executor":
            screen.begin(describe_starting(executor, workers, address))
            return make_executor(executor, workers, address, has_place=how["cache"] is not None)

        screen.begin("reading images and weights")
        prepared = prepare_sweep(spec, location, places, screen.note, download=True)
        screen.say(describe_start(prepared.plan))
        progress = run_sweep(prepared, make, screen.watch, retry_failed=retry_failed)
        headline = None
        if progress.units_done:
            from sweep.report.report import find_headline

            screen.begin("comparing models")
            headline = find_headline(location.folder)
        screen.say(describe_end(progress, location.folder, headline))
    return WITH_FAILURES if progress.failed else COMPLETE


def _read_where(conditions: Sequence[str]) -> dict[str, list[str]]:
    """Read AXIS=VALUE; several values of one axis are alternatives."""
    found: dict[str, list[str]] = {}
    for condition in conditions:
        axis, equals, value = condition.partition("=")
        if not equals:
            raise UserError(f"--where {condition}: is not AXIS=VALUE (allowed: for example alpha=0.25)")
        found.setdefault(axis.strip(), []).append(value.strip())
    return {axis: list(dict.fromkeys(values)) for axis, values in found.items()}


def _find_sweep(results: Path, name: str | None) -> Path:
    """Find a sweep by its name or folder; the one run last when none is named."""
    from sweep.execution.folders import find_sweep

    return find_sweep(results, name, _note)


def _answer(text: str) -> None:
    """Print what a command was asked for."""
    from sweep.console import wrap_for_output

    click.echo(wrap_for_output(text))


def _note(text: str) -> None:
    """Print what the user must know besides, and what went wrong."""
    from sweep.console import wrap_for_errors

    click.echo(wrap_for_errors(text), err=True)


def _command_path(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return context.command_path if context else "sweep"
