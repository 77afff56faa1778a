"""Small studies for the tests of figures: four models, two splits, scores and curves made up."""

from dataclasses import replace

import numpy as np

from sweep.methods.table import make_plan
from sweep.metrics import METRICS
from sweep.outcome import VALIDATION, Series
from sweep.report.answer import Answer
from sweep.report.cells import Selection
from sweep.report.choices import make_mean_cells
from sweep.report.figures.data import make_figures
from sweep.report.frames import read_sweep
from sweep.report.inference import Inference, Question, Standing
from sweep.report.published import PublishedMeans
from sweep.report.statistics.best import Ranks
from sweep.report.statistics.errors import About
from sweep.report.statistics.intervals import Interval
from sweep.report.study import Readout, Study
from sweep.spec.schema import Spec
from sweep.testing import fill_store, make_inputs, make_spec, make_store, read_point

SPLITS = ["60/20/20", "62.5/17.5/20"]
GRID = {"alpha": [1.0, 0.5], "resolution": [16, 32], "split": SPLITS}
COSTS = {"tiny-0.5-16": 0.01, "tiny-1-16": 0.04, "tiny-0.5-32": 0.05, "tiny-1-32": 1200.0}
CHOSEN = ("tiny-0.5-32", SPLITS[0])
ANSWER = Answer("Take it.", (), SPLITS[0], CHOSEN[0], is_shown=True)
ACCURACIES = {"tiny-0.5-16": 0.80, "tiny-1-16": 0.70, "tiny-0.5-32": 0.95, "tiny-1-32": 0.90}


def name_model(point):
    return f"tiny-{point['alpha']:g}-{point['resolution']}"


def answer_by_model(point):
    """0.80 for tiny-0.5-16 at rate 0.1, and a tenth less at rate 0.01."""
    accuracy = ACCURACIES[name_model(point)] - (0.1 if point["learning_rate"] < 0.1 else 0.0)
    return accuracy, accuracy


def make_study(accuracy=answer_by_model, metric="accuracy", classes=(26, 74), *, is_demo=False, roles=None, **grid):
    """Make a study of a sweep on the axes of GRID or others; accuracy: (validation, test) of a point."""
    spec = make_spec(**{**GRID, **grid})
    spec = Spec.model_validate(spec.model_dump(mode="json") | {"roles": roles or {}})
    store, plan = make_store(), make_plan(spec, make_inputs(spec, classes, is_demo=is_demo))
    fill_store(store, plan, lambda trial: accuracy(read_point(plan, trial)))
    frames = read_sweep(store)
    cells = make_mean_cells(frames, METRICS[metric], Selection.VALIDATION)
    return Study(frames, METRICS[metric], Selection.VALIDATION, cells, {}, {})


def add_readouts(study, *readouts):
    return replace(study, readouts={CHOSEN: readouts})


def add_published(study, means):
    return replace(study, published=PublishedMeans("a paper", means, {}))


def make_readout(labels, scores, repeat=0, curves=None):
    """labels: (images,); scores: (images, classes), or (images,) of the second of two classes."""
    scores = np.asarray(scores, np.float32)
    if scores.ndim == 1:
        scores = np.stack([np.zeros_like(scores), scores], axis=1)
    return Readout("trial", repeat, "partition", 0.9, np.arange(len(labels)), np.asarray(labels), scores, curves or {})


def make_curves(accuracies, first=10):
    """The curves of a fit on the validation images, by measure."""
    steps = np.arange(first, first + 10 * len(accuracies), 10, dtype=np.int32)
    values = np.asarray(accuracies, np.float32)
    measures = {"accuracy": values, "log_loss": 1 - values}
    return {name: Series("fit", VALIDATION, name, steps, each) for name, each in measures.items()}


def make_whole_study(**options):
    """A study that every figure can be made of."""
    study = make_study(**options)
    readouts = [
        make_readout(
            [0, 0, 1, 1], [-1.0, 0.5, 0.2 + shuffle, 2.0], shuffle, make_curves([0.5, 0.7 + shuffle / 10, 0.8])
        )
        for shuffle in range(3)
    ]
    return add_published(add_readouts(study, *readouts), dict.fromkeys(study.cells, 85.0))


def ask(study):
    return Question(study, study.metric, About.POOL, np.zeros(0, np.int64))


def judge(study, half=2.0, margin=1.0):
    """Give every mean an interval, and every model of a block bounds against the best, as wide to both sides."""
    known = {key: cell.value for key, cell in study.cells.items() if cell.value is not None}
    intervals = {key: Interval(value - half, value + half) for key, value in known.items()}
    standings = {block: _stand(study, block, half, margin) for block in study.frames.blocks}
    return Inference(ask(study), margin, intervals, standings)


def _stand(study, block, half, margin):
    sign = study.metric.direction.sign
    values = {name: sign * cell.value for (name, where), cell in study.cells.items() if where == block and cell.repeats}
    means = np.array(list(values.values()))
    leads = np.array([mean - max(np.delete(means, place)) for place, mean in enumerate(means)])
    ranks = Ranks(np.minimum(leads - half, 0), np.maximum(leads + half, 0))
    verdicts = dict(zip(values, ranks.judge(margin), strict=True))
    return Standing(tuple(values), verdicts, means, ranks=ranks)


def know_nothing(study, margin=1.0):
    """No intervals and no comparison: too little data."""
    return Inference(ask(study), margin, {}, {block: Standing((), {}) for block in study.frames.blocks})


def draw_data(study, inference=None, answer=ANSWER, costs=COSTS):
    """Every figure of a study, by name."""
    figures = make_figures(study, inference or know_nothing(study), answer, costs)
    return {figure.name: figure for figure in figures}
