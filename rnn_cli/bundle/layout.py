"""A bundle's files' names, and where bundles stand."""

import os
from pathlib import Path

from rnn_cli.errors import BundleError

MANIFEST = "manifest.json"
CONFIG = "config.yaml"
TOKENIZER = "tokenizer.json"
ONNX_MODEL = "model.onnx"
INT8_MODEL = "model.int8.onnx"
KERAS_MODEL = "model.keras"
METRICS = "metrics.json"
HISTORY = "history.csv"
PREDICTIONS = "predictions.csv"
REPORT = "report.html"
CARD = "README.md"
SCRIPT = "predict.py"
"""What an exported model's folder answers with, without rnn."""

MOST_BYTES = {MANIFEST: 4 << 20, CONFIG: 256 << 10, TOKENIZER: 32 << 20, METRICS: 32 << 20}
"""How large a file may be, by its name, that is made values of, which take many times as much."""

LARGEST = 2 << 30
"""How large any other may be: no ONNX file can be larger."""

UNFINISHED = ".unfinished"
"""What follows a bundle's name while its run is under way."""

RUNS = Path("runs")
LATEST = RUNS / "latest"


def locate(model: str | None) -> Path:
    """The bundle to use: the one named, else the environment's RNN_MODEL, else the newest finished run."""
    if model is not None:
        return Path(model)
    if named := os.environ.get("RNN_MODEL"):
        if not Path(named).is_dir():
            raise BundleError("no such folder", where=f"RNN_MODEL={named}", mend="correct or unset the variable")
        return Path(named)
    if LATEST.is_symlink() and not LATEST.exists():
        raise BundleError(
            f"points to {os.readlink(LATEST)}, which is gone", where=str(LATEST), mend="name a model with --model DIR"
        )
    if not LATEST.exists():
        raise BundleError(f"no trained model in {RUNS}/", mend="train one with rnn train, or name it with --model DIR")
    return LATEST


def reason(error: OSError) -> str:
    """Why the operating system refused, in its own words."""
    return (error.strerror or str(error)).lower()
