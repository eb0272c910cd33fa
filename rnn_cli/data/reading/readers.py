"""Reads rows of all formats from a path, in checked blocks.

The format follows from the name, without .gz or .zst; Parquet also from the first bytes. A file without such a name is
read as delimited text if a delimiter is given, else refused, as a guess may be wrong.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import repeat
from pathlib import PurePath
from typing import Any

from rnn_cli.data.reading import delimited, jsonl
from rnn_cli.data.reading.blocks import Block, Opened, check_texts
from rnn_cli.data.reading.opening import open_bytes, open_seekable
from rnn_cli.data.reading.remote import STANDARD_INPUT, is_remote
from rnn_cli.data.reading.table import Choose, ReadRequest, plain_value
from rnn_cli.errors import DataError, RowError, Setting
from rnn_cli.formats import COMPRESSIONS, DELIMITER_NAMES, DELIMITERS, FORMATS_BY_SUFFIX, Format

_PARQUET_MAGIC = b"PAR1"
_NAMED = 5  # at most so many lines without a label in a message


@contextmanager
def open_blocks(request: ReadRequest) -> Iterator[Opened]:
    """A file and its rows in blocks. Raises DataError, here or while reading, at the first fault.

    The rows before the fault come first, unless whole rows are wanted.
    """
    with _opened(request) as (stream, kind):
        if kind == "parquet":
            from rnn_cli.data.reading import parquet

            opened = parquet.open_parquet(stream, request)
        elif kind == "jsonl":
            opened = jsonl.open_jsonl(stream, request)
        else:
            opened = delimited.open_delimited(stream, request, kind)
        yield replace(opened, blocks=_checked(opened, request))


def _checked(opened: Opened, request: ReadRequest) -> Iterator[Block]:
    """The blocks with checked texts and labels, unless other columns were chosen; raises what ends the reading."""
    for block in opened.blocks:
        if request.choose is None:
            block = check_texts(block, opened.chosen, request)
        stop = block.error
        if block.faults and not request.lenient:
            first = min(block.faults)
            block, stop = block.before(first), RowError.of(block.faults[first])
        # A resumed job starts with a whole window, so no shorter block may come.
        if stop is not None and request.whole:
            raise stop
        if block.lines:
            yield block
        if stop is not None:
            raise stop


def read_labelled(request: ReadRequest) -> Iterator[Block]:
    """A file's texts and labels (None where not wanted), in blocks of these two columns.

    Raises DataError, naming file and line, for a fault, for missing labels, and for a file without rows.
    """
    with open_blocks(request) as opened:
        yield from labelled(opened.blocks, request)


def labelled(blocks: Iterable[Block], request: ReadRequest) -> Iterator[Block]:
    """The same blocks of texts and labels. Raises DataError for missing labels and if there are no rows."""
    missing, named, none_yet = 0, list[int](), True
    for block in blocks:
        none_yet = False
        for labels in block.columns[1:]:
            if absent := {label for label in set(labels) if not (label and label.strip())}:
                lines = [line for line, label in zip(block.lines, labels, strict=True) if label in absent]
                missing += len(lines)
                named += lines[: _NAMED - len(named)]
        if not missing:  # else read to the end, to report all of them at once
            yield block
    if missing:
        raise _missing_labels(missing, named, request)
    if none_yet:
        raise DataError("has no rows", where=request.name, hint="add rows")


def _missing_labels(count: int, named: list[int], request: ReadRequest) -> DataError:
    lines = ", ".join(map(str, named)) + (", ..." if count > _NAMED else "")
    have = "1 row has" if count == 1 else f"{count:,} rows have"
    what = f"{have} no label (line{'' if count == 1 else 's'} {lines})"
    return DataError(what, where=request.name, hint="label or remove them")


def read_columns(
    path: str | os.PathLike[str], choose: Choose, **how: Any
) -> Iterator[tuple[int, tuple[str | None, ...]]]:
    """Yield the line of each record and its values in the columns that `choose` returns.

    Values are texts, or None where missing. `how` holds further parameters of `ReadRequest`. Raises DataError.
    """
    with open_blocks(ReadRequest(path=os.fspath(path), choose=choose, **how)) as opened:
        for block in opened.blocks:
            columns = [list(map(plain_value, column)) for column in block.columns]
            rows = zip(*columns, strict=True) if columns else repeat((), len(block.lines))
            yield from zip(block.lines, rows, strict=True)


@contextmanager
def _opened(request: ReadRequest) -> Iterator[tuple[Any, str]]:
    """The file's bytes and its kind: parquet, jsonl, or the delimiter of its fields."""
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
    named = request.format or format_of(request.path)
    if named == "jsonl":
        return "jsonl"
    if named == "parquet":
        raise DataError("is not a Parquet file", where=request.name, hint="write it again, or correct its name")
    delimiter = DELIMITERS.get(named or "") if request.delimiter is None else request.delimiter
    delimiter = DELIMITER_NAMES.get(delimiter, delimiter) if delimiter else delimiter
    if delimiter is None:
        way = "one object per line is .jsonl" if suffix == ".json" else "or use {}"
        hint = Setting("data.format", "csv", f"name it .csv, .tsv, .jsonl or .parquet (and .gz or .zst); {way}")
        if request.path == STANDARD_INPUT:
            hint = Setting("data.format", "csv", "use {} (tsv, jsonl)")
        raise DataError("its name does not say its format", where=request.name, hint=hint)
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise DataError(f"{delimiter!r} cannot be a delimiter", where="data.delimiter", hint="use one such as , or ;")
    return delimiter


def format_of(path: str) -> Format | None:
    """The format by a file's name."""
    return FORMATS_BY_SUFFIX.get(suffix_of(path))


def suffix_of(path: str) -> str:
    """The suffix that names a format, in lower case: .csv for reviews.CSV.gz."""
    name = PurePath((path.partition("?")[0] if is_remote(path) else path).lower())
    return (name.with_suffix("") if name.suffix in COMPRESSIONS else name).suffix
