"""Parquet: a file's rows, whole or the columns asked for, a batch at a time.

Loads pyarrow, so it is imported only for a file that is Parquet.
"""

import io
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import IO, Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rnn_cli.data.reading.checks import clean
from rnn_cli.data.reading.columns import find_columns
from rnn_cli.data.reading.decoding import Faults, size
from rnn_cli.data.reading.remote import reason
from rnn_cli.data.reading.request import Choose, ReadRequest
from rnn_cli.data.reading.values import label_value, plain_value, text_value
from rnn_cli.data.reading.whole import WholeRows
from rnn_cli.data.rows import Row
from rnn_cli.errors import DataError, RowError

Item = TypeVar("Item")

_BATCH = 1024  # rows in memory at once
_BUFFER = 1 << 20  # bytes of a column that are read at once


def rows(file: IO[bytes], request: ReadRequest) -> Iterator[Row]:
    """The rows, numbered from 1. Raises DataError."""
    yield from _told(lambda: _rows(_opened(file), request), request)


def chosen(file: IO[bytes], request: ReadRequest, choose: Choose) -> Iterator[tuple[int, list[str | None]]]:
    """Each row's number, from 1, and its values of the columns chosen. Raises DataError."""
    yield from _told(lambda: _chosen(_opened(file), choose), request)


def whole(
    file: IO[bytes], request: ReadRequest, faults: Faults | None, *, at_once: int, characters: int
) -> tuple[Any, Iterator[WholeRows]]:
    """The file's schema, and its rows, `at_once` of them together at most. Raises DataError.

    Fewer come together where they take more than about so many `characters`, counted in bytes. With `faults` what is
    wrong with a row is given with it.
    """
    try:
        table = _opened(file)
        schema = table.schema_arrow
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _broken(error, request) from None
    text, _ = find_columns(schema.names, request)
    _check_types(schema, text, None, request)
    size_of_file = file.seek(0, io.SEEK_END)
    batches = (piece for batch in _batches(table, at_once, characters) for piece in _pieces(batch, text, characters))
    return schema, _told(lambda: _whole(table, batches, size_of_file, text, request, faults), request)


def _opened(file: IO[bytes]) -> Any:
    # Unbuffered, Arrow reads a row group's whole columns at once; "pre-buffered", even those of the next group.
    return pq.ParquetFile(file, buffer_size=_BUFFER, pre_buffer=False)


def _batches(table: Any, at_once: int, most: int) -> Iterator[Any]:
    """The file's rows, `at_once` of them together, or fewer where they take more than `most` bytes on average."""

    def rows_together(group: int) -> int:
        found = table.metadata.row_group(group)
        rows: int = most * found.num_rows // max(1, found.total_byte_size)
        # A power of two: groups whose rows are nearly as long are read on without a break.
        return min(at_once, 1 << max(1, rows).bit_length() - 1)

    for rows, groups in groupby(range(table.num_row_groups), rows_together):
        yield from table.iter_batches(batch_size=rows, row_groups=list(groups))


def _pieces(batch: Any, text: str, most: int) -> Iterator[Any]:
    """The batch, halved until no piece of more than one row takes more than `most` bytes."""
    if batch.num_rows < 2 or _bytes_of(batch, text) <= most:
        yield batch
        return
    half = batch.num_rows // 2
    for piece in (batch.slice(0, half), batch.slice(half)):
        yield from _pieces(piece, text, most)


def _bytes_of(batch: Any, text: str) -> int:
    """The bytes that a batch's rows take, each text counted where it stands."""
    size: int = batch.nbytes - batch.slice(0, 0).nbytes  # without what its halves would share, such as dictionaries
    texts = batch.column(text)
    if pa.types.is_dictionary(texts.type):
        size += pc.sum(pc.binary_length(texts.dictionary).take(texts.indices)).as_py() or 0
    elif _is_view(texts.type):
        size += sum(len(value) for value in _values(texts) if value)
    return size


def _whole(
    table: Any, batches: Iterator[Any], size_of_file: int, text: str, request: ReadRequest, faults: Faults | None
) -> Iterator[WholeRows]:
    number, heard = 1, 0
    for batch in batches:
        rows = WholeRows(list(range(number, number + batch.num_rows)), [], [], [], {}, batch)
        for place, value in enumerate(_values(batch.column(text))):
            try:
                rows.texts.append(_text(value, text, number + place, request))
            except DataError as error:
                if faults is None:
                    raise RowError.of(error) from None
                rows.faults[place] = error
                rows.texts.append("")
        number += batch.num_rows
        if request.on_read:  # Arrow reads here and there: of the file, as much as of its rows
            read = size_of_file * (number - 1) // table.metadata.num_rows
            request.on_read(read - heard)
            heard = read
        yield rows


def _values(column: Any) -> list[Any]:
    """Its texts; bytes for those that are not UTF-8."""
    try:
        return column.to_pylist()  # type: ignore[no-any-return]
    except UnicodeDecodeError:
        return list(map(_value, column))


def _value(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        return b""


def _text(value: object, column: str, number: int, request: ReadRequest) -> str:
    text = text_value(value, column, request.at(number))
    if size(text) > request.max_field_bytes:
        raise request.too_large(number, "a text")
    return clean(Row(number, text, None), request).text


def _told(read: Callable[[], Iterator[Item]], request: ReadRequest) -> Iterator[Item]:
    try:
        yield from read()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _broken(error, request) from None


def columns(file: IO[bytes], request: ReadRequest) -> list[str]:
    """The columns' names. Raises DataError."""
    try:
        return list(_opened(file).schema_arrow.names)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _broken(error, request) from None


def _broken(error: Exception, request: ReadRequest) -> DataError:
    # Only the first line: Arrow adds what its developers need.
    what = f"not a whole Parquet file ({reason(error, request.path)})"
    return DataError(what, where=request.name, mend="write it again")


def _chosen(table: Any, choose: Choose) -> Iterator[tuple[int, list[str | None]]]:
    names = list(choose(table.schema_arrow.names))
    number = 0
    for batch in table.iter_batches(batch_size=_BATCH, columns=names):
        for values in zip(*(batch.column(name).to_pylist() for name in names), strict=True):
            number += 1
            yield number, [plain_value(value) for value in values]


def _rows(table: Any, request: ReadRequest) -> Iterator[Row]:
    schema = table.schema_arrow
    text, label = find_columns(schema.names, request)
    _check_types(schema, text, label, request)
    number = 0
    for batch in table.iter_batches(batch_size=_BATCH, columns=[text] if label is None else [text, label]):
        texts = batch.column(text).to_pylist()
        labels = [None] * len(texts) if label is None else batch.column(label).to_pylist()
        for text_found, label_found in zip(texts, labels, strict=True):
            number += 1
            where = request.at(number)
            value = text_value(text_found, text, where)
            if size(value) > request.max_field_bytes:
                raise request.too_large(number, "a text")
            yield Row(number, value, None if label is None else label_value(label_found, label, where))


def _check_types(schema: Any, text: str, label: str | None, request: ReadRequest) -> None:
    """Refuse a whole column of the wrong type at once, rather than at its first row."""
    kind = _value_type(schema.field(text).type)
    if not (_is_string(kind) or pa.types.is_null(kind)):
        raise DataError(f"the column {text!r} is {kind}", where=request.name, mend="texts must be strings")
    if label is None:
        return
    kind = _value_type(schema.field(label).type)
    checks = (_is_string, pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_null)
    if not any(check(kind) for check in checks):
        raise DataError(
            f"the column {label!r} is {kind}",
            where=request.name,
            mend="labels must be strings, numbers or true and false",
        )


def _value_type(kind: Any) -> Any:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_string(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or _is_view(kind))


def _is_view(kind: Any) -> bool:
    is_view = getattr(pa.types, "is_string_view", None)
    return bool(is_view and is_view(kind))
