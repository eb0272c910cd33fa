"""Reads the lines of the standard input as texts. Imports no library."""

from collections.abc import Iterator
from typing import BinaryIO

from rnn_cli.errors import DataError

READ_BYTES = 1 << 18
"""The maximum to read from a pipe at once; lines that have arrived are returned without waiting for more."""

LINE_BYTES = 16 << 20
"""The longest line that is accepted as a text."""


def read_windows(stream: BinaryIO) -> Iterator[list[str]]:
    """The lines of the standard input without their ends, in lists of those that have arrived.

    Raises `DataError` at a line that is not UTF-8 or too long, after the lines before it.
    """
    rest, number = b"", 1
    while chunk := stream.read1(READ_BYTES):  # type: ignore[attr-defined]  # a BufferedReader
        *lines, rest = (rest + chunk).split(b"\n")
        yield from _decoded(lines, number)
        number += len(lines)
        if len(rest) > LINE_BYTES:
            raise DataError(
                f"a line of more than {LINE_BYTES >> 20} MiB",
                where=f"standard input:{number}",
                hint="split it; each line is one text",
            )
    if rest:
        yield from _decoded([rest], number)


def _decoded(lines: list[bytes], number: int) -> Iterator[list[str]]:
    """The lines as one list; the lines before one that is not UTF-8 come before the error."""
    texts: list[str] = []
    for index, line in enumerate(lines, start=number):
        try:
            texts.append(_decode(line, index))
        except DataError:
            yield texts
            raise
    yield texts


def _decode(line: bytes, number: int) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise DataError(
            f"byte 0x{line[error.start]:02x} at position {error.start + 1} of the line is not UTF-8",
            where=f"standard input:{number}",
            hint="convert the input, for example with iconv -f latin1 -t utf-8",
        ) from None
