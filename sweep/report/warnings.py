"""What a reader of a report must not overlook. Pure."""

from collections.abc import Iterator

from sweep.metrics import with_blank
from sweep.networks.table import WeightsSource
from sweep.report.header import name_weights
from sweep.report.inference import Inference
from sweep.report.layout import is_numeric
from sweep.report.published import describe_task
from sweep.report.study import Study


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
    """Warn of chosen values at an end of their axis: better ones may lie beyond."""
    chosen = [cell.choice for cell in study.cells.values() if cell.is_comparable]
    found, advice, at_edge = [], [], set()
    for axis in filter(is_numeric, study.layout.tuned):
        ways = []
        low, *_, high = sorted(axis.values, key=axis.rank)
        for way, end, value in (("higher", "largest", high), ("lower", "smallest", low)):
            places = {place for place, choice in enumerate(chosen) if choice[axis.name] == value}
            if places:
                ways.append(way)
                at_edge |= places
                found.append(f"{axis.title} {study.layout.spell(axis.name, value)}, the {end}, in {len(places)}")
        advice += [f"{' and '.join(ways)} values in grid.{axis.name}"] if ways else []
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


def _warn_of_weights(study: Study) -> Iterator[str]:
    owners: dict[str, list[str]] = {}
    for network, weights in name_weights(study.frames).items():
        if weights.source is not WeightsSource.RANDOM:
            owners.setdefault(weights.sha256, []).append(network)
    shared = [", ".join(networks) for networks in owners.values() if len(networks) > 1]
    if shared:
        yield f"One weights file stands in for several networks, as if they were one network: {'; '.join(shared)}."
