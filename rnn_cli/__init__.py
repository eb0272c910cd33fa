"""`rnn`: train, evaluate and use recurrent text classifiers. See `rnn --help`, and docs/python.md for Python.

Importing it loads nothing heavy: each public name is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rnn_cli.telemetry import report_to_nobody

if TYPE_CHECKING:
    from rnn_cli.api import check, check_model, compare, drift, evaluate, load, score, train, tune
    from rnn_cli.classifier import RNNClassifier
    from rnn_cli.client import Client
    from rnn_cli.errors import Error
    from rnn_cli.scoring.prediction import Part, Prediction
    from rnn_cli.scoring.predictor import Predictor

__all__ = [
    "Client",
    "Error",
    "Part",
    "Prediction",
    "Predictor",
    "RNNClassifier",
    "__version__",
    "check",
    "check_model",
    "compare",
    "drift",
    "evaluate",
    "load",
    "score",
    "train",
    "tune",
]

__version__ = "0.2.0"
"""The release; packaging reads it from here."""

report_to_nobody()

_PUBLIC = {
    "Client": "rnn_cli.client:Client",
    "Error": "rnn_cli.errors:Error",
    "Part": "rnn_cli.scoring.prediction:Part",
    "Prediction": "rnn_cli.scoring.prediction:Prediction",
    "Predictor": "rnn_cli.scoring.predictor:Predictor",
    "RNNClassifier": "rnn_cli.classifier:RNNClassifier",
    **{
        name: f"rnn_cli.api:{name}"
        for name in ("check", "check_model", "compare", "drift", "evaluate", "load", "score", "train", "tune")
    },
}


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _PUBLIC[name].partition(":")
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
