"""Limits on the content of a file by its size, so that a small file cannot fill the memory.

Compression shrinks real text to a third or a twentieth, logs of repeated lines to a hundredth.
"""

import re

from rnn_cli.errors import DataError

FREE_BYTES = 1 << 27
"""A compressed file or a Parquet file may always hold this many bytes (128 MiB) ..."""
RATIO = 200
"""... and above that, this many times its size on the disk."""
ROW_BYTES = 64
"""Bytes counted for a row or a line besides its characters, about what it takes in memory."""
HEAD_BYTES = FREE_BYTES // RATIO
"""The first bytes of a file, which are checked before any row is used: they must not hold more than `FREE_BYTES`."""

MOST_COLUMNS = 20_000
"""The maximum of columns of a table, or of row groups of a Parquet file."""

MOST_BLANK = 1_000_000
"""The maximum of consecutive blank lines, where these are not rows."""

_OTHER_THAN_LATIN = re.compile(rb"[\xc4-\xf4]")
_BEYOND_16_BITS = re.compile(rb"[\xf0-\xf4]")


def width(text: bytes) -> int:
    """Bytes per character in memory, about; all characters of a text are as wide as its widest."""
    if text.isascii() or not _OTHER_THAN_LATIN.search(text):
        return 1
    return 4 if _BEYOND_16_BITS.search(text) else 2


def is_too_much(cost: int, stored: int) -> bool:
    """Whether `stored` bytes of a file hold more than they may."""
    return cost > max(FREE_BYTES, RATIO * stored)


def too_much(where: str, hint: str) -> DataError:
    """The error for a file that holds too much."""
    what = f"holds more than {FREE_BYTES:,} bytes (each row counted as {ROW_BYTES} more) and {RATIO} times its size"
    return DataError(what, where=where, hint=hint)


def too_many_columns(where: str) -> DataError:
    """The error for a table of too many columns."""
    return DataError(f"more than {MOST_COLUMNS:,} columns", where=where, hint="keep the columns you need")
