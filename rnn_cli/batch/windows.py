"""The rows of a job's files, in windows whose beginnings depend on the files alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnn_cli.batch.job import STOP, Job
from rnn_cli.data.reading.blocks import Block
from rnn_cli.data.reading.readers import open_blocks
from rnn_cli.data.reading.table import BLOCK_CHARACTERS, BLOCK_ROWS, ReadAs
from rnn_cli.errors import DataError, Setting

WINDOWS = 8
"""Windows of a chunk."""

_VERSION = 2
"""Of how Parquet's rows are put together."""


def division() -> list[int]:
    """What decides where windows and chunks begin: a job goes on only where it is as it was."""
    return [BLOCK_ROWS, BLOCK_CHARACTERS, WINDOWS, _VERSION]


Position = tuple[int, int]
"""The place of a file among the inputs, and of a window in it, both from 0."""


@dataclass(frozen=True)
class Source:
    """An open file: its place among the inputs, what messages call it, and its columns.

    `kind` is that of `Opened`; `schema` a Parquet file's, in Arrow's terms; `notes` say how it is written, where that
    is not the usual way.
    """

    file: int
    name: str
    kind: str
    columns: tuple[str, ...]
    schema: Any = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Window:
    """Neighbouring rows of a file, the `number`th window of it, from 0."""

    source: Source
    number: int
    rows: Block

    @property
    def position(self) -> Position:
        """Where it stands."""
        return self.source.file, self.number


def windows_of(
    job: Job,
    file: int,
    on_read: Callable[[int], None] | None = None,
    on_warning: Callable[[str], None] | None = None,
) -> Iterator[Window]:
    """The windows of one file. Raises DataError."""
    size = {"at_once": BLOCK_ROWS, "characters": BLOCK_CHARACTERS}
    strictness = {"lenient": job.on_bad_row != STOP, "as_table": job.format != "jsonl"}
    found: list[ReadAs] = []
    on = {"on_read": on_read, "on_warning": on_warning, "on_read_as": found.append}
    request = job.request(file, **on, whole=True, **strictness, **size)
    with open_blocks(request) as opened:
        notes = found[0].notes if found else ()
        source = Source(file, request.name, opened.kind, tuple(opened.columns), opened.schema, notes)
        for number, block in enumerate(opened.blocks):
            yield Window(source, number, block)


def first_source(job: Job) -> Source | None:
    """The first of the files that has rows."""
    for file in range(len(job.inputs)):
        for window in windows_of(job, file):
            return window.source
    return None


def refuse_other_columns(job: Job, source: Source, first: Source) -> None:
    """Raise DataError where a file's rows cannot stand below the first one's in a table."""
    if job.format == "jsonl":
        return
    if source.columns != first.columns:
        theirs, ours = (", ".join(map(repr, each.columns)) for each in (source, first))
        what = f"its columns ({theirs}) are not those of {first.name} ({ours})"
    elif job.format == "parquet" and source.schema != first.schema:
        what = f"its columns are of other types than those of {first.name}"
    else:
        return
    hint = Setting("output", "FOLDER/", "score it apart, or write a folder of predictions: {}")
    raise DataError(what, where=source.name, hint=hint)


def texts_of(window: Window) -> list[str]:
    """The texts of a window."""
    return window.rows.texts


def columns_of_window(window: Window) -> Mapping[str, Sequence[str | None]]:
    """The values of other columns that the model reads, of a window."""
    return window.rows.beside


def no_rows(job: Job) -> DataError:
    """The error for files that have none."""
    where = job.request(0).name if len(job.inputs) == 1 else None
    return DataError("has no rows" if where else "none of the files has rows", where=where, hint="give it at least one")
