"""Reads CSV and TSV: lines to records to rows; refuses every irregular record and names its line."""

import io
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from operator import itemgetter
from typing import Any

from rnn_cli.data.reading import bounds
from rnn_cli.data.reading.blocks import Block, Opened, TextRow, into_blocks
from rnn_cli.data.reading.decoding import Faults, lines, marked_encoding
from rnn_cli.data.reading.dialect import Look, has_width, look_at, read_head
from rnn_cli.data.reading.header import numbered, refuse_row
from rnn_cli.data.reading.needs import with_all_needs
from rnn_cli.data.reading.quotes import Habits, Quoting, quoting_of, swallowed, swallowing
from rnn_cli.data.reading.records import Records, Taken
from rnn_cli.data.reading.table import ReadAs, ReadRequest, choose_columns
from rnn_cli.errors import DataError, RowError

PLAIN_KIND = "plain"
"""The kind of a file whose quotes are characters: its rows as they stand are not CSV."""


_HTML = re.compile(r"\s*<(!doctype html|html)\b", re.IGNORECASE)


@dataclass(frozen=True)
class _Table:
    """What is known of a table before its rows are read.

    `width` leaves out columns without names at the end; `habits` serve to watch for quotes that swallow rows, where
    that is needed.
    """

    records: Records
    faults: Faults | None
    columns: Sequence[str]
    width: int
    delimiter: str
    is_plain: bool
    habits: Habits | None


def open_delimited(stream: io.BufferedReader, request: ReadRequest, delimiter: str) -> Opened:
    """The columns in the header, and the records below it. Raises DataError, here or while reading.

    `delimiter` is the one that is named, or the usual one of the format. If lenient, records the fault of a record,
    unless it hides where the next record begins, as an open quote does.
    """
    try:
        return _opened(stream, request, delimiter)
    except DataError as error:
        raise with_all_needs(error, request, delimiter) from None


def _opened(stream: io.BufferedReader, request: ReadRequest, delimiter: str) -> Opened:
    encoding = marked_encoding(stream.peek(4), request)
    faults: Faults | None = {} if request.lenient else None
    source = lines(stream, request, faults)
    head = read_head(source, request)
    if not head.lines and head.error is not None:
        raise _of_header(head.error, 1, request)
    if _HTML.match("".join(head.lines[:3])):
        raise DataError(
            "is a page of HTML, not a table", where=request.name, hint="download the file itself", kind="page"
        )
    look = look_at(head, request, delimiter)
    quoting, habits = _quoting(request, look)
    is_plain, skipped = quoting.kind == "none", look.skipped
    rest = chain(head.lines[skipped:], head.rest(source))
    records = Records(rest, request, look.delimiter, plain=is_plain, are_lines=quoting.are_lines, skipped=skipped)
    if is_plain:
        look = look_at(head, request, delimiter, plain=True)
    columns: Sequence[str]
    if request.header is False:
        columns, width = numbered(len(look.first)), len(look.first)
    else:
        columns, width = _header(records, request, look, faults or {}), look.width
    table = _Table(records, faults, columns, width, look.delimiter, is_plain, habits if quoting.watch else None)
    chosen = choose_columns(columns, request, lambda name: look.cells(columns.index(name)))
    if request.on_read_as:
        request.on_read_as(_read_as(request, look, delimiter, quoting, encoding))
    blocks = _blocks(table, request, [columns.index(name) for name in chosen])
    return Opened(PLAIN_KIND if is_plain else look.delimiter, columns, chosen, blocks)


def _quoting(request: ReadRequest, look: Look) -> tuple[Quoting, Habits]:
    """What quotes mean, and what rows look like."""
    habits = Habits(look.rows, look.width)
    if request.quoting != "auto":
        return Quoting(request.quoting), habits
    if not os.path.isfile(request.path):  # it cannot be looked at twice
        return Quoting("csv", watch=True), habits
    return quoting_of(request, look, habits), habits


def _header(records: Records, request: ReadRequest, look: Look, faults: Faults) -> Sequence[str]:
    taken = records.take(1, 1)
    if (error := taken.error) is not None:
        raise _of_header(error, records.line + 1, request)
    header: Sequence[str] = taken.fields[0] if taken.fields else []
    line = 1 + look.skipped
    if not header:
        raise DataError("the line is blank", where=request.at(line), hint="the first line must name the columns")
    for number in [number for number in faults if number <= records.line]:
        raise faults[number]
    refuse_row(header, look.rows, request, line)
    return header


def _of_header(error: DataError, line: int, request: ReadRequest) -> DataError:
    """The error; of the header itself it is not one of a row. A later row may be decoded together with the header."""
    if isinstance(error, RowError) and error.where == request.at(line):
        return DataError(error.what, where=error.where, hint=error.hint, kind=error.kind)
    return error


def _read_as(request: ReadRequest, look: Look, usual: str, quoting: Quoting, encoding: str) -> ReadAs:
    settings: dict[str, object] = {}
    notes = []
    if request.delimiter is None and look.delimiter != usual:
        settings["delimiter"] = look.delimiter
        notes.append(f"{request.name}: fields are separated by {_named(look.delimiter)}")
    if request.quoting == "auto" and quoting.kind == "none":
        settings["quoting"] = quoting.kind
        notes.append(f"{request.name}: quotes are read as plain characters, as they do not enclose fields")
    is_of_lines = quoting.are_lines or quoting.watch or quoting.kind == "none"  # as far as that is known
    if look.width == 1 and request.quoting == "auto" and not is_of_lines:
        notes.append(f"{request.name}: quoted texts of several lines are one row each")
    if request.header is False:
        settings["header"] = False
    if request.encoding is None and encoding != "utf-8":
        settings["encoding"] = encoding.removesuffix("-le").removesuffix("-be")
    return ReadAs(settings, tuple(notes))


def _named(delimiter: str) -> str:
    return "tabs" if delimiter == "\t" else repr(delimiter)


def _blocks(table: _Table, request: ReadRequest, indices: Sequence[int]) -> Iterator[Block]:
    error: DataError | None = None
    source = table.records
    while error is None:
        taken = source.take(request.at_once, request.characters)
        if table.habits is not None and not taken.are_lines:
            taken = _watched(taken, table.habits, table.delimiter, request)
        error = taken.error
        if not taken.fields and error is None:
            return
        if not table.faults and _are_regular(taken.fields, len(table.columns)):
            columns = [list(map(itemgetter(index), taken.fields)) for index in indices]
            yield Block(taken.firsts, columns, taken.raws, taken.fields, {}, None, error)
            continue
        for block in into_blocks(_rows(table, taken, request), request):
            values: list[Any] = block.values  # empty for a faulty record
            columns = [[fields[index] if fields else "" for fields in values] for index in indices]
            yield replace(block, columns=columns)
            error = block.error
            if block.lines and source.first == block.lines[-1]:  # no blank lines are pending
                break


def _watched(taken: Taken, habits: Habits, delimiter: str, request: ReadRequest) -> Taken:
    """The records before the first one that swallows rows, and its error."""
    for index, fields in enumerate(taken.fields):
        if found := swallowed(fields, delimiter, habits):
            line, count = found
            error = swallowing(taken.firsts[index] + line, count, request)
            end = taken.firsts[index] - 1
            return Taken(taken.firsts[:index], taken.raws[:index], taken.fields[:index], end, error)
    return taken


def _rows(table: _Table, taken: Taken, request: ReadRequest) -> Iterator[TextRow]:
    """The records taken and all later ones as rows, each with its fault, if any."""
    source, faults, width = table.records, table.faults, len(table.columns)
    blank = range(0)  # pending blank lines: at the end of a file they are ignored
    while taken.fields or taken.error:
        lasts = [*(first - 1 for first in taken.firsts[1:]), taken.line]
        for first, last, raw, fields in zip(taken.firsts, lasts, taken.raws, taken.fields, strict=False):
            found = [faults.pop(line) for line in range(first, last + 1) if line in faults] if faults else []
            fault = found[0] if found else None
            if not fields and fault is None:
                blank = range(blank.start if blank else first, first + 1)
                if width > 1 and len(blank) > bounds.MOST_BLANK:
                    raise request.too_many_blank(blank.start)
                continue
            for line in blank:
                # In a file with one column, a blank line is an empty text.
                yield (line, "", (), _wrong_count(0, table, "", line, request)) if width > 1 else (line, "", [""], None)
            blank = range(0)
            if fault is None and len(fields) != width:
                if has_width(fields, table.width):
                    fields, raw = _of_width(fields, raw, table)
                else:
                    fault = _wrong_count(len(fields), table, raw, first, request)
            yield first, raw, () if fault else fields, fault
        if taken.error is not None:
            raise taken.error
        taken = source.take(1, 1)
        if table.habits is not None and not taken.are_lines:
            taken = _watched(taken, table.habits, table.delimiter, request)


def _are_regular(records: Sequence[list[str]], width: int) -> bool:
    """Whether every record has the right number of fields; this fast path serves nearly all blocks."""
    return set(map(len, records)) == {width}


def _of_width(fields: list[str], raw: str, table: _Table) -> tuple[list[str], str]:
    """A row with as many empty fields at its end as the header has, and the row as it would then stand."""
    width, delimiter = len(table.columns), table.delimiter
    if len(fields) < width:
        return [*fields, *[""] * (width - len(fields))], raw + delimiter * (width - len(fields))
    surplus = len(fields) - width
    # Surplus fields are empty, written as nothing or as two quotes.
    return fields[:width], re.sub(rf'(?:{re.escape(delimiter)}(?:"")?){{{surplus}}}$', "", raw)


def _wrong_count(count: int, table: _Table, raw: str, line: int, request: ReadRequest) -> DataError:
    expected, delimiter = table.width, table.delimiter
    what = f"{count} field{'' if count == 1 else 's'}, expected {expected}"
    if count == 0:
        hint = "remove the blank line"
    elif count > expected and not table.is_plain and re.search(rf'(?:^|{re.escape(delimiter)})[ \t]+"', raw):
        hint = "remove the space before the quote: a quote that is not the first of its field is a character"
    elif count > expected:
        hint = f"remove the {delimiter!r} from the text" if table.is_plain else "quote the text"
    else:
        hint = "add the missing fields" + (", or check the quotes" if not table.is_plain else "")
    return DataError(what, where=request.at(line), hint=hint, kind="ragged")
