"""What the tests share."""

import os

# Before any test loads TensorFlow: no start-up chatter in the tests' output.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
