"""A compressed file as a stream of the bytes it holds, which notices when it was cut short or holds too much.

All members of gzip, or frames of Zstandard, are read one after the other. Both are fed a little at a time: the
libraries' own file objects hide how much of the file they have taken, and zstandard's ends quietly within a frame.
"""

import io
import zlib
from collections.abc import Callable
from typing import IO, Any

from rnn_cli.data.reading import bounds

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"

GZIP_STEP, ZSTD_STEP = 1 << 14, 1 << 10
"""Bytes expanded at once: gzip makes a thousand times as much of them at most; of Zstandard 4 bytes may stand for a
block of 128 KiB, so that a step makes 32 MiB at most."""
LARGEST_WINDOW = 1 << 27
"""The largest window of Zstandard accepted, 128 MiB: what the zstd command itself allows unless told otherwise."""
EMPTY = 1 << 22
"""Bytes of a file that may hold nothing, one after the other: empty members and frames, or those to be skipped."""


class Damaged(Exception):
    """The compressed data is damaged, or cut short."""


class Beyond(Exception):
    """The file holds more than it may."""


class Hollow(Exception):
    """The file goes on and holds nothing."""


class Expanded(io.RawIOBase):
    """What the members or frames in `raw` hold. Raises `Damaged`, `Beyond` and `Hollow`, here or on any read.

    Its first `HEAD_BYTES` are expanded twice, at first only to see that they do not hold too much: so it is told
    before any row has been used.
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
            pass  # told where it is met again, behind the rows before it
        self._head.seek(0)
        self._begin()
        self._ready = memoryview(b"")

    def _begin(self) -> None:
        self._new, self._fault, self._step = _decompressor(self._head.getvalue())
        self._part = self._new()
        self._inside = False
        self._taken = self._cost = self._empty = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill `buffer` as far as the next step goes; 0 at the end of the last whole member."""
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
        pieces = []
        try:
            while step:
                pieces.append(self._part.decompress(step))
                self._count(pieces[-1])
                step, self._inside = self._part.unused_data, not self._part.eof
                if self._part.eof:
                    step = step.lstrip(b"\0")  # what tapes fill up with, and no member begins with
                    self._part = self._new()
        except self._fault as error:
            raise Damaged from error
        return b"".join(pieces)

    def _count(self, piece: bytes) -> None:
        if piece:
            self._empty = 0
        self._cost += _cost(piece)
        if self._empty > EMPTY:
            raise Hollow
        if bounds.is_too_much(self._cost, self._taken):
            raise Beyond


def _decompressor(head: bytes) -> tuple[Callable[[], Any], type[Exception], int]:
    """What makes a decompressor of one member or frame, what that raises, and how much it is given at once."""
    if head.startswith(GZIP):
        return lambda: zlib.decompressobj(wbits=31), zlib.error, GZIP_STEP
    import zstandard

    return zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW).decompressobj, zstandard.ZstdError, ZSTD_STEP


def _cost(piece: bytes) -> int:
    """About what the lines of some bytes take in memory."""
    return len(piece) * bounds.width(piece) + max(piece.count(b"\n"), piece.count(b"\r")) * bounds.ROW_BYTES
