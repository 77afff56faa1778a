"""What a worker returns: of a trial a success with its evidence or a failure with its reason, of a fit its curves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

VALIDATION, TEST = "validation", "test"  # parts that are scored

State = Mapping[str, NDArray[Any]]  # the weights of a fit, by name


@dataclass(frozen=True, slots=True)
class Success:
    """Scores of every image of each part: (images, classes) float32 logits, in the partition's order.

    measures: by (part, metric), for example ("test", "accuracy"), as fractions and nats. state: all that the scores
    are computed with, given the features.
    """

    trial_id: str
    scores: Mapping[str, NDArray[np.float32]]
    measures: Mapping[tuple[str, str], float]
    state: State = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """A trial that raised or diverged."""

    trial_id: str
    reason: str


Outcome = Success | Failure


@dataclass(frozen=True, slots=True)
class Series:
    """How a measure of a part ran while a fit was trained: `values` after `steps`, each (points,)."""

    fit_id: str
    part: str
    measure: str
    steps: NDArray[np.int32]
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Yield:
    """All that a work unit yields.

    arrays: in the order of what the unit makes. facts: by (subject, name), JSON values, for example a network's
    mult-adds.
    """

    arrays: tuple[NDArray[Any], ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    series: tuple[Series, ...] = ()
    facts: Mapping[tuple[str, str], Any] = field(default_factory=dict)
