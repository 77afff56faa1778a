"""Work units: trials that are computed together, and the steps they stand on.

    DecodeShard (all resolutions of some images) -> ExtractShard (one backbone, the same images) -> FitHeads

Borders are fixed here, by the data set's size alone: they may change the last bit of a result, so they must not
depend on who computes it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

from sweep.catalogue import Backbone
from sweep.planning.trial import Trial

IMAGES_PER_SHARD = 1024
HEADS_PER_FIT = 64
CALIBRATION_IMAGES = 64


class UnitKind(StrEnum):
    """What a unit does."""

    DECODE = "decode"
    EXTRACT = "extract"
    FIT = "fit"


@dataclass(frozen=True, slots=True)
class ArtifactKey:
    """Names one cached array: `folder` is a hash of all it depends on, `part` the images it covers."""

    kind: str  # "images" or "features"
    folder: str
    part: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.folder}/{self.part}"


@dataclass(frozen=True, slots=True)
class DecodeShard:
    """Decode some images once and resize them to every resolution that the grid asks for."""

    kind: ClassVar[UnitKind] = UnitKind.DECODE
    images: tuple[int, ...]  # positions in the data set
    outputs: tuple[tuple[int, ArtifactKey], ...]  # (resolution, key)
    cost: int

    @property
    def key(self) -> str:
        """Names the unit in the store."""
        return f"decode/{self.outputs[0][1].folder}/{self.outputs[0][1].part}"

    def only(self, missing: set[ArtifactKey]) -> "DecodeShard | None":
        """Return the unit for the missing arrays; None where there are none."""
        outputs = tuple((resolution, key) for resolution, key in self.outputs if key in missing)
        return replace(self, outputs=outputs, cost=self.cost * len(outputs) // len(self.outputs)) if outputs else None


@dataclass(frozen=True, slots=True)
class ExtractShard:
    """Run one frozen backbone over one shard of decoded images."""

    kind: ClassVar[UnitKind] = UnitKind.EXTRACT
    backbone: Backbone
    images: ArtifactKey
    calibration: ArtifactKey | None  # images that calibrate the batch norm of random weights
    output: ArtifactKey
    images_covered: int
    cost: int

    @property
    def key(self) -> str:
        """Names the unit in the store."""
        return f"extract/{self.output.folder}/{self.output.part}"


@dataclass(frozen=True, slots=True)
class FitHeads:
    """Fit many heads on one feature set in one batched run and read out every trial."""

    kind: ClassVar[UnitKind] = UnitKind.FIT
    backbone: Backbone
    features: tuple[ArtifactKey, ...]  # the shards, in order
    trials: tuple[Trial, ...]
    cost: int

    @property
    def key(self) -> str:
        """Names the unit in the store."""
        return f"fit/{self.trials[0].head_id}"

    def only(self, missing: set[str]) -> "FitHeads | None":
        """Return the unit for the trials whose ids are missing; None where there are none."""
        trials = tuple(trial for trial in self.trials if trial.id in missing)
        return replace(self, trials=trials, cost=self.cost * len(trials) // len(self.trials)) if trials else None


WorkUnit = DecodeShard | ExtractShard | FitHeads


def shard_borders(images: int) -> list[tuple[int, int]]:
    """Cut `images` into the fewest shards of at most IMAGES_PER_SHARD, as even as can be: [start, stop)."""
    shards = -(-images // IMAGES_PER_SHARD)
    return [(images * index // shards, images * (index + 1) // shards) for index in range(shards)]


def calibration_sample(images: int) -> tuple[int, ...]:
    """Positions of CALIBRATION_IMAGES images spread evenly over the data set."""
    wanted = min(images, CALIBRATION_IMAGES)
    return tuple(images * index // wanted for index in range(wanted))


def total_cost(units: Iterable[WorkUnit]) -> int:
    """Sum of mult-adds."""
    return sum(unit.cost for unit in units)


def estimate_seconds(units: Iterable[WorkUnit], seconds_per_cost: Mapping[str, float], workers: int) -> float | None:
    """Seconds that the units will take, from what each kind took per mult-add; None before anything telling is known.

    A kind that was never measured is left out, unless most of the cost is of that kind.
    """
    costs: Counter[UnitKind] = Counter()
    for unit in units:
        costs[unit.kind] += unit.cost
    if costs and max(costs, key=lambda kind: costs[kind]) not in seconds_per_cost:
        return None
    return sum(cost * seconds_per_cost.get(kind, 0.0) for kind, cost in costs.items()) / workers
