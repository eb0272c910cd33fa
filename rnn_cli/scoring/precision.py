"""Which of a bundle's graphs scores: the one that was trained, or the one that computes in 8 bits."""

import json
from typing import Literal

from rnn_cli.bundle.layout import INT8_MODEL, METRICS, ONNX_MODEL
from rnn_cli.bundle.manifest import PRECISION
from rnn_cli.bundle.reader import Bundle
from rnn_cli.errors import BundleError

Precision = Literal["fp32", "int8"]
"""How a network computes: in floating-point numbers of 32 bits, or for the most part in whole ones of 8."""

INT8 = "int8"
"""Where a bundle's metrics tell of the int8 graph."""


def graph_file(opened: Bundle, precision: Precision) -> str:
    """The name of the graph's file; raises `BundleError`, which tells why, where a bundle has no such graph."""
    if precision in ("fp32", opened.manifest.data.get(PRECISION)):
        return ONNX_MODEL
    if INT8_MODEL in opened.manifest.files:
        return INT8_MODEL
    reason, other_mend = _why_not(opened)
    raise BundleError(f"has no int8 graph: {reason}", where=str(opened.path), mend=f"{other_mend}use --precision fp32")


def _why_not(opened: Bundle) -> tuple[str, str]:
    """What the run said of it, if it did, and what helps besides fp32."""
    if METRICS not in opened.manifest.files:
        return "it was exported without", "export it with --precision int8, or "
    try:
        return str(json.loads(opened.read(METRICS))[INT8]["reason"]), ""
    except (KeyError, RecursionError, TypeError, ValueError):
        return "it was trained before these were made", "train again, or "
