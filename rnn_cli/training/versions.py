"""The releases of the libraries that a run's numbers may depend on."""

import platform
from importlib.metadata import version

LIBRARIES = ("rnn-cli", "tensorflow", "keras", "onnx", "onnxruntime", "numpy", "numba", "scipy", "scikit-learn")


def versions() -> dict[str, str]:
    """Name → release, Python's among them."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}
