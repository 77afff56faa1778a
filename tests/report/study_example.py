"""Small sweeps with true scores, for the tests of tables, documents and whole reports."""

from sweep.metrics import METRICS
from sweep.planning.expand import make_plan
from sweep.report.cells import Selection
from sweep.report.frames import read_sweep
from sweep.report.inference import infer
from sweep.report.published import PublishedMeans
from sweep.report.render import list_records
from sweep.report.report import make_report
from sweep.report.study import read_study
from sweep.store.store import Store
from sweep.testing import fill_images, fill_store, make_answers, make_images, make_inputs, make_spec, make_store

MODELS = {"alpha": [0.5, 1.0], "resolution": [16, 32], "split": ["60/20/20", "80/10/10"]}
ONE_CONFIGURATION = {"learning_rate": 0.1, "steps": 10}
SKILLS = {"tiny-0.5-16": 0.7, "tiny-0.5-32": 0.8, "tiny-1-16": 0.85, "tiny-1-32": 0.9}
TRUE = object()  # becomes of a trial: it answers as its skill lets it


def know_by_model(trial):
    """Larger models know more, and a rate of 0.1 helps."""
    return SKILLS[str(trial.backbone)] + (0.04 if trial.learning_rate == 0.1 else 0.0)


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
    answer = make_answers(plan.inputs, images, skill)
    if has_images:
        fill_images(store, plan, images)
    fill_store(store, plan, lambda trial: alter(trial, answer(trial)) if (found := become(trial)) is TRUE else found)
    return store


def read_example(store, metric="accuracy", select=Selection.VALIDATION, published=None):
    return read_study(store, read_sweep(store), METRICS[metric], select, published)


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


def tabulate(study):
    """Every table of a report by its name."""
    return {table.name: table for table in report_on(study).tables}


def read_rows(table):
    """The rows as records, by the cells that name them."""
    keys = [column.key for column in table.columns[: table.keys]]
    return {tuple(record[key] for key in keys): record for record in list_records(table)}


def read_notes(table):
    return " ".join(table.notes)
