"""The rows of a job's files, in windows whose beginnings depend on the files alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rnn_cli.bulk.job import STOP, Job
from rnn_cli.data.reading.readers import open_whole
from rnn_cli.data.reading.whole import WholeRows

ROWS = 2_048
"""Rows of a window: enough to find texts of like length among them."""

CHARACTERS = 2 << 20
"""Characters of a window, about, where its rows are long."""

WINDOWS = 8
"""Windows of a chunk."""

Place = tuple[int, int]
"""The place of a file among the inputs, and of a window in it, both from 0."""


@dataclass(frozen=True)
class Source:
    """An open file: its place among the inputs, what messages call it, and its columns.

    `kind` is parquet, jsonl, or the delimiter of its fields; `schema` a Parquet file's, in Arrow's terms.
    """

    file: int
    name: str
    kind: str
    columns: tuple[str, ...]
    schema: Any = None


@dataclass(frozen=True)
class Window:
    """Neighbouring rows of a file, the `number`th window of it, from 0."""

    source: Source
    number: int
    rows: WholeRows

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.source.file, self.number


def windows_of(job: Job, file: int, on_read: Callable[[int], None] | None = None) -> Iterator[Window]:
    """The windows of one file. Raises DataError."""
    request = job.request(file, on_read=on_read)
    lenient, same_keys = job.on_bad_row != STOP, job.format != "jsonl"
    opening = open_whole(request, lenient=lenient, same_keys=same_keys, at_once=ROWS, characters=CHARACTERS)
    with opening as whole:
        source = Source(file, request.name, whole.kind, whole.columns, whole.schema)
        for number, rows in enumerate(whole.rows):
            yield Window(source, number, rows)
