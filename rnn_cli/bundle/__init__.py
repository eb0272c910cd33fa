"""A trained model's folder: its files' names, and how they are written, verified and read.

Knows nothing of what the files mean to the other rooms.
"""

from rnn_cli.bundle.layout import (
    CONFIG,
    HISTORY,
    KERAS_MODEL,
    LATEST,
    MANIFEST,
    METRICS,
    ONNX_MODEL,
    PREDICTIONS,
    RUNS,
    TOKENIZER,
    locate,
)
from rnn_cli.bundle.manifest import FORMAT_VERSION, Manifest
from rnn_cli.bundle.reader import Bundle
from rnn_cli.bundle.writer import Draft, check_target, is_latest, writing

__all__ = [
    "CONFIG",
    "FORMAT_VERSION",
    "HISTORY",
    "KERAS_MODEL",
    "LATEST",
    "MANIFEST",
    "METRICS",
    "ONNX_MODEL",
    "PREDICTIONS",
    "RUNS",
    "TOKENIZER",
    "Bundle",
    "Draft",
    "Manifest",
    "check_target",
    "is_latest",
    "locate",
    "writing",
]
