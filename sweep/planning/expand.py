"""Compile a spec into the least work that yields every trial. Pure: no I/O, no clock, no randomness."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from sweep.catalogue import Backbone, WeightsSource, count_complexity, feature_width
from sweep.planning.inputs import Inputs
from sweep.planning.trial import (
    Trial,
    batches_identity,
    canonical_json,
    features_identity,
    partition_identity,
    preprocessing_identity,
    short_hash,
    start_identity,
    training_identity,
    trial_identity,
)
from sweep.planning.units import (
    HEADS_PER_FIT,
    ArtifactKey,
    DecodeShard,
    ExtractShard,
    FitHeads,
    WorkUnit,
    calibration_sample,
    shard_borders,
    total_cost,
)
from sweep.spec.schema import Spec

DECODE_COST = 4 * 3  # mult-adds per pixel: four neighbours, three channels


@dataclass(frozen=True, slots=True)
class Plan:
    """All trials and work units of a spec.

    Costs are in mult-adds. `alone_cost` is what the trials would cost one by one: each decoding the images,
    running its backbone over all of them and fitting its own head.
    """

    spec: Spec
    inputs: Inputs
    trials: tuple[Trial, ...]
    units: tuple[WorkUnit, ...]
    alone_cost: int

    @property
    def shared_cost(self) -> int:
        """Cost of the work units."""
        return total_cost(self.units)

    @property
    def saving(self) -> float:
        """How many times less work the plan is than its trials one by one."""
        return self.alone_cost / self.shared_cost


def list_backbones(spec: Spec) -> tuple[Backbone, ...]:
    """Every backbone of the grid, in the order of the spec."""
    return tuple(Backbone(*variant) for variant in product(spec.grid.backbone, spec.grid.alpha, spec.grid.resolution))


def make_plan(spec: Spec, inputs: Inputs) -> Plan:
    """Expand the grid and group it into work units."""
    backbones = list_backbones(spec)
    calibrated = tuple(backbone for backbone in backbones if _needs_calibration(backbone, inputs))
    shards = [
        (f"{start:07d}-{stop:07d}", tuple(range(start, stop))) for start, stop in shard_borders(inputs.data.images)
    ]
    units: list[WorkUnit] = []
    if calibrated:
        units.append(_decode_unit(spec, inputs, calibrated, "calibration", calibration_sample(inputs.data.images)))
    units += [_decode_unit(spec, inputs, backbones, part, images) for part, images in shards]
    trials: list[Trial] = []
    alone = 0
    for backbone in backbones:
        extracts = [_extract_unit(spec, inputs, backbone, part, images) for part, images in shards]
        own = list(_expand_trials(spec, inputs, backbone))
        units += extracts
        units += _fit_units(spec, inputs, backbone, own, tuple(extract.output for extract in extracts))
        trials += own
        alone += len(own) * (total_cost(extracts) + _decode_cost((backbone.resolution,), inputs.data.images))
        alone += sum(_step_cost(spec, inputs, backbone) * trial.steps for trial in own)
    return Plan(spec, inputs, tuple(trials), tuple(units), alone)


def _expand_trials(spec: Spec, inputs: Inputs, backbone: Backbone) -> Iterator[Trial]:
    """Yield a backbone's trials, head by head.

    The canonical JSON of a trial differs from its neighbour's in two places only, so it is cut there once per
    backbone and put together per trial; a test compares the ids with `trial_identity` spelt out.
    """
    features = features_identity(spec, inputs, backbone)
    before_head, after_head, after_steps = _cut(canonical_json({**features, "head": "@", "steps": "@"}))
    before_own, after_own = _cut(canonical_json({**features, "head": "@"}))
    training = training_identity(spec)
    grid = spec.grid
    for split, shuffle in product(grid.split, grid.shuffle):
        partition = partition_identity(split, shuffle)
        batches = _hash(batches_identity(inputs.data.fingerprint, spec.training, partition))
        start = _hash(start_identity(features, partition))
        for rate in grid.learning_rate:
            head = canonical_json(trial_identity({}, training, partition, rate)["head"])
            own = short_hash(before_own + head + after_own)
            before = before_head + head + after_head
            for steps in grid.steps:
                trial_id = short_hash(f"{before}{steps}{after_steps}")
                yield Trial(trial_id, own, batches, start, backbone, split, rate, shuffle, steps)


def _hash(identity: dict[str, Any]) -> str:
    return short_hash(canonical_json(identity))


def _cut(text: str) -> list[str]:
    return text.split('"@"')


def _needs_calibration(backbone: Backbone, inputs: Inputs) -> bool:
    return inputs.weights[backbone].source is WeightsSource.RANDOM and backbone.family != "tiny"


def _images_key(spec: Spec, inputs: Inputs, resolution: int, part: str) -> ArtifactKey:
    identity = {
        "data": inputs.data.fingerprint,
        "preprocessing": preprocessing_identity(spec),
        "resolution": resolution,
    }
    return ArtifactKey("images", _hash(identity), part)


def _decode_unit(
    spec: Spec, inputs: Inputs, backbones: tuple[Backbone, ...], part: str, images: tuple[int, ...]
) -> DecodeShard:
    resolutions = tuple(sorted({backbone.resolution for backbone in backbones}, reverse=True))
    outputs = tuple((resolution, _images_key(spec, inputs, resolution, part)) for resolution in resolutions)
    return DecodeShard(images, outputs, _decode_cost(resolutions, len(images)))


def _decode_cost(resolutions: tuple[int, ...], images: int) -> int:
    return images * DECODE_COST * sum(resolution**2 for resolution in resolutions)


def _extract_unit(spec: Spec, inputs: Inputs, backbone: Backbone, part: str, images: tuple[int, ...]) -> ExtractShard:
    calibrate = _needs_calibration(backbone, inputs)
    folder = _hash(features_identity(spec, inputs, backbone))
    return ExtractShard(
        backbone=backbone,
        images=_images_key(spec, inputs, backbone.resolution, part),
        calibration=_images_key(spec, inputs, backbone.resolution, "calibration") if calibrate else None,
        output=ArtifactKey("features", folder, part),
        images_covered=len(images),
        cost=len(images) * count_complexity(backbone).mult_adds,
    )


def _fit_units(
    spec: Spec, inputs: Inputs, backbone: Backbone, trials: list[Trial], features: tuple[ArtifactKey, ...]
) -> Iterator[FitHeads]:
    """Yield fits of at most HEADS_PER_FIT heads, of whole partitions where the learning rates of one are not more."""
    readouts, rates = len(spec.grid.steps), len(spec.grid.learning_rate)
    cost = _step_cost(spec, inputs, backbone) * max(spec.grid.steps)
    size = (HEADS_PER_FIT // rates * rates or HEADS_PER_FIT) * readouts
    for start in range(0, len(trials), size):
        chunk = tuple(trials[start : start + size])
        yield FitHeads(backbone, features, chunk, cost * (len(chunk) // readouts))


def _step_cost(spec: Spec, inputs: Inputs, backbone: Backbone) -> int:
    """Mult-adds of one gradient step of one head: the batch forward and backward."""
    return 2 * spec.training.batch_size * feature_width(backbone, spec.features) * len(inputs.data.classes)
