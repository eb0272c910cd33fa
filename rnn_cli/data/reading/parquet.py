"""Reads Parquet: a file's rows, whole or some columns, in batches.

Loads pyarrow, so import it only for Parquet files.
"""

import io
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rnn_cli.data.reading import bounds
from rnn_cli.data.reading.blocks import Block, Opened
from rnn_cli.data.reading.opening import Seekable
from rnn_cli.data.reading.parquet_pages import AT_ONCE_BYTES, HELD_BYTES, Leaf, NotParquet, Pages, TooLarge
from rnn_cli.data.reading.remote import safe_reason
from rnn_cli.data.reading.table import ReadRequest, choose_columns
from rnn_cli.errors import DataError

_BUFFER = 1 << 20  # bytes of a column to read at once
_GROUPS = 64  # row groups to read in one go
_FOOTER = 1 << 20  # bytes that a footer may always have ...
_FOOTER_SHARE = 10  # ... and above that, this part of its file: it takes a hundred times as much memory
_TAIL = 8  # bytes: the footer's length and the magic number

REWRITE = "if you trust it, write it as CSV or JSON Lines"


class ParquetTable:
    """An open Parquet file."""

    def __init__(self, source: Seekable, request: ReadRequest) -> None:
        self._source, self._request = source, request
        self.size = source.file.seek(0, io.SEEK_END)
        self._check_footer()
        # Without a buffer Arrow reads whole columns of a row group; with pre_buffer, also those of the next group.
        how = {"buffer_size": _BUFFER, "pre_buffer": False, "thrift_container_size_limit": bounds.MOST_COLUMNS}
        try:
            self._table = pq.ParquetFile(source.file, **how)
        except OSError as error:
            if "Exceeded size limit" in str(error):
                what = f"more than {bounds.MOST_COLUMNS:,} columns or row groups"
                raise DataError(what, where=request.name, hint="write it again with fewer") from None
            raise
        self.schema = self._table.schema_arrow
        self._leaves = list(_leaves(self._table.schema, self.schema))
        self.rows: int = self._table.metadata.num_rows
        self._refuse(self.rows * bounds.ROW_BYTES)

    def _check_footer(self) -> None:
        self._source.file.seek(max(0, self.size - _TAIL))
        length = int.from_bytes(self._source.file.read(4), "little")
        if max(_FOOTER, self.size // _FOOTER_SHARE) < length < self.size:  # Arrow itself refuses a larger one
            what = f"its footer takes {length:,} of its {self.size:,} bytes"
            raise DataError(what, where=self._request.name, hint="write it again with larger row groups")
        self._source.file.seek(0)

    def _refuse(self, cost: int) -> None:
        if bounds.is_too_much(cost, self._source.stored):
            raise bounds.too_much(self._request.name, REWRITE)

    def batches(self, names: Sequence[str] | None, counted: Sequence[str]) -> Iterator[Any]:
        """Batches of the columns `names` (None for all), of at most the rows requested.

        Raises DataError if a row is too large, or if the columns `counted` hold too much for the file's size. Reads a
        small file twice, first only to check that.
        """
        if self.size < bounds.HEAD_BYTES:
            for _ in self._counted(counted, counted):
                pass
        number = 1
        for batch in self._counted(names, counted):
            for part in _parts_of_batch(batch, counted, self._request.characters):
                if part.num_rows == 1 and _bytes_outside(part, counted) > self._request.max_field_bytes:
                    raise self._request.too_large(number, "a row")
                yield part
                number += part.num_rows

    def _counted(self, names: Sequence[str] | None, counted: Sequence[str]) -> Iterator[Any]:
        """Batches as read, checked against the limit for the file's size."""
        cost = 0
        for batch in self._read(names):
            columns = list(map(batch.column, counted))
            cost += sum(_bytes_of(each) * _width(each) for each in columns) + batch.num_rows * bounds.ROW_BYTES
            self._refuse(cost)
            yield batch

    def _read(self, names: Sequence[str] | None) -> Iterator[Any]:
        at_once, most = self._request.at_once, self._request.characters
        leaves = [leaf for leaf in self._leaves if names is None or any(_is_of(leaf, name) for name in names)]
        pages, metadata = Pages(self._source.file, self.size, leaves), self._table.metadata

        def rows_together(number: int) -> tuple[int, int]:
            group = metadata.row_group(number)
            rows: int = most * group.num_rows // max(1, group.total_byte_size)
            # A power of two, so that groups with rows of similar length are read in one go.
            return number // _GROUPS, pages.rows_at_once(group, min(at_once, 1 << max(1, rows).bit_length() - 1))

        for (_, rows), groups in groupby(range(self._table.num_row_groups), rows_together):
            yield from self._table.iter_batches(batch_size=rows, row_groups=list(groups), columns=names)


def _leaves(schema: Any, as_read: Any) -> Iterator[Leaf]:
    """The leaf columns; `as_read` is the Arrow schema."""
    kinds = [kind for field in as_read for kind in _kinds(field.type)]
    for index in range(len(schema)):
        leaf = schema.column(index)
        as_dictionary = len(kinds) == len(schema) and pa.types.is_dictionary(kinds[index])
        levels = leaf.max_repetition_level, leaf.max_definition_level
        yield Leaf(index, leaf.path, leaf.physical_type, leaf.length, *levels, as_dictionary)


def _kinds(kind: Any) -> Iterator[Any]:
    """The types of the leaf columns of a type, in order."""
    if pa.types.is_nested(kind):
        for index in range(kind.num_fields):
            yield from _kinds(kind.field(index).type)
    else:
        yield kind


def _is_of(leaf: Leaf, name: str) -> bool:
    return leaf.path == name or leaf.path.startswith(f"{name}.")


def _parts_of_batch(batch: Any, counted: Sequence[str], most: int) -> Iterator[Any]:
    """The batch, halved until no part of more than one row takes more than `most` bytes.

    Values given as dictionary indices count as nothing unless their column is in `counted`; but no part takes more than
    `AT_ONCE_BYTES` once they are written out.
    """
    sizes = {index: _bytes_of(column) for index, column in enumerate(batch.columns)}
    uncounted = {
        index
        for index, field in enumerate(batch.schema)
        if pa.types.is_dictionary(field.type) and field.name not in counted
    }
    size = sum(sizes.values())
    if batch.num_rows < 2 or (size - sum(sizes[index] for index in uncounted) <= most and size <= AT_ONCE_BYTES):
        yield batch
        return
    half = batch.num_rows // 2
    for part in (batch.slice(0, half), batch.slice(half)):
        yield from _parts_of_batch(part, counted, most)


def _bytes_outside(batch: Any, counted: Sequence[str]) -> int:
    named = zip(batch.schema.names, batch.columns, strict=True)
    return sum(_bytes_of(column) for name, column in named if name not in counted)


def _bytes_of(column: Any) -> int:
    """The bytes of a column's values, with dictionary values counted once per use."""
    kind, count = column.type, len(column)
    if pa.types.is_dictionary(kind):
        if not _has_lengths(kind.value_type):
            return 16 * count
        lengths = pc.binary_length(_with_lengths(column.dictionary))
        return 4 * count + (pc.sum(lengths.take(column.indices)).as_py() or 0)
    if _is_view(kind):
        return _bytes_of(_with_lengths(column))
    if isinstance(kind, pa.BaseExtensionType):
        return _bytes_of(column.storage)
    if any(map(pa.types.is_dictionary, _kinds(kind))):
        return 4 * count + sum(map(_bytes_of, _children(column)))
    size: int = column.nbytes - column.slice(0, 0).nbytes
    return size


def _children(column: Any) -> list[Any]:
    """The child columns of a nested column: of lists, maps or structs."""
    if pa.types.is_map(column.type):
        start, end = column.offsets[0].as_py(), column.offsets[-1].as_py()
        return [part.slice(start, end - start) for part in (column.keys, column.items)]
    parts = column.flatten()
    return parts if isinstance(parts, list) else [parts]


def _has_lengths(kind: Any) -> bool:
    return is_string(kind) or bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _with_lengths(texts: Any) -> Any:
    return texts.cast(pa.large_string()) if _is_view(texts.type) else texts


def _width(column: Any) -> int:
    """Bytes per character of a column's texts in memory."""
    texts = column.dictionary if pa.types.is_dictionary(column.type) else column
    pending = texts.buffers()[2:] if is_string(texts.type) else []  # the buffers before hold offsets
    return max((bounds.width(each.to_pybytes()) for each in pending if each is not None), default=1)


def _rejoined(batches: Iterator[Any], request: ReadRequest) -> Iterator[Any]:
    """Join consecutive batches up to the block's limits, as Arrow ends batches early."""
    pending: list[Any] = []
    rows = size = 0
    for batch in batches:
        more = sum(map(_bytes_of, batch.columns))
        if pending and (rows + batch.num_rows > request.at_once or size + more > request.characters):
            yield _joined(pending)
            pending, rows, size = [], 0, 0
        pending.append(batch)
        rows, size = rows + batch.num_rows, size + more
    if pending:
        yield _joined(pending)


def _joined(batches: list[Any]) -> Any:
    if len(batches) == 1:
        return batches[0]
    columns = [pa.concat_arrays(columns) for columns in zip(*(batch.columns for batch in batches), strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=batches[0].schema)


def is_string(kind: Any) -> bool:
    """Whether a type holds texts."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or _is_view(kind))


def _is_view(kind: Any) -> bool:
    is_view = getattr(pa.types, "is_string_view", None)
    return bool(is_view and is_view(kind))


def open_parquet(source: Seekable, request: ReadRequest) -> Opened:
    """The columns and the rows, numbered from 1. Raises DataError, here or while reading."""
    try:
        table = ParquetTable(source, request)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _broken(error, request) from None
    chosen = choose_columns(table.schema.names, request)
    if request.choose is None:
        _check_types(table.schema, chosen[: len(chosen) - len(request.beside)], request)
    return Opened(
        "parquet", table.schema.names, chosen, _with_data_errors(_blocks(table, chosen, request), request), table.schema
    )


def _blocks(table: ParquetTable, chosen: list[str], request: ReadRequest) -> Iterator[Block]:
    number = reported = 0
    # Whole rows come in blocks of the same size, whatever the row groups.
    batches = _rejoined(table.batches(None, chosen), request) if request.whole else table.batches(chosen, chosen)
    for batch in batches:
        lines = list(range(number + 1, number + 1 + batch.num_rows))
        columns = [_values(batch.column(name)) if request.whole else batch.column(name).to_pylist() for name in chosen]
        number += batch.num_rows
        if request.on_read:  # Arrow reads in no order, so report the share of rows read
            read = table.size * number // table.rows
            request.on_read(read - reported)
            reported = read
        yield Block(lines, columns, [], [], {}, batch if request.whole else None)


def _values(column: Any) -> list[Any]:
    """The column's values; bytes for texts that are not UTF-8."""
    try:
        return column.to_pylist()  # type: ignore[no-any-return]
    except UnicodeDecodeError:
        return list(map(_value, column))


def _value(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        return b""


def _with_data_errors(blocks: Iterator[Block], request: ReadRequest) -> Iterator[Block]:
    """The blocks; turns errors while reading into a DataError."""
    try:
        yield from blocks
    except TooLarge:
        what = f"a row group takes more than {HELD_BYTES:,} bytes at once and {bounds.RATIO} times its size"
        raise DataError(what, where=request.name, hint=REWRITE) from None
    except (pa.ArrowException, OSError, UnicodeDecodeError, NotParquet) as error:
        raise _broken(error, request) from None


def _broken(error: Exception, request: ReadRequest) -> DataError:
    # Only the first line: Arrow adds details for developers.
    what = f"not a whole Parquet file ({safe_reason(error, request.path)})"
    return DataError(what, where=request.name, hint="write it again")


def _check_types(schema: Any, chosen: Sequence[str], request: ReadRequest) -> None:
    """Refuse a column of the wrong type before its first row is read."""
    text, *labels = chosen
    kind = _value_type(schema.field(text).type)
    if not (is_string(kind) or pa.types.is_null(kind)):
        raise DataError(f"the column {text!r} is {kind}", where=request.name, hint="texts must be strings")
    for label in labels:
        kind = _value_type(schema.field(label).type)
        if request.several and (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
            kind = _value_type(kind.value_type)
        checks = (is_string, pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_null)
        if not any(check(kind) for check in checks):
            hint = "labels must be strings, numbers or true and false"
            raise DataError(f"the column {label!r} is {kind}", where=request.name, hint=hint)


def _value_type(kind: Any) -> Any:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
