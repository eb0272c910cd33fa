"""Decompresses a file as a stream; detects files that are truncated or that hold too much.

Reads all gzip members, or all Zstandard frames, one after the other, in small steps: the libraries' own file objects
hide how much of the file they have read, and zstandard's ends without an error within a frame.
"""

import io
import zlib
from collections.abc import Callable
from typing import IO, Any

from rnn_cli.data.reading import bounds

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"

GZIP_STEP, ZSTD_STEP = 1 << 14, 1 << 10
"""Bytes decompressed at once. With gzip they become at most a thousand times as many; with Zstandard 4 bytes may stand
for a block of 128 KiB, so a step gives at most 32 MiB."""
LARGEST_WINDOW = 1 << 27
"""The largest Zstandard window accepted, 128 MiB: the default maximum of the zstd command."""
EMPTY = 1 << 22
"""The maximum of consecutive bytes that hold no data: empty members and frames, or skippable ones."""


class Damaged(Exception):
    """The compressed data is damaged or truncated."""


class TooMuch(Exception):
    """The file holds more than it may for its size."""


class Hollow(Exception):
    """Too many bytes of the file hold no data."""


class Expanded(io.RawIOBase):
    """The content of the members or frames in `raw`. Raises `Damaged`, `TooMuch` and `Hollow`, here or on any read.

    Decompresses the first `HEAD_BYTES` twice, first only to check that they do not hold too much, before any row is
    used.
    """

    def __init__(self, raw: IO[bytes]) -> None:
        """Read from `raw`, which stays open."""
        self._raw = raw
        self._head = io.BytesIO(raw.read(bounds.HEAD_BYTES))
        self._begin()
        try:
            while step := self._head.read(self._step):
                self._expand(step)
        except Damaged:
            pass  # raised when it is read again, after the rows before it
        self._head.seek(0)
        self._begin()
        self._ready = memoryview(b"")

    def _begin(self) -> None:
        self._new, self._fault, self._step = _decompressor(self._head.getvalue())
        self._part = self._new()
        self._inside = False
        self._taken = self._cost = self._empty = 0

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill `buffer` with the next step's content; 0 at the end of the last whole member."""
        while not self._ready:
            step = self._head.read(self._step) or self._raw.read(self._step)
            if not step:
                if self._inside:
                    raise Damaged
                return 0
            self._ready = memoryview(self._expand(step))
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _expand(self, step: bytes) -> bytes:
        self._taken += len(step)
        self._empty += len(step)
        parts = []
        try:
            while step:
                parts.append(self._part.decompress(step))
                self._count(parts[-1])
                step, self._inside = self._part.unused_data, not self._part.eof
                if self._part.eof:
                    step = step.lstrip(b"\0")  # padding of tapes; no member begins with it
                    self._part = self._new()
        except self._fault as error:
            raise Damaged from error
        return b"".join(parts)

    def _count(self, part: bytes) -> None:
        if part:
            self._empty = 0
        self._cost += _cost(part)
        if self._empty > EMPTY:
            raise Hollow
        if bounds.is_too_much(self._cost, self._taken):
            raise TooMuch


def _decompressor(head: bytes) -> tuple[Callable[[], Any], type[Exception], int]:
    """A factory of decompressors for one member or frame, their error, and the number of bytes to feed at once."""
    if head.startswith(GZIP):
        return lambda: zlib.decompressobj(wbits=31), zlib.error, GZIP_STEP
    import zstandard

    return zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW).decompressobj, zstandard.ZstdError, ZSTD_STEP


def _cost(part: bytes) -> int:
    """About how much memory the lines in some bytes take."""
    return len(part) * bounds.width(part) + max(part.count(b"\n"), part.count(b"\r")) * bounds.ROW_BYTES
