"""What a report says about itself: data, weights, code, machines, completeness. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from sweep.catalogue import PIXEL_RANGES, FeatureKind, WeightsSource
from sweep.report.cells import Header
from sweep.report.frames import Status, SweepFrames
from sweep.report.study import Study
from sweep.spec.schema import Sampling, Spec

NOT_IN_FEATURES = {"ray"}  # its version cannot show in an array


def make_header(study: Study) -> Header:
    """Say what a report is about: data, weights, code, machines, completeness."""
    frames = study.frames
    status = frames.trials["status"].value_counts()
    finished_at = frames.trials["finished_at"].dropna()
    return Header(
        sweep=frames.spec.name,
        stamp=make_stamp(frames),
        data=frames.inputs.data,
        weights={str(backbone): weights for backbone, weights in frames.inputs.weights.items()},
        code=(*_list_distinct(_describe_code(run) for run in frames.runs), *_describe_origins(frames)),
        machines=_list_distinct(_describe_machine(run) for run in frames.runs),
        succeeded=int(status.get(Status.SUCCESS, 0)),
        failed=int(status.get(Status.FAILURE, 0)),
        missing=int(status.get(Status.MISSING, 0)),
        metric=study.metric.title,
        select=study.select,
        made_at=str(finished_at.max()) if len(finished_at) else None,
        recipe=_describe_recipe(frames.spec),
        preprocessing=_describe_preprocessing(frames),
    )


def make_stamp(frames: SweepFrames) -> str:
    """Name what these numbers are not: nothing for a whole sweep of real images and weights."""
    random = [weights.source is WeightsSource.RANDOM for weights in frames.inputs.weights.values()]
    stamps = {
        "demo images": frames.inputs.data.is_demo,
        "random weights": all(random),
        "some weights random": any(random) and not all(random),
        "partial sweep": frames.is_partial,
    }
    return ", ".join(stamp.upper() for stamp, applies in stamps.items() if applies)


def _describe_recipe(spec: Spec) -> str:
    training, features = spec.training, {FeatureKind.POOLED: "pooled features", FeatureKind.LOGITS: "ImageNet logits"}
    balanced = training.sampling is Sampling.CLASS_BALANCED
    drawn = "the class uniformly, then an image of it" if balanced else "uniformly from all images"
    rates, steps = (", ".join(f"{value:g}" for value in axis) for axis in (spec.grid.learning_rate, spec.grid.steps))
    return (
        f"softmax regression on frozen {features[spec.features]}; plain gradient descent on the mean cross-entropy, "
        f"no momentum, no decay; constant learning rate ({rates}); batches of {training.batch_size}, drawn with "
        f"replacement, {drawn}; read after {steps} steps; initial weights truncated normal, standard deviation "
        f"{training.initial_stddev:g}, biases 0; no augmentation"
    )


def _describe_preprocessing(frames: SweepFrames) -> str:
    sources = dict.fromkeys(weights.source for weights in frames.inputs.weights.values())
    ranges = "; ".join(f"{PIXEL_RANGES[each][0]:g} to {PIXEL_RANGES[each][1]:g} ({each.value})" for each in sources)
    antialias = "with" if frames.spec.data.antialias else "without"
    return (
        f"8-bit RGB, resized to a square by bilinear interpolation {antialias} antialiasing, pixels scaled to {ranges}"
    )


def _list_distinct(texts: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


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
