"""A bundle's files' names, and where bundles stand."""

import os
from pathlib import Path

from rnn_cli.errors import BundleError

MANIFEST = "manifest.json"
CONFIG = "config.yaml"
TOKENIZER = "tokenizer.json"
ONNX_MODEL = "model.onnx"
KERAS_MODEL = "model.keras"
METRICS = "metrics.json"
HISTORY = "history.csv"
PREDICTIONS = "predictions.csv"

RUNS = Path("runs")
LATEST = RUNS / "latest"


def locate(model: str | None) -> Path:
    """The bundle to use: the one named, else the environment's RNN_MODEL, else the newest finished run."""
    named = model if model is not None else os.environ.get("RNN_MODEL") or None
    if named is not None:
        return Path(named)
    if not LATEST.exists():
        raise BundleError(f"no trained model in {RUNS}/", mend="train one with rnn train, or name it with --model DIR")
    return LATEST


def reason(error: OSError) -> str:
    """Why the operating system refused, in its own words."""
    return (error.strerror or str(error)).lower()
