"""Opens a path as a stream of plain bytes and decompresses it within bounds; errors become `DataError`.

A path names a local file, a URL such as s3://bucket/file.csv, or - for the standard input. Compression is recognized by
content, not by name. Knows nothing of encodings, lines or formats.
"""

import contextlib
import io
import os
import shutil
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator
from typing import IO, Any, NamedTuple, Protocol

from rnn_cli.data.reading import bounds
from rnn_cli.data.reading.expanding import EMPTY, GZIP, ZSTD, Damaged, Expanded, Hollow, TooMuch
from rnn_cli.data.reading.remote import STANDARD_INPUT, is_remote, open_remote, safe_reason, shown
from rnn_cli.errors import DataError

_FOREIGN = {
    b"\xfd7zXZ\x00": "compressed with xz",
    GZIP: "compressed twice",
    ZSTD: "compressed twice",
}


_taken: "weakref.WeakSet[IO[bytes]]" = weakref.WeakSet()
"""Standard inputs that have been read."""


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


class _Guarded(io.RawIOBase):
    """The bytes of `inner`; every error while reading becomes a DataError."""

    def __init__(self, inner: _Readable, path: str, stored: "_Counted") -> None:
        """`stored` counts the bytes of the file itself, before decompression."""
        self._inner, self._path, self.stored = inner, path, stored

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        with _as_data_error(self._path):
            data = self._inner.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._inner.close()
        super().close()


@contextlib.contextmanager
def _as_data_error(path: str) -> Iterator[None]:
    """Turn errors in the block into a DataError."""
    try:
        yield
    except Damaged:
        raise DataError(
            "its compressed data is damaged or cut short",
            where=shown(path),
            hint="copy or compress it again",
        ) from None
    except TooMuch:
        raise bounds.too_much(shown(path), "if you trust it, decompress it first") from None
    except Hollow:
        raise DataError(f"{EMPTY:,} bytes in a row hold no data", where=shown(path), hint="compress it again") from None
    except OSError as error:
        raise unreadable(path, error) from None


class _Counted(io.RawIOBase):
    """The bytes of a file before decompression, counted; calls `on_read` with the number of bytes of each read."""

    def __init__(self, inner: Any, on_read: Callable[[int], None] | None) -> None:
        self._inner, self._on_read, self.count = inner, on_read, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        # Not readinto: take what a pipe has, without waiting for more.
        data = self._inner.read1(len(buffer))
        buffer[: len(data)] = data
        self.count += len(data)
        if self._on_read and data:
            self._on_read(len(data))
        return len(data)


def unreadable(path: str, error: OSError) -> DataError:
    """The error for a file that cannot be opened or read."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return DataError("no such file", where=shown(path), hint="check the path")
    if isinstance(error, IsADirectoryError):
        return DataError("is a directory", where=shown(path), hint="name a file in it")
    if isinstance(error, PermissionError):
        return DataError("cannot be read (permission denied)", where=shown(path), hint="check the file's permissions")
    return DataError(f"cannot be read ({safe_reason(error.strerror or error, path)})", where=shown(path))


@contextlib.contextmanager
def _opened(path: str) -> Iterator[Any]:
    """The file before decompression; the standard input stays open."""
    if path == STANDARD_INPUT:
        if sys.stdin.buffer in _taken:
            raise DataError("can be read only once", where=shown(path), hint="save it to a file first")
        _taken.add(sys.stdin.buffer)
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
        raise unreadable(path, error) from None
    except ValueError:  # a NUL character in the path itself
        raise DataError("no such file", where=repr(path), hint="check the path") from None


@contextlib.contextmanager
def open_bytes(path: str, on_read: Callable[[int], None] | None = None) -> Iterator["io.BufferedReader[Any]"]:
    """A file's bytes, decompressed if needed. Raises DataError, here or on any read.

    Calls `on_read` with the number of bytes of each read of the file, before decompression.
    """
    with _opened(path) as file:
        counted = _Counted(file, on_read)
        raw = io.BufferedReader(counted, 1 << 16)
        with _as_data_error(path):
            inner = io.BufferedReader(Expanded(raw), 1 << 16) if raw.peek(4).startswith((GZIP, ZSTD)) else raw
        with io.BufferedReader(_Guarded(inner, path, counted), 1 << 16) as stream:
            for magic, what in _FOREIGN.items():
                if stream.peek(len(magic)).startswith(magic):
                    raise DataError(
                        f"is {what}",
                        where=shown(path),
                        hint="save it as CSV, TSV, JSONL or Parquet, plain, .gz or .zst",
                    )
            yield stream


class Seekable(NamedTuple):
    """A file that supports seeking, and the number of bytes stored, compressed or not."""

    file: IO[bytes]
    stored: int


@contextlib.contextmanager
def open_seekable(path: str, stream: "io.BufferedReader[Any]") -> Iterator[Seekable]:
    """The same bytes for a reader that seeks: the file itself if possible, else a temporary copy of `stream`.

    `stream` is the result of `open_bytes` for the path, at its start. Raises DataError.
    """
    if is_remote(path) or os.path.isfile(path):
        with open_remote(path, seekable=True) if is_remote(path) else _open_local(path) as file:
            head = file.read(4)
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            if not head.startswith((GZIP, ZSTD)):
                yield Seekable(file, size)
                return
    with tempfile.TemporaryFile() as copy:
        try:
            shutil.copyfileobj(stream, copy)
            copy.seek(0)
        except OSError as error:
            what = f"cannot be copied to a temporary file ({safe_reason(error.strerror or error, path)})"
            raise DataError(what, where=shown(path), hint=f"free space in {tempfile.gettempdir()}") from None
        yield Seekable(copy, stream.raw.stored.count)
