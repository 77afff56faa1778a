"""Steps of heads with hidden layers against Keras's `train_on_batch`, with one thread both.

One head of Adam for each of some hidden layers, on random features as in `fused_heads.py`: STEPS steps in one call of
the kind `fit`, less those of a shorter call, which leaves out building and tracing; the points of its validation curve
count. Keras takes as many steps on the same batches, without a curve.
"""

import os
import time
from collections.abc import Callable, Iterator

import numpy as np
from fused_heads import Work, make_work
from measuring import Bound, Measurement, print_heading, print_measurements
from threadpoolctl import threadpool_limits

from sweep.identity import identify
from sweep.methods.probe import fit
from sweep.methods.probe.batches import CURVE_STEPS, BatchDraws
from sweep.methods.probe.heads import Head, read_data

BOUND = Bound(1.1)
STEPS = 250
CASES = (([64], 100), ([512], 100), ([1024, 1024, 512], 30))  # hidden layers and batch size; the last are Sousa's


def main() -> None:
    """Measure and print."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    work = make_work(None, STEPS)
    print_heading("hidden layers", "data     RANDOM features, {:,} x {:,}".format(*work.arrays[0].shape))
    with threadpool_limits(limits=1):
        fit.run(with_layers(work, [4], 100, 1).settings, work.arrays)  # imports TensorFlow
        print_measurements(
            measure for hidden, batch_size in CASES for measure in measure_case(work, hidden, batch_size)
        )


def measure_case(work: Work, hidden: list[int], batch_size: int) -> Iterator[Measurement]:
    """Time our steps and Keras's."""
    short, long = (with_layers(work, hidden, batch_size, CURVE_STEPS + steps) for steps in (0, STEPS))
    short_s, long_s = (time_call(lambda each=each: fit.run(each.settings, each.arrays)) for each in (short, long))
    ours_ms, keras_ms = ((long_s - short_s) / STEPS * 1e3, time_keras(long) / STEPS * 1e3)
    name = f"{hidden}, batches of {batch_size}"
    yield Measurement(f"a step with hidden layers {name}", ours_ms, "ms")
    yield Measurement(f"train_on_batch with hidden layers {name}", keras_ms, "ms")
    yield Measurement("a step / train_on_batch", ours_ms / keras_ms, "x", BOUND)


def with_layers(work: Work, hidden: list[int], batch_size: int, steps: int) -> Work:
    """Return one head with hidden layers."""
    head = {**work.heads[-1], "optimizer": "adam", "learning_rate": 1e-4, "initial_stddev": None}
    return work.of([{**head, "hidden": hidden, "batch_size": batch_size, "readouts": {str(steps): identify(hidden)}}])


def time_keras(work: Work) -> float:
    """Return the seconds of STEPS calls of `train_on_batch`, after one that traces."""
    import keras

    head, data = Head.from_json(work.heads[0]), read_data(work.settings, work.arrays)
    draws = BatchDraws(head, data.partitions[head.partition_id].training, data.labels)
    positions = np.concatenate([draws.draw_block() for _ in range(STEPS // CURVE_STEPS)])
    hidden = [keras.layers.Dense(width, "relu") for width in head.hidden]
    model = keras.Sequential([keras.Input((data.features.shape[1],)), *hidden, keras.layers.Dense(data.classes)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(head.learning_rate), loss)
    model.train_on_batch(data.features[positions[0]], data.labels[positions[0]])
    return time_call(lambda: [model.train_on_batch(data.features[batch], data.labels[batch]) for batch in positions])


def time_call(call: Callable[[], object]) -> float:
    """Return the seconds of a call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
