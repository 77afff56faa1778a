"""One thread for TensorFlow."""

from sweep.errors import UserError


def limit_threads() -> None:
    """Make TensorFlow compute with one thread: sums over several threads differ in their last bits.

    Raises UserError where TensorFlow has already started with other threads in this process.
    """
    import tensorflow as tf  # seconds, and most workers do without

    try:
        tf.config.set_visible_devices([], "GPU")  # one GPU cannot be shared by workers that do not know of each other
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError as error:
        raise UserError(
            "TensorFlow: already running with other threads than 1 in this process, so results would not be "
            "repeatable; run the sweep in a fresh process, or call limit_threads() before any TensorFlow operation"
        ) from error
