"""Reads rows of all formats from a path, in checked blocks.

The format follows from the name, without .gz or .zst; Parquet and workbooks also from the first bytes. A file without
such a name is read as delimited text if a delimiter is given, else refused, as a guess may be wrong.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import repeat
from typing import Any

from rnn_cli.data.reading import delimited, jsonl, packages
from rnn_cli.data.reading.blocks import Block, Opened, check_texts
from rnn_cli.data.reading.folders import TableFiles
from rnn_cli.data.reading.names import format_of, suffix_of
from rnn_cli.data.reading.opening import open_bytes, open_seekable
from rnn_cli.data.reading.remote import STANDARD_INPUT, shown
from rnn_cli.data.reading.several import check_several
from rnn_cli.data.reading.table import Choose, ReadRequest, plain_value, quoted_names
from rnn_cli.data.reading.texts import open_texts
from rnn_cli.errors import DataError, RowError, Setting, few_of
from rnn_cli.formats import DELIMITER_NAMES, DELIMITERS

_PARQUET_MAGIC = b"PAR1"
_NAMED = 5  # at most so many lines without a label in a message


@contextmanager
def open_blocks(request: ReadRequest) -> Iterator[Opened]:
    """A file and its rows in blocks. Raises DataError, here or while reading, at the first fault.

    The rows before the fault come first, unless whole rows are wanted.
    """
    if os.path.isdir(request.path):
        opened = open_texts(request)
        yield replace(opened, blocks=_checked(opened, request))
        return
    with _opened(request) as (stream, kind):
        if kind == "parquet":
            from rnn_cli.data.reading import parquet

            opened = parquet.open_parquet(stream, request)
        elif kind == "xlsx":
            from rnn_cli.data.reading import xlsx

            opened = xlsx.open_workbook(stream, request)
        elif kind == "jsonl":
            opened = jsonl.open_jsonl(stream, request)
        else:
            opened = delimited.open_delimited(stream, request, kind)
        yield replace(opened, blocks=_checked(opened, request))


def _checked(opened: Opened, request: ReadRequest) -> Iterator[Block]:
    """The blocks with checked texts and labels, unless other columns were chosen; raises what ends the reading."""
    for block in opened.blocks:
        names = opened.chosen
        if request.choose is None and request.beside:
            names, block = _set_apart(block, names, request)
        if request.choose is None:
            checked = check_several if request.several and request.labels else check_texts
            block = checked(block, names, request)
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


def _set_apart(block: Block, names: Sequence[str], request: ReadRequest) -> tuple[Sequence[str], Block]:
    """The names of texts and labels, and the block with its last columns beside theirs."""
    count = len(request.beside)
    beside = {
        name: list(map(plain_value, values))
        for name, values in zip(names[-count:], block.columns[-count:], strict=True)
    }
    if request.numbers:
        from rnn_cli.columns import cell_number  # it loads numpy
    for name in request.numbers:
        for index, value in enumerate(beside[name]):
            try:
                cell_number(value)
            except ValueError:
                beside[name][index] = None
                if index not in block.faults:
                    what = f"the column {name!r} holds {str(value)[:40]!r}, which is no number"
                    hint = "correct it, or leave the cell empty"
                    block.reject(index, DataError(what, where=request.at(block.lines[index]), hint=hint))
    return names[:-count], replace(block, columns=block.columns[:-count], beside=beside)


def read_labelled(request: ReadRequest) -> Iterator[Block]:
    """A file's texts and labels (None where not wanted), in blocks of these two columns.

    Raises DataError, naming file and line, for a fault, for missing labels, and for a file without rows.
    """
    with open_blocks(request) as opened:
        yield from labelled(opened.blocks, request)


def labelled(blocks: Iterable[Block], request: ReadRequest, *, may_be_empty: bool = False) -> Iterator[Block]:
    """The same blocks of texts and labels. Raises DataError for missing labels and if there are no rows.

    Warns of rows without text and label at the end, as spreadsheets write them, and leaves them out.
    """
    missing, named, none_yet = 0, list[int](), True
    empty: list[int] = []  # the lines of rows without text and label, which count for nothing at the end
    for block in blocks:
        end = _end_of_rows(block)
        if end:
            none_yet = False
            missing += len(empty)
            named += empty[: _NAMED - len(named)]
            empty = []
        empty += block.lines[end:]
        block = block if end == len(block.lines) else block.before(end)
        for labels in block.columns[1:]:
            if absent := {label for label in set(labels) if not (label and label.strip())}:
                lines = [line for line, label in zip(block.lines, labels, strict=True) if label in absent]
                missing += len(lines)
                named += lines[: _NAMED - len(named)]
        if end and not missing:  # else read to the end, to report all of them at once
            yield block
    if missing:
        raise _missing_labels(missing, named, request)
    if empty:
        what, where = ("a row", f"line {empty[0]}") if len(empty) == 1 else ("rows", f"lines {empty[0]} to {empty[-1]}")
        request.warn(f"{request.name}: left out at the end: {what} without text and label ({where})")
    if none_yet and not may_be_empty:
        raise DataError("has no rows", where=request.name, hint="add rows")


def _end_of_rows(block: Block) -> int:
    """The number of a block's rows without those at its end that have neither text nor label."""
    end = len(block.lines)
    texts, *labels = block.columns
    for label in labels:
        while end and not (label[end - 1] and label[end - 1].strip()) and not texts[end - 1].strip():
            end -= 1
    return end


def read_files(table: TableFiles, request_of: Callable[[str], ReadRequest]) -> Iterator[Block]:
    """The labelled rows of a table's files, one file after the other, in blocks that name the rows' files.

    `request_of` says how a file is read. Raises DataError, also where a file has other columns than the first.
    """
    first: Opened | None = None
    has_rows = False
    for file in table.files:
        request = request_of(file)
        if first is None and table.left_out:
            request.warn(f"{table.name}: left out, as their names say no format of rows: {few_of(table.left_out)}")
        if first is not None:
            text, *label = first.chosen[: len(first.chosen) - len(request.beside)]
            request = replace(request, text_column=text, label_column=label[0] if label else None, on_columns=None)
            _refuse_other_columns(request, first, shown(table.files[0]))
        with open_blocks(request) as opened:
            first = first or opened
            for block in labelled(opened.blocks, request, may_be_empty=True):
                has_rows = True
                yield replace(block, files=[request.name] * len(block.lines))
    if not has_rows:
        raise DataError(f"none of its {len(table.files):,} files has rows", where=table.name, hint="add rows")


def _refuse_other_columns(request: ReadRequest, first: Opened, first_file: str) -> None:
    if first.kind == "jsonl":  # an object may lack what is not read
        return
    with open_blocks(replace(request, choose=lambda _: (), on_read=None, on_warning=None)) as opened:
        if sorted(opened.columns) == sorted(first.columns):
            return
    theirs, ours = (quoted_names(each.columns) for each in (opened, first))
    what = f"its columns ({theirs}) are not those of {first_file} ({ours})"
    raise DataError(what, where=request.name, hint="name the files of one table, as by a pattern")


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
    """The file's bytes and its kind: parquet, xlsx, jsonl, or the delimiter of its fields."""
    with open_bytes(request.path, request.on_read) as stream:
        head = stream.peek(len(packages.OLE))
        if not head:
            raise DataError("is empty", where=request.name, hint="give it a header and rows")
        if head.startswith(_PARQUET_MAGIC):
            with open_seekable(request.path, stream) as source:
                yield source, "parquet"
        elif head.startswith(packages.MAGICS):
            with open_seekable(request.path, stream) as source:
                packages.refuse_unreadable(source.file, request.name)
                yield source, "xlsx"
        else:
            yield stream, _kind_of_text(request)


def _kind_of_text(request: ReadRequest) -> str:
    suffix = suffix_of(request.path)
    named = request.format or format_of(request.path)
    if named == "jsonl":
        return "jsonl"
    if named == "parquet":
        raise DataError("is not a Parquet file", where=request.name, hint="write it again, or correct its name")
    if named == "xlsx":
        raise DataError("is not an Excel workbook", where=request.name, hint="save it again, or correct its name")
    delimiter = DELIMITERS.get(named or "") if request.delimiter is None else request.delimiter
    delimiter = DELIMITER_NAMES.get(delimiter, delimiter) if delimiter else delimiter
    if delimiter is None:
        way = "one object per line is .jsonl" if suffix == ".json" else "or use {}"
        hint = Setting("data.format", "csv", f"name it .csv, .tsv, .jsonl, .parquet or .xlsx (and .gz or .zst); {way}")
        if request.path == STANDARD_INPUT:
            hint = Setting("data.format", "csv", "use {} (tsv, jsonl)")
        raise DataError("its name does not say its format", where=request.name, hint=hint)
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise DataError(f"{delimiter!r} cannot be a delimiter", where="data.delimiter", hint="use one such as , or ;")
    return delimiter
