"""Parquet: a file's rows, whole or the columns asked for, a batch at a time.

Loads pyarrow, so it is imported only for a file that is Parquet.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pyarrow as pa

from rnn_cli.data.reading import bounds
from rnn_cli.data.reading.checks import clean
from rnn_cli.data.reading.columns import find_columns
from rnn_cli.data.reading.decoding import Faults, size
from rnn_cli.data.reading.opening import Seekable
from rnn_cli.data.reading.page_headers import NotParquet
from rnn_cli.data.reading.pages import HELD_BYTES, TooLarge
from rnn_cli.data.reading.parquet_table import REWRITE, Table, is_string, together
from rnn_cli.data.reading.remote import reason
from rnn_cli.data.reading.request import Choose, ReadRequest
from rnn_cli.data.reading.values import label_value, plain_value, text_value
from rnn_cli.data.reading.whole import WholeRows
from rnn_cli.data.rows import Row
from rnn_cli.errors import DataError, RowError

Item = TypeVar("Item")

_BATCH = 1024  # rows in memory at once


def rows(source: Seekable, request: ReadRequest) -> Iterator[Row]:
    """The rows, numbered from 1. Raises DataError."""
    yield from _told(lambda: _rows(Table(source, request), request), request)


def chosen(source: Seekable, request: ReadRequest, choose: Choose) -> Iterator[tuple[int, list[str | None]]]:
    """Each row's number, from 1, and its values of the columns chosen. Raises DataError."""
    yield from _told(lambda: _chosen(Table(source, request), choose), request)


def whole(
    source: Seekable, request: ReadRequest, faults: Faults | None, *, at_once: int, characters: int
) -> tuple[Any, Iterator[WholeRows]]:
    """The file's schema, and its rows, `at_once` of them together at most. Raises DataError.

    Fewer come together where they take more than about so many `characters`, counted in bytes. With `faults` what is
    wrong with a row is given with it.
    """
    try:
        table = Table(source, request)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _broken(error, request) from None
    text, _ = find_columns(table.schema.names, request)
    _check_types(table.schema, text, None, request)
    batches = together(table.batches(None, [text], at_once=at_once, most=characters), at_once, characters)
    return table.schema, _told(lambda: _whole(table, batches, text, request, faults), request)


def _whole(
    table: Table, batches: Iterator[Any], text: str, request: ReadRequest, faults: Faults | None
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
            read = table.size * (number - 1) // table.rows
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
    except TooLarge:
        what = f"a row group takes more than {HELD_BYTES:,} bytes at once and {bounds.RATIO} times its size"
        raise DataError(what, where=request.name, mend=REWRITE) from None
    except (pa.ArrowException, OSError, UnicodeDecodeError, NotParquet) as error:
        raise _broken(error, request) from None


def _broken(error: Exception, request: ReadRequest) -> DataError:
    # Only the first line: Arrow adds what its developers need.
    what = f"not a whole Parquet file ({reason(error, request.path)})"
    return DataError(what, where=request.name, mend="write it again")


def _chosen(table: Table, choose: Choose) -> Iterator[tuple[int, list[str | None]]]:
    names = list(choose(table.schema.names))
    number = 0
    for batch in table.batches(names, names, at_once=_BATCH):
        for values in zip(*(batch.column(name).to_pylist() for name in names), strict=True):
            number += 1
            yield number, [plain_value(value) for value in values]


def _rows(table: Table, request: ReadRequest) -> Iterator[Row]:
    text, label = find_columns(table.schema.names, request)
    _check_types(table.schema, text, label, request)
    names = [text] if label is None else [text, label]
    number = 0
    for batch in table.batches(names, names, at_once=_BATCH):
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
    if not (is_string(kind) or pa.types.is_null(kind)):
        raise DataError(f"the column {text!r} is {kind}", where=request.name, mend="texts must be strings")
    if label is None:
        return
    kind = _value_type(schema.field(label).type)
    checks = (is_string, pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_null)
    if not any(check(kind) for check in checks):
        raise DataError(
            f"the column {label!r} is {kind}",
            where=request.name,
            mend="labels must be strings, numbers or true and false",
        )


def _value_type(kind: Any) -> Any:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
