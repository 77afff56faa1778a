"""Fitting 27 heads together against one Keras `fit` for each, on the same features.

27 heads: 3 splits x 3 shuffles x 3 learning rates on one backbone's features, batches of 100, 2,500 steps. Together:
one call of `fit_heads` with one thread, as a worker does it, timed before and after the others; drawing batches and
evaluating count. The same for the heads of one learning rate: what further rates cost on the same batches. Alone: a
softmax layer under plain SGD with Keras's default settings and all cores. Its batches are drawn, and it is built and
compiled, beforehand: gathering the features and `fit` count. It is fed in two ways, and each is judged:

* arrays: the features of all batches are gathered into one array (1 GB) and given to `fit`;
* tf.data: a pipeline gathers batch after batch, ahead of the steps.

Two fits each way, after a short one that warms TensorFlow up, are scaled to 27.

Features are random, 5,216 x 1,024 unless --features names an array (images, width) of real ones; speed does not depend
on what is in them, nor on the labels, which are random too.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Bound, Measurement, print_heading, print_measurements
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sweep.data.splits import partition_images
from sweep.planning.expand import make_plan
from sweep.planning.trial import Trial
from sweep.spec.schema import Spec, TrainingSpec
from sweep.testing import make_inputs, make_spec
from sweep.training.batches import CURVE_STEPS, BatchDraws
from sweep.training.head_data import HeadData
from sweep.training.heads import fit_heads

Positions = NDArray[np.int64]
Feed = Callable[[HeadData, Positions], dict[str, Any]]

BOUND = Bound(30, is_floor=True)
RATES_BOUND = Bound(2)
IMAGES, WIDTH = 5216, 1024
NORMAL_SHARE = 0.27
KERAS_FITS = 2
WARM_UP_STEPS = 20
AXES: dict[str, Any] = {
    "backbone": "mobilenet",
    "alpha": 1.0,
    "resolution": 224,
    "split": ["80/10/10", "70/15/15", "60/20/20"],
    "learning_rate": [0.1, 0.01, 0.001],
    "shuffle": [0, 1, 2],
}


def main() -> None:
    """Measure and print."""
    options = parse_options()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    spec = make_spec(**AXES, steps=options.steps)
    trials = make_plan(spec, make_inputs(spec)).trials
    data = make_data(spec, options.features)
    images, width = data.features.shape
    kind = "real" if options.features else "RANDOM"
    work = f"{len(trials)} heads, {options.steps:,} steps, batch {spec.training.batch_size}"
    notes = f"data     {kind} features, {images:,} x {width:,}", f"work     {work}"
    print_heading("fused heads", *notes)
    print_measurements(measure(trials, data, spec))


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=Path, help=".npy file: (images, width) float32")
    parser.add_argument("--steps", type=int, default=2500)
    return parser.parse_args()


def make_data(spec: Spec, path: Path | None) -> HeadData:
    """Read or draw features, draw labels, and split the images as the spec says."""
    generator = np.random.default_rng(0)
    features = np.load(path) if path else generator.random((IMAGES, WIDTH), np.float32)
    labels = (generator.random(len(features)) > NORMAL_SHARE).astype(np.int64)
    parts = [(split, shuffle) for split in spec.grid.split for shuffle in spec.grid.shuffle]
    partitions = {part: partition_images(labels, "random labels", *part) for part in parts}
    return HeadData(features.astype(np.float32, copy=False), labels, 2, partitions)


def measure(trials: Sequence[Trial], data: HeadData, spec: Spec) -> list[Measurement]:
    """Fit all heads together, those of one learning rate, and KERAS_FITS heads alone in each way."""
    first_rate = [trial for trial in trials if trial.learning_rate == trials[0].learning_rate]
    one_rate_s = time_together(first_rate, data, spec.training)
    together_s = [time_together(trials, data, spec.training)]
    alone_s = {name: time_alone(trials, data, spec.training, feed) for name, feed in FEEDS.items()}
    together_s.append(time_together(trials, data, spec.training))
    mean_s = statistics.mean(together_s)
    heads = len(trials)
    return [
        Measurement(f"{heads} heads together, mean of {len(together_s)}", mean_s, "s"),
        Measurement(f"{len(first_rate)} heads of one learning rate together", one_rate_s, "s"),
        Measurement(f"{len(spec.grid.learning_rate)} learning rates / one", mean_s / one_rate_s, "x", RATES_BOUND),
        *(Measurement(f"one Keras fit, {name}, mean of {KERAS_FITS}", alone_s[name], "s") for name in FEEDS),
        *(
            Measurement(f"{heads} x one Keras fit, {name} / heads together", heads * alone_s[name] / mean_s, "x", BOUND)
            for name in FEEDS
        ),
    ]


def time_together(trials: Sequence[Trial], data: HeadData, training: TrainingSpec) -> float:
    """Return the seconds of one fit of all heads."""
    with threadpool_limits(limits=1):
        return time_call(lambda: fit_heads(trials, data, training))


def time_alone(trials: Sequence[Trial], data: HeadData, training: TrainingSpec, feed: Feed) -> float:
    """Return the mean seconds of one Keras `fit`, over the first KERAS_FITS trials."""
    fit_alone(trials[0], data, training, WARM_UP_STEPS, feed)
    return statistics.mean(fit_alone(trial, data, training, trial.steps, feed) for trial in trials[:KERAS_FITS])


def fit_alone(trial: Trial, data: HeadData, training: TrainingSpec, steps: int, feed: Feed) -> float:
    """Return the seconds of one Keras `fit` of a trial's head, gathering its features included."""
    import keras

    positions = draw_positions(trial, data, training, steps)
    layers = [keras.layers.Input((data.features.shape[1],)), keras.layers.Dense(data.classes, activation="softmax")]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.SGD(trial.learning_rate), "sparse_categorical_crossentropy")
    return time_call(lambda: model.fit(**feed(data, positions), verbose=0))


def feed_arrays(data: HeadData, positions: Positions) -> dict[str, Any]:
    """Return arguments of `fit`: the gathered features and labels of all steps."""
    flat = positions.ravel()
    return {"x": data.features[flat], "y": data.labels[flat], "batch_size": positions.shape[1], "shuffle": False}


def feed_pipeline(data: HeadData, positions: Positions) -> dict[str, Any]:
    """Return arguments of `fit`: a pipeline that gathers the features and labels of each step."""
    import tensorflow as tf

    features, labels = tf.constant(data.features), tf.constant(data.labels)
    batches = tf.data.Dataset.from_tensor_slices(positions)
    gathered = batches.map(lambda batch: (tf.gather(features, batch), tf.gather(labels, batch)), tf.data.AUTOTUNE)
    return {"x": gathered.prefetch(tf.data.AUTOTUNE)}


FEEDS: dict[str, Feed] = {"arrays": feed_arrays, "tf.data": feed_pipeline}


def draw_positions(trial: Trial, data: HeadData, training: TrainingSpec, steps: int) -> Positions:
    """Draw class-balanced batches: (steps, batch) positions of training images."""
    pool = data.partitions[trial.split, trial.shuffle].training
    draws = BatchDraws(0, training, pool, data.labels)
    blocks = [draws.draw_block() for _ in range(-(-steps // CURVE_STEPS))]
    return np.concatenate(blocks)[:steps]


def time_call(call: Callable[[], object]) -> float:
    """Return the seconds of a call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
