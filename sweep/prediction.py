"""What a trained model of a sweep says of images that are named now."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweep.axes import Value
from sweep.errors import FatalError, UserError
from sweep.execution.chatter import divert_errors
from sweep.execution.executor import Source
from sweep.execution.inline import InlineExecutor
from sweep.execution.places import CACHE_FOLDER, Places, locate_again
from sweep.execution.prepare import prepare_sweep
from sweep.execution.worker import Job, Raised, describe_error
from sweep.inputs import Inputs
from sweep.methods.names import import_object
from sweep.methods.table import find_method
from sweep.outcome import State
from sweep.planning.schedule import find_missing_units
from sweep.planning.trial import Trial
from sweep.planning.units import ArtifactKey
from sweep.report.cells import Selection
from sweep.report.report import find_trials
from sweep.store.artifacts import STATES, Artifacts, read_state
from sweep.store.store import Store
from sweep.store.stored_plan import load_plan


@dataclass(frozen=True, slots=True)
class Prediction:
    """Answers of one model. frame: file, class, and the probability of each class, a row a file.

    scores: (files, classes) logits. trial: the model's. is_demo: whether it was trained on drawn images.
    """

    frame: pd.DataFrame
    scores: NDArray[np.float32]
    trial: str
    is_demo: bool


@dataclass(frozen=True, slots=True)
class _Model:
    """A trained model as the store describes it."""

    trial: Trial
    method: str
    point: Mapping[str, Value]
    inputs: Inputs
    network: ArtifactKey
    state: State


def predict(folder: Path, cell: str, files: Sequence[Path], repeat: int = 0, select: str = "validation") -> Prediction:
    """Apply a model of a sweep to image files.

    Args:
        folder: the sweep's.
        cell: `metric:model:block`, a mean of the report, or a trial's id.
        files: images, whatever their size.
        repeat: which of the cell's repetitions answers, the first is 0.
        select: what chose the cell's configuration, `validation` or `test`.

    Raises:
        UserError: there is no such cell, its model was not kept, or a file is not there or is no image.
    """
    model = _open_model(folder, cell, repeat, select)
    contents = [(str(path), _read(path)) for path in files]
    from threadpoolctl import threadpool_limits

    with divert_errors(Path(os.devnull)), threadpool_limits(1):  # quietly, and with the bits of a worker
        scores = _score(model, _find_network(folder, model), contents)
    probabilities = np.exp(scores - scores.max(axis=1, keepdims=True), dtype=np.float64)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    data = model.inputs.data
    frame = pd.DataFrame(probabilities, columns=list(data.classes))
    answers = {
        "class": [data.classes[label] for label in scores.argmax(axis=1)],
        "file": [name for name, _ in contents],
    }
    for name, values in answers.items():
        frame.insert(0, name, values, allow_duplicates=True)  # a class may be called so too
    return Prediction(frame, scores, model.trial.id, data.is_demo)


def _open_model(folder: Path, cell: str, repeat: int, select: str) -> _Model:
    with Store.read(folder) as store:
        plan = load_plan(store)
        trials = {trial.id: trial for trial in plan.trials}
        trial = trials.get(cell)
        if trial is None and ":" not in cell:
            raise UserError(
                f"{cell!r} is neither a cell nor a trial of {folder.name} (allowed: a trial's id of 16 digits, or "
                "metric:model:block, for example accuracy:mobilenet-0.75-192:80/10/10)"
            )
        if trial and repeat:
            raise UserError(f"repeat: {repeat} is of no use to trial {trial.id}, which is one repetition of its cell")
        trial = trial or trials[_choose(folder, cell, repeat, select)]
        file = store.load_state_file(trial.id)
        facts = store.load_facts().get(trial.network_id, {})
    if file is None or "converted" not in facts:
        raise UserError(
            f"{cell}: the model of trial {trial.id} was not kept (it failed, is missing, or an earlier release ran "
            "it); run the sweep anew under another name with --set name=OTHER"
        )
    return _Model(
        trial=trial,
        method=plan.method,
        point=dict(zip((axis.name for axis in plan.axes), trial.point, strict=True)),
        inputs=Inputs.from_json(plan.inputs),
        network=ArtifactKey("networks", str(facts["converted"]), "model"),
        state=read_state(folder / STATES / file, trial.id),
    )


def _score(model: _Model, network: NDArray[np.uint8], contents: Sequence[tuple[str, bytes]]) -> NDArray[np.float32]:
    """Return logits (files, classes). UserError where network and state do not go together, as damaged ones do not."""
    try:
        scores: NDArray[np.float32] = import_object(find_method(model.method).score_files)(
            model.point, network, model.state, contents
        )
        if scores.shape != (len(contents), len(model.inputs.data.classes)) or not np.isfinite(scores).all():
            raise ValueError("its scores are none")  # noqa: TRY301 - what is wrong with it has one message
    except (UserError, FatalError, MemoryError):
        raise
    except Exception as error:
        raise UserError(
            f"trial {model.trial.id}: its model cannot be applied ({describe_error(error)}), as {model.network}.npy in "
            "the cache or its state is damaged; delete the former, which is then made anew, and ask again"
        ) from error
    return scores


def _choose(folder: Path, cell: str, repeat: int, select: str) -> str:
    """Return the trial of one repetition of a cell."""
    found = find_trials(folder, cell, Selection(select))
    if not 0 <= repeat < len(found):
        raise UserError(f"repeat: {repeat} is out of range (allowed: 0 to {len(found) - 1}, the repetitions of {cell})")
    return found[repeat]


def _find_network(folder: Path, model: _Model) -> NDArray[np.uint8]:
    """Open the network in the cache, or make it again."""
    artifacts = Artifacts(folder.parent / CACHE_FOLDER)
    if artifacts.has(model.network):
        return artifacts.read(model.network)
    spec, location = locate_again(folder, places := Places(folder.parent))
    prepared = prepare_sweep(spec, location, places, lambda _: None, download=True)
    units = find_missing_units(prepared.plan.units, set(), artifacts.has, [model.network])
    if not units:
        raise UserError(
            f"{folder.name}: the network of trial {model.trial.id} is no longer in the cache, and this release makes "
            "another one; run the sweep anew under another name with --set name=OTHER"
        )
    kinds, executor = find_method(model.method).kinds, InlineExecutor()
    executor.open(Source(artifacts, prepared.supply, frozenset(key for unit in units for key in unit.makes)))
    for unit in units:
        prepare = kinds[unit.kind].prepare
        settings = import_object(prepare)(prepared.plan, unit) if prepare else unit.settings
        executor.submit(Job(unit.key, kinds[unit.kind].run, settings, unit.needs, unit.makes))
        product = executor.next_finished().product
        if isinstance(product, Raised):
            raise UserError(f"{unit.key}: {product.reason}")
    return artifacts.read(model.network)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); name an image file") from error
