"""The exported folder's README: how to use it, in a few lines. Knows nothing of files."""

from rnn_cli.bundle import Manifest
from rnn_cli.reporting.drawing import draw


def card(manifest: Manifest, precision: str) -> str:
    """The README, in Markdown."""
    return draw("export.md", manifest=manifest, precision=precision)
