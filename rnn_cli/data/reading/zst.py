"""A Zstandard file as a stream of bytes that notices when the file was cut short.

zstandard's own `stream_reader` ends quietly in the middle of a frame; its `decompressobj` knows better.
"""

import io
from typing import IO

import zstandard

STEP = 1 << 10
"""Bytes decompressed at once: 4 bytes may stand for a block of 128 KiB, so a step makes 32 MiB at most."""
WINDOW = 1 << 27
"""The largest window accepted, 128 MiB: what the zstd command itself allows unless told otherwise."""


class ZstdFile(io.RawIOBase):
    """All frames of `raw`, one after the other. Raises EOFError when damaged or cut short."""

    def __init__(self, raw: IO[bytes]) -> None:
        """Read from `raw`, which stays open."""
        self._raw = raw
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=WINDOW)
        self._frame = self._decompressor.decompressobj()
        self._inside = False
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill `buffer` as far as the next step goes; 0 at the end of the last whole frame."""
        while not self._ready:
            step = self._raw.read(STEP)
            if not step:
                if self._inside:
                    raise EOFError
                return 0
            self._ready = memoryview(self._expand(step))
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _expand(self, step: bytes) -> bytes:
        pieces = []
        try:
            while step:
                pieces.append(self._frame.decompress(step))
                step, self._inside = self._frame.unused_data, not self._frame.eof
                if self._frame.eof:
                    self._frame = self._decompressor.decompressobj()
        except zstandard.ZstdError as error:
            raise EOFError from error
        return b"".join(pieces)
