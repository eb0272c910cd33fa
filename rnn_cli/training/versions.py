"""The releases of the libraries that a run's numbers may depend on."""

import platform
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from rnn_cli import __version__

LIBRARIES = ("tensorflow", "keras", "onnx", "onnxruntime", "numpy", "numba", "scipy", "scikit-learn")

IMPORTED = {"scikit-learn": "sklearn"}
"""What a library is imported as, where that is not its name."""


def versions() -> dict[str, str]:
    """Name → release, Python's and our own among them; of a library that is not there, "missing"."""
    return {"python": platform.python_version(), "rnn-cli": __version__, **{name: _version(name) for name in LIBRARIES}}


@cache
def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # it came by another name, as tensorflow-cpu does, or in a frozen program
        pass
    try:
        if name == "tensorflow":
            from rnn_cli.training import quiet  # noqa: F401  (loads it without chatter)
        return str(import_module(IMPORTED.get(name, name)).__version__)
    except Exception:  # a library that is damaged may raise anything
        return "missing"
