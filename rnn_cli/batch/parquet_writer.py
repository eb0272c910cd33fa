"""Answered rows as Parquet, every column of its own type. The only file of this room that loads pyarrow."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from rnn_cli.batch.columns import Added, PredictedRows
from rnn_cli.batch.text_writers import Write, as_text, rows_of
from rnn_cli.batch.windows import Source, Window

GROUP_BYTES = 32 << 20
"""A row group's size in memory, about."""


class Parquet:
    """Rows with the columns of `first` and the added ones.

    A Parquet file cannot be gone on with, so a file that grows by chunks is first a series of Arrow's streams, one a
    chunk, that `finish` makes a Parquet file of.
    """

    def __init__(self, added: Added, first: Source) -> None:
        """For files with the columns, and of Parquet the schema, of `first`."""
        given = first.schema
        fields = list(given) if given is not None else [pa.field(name, pa.string()) for name in first.columns]
        types = {str: pa.string(), bool: pa.bool_(), float: pa.float64()}
        fields += [pa.field(name, types[added.kinds.get(name, float)]) for name in added.names]
        self._schema = pa.schema(fields, metadata=given.metadata if given is not None else None)
        self._columns = first.columns

    @contextmanager
    def written(self, file: IO[bytes], *, whole: bool) -> Iterator[Write]:
        """What writes windows to a file: a whole Parquet file, or else a stream of its own."""
        batches: list[Any] = []
        yield lambda window, predicted: batches.append(self._batch(window, predicted))
        if whole:
            with pq.ParquetWriter(file, self._schema) as writer:
                writer.write_table(pa.Table.from_batches(batches, self._schema))
        else:
            with pa.ipc.new_stream(file, self._schema) as stream:
                for batch in batches:
                    stream.write_batch(batch)

    def finish(self, streams: Path, out: Path) -> None:
        """Make a Parquet file of a file of streams."""
        batches: list[Any] = []
        with streams.open("rb") as file, pq.ParquetWriter(out, self._schema) as writer:
            while file.peek(1):
                with pa.ipc.open_stream(file) as stream:
                    batches += stream
                if sum(batch.nbytes for batch in batches) >= GROUP_BYTES:
                    writer.write_table(pa.Table.from_batches(batches, self._schema))
                    batches.clear()
            writer.write_table(pa.Table.from_batches(batches, self._schema))

    def _batch(self, window: Window, predicted: PredictedRows) -> Any:
        rows = window.rows.batch
        if rows is None:
            values = rows_of(window, self._columns, predicted.kept)
            texts = [[None if value is None else as_text(value) for value in row] for row in values]
            given = [list(column) for column in zip(*texts, strict=True)] or [[] for _ in self._columns]
        elif len(predicted.kept) < len(window.rows.lines):
            given = rows.take(pa.array(predicted.kept, pa.int64())).columns
        else:
            given = rows.columns
        columns = [*given, *predicted.columns.values(), *predicted.probabilities.values()]
        arrays = [
            column if isinstance(column, pa.Array) else pa.array(column, field.type)
            for column, field in zip(columns, self._schema, strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)
