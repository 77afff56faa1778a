"""What a worker returns for a trial: a success with its evidence, or a failure with its reason."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Success:
    """Scores of every validation and test image: (images, classes) float32 logits, in the partition's order."""

    trial_id: str
    validation_scores: NDArray[np.float32]
    test_scores: NDArray[np.float32]
    validation_accuracy: float
    test_accuracy: float
    validation_log_loss: float
    test_log_loss: float


@dataclass(frozen=True, slots=True)
class Failure:
    """A trial that raised or diverged."""

    trial_id: str
    reason: str


Outcome = Success | Failure


@dataclass(frozen=True, slots=True)
class Curve:
    """A head's validation curve: accuracy and cross-entropy (nats) after `steps`. Each (points,)."""

    head_id: str
    steps: NDArray[np.int32]
    accuracy: NDArray[np.float32]
    log_loss: NDArray[np.float32]
