"""One door for all formats: a path goes in, rows come out, checked, one at a time.

The format is told by the name, after .gz or .zst; Parquet also by its first bytes. A file whose name says
none is read as delimited text when a delimiter is given, and else refused: a guess would be wrong some day.
"""

import io
import os
from collections.abc import Iterator
from pathlib import PurePath

from rnn_cli.data.reading import delimited, jsonl
from rnn_cli.data.reading.checks import checked
from rnn_cli.data.reading.opening import open_bytes, open_seekable
from rnn_cli.data.reading.request import DEFAULT_MAX_FIELD_BYTES, ReadRequest
from rnn_cli.data.rows import Row
from rnn_cli.errors import DataError

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_JSONL = (".jsonl", ".ndjson")
_PARQUET = (".parquet", ".pq")
_PARQUET_MAGIC = b"PAR1"


def read_rows(
    path: str | os.PathLike[str],
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    strip_nul: bool = False,
    max_field_bytes: int = DEFAULT_MAX_FIELD_BYTES,
    labels: bool = True,
) -> Iterator[Row]:
    """Stream a file's rows; see `ReadRequest` for what each parameter means.

    Raises DataError, naming file and line, at what it cannot read; the rows before that have been given.
    """
    request = ReadRequest(
        path=os.fspath(path),
        text_column=text_column,
        label_column=label_column,
        delimiter=delimiter,
        encoding=encoding,
        strip_nul=strip_nul,
        max_field_bytes=max_field_bytes,
        labels=labels,
    )
    return checked(_rows(request), request)


def _rows(request: ReadRequest) -> Iterator[Row]:
    with open_bytes(request.path) as stream:
        head = stream.peek(len(_PARQUET_MAGIC))
        if not head:
            raise DataError("is empty", where=request.path, mend="give it a header and rows")
        if not head.startswith(_PARQUET_MAGIC):
            yield from _text_rows(stream, request)
            return
        from rnn_cli.data.reading import parquet

        with open_seekable(request.path, stream) as file:
            yield from parquet.rows(file, request)


def _text_rows(stream: io.BufferedReader, request: ReadRequest) -> Iterator[Row]:
    suffix = _suffix(request.path)
    if suffix in _JSONL:
        return jsonl.rows(stream, request)
    if suffix in _PARQUET:
        raise DataError("is not a Parquet file", where=request.path, mend="write it again, or name it for what it is")
    delimiter = request.delimiter or _DELIMITERS.get(suffix)
    if delimiter is None:
        mend = "one object a line is .jsonl" if suffix == ".json" else "or say --set data.delimiter=,"
        raise DataError(
            "its name does not say its format",
            where=request.path,
            mend=f"name it .csv, .tsv, .jsonl or .parquet (and .gz or .zst); {mend}",
        )
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise DataError(f"{delimiter!r} cannot be a delimiter", where="data.delimiter", mend="use one such as , or ;")
    return delimited.rows(stream, request, delimiter)


def _suffix(path: str) -> str:
    """The name's last part that says a format, in lower case: .csv for reviews.CSV.gz."""
    name = PurePath(path.lower())
    return (name.with_suffix("") if name.suffix in (".gz", ".zst") else name).suffix
