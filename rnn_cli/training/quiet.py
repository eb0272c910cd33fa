"""Loads TensorFlow without its start-up messages; import it before anything else that loads TensorFlow."""

import os

from rnn_cli.system import stderr_closed

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

with stderr_closed():  # TensorFlow's C++ writes a few lines before it reads any log level
    import tensorflow

tensorflow.get_logger().setLevel("ERROR")
