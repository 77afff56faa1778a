"""What is said beside an array: under what it was made, and the facts that it and all it was made of rest on.

Facts travel with arrays because a later sweep that finds an array does not repeat the work that found them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from numpy.typing import NDArray

from sweep.planning.units import ArtifactKey
from sweep.store.artifacts import Artifacts

Facts = Mapping[tuple[str, str], Any]  # by (subject, name), JSON values


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What is said of an array. provenance: versions and CPU; None where they are not known."""

    provenance: Mapping[str, Any] | None = None
    facts: Facts = field(default_factory=dict)

    def learn(self, facts: Facts) -> "Sidecar":
        """Return the same with more facts."""
        return replace(self, facts={**self.facts, **facts})


def write_with_sidecar(artifacts: Artifacts, key: ArtifactKey, array: NDArray[Any], sidecar: Sidecar) -> None:
    """Keep an array and what is said of it. FatalError where that cannot be done."""
    facts = {f"{subject}/{name}": value for (subject, name), value in sidecar.facts.items()}
    artifacts.write(key, array, sidecar.provenance, facts)


def read_sidecar(artifacts: Artifacts, key: ArtifactKey) -> Sidecar:
    """Read what is said of an array. Facts without a subject, as earlier releases have them, are about its folder."""
    said = artifacts.describe(key)
    facts = {}
    for text, value in said.get("facts", {}).items():
        subject, slash, name = text.rpartition("/")
        facts[(subject if slash else key.folder, name)] = value
    return Sidecar(said.get("provenance"), facts)


def merge_facts(sidecars: Iterable[Sidecar]) -> dict[tuple[str, str], Any]:
    """Return the facts of all."""
    return {name: value for sidecar in sidecars for name, value in sidecar.facts.items()}
