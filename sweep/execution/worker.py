"""What a worker does: a job in, arrays or outcomes out.

It sees no files of the driver's and keeps no state but the network it built last.
"""

import os
import socket
import time
import traceback
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.catalogue import Backbone, Complexity, FeatureKind
from sweep.data.decode import decode_images
from sweep.data.splits import Partition
from sweep.errors import FatalError, UserError
from sweep.models.weights import WeightsBlob
from sweep.planning.trial import Trial
from sweep.spec.schema import TrainingSpec
from sweep.spec.values import Split
from sweep.training.head_data import HeadData
from sweep.training.heads import FittedHeads, fit_heads


@dataclass(frozen=True, slots=True)
class DecodeJob:
    """(name, content) of files, to be decoded to every resolution."""

    files: list[tuple[str, bytes]]
    resolutions: tuple[int, ...]
    antialias: bool

    def perform(self) -> list[NDArray[np.uint8]]:
        """Return one (files, resolution, resolution, 3) array per resolution."""
        return decode_images(self.files, self.resolutions, antialias=self.antialias)


@dataclass(frozen=True, slots=True)
class Extraction:
    """Features (images, width) and the cost of the network that made them."""

    features: NDArray[np.float32]
    complexity: Complexity


@dataclass(frozen=True, slots=True)
class ExtractJob:
    """Images (images, resolution, resolution, 3) for one backbone. `network` names backbone, weights and all."""

    network: str
    backbone: Backbone
    kind: FeatureKind
    weights: WeightsBlob
    images: NDArray[np.uint8]
    calibration: NDArray[np.uint8] | None

    def perform(self) -> Extraction:
        """Build the network, unless it is the one built last, and run it over the images."""
        from sweep.features.extract import extract_features
        from sweep.models.build import build_backbone

        if self.network not in _built:
            _built.clear()
            _built[self.network] = build_backbone(self.backbone, self.kind, self.weights, self.calibration)
        network = _built[self.network]
        return Extraction(extract_features(self.images, network), network.complexity)


@dataclass(frozen=True, slots=True)
class FitJob:
    """Trials to fit on the shards of a feature set, each (images of the shard, width)."""

    trials: tuple[Trial, ...]
    shards: list[NDArray[np.float32]]
    labels: NDArray[np.int64]
    classes: int
    partitions: dict[tuple[Split, int], Partition]
    training: TrainingSpec

    def perform(self) -> FittedHeads:
        """Fit the heads and read them out."""
        data = HeadData(np.concatenate(self.shards), self.labels, self.classes, self.partitions)
        return fit_heads(self.trials, data, self.training)


Job = DecodeJob | ExtractJob | FitJob
Product = list[NDArray[np.uint8]] | Extraction | FittedHeads

_built: dict[str, Any] = {}


class Trouble(StrEnum):
    """What an exception of a job says of the sweep."""

    TRIAL = "trial"  # the trials that stand on the job have failed
    SURROUNDINGS = "surroundings"  # the worker's machine gave way: another attempt may do
    MISTAKE = "mistake"  # the user can mend it; the sweep ends
    FATAL = "fatal"  # the sweep ends


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception of a job."""

    reason: str
    traceback: str
    trouble: Trouble = Trouble.TRIAL


@dataclass(frozen=True, slots=True)
class Finished:
    """A job that came to its end, and what came out."""

    key: str
    product: Product | Raised
    duration_s: float
    worker: str


def perform(key: str, job: Job) -> Finished:
    """Do a job with one thread, so that its result depends on nothing but the job. Whatever it raises is an answer."""
    started = time.perf_counter()
    product: Product | Raised
    try:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1):
            product = job.perform()
    except UserError as error:  # that only shows here, such as a damaged file
        product = Raised(str(error), traceback.format_exc(), Trouble.MISTAKE)
    except FatalError as error:
        product = Raised(str(error), traceback.format_exc(), Trouble.FATAL)
    except (MemoryError, OSError, ImportError) as error:  # the worker's surroundings, not the trial
        product = Raised(describe_error(error), traceback.format_exc(), Trouble.SURROUNDINGS)
    except Exception as error:  # noqa: BLE001 - any failure is a row
        product = Raised(describe_error(error), traceback.format_exc())
    return Finished(key, product, time.perf_counter() - started, f"{socket.gethostname()}:{os.getpid()}")


def describe_error(error: BaseException) -> str:
    """Return an exception's type and message in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
