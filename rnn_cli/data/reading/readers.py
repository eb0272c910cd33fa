"""One door for all formats: a path goes in, rows come out, checked, one at a time.

The format is told by the name, after .gz or .zst; Parquet also by its first bytes. A file whose name says
none is read as delimited text when a delimiter is given, and else refused: a guess would be wrong some day.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any

from rnn_cli.data.reading import delimited, jsonl
from rnn_cli.data.reading.decoding import Faults
from rnn_cli.data.reading.opening import open_bytes, open_seekable
from rnn_cli.data.reading.remote import STANDARD_INPUT, is_remote
from rnn_cli.data.reading.table import DEFAULT_MAX_FIELD_BYTES, Choose, Hear, ReadRequest, Whole, checked, together
from rnn_cli.data.rows import Row
from rnn_cli.errors import DataError

FORMATS_BY_SUFFIX = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
"""What a name says of a file's format."""

DELIMITERS = {"csv": ",", "tsv": "\t"}
"""What stands between the fields of a format, unless another is named."""

_PARQUET_MAGIC = b"PAR1"


def read_rows(
    path: str | os.PathLike[str],
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    format: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    strip_nul: bool = False,
    max_field_bytes: int = DEFAULT_MAX_FIELD_BYTES,
    labels: bool = True,
    on_columns: Hear | None = None,
) -> Iterator[Row]:
    """Stream a file's rows; see `ReadRequest` for what each parameter means.

    Raises DataError, naming file and line, at what it cannot read; the rows before that have been given.
    """
    request = ReadRequest(
        path=os.fspath(path),
        text_column=text_column,
        label_column=label_column,
        format=format,
        delimiter=delimiter,
        encoding=encoding,
        strip_nul=strip_nul,
        max_field_bytes=max_field_bytes,
        labels=labels,
        on_columns=on_columns,
    )
    return checked(_rows(request), request)


def read_columns(path: str | os.PathLike[str], choose: Choose, **how: Any) -> Iterator[tuple[int, list[str | None]]]:
    """Stream the line of each record, as `read_rows` counts them, and its values of the columns that `choose` names.

    Values are text, None where there is none. `how` is further parameters of `ReadRequest`. Raises DataError.
    """
    request = ReadRequest(path=os.fspath(path), **how)
    with _opened(request) as (stream, kind):
        if kind == "parquet":
            from rnn_cli.data.reading import parquet

            yield from parquet.chosen(stream, request, choose)
        elif kind == "jsonl":
            yield from jsonl.chosen(stream, request, choose)
        else:
            yield from delimited.chosen(stream, request, kind, choose)


@contextmanager
def open_whole(
    request: ReadRequest, *, lenient: bool, as_table: bool, at_once: int, characters: int
) -> Iterator[Whole]:
    """A file whose rows are wanted with all that stands in them, some of them together.

    These are `at_once`, or fewer where they hold more than about so many `characters` (of Parquet, bytes). Raises
    DataError, here or as rows are read, at what cannot be read. If `lenient`, a row that is faulty in itself is given
    with its fault instead. `as_table` tells that all must have a place in a table: each JSONL object has the first
    one's keys or fewer.
    """
    faults: Faults | None = {} if lenient else None
    with _opened(request) as (stream, kind):
        if kind == "parquet":
            from rnn_cli.data.reading import parquet

            schema, rows = parquet.whole(stream, request, faults, at_once=at_once, characters=characters)
            yield Whole(kind, tuple(schema.names), rows, schema)
        elif kind == "jsonl":
            columns, records = jsonl.whole(stream, request, faults, as_table=as_table)
            yield Whole(kind, tuple(columns), together(records, at_once, characters))
        else:
            columns, rows = delimited.whole(stream, request, kind, faults, at_once=at_once, characters=characters)
            yield Whole(kind, tuple(columns), rows)


def _rows(request: ReadRequest) -> Iterator[Row]:
    with _opened(request) as (stream, kind):
        if kind == "parquet":
            from rnn_cli.data.reading import parquet

            yield from parquet.rows(stream, request)
        elif kind == "jsonl":
            yield from jsonl.rows(stream, request)
        else:
            yield from delimited.rows(stream, request, kind)


@contextmanager
def _opened(request: ReadRequest) -> Iterator[tuple[Any, str]]:
    """The file's bytes and its kind: parquet, jsonl, or else the delimiter of its fields."""
    with open_bytes(request.path, request.on_read) as stream:
        head = stream.peek(len(_PARQUET_MAGIC))
        if not head:
            raise DataError("is empty", where=request.name, hint="give it a header and rows")
        if head.startswith(_PARQUET_MAGIC):
            with open_seekable(request.path, stream) as source:
                yield source, "parquet"
        else:
            yield stream, _kind_of_text(request)


def _kind_of_text(request: ReadRequest) -> str:
    suffix = suffix_of(request.path)
    said = request.format or FORMATS_BY_SUFFIX.get(suffix)
    if said == "jsonl":
        return "jsonl"
    if said == "parquet":
        raise DataError("is not a Parquet file", where=request.name, hint="write it again, or name it for what it is")
    delimiter = request.delimiter or DELIMITERS.get(said or "")
    if delimiter is None:
        way = "one object a line is .jsonl" if suffix == ".json" else "or say --set data.format=csv"
        hint = f"name it .csv, .tsv, .jsonl or .parquet (and .gz or .zst); {way}"
        if request.path == STANDARD_INPUT:
            hint = "say --set data.format=csv (tsv, jsonl)"
        raise DataError("its name does not say its format", where=request.name, hint=hint)
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise DataError(f"{delimiter!r} cannot be a delimiter", where="data.delimiter", hint="use one such as , or ;")
    return delimiter


def suffix_of(path: str) -> str:
    """The name's last part that says a format, in lower case: .csv for reviews.CSV.gz."""
    name = PurePath((path.partition("?")[0] if is_remote(path) else path).lower())
    return (name.with_suffix("") if name.suffix in (".gz", ".zst") else name).suffix
