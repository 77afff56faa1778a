"""Networks as one TensorFlow function of raw pixels, from keras.applications or from a SavedModel."""

import tarfile
import tempfile
import warnings
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from sweep.errors import UserError
from sweep.networks.recipe import Recipe
from sweep.networks.table import (
    IMAGENET_CLASSES,
    NETWORKS,
    FeatureKind,
    Network,
    PixelRange,
    WeightsSource,
    feature_width,
)
from sweep.networks.weights import WeightsBlob, random_weights_sha256

BATCH_NORM_SHIFT = 0.5  # of random weights
# What HDF5, Keras and TensorFlow raise at damaged or foreign weights.
DAMAGE = (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, tf.errors.OpError)
ADVICE = {
    WeightsSource.IMAGENET: "delete it and run again to download it anew",
    WeightsSource.HUB: "if it was downloaded, delete it and run again to download it anew, else name another folder",
    WeightsSource.FILE: "name another file",
    WeightsSource.RANDOM: "report this as a bug",
}


def compile_network(recipe: Recipe, batch: int | None = None) -> Any:
    """Build a traced `tf.function`: images (batch, r, r, 3) uint8 to features (batch, width) float32.

    Bit for bit the same for the same recipe. Raises UserError for weights that are damaged or of another network.
    """
    if recipe.weights.source is WeightsSource.HUB:
        model = _load_saved_model(recipe.weights)
    else:
        model = _build_keras_model(recipe.network, recipe.kind)
        if recipe.weights.source is WeightsSource.RANDOM:
            _draw_weights(model, recipe.network, recipe.kind)
            _calibrate(model, recipe.pixels, recipe.calibration)
        else:
            _load_keras_weights(model, recipe.weights)
        _rename_layers(model)
    return _trace(model, recipe, batch)


def _trace(model: Any, recipe: Recipe, batch: int | None) -> Any:
    side, weights = recipe.network.resolution, recipe.weights

    @tf.function(input_signature=[tf.TensorSpec((batch, side, side, 3), tf.uint8)])  # type: ignore[untyped-decorator]
    def predict(images: tf.Tensor) -> tf.Tensor:
        return model(_scale_pixels(images, recipe.pixels))

    try:
        shape = predict.get_concrete_function().output_shapes.as_list()
    except DAMAGE as error:
        raise UserError(_describe_damage(weights, f"cannot run on images of {side} x {side}: {error}")) from error
    width = feature_width(recipe.network, recipe.kind)
    allowed = (None, width, width + 1) if recipe.kind is FeatureKind.LOGITS else (None, width)
    if len(shape) != 2 or shape[1] not in allowed:
        raise UserError(_describe_damage(weights, f"yields features of shape {shape}, not {[batch, width]}"))
    return predict  # and not its concrete function, which would not keep the model's variables alive


def _scale_pixels(images: tf.Tensor, pixels: PixelRange) -> tf.Tensor:
    low, high = pixels
    return tf.cast(images, tf.float32) / (255 / (high - low)) + low


def _build_keras_model(network: Network, kind: FeatureKind) -> Any:
    """Build it with Keras's own initial weights; called without `training=True` it predicts."""
    if keras.config.backend() != "tensorflow":
        raise UserError(f"KERAS_BACKEND: {keras.config.backend()} is not offered (allowed: tensorflow)")
    keras.config.set_floatx("float32")  # ~/.keras/keras.json may say otherwise
    keras.config.set_image_data_format("channels_last")
    is_pooled = kind is FeatureKind.POOLED
    return getattr(keras.applications, NETWORKS[network.name].builder)(
        input_shape=(network.resolution, network.resolution, 3),
        include_top=not is_pooled,
        pooling="avg" if is_pooled else None,
        weights=None,
        classes=IMAGENET_CLASSES,
        classifier_activation=None,
        **{axis: value for axis, value in network.values if axis != "resolution"},
    )


def _rename_layers(model: Any) -> None:
    """Call them by their place: Keras counts unnamed layers through the process, and a converted network has names."""
    for number, layer in enumerate(model.layers):
        layer.name = f"layer_{number}"


def _load_keras_weights(model: Any, weights: WeightsBlob) -> None:
    """Load a weights file, and all of it: where a layer is missing, Keras may merely warn and go on with its own."""
    for variable in model.variables:
        variable.assign(np.full(variable.shape, np.nan, np.float32))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, Path(weights.name).name)
        path.write_bytes(weights.payload)
        try:
            with warnings.catch_warnings(action="ignore"):
                model.load_weights(path)
        except DAMAGE as error:
            raise UserError(_describe_damage(weights, str(error).replace(f"{folder}/", ""))) from error
    unset = [variable.path for variable in model.variables if tf.reduce_any(tf.math.is_nan(variable.value))]
    if unset:
        problem = f"yields no numbers for {len(unset)} of {len(model.variables)} variables, the first is {unset[0]}"
        raise UserError(_describe_damage(weights, problem))


def _load_saved_model(weights: WeightsBlob) -> Any:
    """The callable of a SavedModel, or its serving signature where it has none."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=BytesIO(weights.payload)) as archive:
            archive.extractall(folder, filter="data")
        try:
            model = tf.saved_model.load(folder)
        except DAMAGE as error:
            raise UserError(_describe_damage(weights, str(error).replace(folder, weights.name))) from error
    if callable(model):
        return model
    signature = model.signatures.get("serving_default")
    if signature is None or len(signature.structured_outputs) != 1:
        raise UserError(_describe_damage(weights, "has neither a __call__ nor a serving signature of one output"))
    (output,) = signature.structured_outputs
    # The closure keeps `model` alive: a signature holds its variables by weak references only.
    return lambda images: (model, signature(images)[output])[1]


def _describe_damage(weights: WeightsBlob, problem: str) -> str:
    reason = " ".join(problem.split())[:300].rstrip(".")
    return f"{weights.name} ({len(weights.payload):,} bytes): not usable as weights: {reason}; {ADVICE[weights.source]}"


def _draw_weights(model: Any, network: Network, kind: FeatureKind) -> None:
    """Draw the weights in the order of the layers, so that heads on 27 random layers still find something.

    Kernels are He normal. With depthwise kernels of mean 0 and shifts of 0, random MobileNets are chaotic: at 128 px
    heads get 57 to 64 % of the demo's test images right, where these get 83 to 94. So a depthwise kernel has a mean
    too, with the same second moment 2 / fan in, which makes it a noisy blur; and batch norm shifts by BATCH_NORM_SHIFT,
    which keeps more values off the flat part of ReLU. Neither helps as much alone.
    """
    generator = np.random.default_rng(int(random_weights_sha256(network, kind), 16))
    constants = {"gamma": 1.0, "beta": BATCH_NORM_SHIFT, "moving_mean": 0.0, "moving_variance": 1.0, "bias": 0.0}
    for layer in model.layers:
        for variable in layer.weights:
            if variable.name in constants:
                variable.assign(np.full(variable.shape, constants[variable.name], np.float32))
                continue
            draws = generator.standard_normal(variable.shape)
            if isinstance(layer, keras.layers.DepthwiseConv2D):
                variable.assign((draws + 1) / np.sqrt(prod(variable.shape[:2])))
            else:
                variable.assign(draws * np.sqrt(2 / prod(variable.shape[:-1])))


def _calibrate(model: Any, pixels: PixelRange, images: NDArray[np.uint8] | None) -> None:
    """Set the moving statistics to those of `images` (n, r, r, 3): without, the features vanish layer by layer."""
    if images is None:
        raise ValueError("random weights need images to calibrate batch norm on")
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0  # the statistics of one training pass replace the old ones
    # Compiled, so that each layer's activations are freed as soon as the next has read them.
    tf.function(lambda batch: model(_scale_pixels(batch, pixels), training=True))(tf.constant(images))
