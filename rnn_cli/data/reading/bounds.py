"""How much a file may hold for its size, whatever it is written in, so that a small one cannot fill the memory.

Real text shrinks to a third or a twentieth when it is compressed, logs of repeated lines to a hundredth.
"""

import re

from rnn_cli.errors import DataError

FREE_BYTES = 1 << 27
"""A compressed file, or one of Parquet, may always hold this much (128 MiB) ..."""
RATIO = 200
"""... and beyond it this many times what it takes on the disk."""
ROW_BYTES = 64
"""What a row, or a line, is counted as besides its characters; in memory it takes about as much."""
HEAD_BYTES = FREE_BYTES // RATIO
"""Bytes of a file that cannot hold more than `FREE_BYTES` within reason; they are looked through before any is used."""

MOST_COLUMNS = 20_000
"""Columns of a table, or row groups of a Parquet file."""


MOST_BLANK = 1_000_000
"""Blank lines, one after the other, where they are no rows."""

_OTHER_THAN_LATIN = re.compile(rb"[\xc4-\xf4]")
_BEYOND_16_BITS = re.compile(rb"[\xf0-\xf4]")


def width(text: bytes) -> int:
    """Bytes that a character takes in memory, where those of a text are as wide as its widest; about."""
    if text.isascii() or not _OTHER_THAN_LATIN.search(text):
        return 1
    return 4 if _BEYOND_16_BITS.search(text) else 2


def is_too_much(cost: int, stored: int) -> bool:
    """Whether what some bytes of a file hold is beyond reason."""
    return cost > max(FREE_BYTES, RATIO * stored)


def too_much(where: str, hint: str) -> DataError:
    """The error for a file that holds too much."""
    what = f"holds more than {FREE_BYTES:,} bytes (each row counted as {ROW_BYTES} more) and {RATIO} times its size"
    return DataError(what, where=where, hint=hint)


def too_many_columns(where: str) -> DataError:
    """The error for a table of too many columns."""
    return DataError(f"more than {MOST_COLUMNS:,} columns", where=where, hint="keep those that matter")
