"""Heads to fit and the data to fit them on, as a work unit hands them over."""

from hashlib import sha256

import numpy as np

from sweep.methods.probe import fit

LEARNING = {"sgd": 0.1, "momentum": 0.02, "adam": 0.01}


def name(*parts):
    return sha256(" ".join(map(str, parts)).encode()).hexdigest()[:16]


def make_head(optimizer="sgd", *, partition=0, steps=(60,), **values):
    """Make the settings of a head; batches and start are named by the partition and by what shapes the batches."""
    hidden = values.get("hidden", [])
    head = {
        "partition_id": name("partition", partition),
        "batches_id": name("batches", partition, values.get("batch_size"), values.get("sampling")),
        "start_id": name("start", partition, hidden),
        "optimizer": optimizer,
        "learning_rate": LEARNING[optimizer],
        "momentum": 0.9 if optimizer == "momentum" else None,
        "batch_size": 20,
        "sampling": "class_balanced",
        "weight_decay": 0.0,
        "hidden": hidden,
        "dropout": 0.0,
        "initial_stddev": None if hidden else 0.001,
        **values,
    }
    fit_id = name(*head.values())
    return {"fit_id": fit_id, **head, "readouts": {str(step): name(fit_id, step) for step in steps}}


def make_arrays(images=80, width=5, classes=2, partitions=3):
    """Overlapping clouds, one a class, the first class the largest: two shards, labels, partitions."""
    generator = np.random.default_rng([images, width, classes])
    labels = np.sort(generator.integers(classes, size=images) * generator.integers(2, size=images))
    centres = generator.standard_normal((classes, width))
    features = (centres[labels] + generator.standard_normal((images, width))).astype(np.float32)
    places = [np.int8([0, 0, 0, 1, 2, -1])[generator.permutation(images) % 6] for _ in range(partitions)]
    arrays = [features[: images // 3], features[images // 3 :], labels, *places]
    for array in arrays:
        array.setflags(write=False)  # as arrays from a cache or from another process are
    return arrays


def fit_heads(heads, arrays):
    settings = {
        "shards": 2,
        "classes": int(arrays[2].max()) + 1,
        "partitions": [name("partition", index) for index in range(len(arrays) - 3)],
        "heads": heads,
    }
    return fit.run(settings, arrays)


def fit_one(head, arrays):
    (outcome,) = fit_heads([head], arrays).outcomes
    return outcome


def evidence_of(fitted):
    """Everything a fit yields, by trial and curve, to be compared bit for bit."""
    curves = {
        (series.fit_id, series.measure): (series.part, series.steps.tobytes(), series.values.tobytes())
        for series in fitted.series
    }
    outcomes = {
        outcome.trial_id: [
            {key: to_bytes(value) for key, value in part.items()} if isinstance(part, dict) else part
            for part in (getattr(outcome, field) for field in type(outcome).__slots__)
        ]
        for outcome in fitted.outcomes
    }
    return curves | outcomes


def to_bytes(value):
    return value.tobytes() if isinstance(value, np.ndarray) else value


def descend_plainly(head, arrays, positions, layers, masks=None):
    """Train in double precision as textbooks write it, with a softmax over all classes.

    layers: weights and biases to begin with, alternating; masks: of the features, by step.
    """
    features, labels = np.concatenate(arrays[:2]).astype(float), arrays[2]
    values = [layer.astype(float) for layer in layers]
    first, second = ([np.zeros_like(value) for value in values] for _ in range(2))
    rate, momentum = head["learning_rate"], head["momentum"]
    for step, batch in enumerate(positions, 1):
        inputs = features[batch] * (1 if masks is None else masks[step - 1])
        gradients = differentiate(values, inputs, labels[batch])
        for index, gradient in enumerate(gradients):
            if index % 2 == 0:
                values[index] -= rate * head["weight_decay"] * values[index]
            if head["optimizer"] == "sgd":
                values[index] -= rate * gradient
            elif head["optimizer"] == "momentum":
                first[index] = momentum * first[index] - rate * gradient
                values[index] += first[index]
            else:
                first[index] = 0.9 * first[index] + 0.1 * gradient
                second[index] = 0.999 * second[index] + 0.001 * gradient**2
                pace = rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
                values[index] -= pace * first[index] / (np.sqrt(second[index]) + 1e-7)
    return values


def differentiate(values, inputs, labels):
    """Gradients of the mean cross-entropy by weights and biases, by backpropagation."""
    taken = [inputs]
    for weights, biases in zip(values[:-2:2], values[1:-2:2], strict=True):
        taken.append(np.maximum(taken[-1] @ weights + biases, 0))
    odds = np.exp(taken[-1] @ values[-2] + values[-1])
    slope = (odds / odds.sum(axis=1, keepdims=True) - np.eye(odds.shape[1])[labels]) / len(labels)
    gradients = []
    for weights, given in zip(values[-2::-2], taken[::-1], strict=True):
        gradients = [given.T @ slope, slope.sum(axis=0), *gradients]
        slope = (slope @ weights.T) * (given > 0)
    return gradients
