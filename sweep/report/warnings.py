"""What a reader of a report must not overlook. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from sweep.metrics import with_blank
from sweep.report.inference import Inference
from sweep.report.published import PAPERS, describe_task
from sweep.report.study import Study
from sweep.report.words import list_shared_weights

TUNED = {"learning_rate": "learning rate", "steps": "steps"}


def list_warnings(study: Study, inference: Inference) -> tuple[str, ...]:
    """List what a reader must know before using a number of the report."""
    return (
        *_warn_of_stand_ins(study),
        *_warn_of_comparison(study),
        *_warn_of_edges(study),
        *_warn_of_picking(study, inference),
        *_warn_of_weights(study),
    )


def _warn_of_stand_ins(study: Study) -> Iterator[str]:
    data = study.frames.inputs.data
    if data.is_demo:
        yield "The images are drawn: these numbers say nothing about real ones."
    if study.frames.is_partial:
        done = int((study.frames.trials["status"] == "success").sum())
        yield f"The sweep is partial: {done:,} of {len(study.frames.trials):,} trials have finished."


def _warn_of_comparison(study: Study) -> Iterator[str]:
    paper, data = study.frames.spec.published, study.frames.inputs.data
    if study.published is not None and study.published.task is None:
        yield f"{study.published.name} does not say what images and classes it is about: it may be another task."
    if paper is None or study.published is not None:
        return
    if describe_task(data) != PAPERS[paper].task:
        yield f"Not compared with {paper}: another task (ours: {describe_task(data)}; theirs: {PAPERS[paper].task})."
    else:
        yield f"Not compared with {paper}: it prints no {study.metric.title}."


def _warn_of_edges(study: Study) -> Iterator[str]:
    """Warn of chosen values at an end of their axis: better ones may lie beyond."""
    chosen = [cell for cell in study.cells.values() if cell.is_comparable]
    found = [(name, *edge) for name in TUNED for edge in _find_edges(study, name, [getattr(c, name) for c in chosen])]
    if not found:
        return
    ends = {name: {value for other, _, value, _ in found if other == name} for name in TUNED}
    cells = sum(any(getattr(cell, name) in ends[name] for name in TUNED) for cell in chosen)
    texts = [f"{TUNED[name]} {value:g}, the {end}, in {count}" for name, end, value, count in found]
    advice = []
    for name in dict.fromkeys(name for name, *_ in found):
        ways = ["higher" if end == "largest" else "lower" for other, end, _, _ in found if other == name]
        advice.append(f"{' and '.join(ways)} values in grid.{name}")
    yield (
        f"In {cells} of {len(chosen)} cells a chosen value lies at the edge of the grid ({'; '.join(texts)}): better "
        f"ones may lie beyond. Try {', '.join(advice)}."
    )


def _find_edges(study: Study, name: str, values: Sequence[Any]) -> Iterator[tuple[str, float, int]]:
    axis = getattr(study.frames.spec.grid, name)
    if len(axis) > 1:
        for end, value in (("largest", max(axis)), ("smallest", min(axis))):
            if value in values:
                yield end, value, values.count(value)


def _warn_of_picking(study: Study, inference: Inference) -> Iterator[str]:
    """Say by how much the best of several means is too high: it scores less where it was not chosen."""
    metric, texts = study.metric, []
    for split, standing in inference.standings.items():
        if standing.left_out is not None:
            best = metric.direction.sign * float(standing.means.max())
            left_out, whole = (f"{value:.{metric.decimals + 1}f}" for value in (standing.left_out, best))
            texts.append(f"{with_blank(f'{left_out} instead of {whole}', metric.unit)} at {split}")
    if texts:
        yield (
            "The best of several means is picked by the images that it is reported on. Chosen on the other shuffles "
            f"and scored on the one left out it is {', '.join(texts)}."
        )


def _warn_of_weights(study: Study) -> Iterator[str]:
    shared = list(list_shared_weights(study.frames.inputs.weights))
    if shared:
        yield f"One weights file stands in for several backbones, as if they were one network: {'; '.join(shared)}."
