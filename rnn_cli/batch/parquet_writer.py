"""Rows with predictions as Parquet, every column of its own type. The only file of this room that loads pyarrow."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from rnn_cli.batch.columns import Added, PredictedRows
from rnn_cli.batch.text_writers import Write, as_text, rows_of
from rnn_cli.batch.windows import Source, Window

GROUP_BYTES = 32 << 20
"""A row group's size in memory, about."""


@contextmanager
def written_whole(added: Added, first: Source, file: IO[bytes]) -> Iterator[Write]:
    """A writer of windows as a Parquet file with the columns of `first`, of Parquet its schema, and the added ones."""
    given = first.schema
    fields = list(given) if given is not None else [pa.field(name, pa.string()) for name in first.columns]
    types: dict[type, Any] = {list: None, str: pa.string(), bool: pa.bool_(), float: pa.float64()}
    of_texts = pa.list_(pa.string())
    lists = {"labels": of_texts, "label_probabilities": pa.list_(pa.float64()), "label_set": of_texts}
    types_of = {added.job.prefix + name: kind for name, kind in lists.items()}
    fields += [pa.field(name, types_of.get(name, types[added.kinds.get(name, float)])) for name in added.names]
    schema = pa.schema(fields, metadata=given.metadata if given is not None else None)
    batches: list[Any] = []
    yield lambda window, predicted: batches.append(_batch(schema, first.columns, window, predicted))
    with pq.ParquetWriter(file, schema) as out:
        out.write_table(pa.Table.from_batches(batches, schema))


def put_together(parts: Iterable[Path], out: Path) -> None:
    """Make one Parquet file of several with the same schema, which `written_whole` wrote."""
    tables: list[Any] = []
    with ExitStack() as stack:
        file = stack.enter_context(out.open("wb"))  # Arrow words what the disk refuses in its own way
        writer = None
        for part in parts:
            tables.append(pq.ParquetFile(part).read())
            writer = writer or stack.enter_context(pq.ParquetWriter(file, tables[0].schema))
            if sum(table.nbytes for table in tables) >= GROUP_BYTES:
                writer.write_table(pa.concat_tables(tables))
                tables.clear()
        if writer is not None and tables:
            writer.write_table(pa.concat_tables(tables))


def _batch(schema: Any, names: Sequence[str], window: Window, predicted: PredictedRows) -> Any:
    rows = window.rows.batch
    if rows is None:
        values = rows_of(window, names, predicted.kept)
        texts = [[None if value is None else as_text(value) for value in row] for row in values]
        given = [list(column) for column in zip(*texts, strict=True)] or [[] for _ in names]
    elif len(predicted.kept) < len(window.rows.lines):
        given = rows.take(pa.array(predicted.kept, pa.int64())).columns
    else:
        given = rows.columns
    columns = [*given, *predicted.columns.values(), *predicted.probabilities.values()]
    arrays = [
        column if isinstance(column, pa.Array) else pa.array(column, field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
