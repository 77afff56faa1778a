"""Small sweeps with true scores, for the tests of tables, documents and whole reports."""

from dataclasses import replace
from types import SimpleNamespace

from sweep.methods.probe.axes import network_of
from sweep.methods.table import make_plan
from sweep.metrics import METRICS
from sweep.report.cells import Selection
from sweep.report.frames import Asked, read_sweep
from sweep.report.inference import infer
from sweep.report.published import PublishedMeans
from sweep.report.render import list_records
from sweep.report.report import make_report, publish_report
from sweep.report.study import read_study
from sweep.store.store import Store
from sweep.testing import (
    fill_images,
    fill_store,
    make_answers,
    make_images,
    make_inputs,
    make_spec,
    make_store,
    read_point,
)
from sweep.testing import make_success as make_plain_success

MODELS = {"alpha": [0.5, 1.0], "resolution": [16, 32], "split": ["60/20/20", "80/10/10"]}
ONE_CONFIGURATION = {"learning_rate": 0.1, "steps": 10}
SKILLS = {"tiny-0.5-16": 0.7, "tiny-0.5-32": 0.8, "tiny-1-16": 0.85, "tiny-1-32": 0.9}
TRUE = object()  # becomes of a trial: it answers as its skill lets it


def know_by_model(point):
    """Larger models know more, and a rate of 0.1 helps."""
    return SKILLS[str(network_of(point))] + (0.04 if point["learning_rate"] == 0.1 else 0.0)


def make_success(trial, validation=0.9, test=0.8, **measures):
    """An outcome of known accuracies (fractions); `measures`, such as test_log_loss, replace others."""
    success = make_plain_success(trial, validation, test)
    named = {tuple(name.split("_", 1)): value for name, value in measures.items()}
    return replace(success, measures={**success.measures, **named})


def describe(plan, trial):
    """A trial's id and values by axis, as attributes; `network` is the variant's name."""
    point = read_point(plan, trial)
    return SimpleNamespace(**{**point, "id": trial.id, "network": str(network_of(point))})


def fill_example(
    store,
    skill=know_by_model,
    become=lambda _: TRUE,
    *,
    alter=lambda _, outcome: outcome,
    classes=(26, 74),
    is_demo=False,
    has_images=True,
    published=None,
    **grid,
):
    """Fill a store and return it; `become` says what becomes of a trial: TRUE, None (missing) or an outcome.

    `alter` changes the outcome of a trial that became TRUE.
    """
    spec = make_spec(published=published, **grid)
    plan = make_plan(spec, make_inputs(spec, classes, is_demo=is_demo))
    images = make_images(plan.inputs)
    answer = make_answers(plan, images, skill)
    if has_images:
        fill_images(store, plan, images)

    def settle(trial):
        point = describe(plan, trial)
        return alter(point, answer(trial)) if (found := become(point)) is TRUE else found

    fill_store(store, plan, settle)
    return store


def read_example(store, metric="accuracy", select=Selection.VALIDATION, published=None, asked=None):
    return read_study(store, read_sweep(store, asked or Asked()), METRICS[metric], select, published)


def make_example(metric="accuracy", select=Selection.VALIDATION, published=None, **options):
    return read_example(fill_example(make_store(), **options), metric, select, published)


def save_example(folder, **options):
    """A sweep's folder, as a run leaves it but for the spec's file."""
    folder.mkdir()
    with Store.open(folder) as store:
        fill_example(store, **options)
    return folder


def publish(means, stds=None):
    return PublishedMeans("a paper", means, stds or {})


def report_on(study):
    """All that a report says of a study."""
    return make_report(study, infer(study))


def write_report(folder, request, output):
    """The text of a report that is written."""
    return publish_report(folder, request, output).text


def tabulate(study):
    """Every table of a report by its name."""
    return {table.name: table for table in report_on(study).tables}


def read_rows(table):
    """The rows as records, by the cells that name them."""
    keys = [column.key for column in table.columns[: table.keys]]
    return {tuple(record[key] for key in keys): record for record in list_records(table)}


def read_notes(table):
    return " ".join(table.notes)
