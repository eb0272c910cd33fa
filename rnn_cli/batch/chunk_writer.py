"""Scored windows become bytes of the job's format; rows that could not be read become lines of their own."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import IO, Protocol

from rnn_cli.batch.columns import Added
from rnn_cli.batch.job import Counts
from rnn_cli.batch.text_writers import Delimited, Jsonl, as_object, rows_of, written
from rnn_cli.batch.windows import Source, Window
from rnn_cli.errors import DataError
from rnn_cli.scoring.predictor import Scores


class Written(Protocol):
    """What bytes are written to."""

    def write(self, data: bytes, /) -> int:
        """Write bytes."""


_Write = Callable[[Window, Scores], Counts]
"""Writes a window's rows with their predictions, and those that could not be read."""


@contextmanager
def writer(added: Added, first: Source, rows: IO[bytes], rejected: Written, *, header: bool = True) -> Iterator[_Write]:
    """A writer of windows, for files with the columns of `first`; its bytes are complete when the block ends.

    Compressed rows are one compressed stream. Text formats begin with a header if asked; Parquet is a whole file.
    """
    job = added.job
    if job.format == "parquet":
        from rnn_cli.batch.parquet_writer import written_whole

        stream = written_whole(added, first, rows)
    else:
        text = Jsonl(job, added) if job.format == "jsonl" else Delimited(job, added, first)
        stream = written(text, rows, job.compression, header=header)
    write_rows = stream.__enter__()

    def write(window: Window, scores: Scores) -> Counts:
        predicted = added.of(window.rows, scores)
        write_rows(window, predicted)
        _reject(window, rejected)
        return replace(predicted.counts, seen=added.seen(window.source.columns, window.rows))

    try:
        yield write
    except BaseException:
        with suppress(OSError):  # nobody reads what is left, and the first error is the one to report
            stream.__exit__(*sys.exc_info())
        raise
    stream.__exit__(None, None, None)


def _reject(window: Window, rejected: Written) -> None:
    rows = window.rows
    for index, fault in rows.faults.items():
        row = rows.raws[index] if rows.raws else _as_object(window, index)
        file = window.source.name if rows.files is None else rows.files[index]
        line = {"file": file, "line": rows.lines[index] or None, "error": fault.what, "row": row}
        rejected.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")


def _as_object(window: Window, index: int) -> str | None:
    """A row of Parquet as JSON; None if it holds a value that has no text."""
    try:
        (values,) = rows_of(window, window.source.columns, [index])
    except DataError:
        return None
    return as_object(zip(window.source.columns, values, strict=True))
