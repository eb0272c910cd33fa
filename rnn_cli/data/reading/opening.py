"""A path becomes a stream of plain bytes: opened, decompressed within bounds, its faults told in words.

A path is that of a local file, a URL such as s3://bucket/file.csv, or - for the standard input. Compression is
recognised by content, never by name. Knows nothing of encodings, lines or formats.
"""

import contextlib
import gzip
import io
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any, Protocol

from rnn_cli.data.reading.remote import is_remote, open_remote, reason, shown
from rnn_cli.errors import DataError

STANDARD_INPUT = "-"

BOMB_BYTES = 1 << 30
"""A compressed file may always expand to this much ..."""
BOMB_RATIO = 200
"""... and beyond it to this many times what was read of it; text rarely shrinks to a twentieth."""

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
_FOREIGN = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xfd7zXZ\x00": "compressed with xz",
    GZIP: "compressed twice",
    ZSTD: "compressed twice",
}


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


class _Guarded(io.RawIOBase):
    """The bytes of `inner`, counted; whatever goes wrong while reading becomes a DataError."""

    def __init__(self, inner: _Readable, path: str, read: "_Counted | None" = None) -> None:
        """`read` counts the bytes that `inner` expands, if it expands any."""
        self._inner, self._path, self._read, self._count = inner, path, read, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._inner.read(len(buffer))
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise DataError(
                "its compressed data is damaged or cut short",
                where=shown(self._path),
                mend="copy or compress it again",
            ) from None
        except OSError as error:
            raise _unreadable(self._path, error) from None
        self._count += len(data)
        if self._read and self._count > max(BOMB_BYTES, BOMB_RATIO * self._read.count):
            raise DataError(
                f"expands to more than {BOMB_BYTES:,} bytes and {BOMB_RATIO} times its size",
                where=shown(self._path),
                mend="decompress it yourself if you trust it",
            )
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._inner.close()
        super().close()


class _Counted(io.RawIOBase):
    """The bytes of a file as it lies, counted; `on_read` hears how many came."""

    def __init__(self, inner: Any, on_read: Callable[[int], None] | None) -> None:
        self._inner, self._on_read, self.count = inner, on_read, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        # Not readinto: of a pipe, what has come is taken without waiting for more.
        data = self._inner.read1(len(buffer))
        buffer[: len(data)] = data
        self.count += len(data)
        if self._on_read and data:
            self._on_read(len(data))
        return len(data)


def _unreadable(path: str, error: OSError) -> DataError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return DataError("no such file", where=shown(path), mend="check the path")
    if isinstance(error, IsADirectoryError):
        return DataError("is a directory", where=shown(path), mend="name a file in it")
    if isinstance(error, PermissionError):
        return DataError("may not be read (permission denied)", where=shown(path), mend="check the file's permissions")
    return DataError(f"cannot be read ({reason(error.strerror or error, path)})", where=shown(path))


@contextlib.contextmanager
def _opened(path: str) -> Iterator[Any]:
    """The file as it lies; the standard input stays open."""
    if path == STANDARD_INPUT:
        yield sys.stdin.buffer
    elif is_remote(path):
        with open_remote(path) as stream:
            yield stream
    else:
        with _open_local(path) as file:
            yield file


def _open_local(path: str) -> io.BufferedReader:
    try:
        return open(path, "rb")
    except OSError as error:
        raise _unreadable(path, error) from None
    except ValueError:  # a NUL character in the path itself
        raise DataError("no such file", where=repr(path), mend="check the path") from None


def _decompressed(raw: "io.BufferedReader[Any]") -> _Readable | None:
    """What `raw` holds when it is compressed, else None."""
    head = raw.peek(4)
    if head.startswith(GZIP):
        return gzip.GzipFile(fileobj=raw)
    if head.startswith(ZSTD):
        from rnn_cli.data.reading.zst import ZstdFile

        return io.BufferedReader(ZstdFile(raw))
    return None


@contextlib.contextmanager
def open_bytes(path: str, on_read: Callable[[int], None] | None = None) -> Iterator["io.BufferedReader[Any]"]:
    """A file's bytes, decompressed where it is compressed. Raises DataError, here or on any read.

    `on_read` hears of each piece of the file, as it lies, how many bytes it has.
    """
    with _opened(path) as file:
        counted = _Counted(file, on_read)
        raw = io.BufferedReader(counted, 1 << 16)
        inner = _decompressed(raw)
        guarded = _Guarded(raw, path) if inner is None else _Guarded(inner, path, counted)
        with io.BufferedReader(guarded, 1 << 16) as stream:
            for magic, what in _FOREIGN.items():
                if stream.peek(len(magic)).startswith(magic):
                    raise DataError(
                        f"is {what}",
                        where=shown(path),
                        mend="save it as CSV, TSV, JSONL or Parquet, plain, .gz or .zst",
                    )
            yield stream


@contextlib.contextmanager
def open_seekable(path: str, stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """The same bytes for a reader that must jump about: the file itself where it can be, else a copy of `stream`.

    `stream` is what `open_bytes` gave for the path, still at its beginning.
    """
    if is_remote(path) or os.path.isfile(path):
        with open_remote(path, seekable=True) if is_remote(path) else _open_local(path) as file:
            head = file.read(4)
            file.seek(0)
            if not head.startswith((GZIP, ZSTD)):
                yield file
                return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        yield copy
