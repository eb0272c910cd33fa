"""The format that a job is written in, whichever it is: windows to bytes, chunk by chunk."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Protocol

from rnn_cli.bulk import text_formats
from rnn_cli.bulk.answers import Added
from rnn_cli.bulk.job import Job
from rnn_cli.bulk.text_formats import Delimited, Jsonl, TextFormat, Write
from rnn_cli.bulk.windows import Source


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
        return text_formats.written(self._text, file, self._compression, header=first)

    def finish(self, chunks: Path, out: Path) -> Path:
        return chunks


class _Parquet:
    def __init__(self, added: Added, first: Source) -> None:
        from rnn_cli.bulk.parquet_format import Parquet

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
