"""What a report says about itself: data, weights, code, machines, completeness. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from sweep.axes import Layer
from sweep.inputs import WeightsId
from sweep.networks.table import NETWORKS, Scaling, WeightsSource, pixel_range
from sweep.report.cells import Header, Selection
from sweep.report.costs import read_weighted
from sweep.report.frames import Status, SweepFrames
from sweep.report.layout import NETWORK
from sweep.report.study import Study

NOT_IN_FEATURES = {"ray"}  # its version cannot show in an array
METHODS = {
    "probe": "heads on the features of frozen networks: mean cross-entropy at a constant rate, batches drawn with "
    "replacement, initial weights truncated normal (Glorot uniform with hidden layers), biases from 0, no augmentation"
}


def make_header(study: Study) -> Header:
    """Say what a report is about: data, weights, code, machines, completeness."""
    frames = study.frames
    status = frames.trials["status"].value_counts()
    finished_at = frames.trials["finished_at"].dropna()
    engines = [f"networks run by {', '.join(frames.engines)}"] if frames.engines else []
    return Header(
        sweep=frames.name,
        stamp=make_stamp(frames),
        data=frames.inputs.data,
        weights=name_weights(frames),
        code=(*dict.fromkeys(map(_describe_code, frames.runs)), *_describe_origins(frames), *engines),
        machines=tuple(dict.fromkeys(map(_describe_machine, frames.runs))),
        succeeded=int(status.get(Status.SUCCESS, 0)),
        failed=int(status.get(Status.FAILURE, 0)),
        missing=int(status.get(Status.MISSING, 0)),
        metric=study.metric.title,
        select=study.select,
        selection=_describe_selection(study),
        made_at=str(finished_at.max()) if len(finished_at) else None,
        recipe="; ".join([METHODS.get(frames.method, frames.method), *_list_values(frames, Layer.FIT, Layer.READOUT)]),
        preprocessing=_describe_preprocessing(frames),
    )


def make_stamp(frames: SweepFrames) -> str:
    """Name what these numbers are not: nothing for a whole sweep of real images and weights."""
    random = [weights.source is WeightsSource.RANDOM for weights in name_weights(frames).values()]
    stamps = {
        "DEMO IMAGES": frames.inputs.data.is_demo,
        "RANDOM WEIGHTS": all(random),
        "SOME WEIGHTS RANDOM": any(random) and not all(random),
        "PARTIAL SWEEP": frames.is_partial,
        f"ONLY {frames.restriction}": bool(frames.restriction),
    }
    return ", ".join(stamp for stamp, applies in stamps.items() if applies)


def name_weights(frames: SweepFrames) -> dict[str, WeightsId]:
    """Return the weights of the networks, by their names and what else tells them apart."""
    points = frames.trials.drop_duplicates("network_id").to_dict("records")
    found = dict.fromkeys(map(read_weighted, points))
    networks = [weighted.network for weighted in found]
    return {
        str(each.network)
        if networks.count(each.network) == 1
        else f"{each.network} {each.features} {each.source}": frames.inputs.weights[each]
        for each in found
    }


def _describe_selection(study: Study) -> str:
    layout = study.layout
    if not layout.choice_words:
        return "nothing is chosen: every model has one configuration"
    if study.select is Selection.TEST:
        return f"{layout.choice_words}: the best on the test images, as papers often print; optimistic"
    return (
        f"{layout.choice_words}: chosen by the mean validation {study.metric.title} over the {layout.repeats_word}; a "
        f"test image of one {layout.repeat_word} may be a validation image of another, so the choice has seen some "
        "test images"
    )


def _list_values(frames: SweepFrames, *layers: Layer) -> Iterator[str]:
    """Yield the axes of some layers with all of their values, but those that name the network."""
    own = {NETWORK, *(axis for row in NETWORKS.values() for axis in row.axes)}
    for axis in frames.layout.axes:
        applying = [frames.layout.spell(axis.name, value) for value in axis.values if value is not None]
        if axis.layer in layers and axis.name not in own and applying:
            yield f"{axis.title} {', '.join(applying)}"


def _describe_preprocessing(frames: SweepFrames) -> str:
    ranges: dict[str, None] = {}
    for point in frames.trials.drop_duplicates("network_id").to_dict("records"):
        weighted = read_weighted(point)
        low, high = pixel_range(weighted.network, weighted.source, Scaling(point["scaling"]))
        ranges[f"{low:g} to {high:g} ({weighted.source})"] = None
    values = "; ".join(_list_values(frames, Layer.NETWORK))
    return f"8-bit RGB, resized to a square, pixels scaled to {', '.join(ranges)}; {values}"


def _describe_code(run: Mapping[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in sorted(run.get("packages", {}).items()))
    return f"sweep {run.get('sweep', 'unknown')}, Python {run.get('python', 'unknown')}, {packages or 'no packages'}"


def _describe_origins(frames: SweepFrames) -> Iterator[str]:
    """Yield what features from the cache were made with, where it is not what the run that fitted on them had."""
    found: dict[str, set[str]] = {}
    for features, fitted, made in frames.origins:
        found.setdefault(_compare_making(fitted, made), set()).add(features)
    for differences, sets in found.items():
        if differences:
            yield f"{len(sets)} of the feature sets from the cache, made with {differences}"


def _compare_making(fitted: Mapping[str, Any], made: Mapping[str, Any] | None) -> str:
    if made is None:
        return "unknown versions"
    theirs = {"sweep": made.get("sweep"), "CPU": made.get("cpu"), **made.get("packages", {})}
    ours = {"sweep": fitted.get("sweep"), "CPU": fitted.get("machine", {}).get("cpu"), **fitted.get("packages", {})}
    return ", ".join(
        f"{name} {theirs.get(name) or 'unknown'} (fitted with {ours.get(name) or 'unknown'})"
        for name in dict.fromkeys((*ours, *theirs))
        if name not in NOT_IN_FEATURES and theirs.get(name) != ours.get(name)
    )


def _describe_machine(run: Mapping[str, Any]) -> str:
    machine = run.get("machine", {})
    return (
        f"{machine.get('cpu', 'unknown CPU')}, {machine.get('cores', '?')} cores, "
        f"{machine.get('memory_gib', '?')} GiB, {machine.get('gpu') or 'no GPU'}, "
        f"{machine.get('platform', 'unknown platform')}; {run.get('executor', '?')} executor, workers: "
        f"{run.get('workers', '?')}"
    )
