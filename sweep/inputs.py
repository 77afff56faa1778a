"""What a plan needs to know of the world: which images and which weights, by content, never by path."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Self

from sweep.networks.table import FeatureKind, Network, WeightsSource

PENDING = "pending"  # the hash of weights that are still to be downloaded


@dataclass(frozen=True, slots=True)
class DataSummary:
    """A data set as a plan sees it."""

    name: str
    fingerprint: str  # SHA-256 over names and contents, 64 hex digits
    classes: tuple[str, ...]
    images_per_class: tuple[int, ...]
    is_demo: bool
    left_out: int = 0  # files that could not be decoded

    @property
    def images(self) -> int:
        """Number of images."""
        return sum(self.images_per_class)


class Weighted(NamedTuple):
    """A network with the weights that a spec asks for. Files differ with the output, as logits have a layer more."""

    network: Network
    source: WeightsSource
    features: FeatureKind


@dataclass(frozen=True, slots=True)
class WeightsId:
    """Weights by source and content. `sha256` is of the file, the folder, or the recipe of random weights.

    `source` is another than the one asked for where random weights stand in.
    """

    source: WeightsSource
    sha256: str


@dataclass(frozen=True, slots=True)
class Inputs:
    """The data set and the weights of every network of a spec."""

    data: DataSummary
    weights: Mapping[Weighted, WeightsId]

    @property
    def is_final(self) -> bool:
        """Whether every weight's content is known, so that trial ids are the true ones."""
        return all(weights.sha256 != PENDING for weights in self.weights.values())

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads, as JSON values."""
        weights = [
            {
                "network": weighted.network.to_json(),
                "features": weighted.features.value,
                "asked": weighted.source.value,
                "source": found.source.value,
                "sha256": found.sha256,
            }
            for weighted, found in self.weights.items()
        ]
        data = asdict(self.data)
        data |= {"classes": list(self.data.classes), "images_per_class": list(self.data.images_per_class)}
        return {"data": data, "weights": weights}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` returned."""
        data = dict(values["data"])
        data |= {"classes": tuple(data["classes"]), "images_per_class": tuple(data["images_per_class"])}
        weights = {
            Weighted(
                Network.from_json(row["network"]), WeightsSource(row["asked"]), FeatureKind(row["features"])
            ): WeightsId(WeightsSource(row["source"]), row["sha256"])
            for row in values["weights"]
        }
        return cls(DataSummary(**data), weights)
