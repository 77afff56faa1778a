"""Fitting 27 heads together against one Keras `fit` for each, on the same features; and what else heads cost.

27 heads: 9 partitions x 3 learning rates on one network's features, batches of 100, 2,500 steps. Together: one call of
the kind `fit` with one thread, as a worker does it, timed before and after the others; drawing batches and evaluating
count. The same for the heads of one learning rate: what further rates cost on the same batches. Alone: a softmax layer
under plain SGD with Keras's default settings and all cores. Its batches are drawn, and it is built and compiled,
beforehand: gathering the features and `fit` count. It is fed in two ways, and each is judged:

* arrays: the features of all batches are gathered into one array (1 GB) and given to `fit`;
* tf.data: a pipeline gathers batch after batch, ahead of the steps.

Two fits each way, after a short one that warms TensorFlow up, are scaled to 27.

Then the same heads with other settings, in processor time against plain descent; heads of all three optimizers together
against apart; and `apply_state`, whose bits know nothing of an image's neighbours, against one product.

Features are random, 5,216 x 1,024 unless --features names an array (images, width) of real ones; speed does not depend
on what is in them, nor on the labels, which are random too.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Bound, Measurement, print_heading, print_measurements
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sweep.identity import identify
from sweep.methods.probe import fit
from sweep.methods.probe.batches import CURVE_STEPS, BatchDraws
from sweep.methods.probe.heads import Head, HeadData, read_data
from sweep.methods.probe.state import apply_state, apply_states, name_layers

Positions = NDArray[np.int64]
Feed = Callable[[HeadData, Positions], dict[str, Any]]
Settings = dict[str, Any]

BOUND = Bound(30, is_floor=True)
RATES_BOUND = Bound(2)
IMAGES, WIDTH = 5216, 1024
NORMAL_SHARE = 0.27
PARTITIONS = 9
RATES = (0.1, 0.01, 0.001)
KERAS_FITS = 2
WARM_UP_STEPS = 20
VARIANTS: dict[str, Settings] = {
    "momentum": {"optimizer": "momentum", "momentum": 0.9},
    "Adam": {"optimizer": "adam"},
    "weight decay": {"weight_decay": 0.01},
    "dropout": {"dropout": 0.5},
}


@dataclass(frozen=True, slots=True)
class Work:
    """What the kind `fit` takes."""

    settings: Settings
    arrays: Sequence[NDArray[Any]]

    def using(self, **values: Any) -> "Work":
        """Return it with other settings of every head."""
        heads = [{**head, **values, "fit_id": identify([head["fit_id"], values])} for head in self.settings["heads"]]
        return self.of(heads)

    def of(self, heads: Sequence[Settings]) -> "Work":
        """Return it with other heads."""
        return Work({**self.settings, "heads": list(heads)}, self.arrays)

    @property
    def heads(self) -> list[Settings]:
        """Settings of the heads."""
        return list(self.settings["heads"])


def main() -> None:
    """Measure and print."""
    options = parse_options()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    work = make_work(options.features, options.steps)
    images, width = work.arrays[0].shape
    kind = "real" if options.features else "RANDOM"
    described = f"{len(work.heads)} heads, {options.steps:,} steps, batch {work.heads[0]['batch_size']}"
    notes = f"data     {kind} features, {images:,} x {width:,}", f"work     {described}"
    print_heading("fused heads", *notes)
    measurements = measure_together(work)
    with threadpool_limits(limits=1):
        measurements += [*measure_variants(work), *measure_states(work.arrays[0])]
    print_measurements(measurements)


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=Path, help=".npy file: (images, width) float32")
    parser.add_argument("--steps", type=int, default=2500)
    return parser.parse_args()


def make_work(path: Path | None, steps: int) -> Work:
    """Read or draw features, draw labels and partitions, and name heads on them."""
    generator = np.random.default_rng(0)
    features = np.load(path) if path else generator.random((IMAGES, WIDTH), np.float32)
    labels = (generator.random(len(features)) > NORMAL_SHARE).astype(np.int64)
    parts = np.arange(len(features)) * 10 // len(features)  # tenths: 8 training, 1 validation, 1 test
    places = [generator.permutation(np.maximum(parts - 7, 0).astype(np.int8)) for _ in range(PARTITIONS)]
    names = [identify(["partition", index]) for index in range(PARTITIONS)]
    heads = [make_head(name, rate, steps) for name in names for rate in RATES]
    settings = {"shards": 1, "classes": 2, "partitions": names, "heads": heads}
    return Work(settings, [features.astype(np.float32, copy=False), labels, *places])


def make_head(partition_id: str, rate: float, steps: int) -> Settings:
    """Return the settings of a head of plain softmax regression."""
    fit_id = identify([partition_id, rate])
    return {
        "fit_id": fit_id,
        "partition_id": partition_id,
        "batches_id": identify([partition_id, "batches"]),
        "start_id": identify([partition_id, "start"]),
        "optimizer": "sgd",
        "learning_rate": rate,
        "momentum": None,
        "batch_size": 100,
        "sampling": "class_balanced",
        "weight_decay": 0.0,
        "hidden": [],
        "dropout": 0.0,
        "initial_stddev": 0.001,
        "readouts": {str(steps): identify([fit_id, steps])},
    }


def measure_together(work: Work) -> list[Measurement]:
    """Fit all heads together, those of one learning rate, and KERAS_FITS heads alone in each way."""
    data = read_data(work.settings, work.arrays)
    first_rate = work.of([head for head in work.heads if head["learning_rate"] == RATES[0]])
    with threadpool_limits(limits=1):
        one_rate_s = time_call(lambda: fit.run(first_rate.settings, work.arrays))
        together_s = [time_call(lambda: fit.run(work.settings, work.arrays))]
    alone_s = {name: time_alone(work, data, feed) for name, feed in FEEDS.items()}
    with threadpool_limits(limits=1):
        together_s.append(time_call(lambda: fit.run(work.settings, work.arrays)))
    mean_s = statistics.mean(together_s)
    heads = len(work.heads)
    return [
        Measurement(f"{heads} heads together, mean of {len(together_s)}", mean_s, "s"),
        Measurement(f"{len(first_rate.heads)} heads of one learning rate together", one_rate_s, "s"),
        Measurement(f"{len(RATES)} learning rates / one", mean_s / one_rate_s, "x", RATES_BOUND),
        *(Measurement(f"one Keras fit, {name}, mean of {KERAS_FITS}", alone_s[name], "s") for name in FEEDS),
        *(
            Measurement(f"{heads} x one Keras fit, {name} / heads together", heads * alone_s[name] / mean_s, "x", BOUND)
            for name in FEEDS
        ),
    ]


def measure_variants(work: Work) -> Iterator[Measurement]:
    """Compare other settings of all heads with plain descent, and heads of all optimizers together with apart."""
    variants = {name: work.using(**values) for name, values in VARIANTS.items()}
    taken_s = {name: time_processor(each) for name, each in {"plain": work, **variants}.items()}
    for name in variants:
        yield Measurement(f"{name} / plain descent", taken_s[name] / taken_s["plain"], "x")
    kinds = {"plain": work, "momentum": variants["momentum"], "Adam": variants["Adam"]}
    mixed_s = time_processor(work.of([head for each in kinds.values() for head in each.heads]))
    yield Measurement("three optimizers together / apart", mixed_s / sum(taken_s[name] for name in kinds), "x")


def measure_states(features: NDArray[np.float32]) -> Iterator[Measurement]:
    """Compare `apply_state` with one product of all images, on a tenth of them."""
    some, generator = features[: len(features) // 10], np.random.default_rng(0)
    for hidden in ([], [512]):
        widths = [some.shape[1], *hidden, 1]
        shapes = list(pairwise(widths))
        weights = [generator.random(shape, np.float32) for shape in shapes]
        state = name_layers(weights, [np.zeros(outputs, np.float32) for _, outputs in shapes])
        each_s, once_s = (
            min(time_call(apply) for _ in range(20))
            for apply in (
                lambda state=state: apply_state(state, some),
                lambda state=state: apply_states([state], some, 1),
            )
        )
        yield Measurement(f"apply_state / one product, hidden layers {hidden or 'none'}", each_s / once_s, "x")


def time_alone(work: Work, data: HeadData, feed: Feed) -> float:
    """Return the mean seconds of one Keras `fit`, over the first KERAS_FITS heads."""
    heads = [Head.from_json(head) for head in work.heads[:KERAS_FITS]]
    fit_alone(heads[0], data, WARM_UP_STEPS, feed)
    return statistics.mean(fit_alone(head, data, head.last_step, feed) for head in heads)


def fit_alone(head: Head, data: HeadData, steps: int, feed: Feed) -> float:
    """Return the seconds of one Keras `fit` of a head, gathering its features included."""
    import keras

    draws = BatchDraws(head, data.partitions[head.partition_id].training, data.labels)
    positions = np.concatenate([draws.draw_block() for _ in range(-(-steps // CURVE_STEPS))])[:steps]
    layers = [keras.layers.Input((data.features.shape[1],)), keras.layers.Dense(data.classes, activation="softmax")]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.SGD(head.learning_rate), "sparse_categorical_crossentropy")
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


def time_processor(work: Work) -> float:
    """Return the seconds of the processor that fitting some heads takes, the least of three."""
    taken_s = []
    for _ in range(3):
        started = time.process_time()
        fit.run(work.settings, work.arrays)
        taken_s.append(time.process_time() - started)
    return min(taken_s)


def time_call(call: Callable[[], object]) -> float:
    """Return the seconds of a call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
