"""What a reader of a report must not overlook. Pure."""

from collections.abc import Iterator

import numpy as np

from sweep.metrics import with_blank
from sweep.networks.table import WeightsSource
from sweep.report.choices import CELL
from sweep.report.header import name_weights
from sweep.report.inference import Inference
from sweep.report.layout import CellKey, is_number
from sweep.report.published import describe_task
from sweep.report.statistics.comparisons import find_scattering
from sweep.report.study import Study


def list_warnings(study: Study, inference: Inference) -> tuple[str, ...]:
    """List what a reader must know before using a number of the report."""
    return (
        *_warn_of_stand_ins(study),
        *_warn_of_comparison(study),
        *_warn_of_edges(study),
        *_warn_of_picking(study, inference),
        *_warn_of_scatter(study, inference),
        *_warn_of_weights(study),
    )


def _warn_of_stand_ins(study: Study) -> Iterator[str]:
    data = study.frames.inputs.data
    if data.is_demo:
        yield "The images are drawn: these numbers say nothing about real ones."
    if study.frames.restriction:
        yield (
            f"Only a part of the sweep is looked at ({study.frames.restriction}): where that was chosen for its "
            "results, means are too high, and no bound allows for it."
        )
    if study.frames.is_partial:
        done = int((study.frames.trials["status"] == "success").sum())
        yield f"The sweep is partial: {done:,} of {len(study.frames.trials):,} trials have finished."


def _warn_of_comparison(study: Study) -> Iterator[str]:
    paper, ours = study.frames.profile, describe_task(study.frames.inputs.data)
    if study.published is not None and study.published.task is None:
        yield f"{study.published.name} does not say what images and classes it is about: it may be another task."
    if not paper.name or study.published is not None:
        return
    if ours != paper.task:
        yield f"Not compared with {paper.name}: another task (ours: {ours}; theirs: {paper.task})."
    else:
        yield f"Not compared with {paper.name}: it prints no {study.metric.title}."


def _warn_of_edges(study: Study) -> Iterator[str]:
    """Warn of chosen values at an end of what was tried of their model: better ones may lie beyond."""
    chosen = {key: cell.choice for key, cell in study.cells.items() if cell.is_comparable}
    found, advice, at_edge = [], [], set()
    for axis in study.layout.tuned:
        tried: dict[CellKey, set[float]] = {}
        for model, block, value in study.frames.trials[[*CELL, axis.name]].itertuples(index=False, name=None):
            if is_number(value) and axis.name not in study.frames.restricted:
                tried.setdefault((model, block), set()).add(value)
        ways: set[str] = set()
        ends: dict[tuple[str, float], set[CellKey]] = {}
        for key, choice in chosen.items():
            values = tried.get(key, set())
            for way, end, pick in (("higher", "largest", max), ("lower", "smallest", min)):
                if len(values) > 1 and choice[axis.name] == pick(values):
                    ways.add(way)
                    ends.setdefault((end, pick(values)), set()).add(key)
        for (end, value), keys in sorted(ends.items(), key=lambda each: (each[0][0], -each[0][1])):
            at_edge |= keys
            found.append(f"{axis.title} {study.layout.spell(axis.name, value)}, the {end}, in {len(keys)}")
        advice += [f"{' and '.join(sorted(ways))} values in grid.{axis.name}"] if ways else []
    if found:
        yield (
            f"In {len(at_edge)} of {len(chosen)} cells a chosen value lies at the edge of the grid "
            f"({'; '.join(found)}): better ones may lie beyond. Try {', '.join(advice)}."
        )


def _warn_of_picking(study: Study, inference: Inference) -> Iterator[str]:
    """Say by how much the best of several means is too high: it scores less where it was not chosen."""
    metric, texts = study.metric, []
    for block, standing in inference.standings.items():
        if standing.left_out is not None:
            best = metric.direction.sign * float(standing.means.max())
            left_out, whole = (f"{value:.{metric.decimals + 1}f}" for value in (standing.left_out, best))
            texts.append(f"{with_blank(f'{left_out} instead of {whole}', metric.unit)} at {block}")
    if texts:
        yield (
            "The best of several means is picked by the images that it is reported on. Chosen on the other "
            f"{study.layout.repeats_word} and scored on the one left out it is {', '.join(texts)}."
        )


def _warn_of_scatter(study: Study, inference: Inference) -> Iterator[str]:
    """Warn of models that scatter more than the others: errors take training to add as much to every model."""
    metric, texts = study.metric, []
    for block, standing in inference.standings.items():
        if standing.ranks is None:
            continue
        values = metric.scale * np.array([inference.question.measure(name, block) for name in standing.models])
        texts += [f"{standing.models[place]} at {block}" for place in find_scattering(values)]
    if texts:
        yield (
            f"Some models scatter more from {study.layout.repeat_word} to {study.layout.repeat_word} than the others "
            f"({'; '.join(texts)}). Errors take training to add as much to every model: bounds about these are too "
            "narrow."
        )


def _warn_of_weights(study: Study) -> Iterator[str]:
    owners: dict[str, list[str]] = {}
    for network, weights in name_weights(study.frames).items():
        if weights.source is not WeightsSource.RANDOM:
            owners.setdefault(weights.sha256, []).append(network)
    shared = [", ".join(networks) for networks in owners.values() if len(networks) > 1]
    if shared:
        yield f"One weights file stands in for several networks, as if they were one network: {'; '.join(shared)}."
