"""A trained model's folder: its files' names, and how they are written, verified and read.

Knows nothing of what the files mean to the other rooms.
"""

from rnn_cli.bundle.checkpoint import Checkpoint, newest_checkpoint
from rnn_cli.bundle.layout import (
    CARD,
    CONFIG,
    HISTORY,
    INT8_MODEL,
    KERAS_MODEL,
    LATEST,
    MANIFEST,
    METRICS,
    ONNX_MODEL,
    PREDICTIONS,
    REPORT,
    RUNS,
    SCRIPT,
    TOKENIZER,
    UNFINISHED,
    locate,
)
from rnn_cli.bundle.manifest import FORMAT_VERSION, FURTHER, PRECISION, Manifest, checked_labels
from rnn_cli.bundle.reader import Bundle
from rnn_cli.bundle.unfinished import Unfinished, beginning, check_begin, locate_unfinished, reopened
from rnn_cli.bundle.writer import Draft, check_target, is_latest, point_latest_to

__all__ = [
    "CARD",
    "CONFIG",
    "FORMAT_VERSION",
    "FURTHER",
    "HISTORY",
    "INT8_MODEL",
    "KERAS_MODEL",
    "LATEST",
    "MANIFEST",
    "METRICS",
    "ONNX_MODEL",
    "PRECISION",
    "PREDICTIONS",
    "REPORT",
    "RUNS",
    "SCRIPT",
    "TOKENIZER",
    "UNFINISHED",
    "Bundle",
    "Checkpoint",
    "Draft",
    "Manifest",
    "Unfinished",
    "beginning",
    "check_begin",
    "check_target",
    "checked_labels",
    "is_latest",
    "locate",
    "locate_unfinished",
    "newest_checkpoint",
    "point_latest_to",
    "reopened",
]
