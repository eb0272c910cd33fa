"""Loads TensorFlow without its start-up chatter, when imported before all else that loads it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")


@contextmanager
def _stderr_of_native_code_closed() -> Iterator[None]:
    # TensorFlow's C++ writes a few lines to file descriptor 2 before it reads any log level.
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


with _stderr_of_native_code_closed():
    import tensorflow

tensorflow.get_logger().setLevel("ERROR")
