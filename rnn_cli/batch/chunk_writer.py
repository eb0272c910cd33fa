"""Scored windows become bytes, chunk by chunk; and the rows that could not be read, lines of their own."""

import json
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol

from rnn_cli.batch import text_writers
from rnn_cli.batch.columns import Added
from rnn_cli.batch.job import Counts, Job
from rnn_cli.batch.text_writers import Delimited, Jsonl, TextFormat, Write, as_object, rows_of
from rnn_cli.batch.windows import Source, Window
from rnn_cli.errors import DataError
from rnn_cli.scoring.predictor import Scores


class Encoder(Protocol):
    """Writes chunks of windows."""

    def chunk(self, file: IO[bytes], *, first: bool, last: bool) -> AbstractContextManager[Write]:
        """What writes a chunk's windows to the end of a file, of which it is the `first` chunk, the `last`, or both."""

    def finish(self, chunks: Path, out: Path) -> Path:
        """The file that chunks make, at their own place or at `out`."""


class _Text:
    def __init__(self, text: TextFormat, job: Job) -> None:
        self._text, self._compression = text, job.compression

    def chunk(self, file: IO[bytes], *, first: bool, last: bool) -> AbstractContextManager[Write]:
        return text_writers.written(self._text, file, self._compression, header=first)

    def finish(self, chunks: Path, out: Path) -> Path:
        return chunks


class _Parquet:
    def __init__(self, added: Added, first: Source) -> None:
        from rnn_cli.batch.parquet_writer import Parquet

        self._parquet = Parquet(added, first)

    def chunk(self, file: IO[bytes], *, first: bool, last: bool) -> AbstractContextManager[Write]:
        return self._parquet.written(file, whole=first and last)

    def finish(self, chunks: Path, out: Path) -> Path:
        self._parquet.finish(chunks, out)
        return out


def encoder(job: Job, added: Added, first: Source) -> Encoder:
    """That of the job's format, for files with the columns of `first`."""
    if job.format == "parquet":
        return _Parquet(added, first)
    return _Text(Jsonl(job, added) if job.format == "jsonl" else Delimited(job, added, first), job)


class Written(Protocol):
    """What bytes are written to."""

    def write(self, data: bytes, /) -> int:
        """Write bytes."""


class Chunks:
    """Writes windows to the end of two files, the answered rows and the rejected ones.

    A chunk that is `open` has bytes that may be under way; `close` completes them. Left by an error, it is given up.
    """

    def __init__(self, added: Added, encode: Encoder, rows: IO[bytes], rejected: Written) -> None:
        self._added, self._encode, self._rows, self._rejected = added, encode, rows, rejected
        self._chunk = ExitStack()
        self._write: Write | None = None

    def write(self, window: Window, scores: Scores, *, first: bool, last: bool = False) -> Counts:
        """Write a window, at the beginning of a chunk if none is open: of the `first`, or `last`, of its file."""
        if self._write is None:
            self._write = self._chunk.enter_context(self._encode.chunk(self._rows, first=first, last=last))
        predicted = self._added.of(window.rows, scores)
        self._write(window, predicted)
        self._reject(window)
        return predicted.counts

    def close(self) -> None:
        """Complete the chunk that is open, if one is."""
        self._write = None
        self._chunk.close()

    def __enter__(self) -> "Chunks":
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give up what is open, while the files still are."""
        with suppress(OSError):  # what is left of a chunk is never read
            self._chunk.__exit__(kind, error, at)

    def _reject(self, window: Window) -> None:
        rows = window.rows
        for index, fault in rows.faults.items():
            row = rows.raws[index] if rows.raws else _as_object(window, index)
            told = {"file": window.source.name, "line": rows.lines[index], "error": fault.what, "row": row}
            self._rejected.write(json.dumps(told, ensure_ascii=False).encode() + b"\n")


def _as_object(window: Window, index: int) -> str | None:
    """A row of Parquet as JSON; None if it holds what is no text."""
    try:
        (values,) = rows_of(window, window.source.columns, [index])
    except DataError:
        return None
    return as_object(zip(window.source.columns, values, strict=True))
