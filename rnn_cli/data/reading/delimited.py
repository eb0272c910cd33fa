"""CSV and TSV: lines become records, records become rows; every irregular one is refused with its line.

Python's csv module in strict mode does the parsing. Nothing is converted: NA, null, 007 and 1e5 stay as they
are.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, islice
from typing import Any

from rnn_cli.data.reading import bounds
from rnn_cli.data.reading.decoding import Faults, lines, size
from rnn_cli.data.reading.table import (
    Choose,
    ReadRequest,
    WholeRow,
    WholeRows,
    find_columns,
    refuse_doubled,
    show,
    together,
)
from rnn_cli.data.rows import Row
from rnn_cli.errors import DataError, RowError

Record = tuple[int, list[str]]
"""The line a record begins on and its fields; a blank line has none."""

_C_LONG = 2**31 - 1  # the least that csv.field_size_limit takes on every platform


class RecordLines:
    """Lines for the csv module, counted, and refused once a record has taken more than it may.

    `line` is the number of the last one read, `first` that of the one the record under way begins on.
    """

    def __init__(self, source: Iterator[str], request: ReadRequest) -> None:
        self._source, self._request = source, request
        self._again: Iterator[str] = iter(())  # lines that come before those of the source
        self.line = self._bytes = 0
        self._lines: list[str] = []  # of the record under way
        self.first = 1

    def take(self, at_once: int, characters: int) -> list[str]:
        """The next lines, `at_once` of them, or fewer that hold more than so many `characters`; not within a record.

        No lines where the file ends before that, or cannot be read on: they are still to come.
        """
        block, left = [], characters
        try:
            for line in islice(chain(self._again, self._source), at_once):
                block.append(line)
                left -= len(line.rstrip("\r\n"))
                if left <= 0:
                    break
        except DataError as error:
            self._source = _raising(error)
        self.line += len(block)
        if len(block) < at_once and left > 0:
            self.put_back(block)
            return []
        return block

    def put_back(self, block: list[str]) -> None:
        """Undo `take`."""
        self._again = iter([*block, *self._again])
        self.line -= len(block)
        self.begin()

    def begin(self) -> None:
        """From here on, a new record."""
        self.first, self._bytes = self.line + 1, 0
        self._lines.clear()

    def record(self) -> str:
        """The record under way as it stands, without its line end."""
        return "".join(self._lines).rstrip("\r\n")

    def fault_of_record(self, faults: Faults) -> DataError | None:
        """What is wrong with a line of the record under way."""
        found = [faults.pop(line) for line in range(self.first, self.line + 1) if line in faults]
        return found[0] if found else None

    def __iter__(self) -> Iterator[str]:
        """Itself."""
        return self

    def __next__(self) -> str:
        """The next line, a part of the record under way."""
        line = next(self._again, None)
        if line is None:
            line = next(self._source)
        self.line += 1
        if self._lines:  # the first line of a record has been measured; what a quote left open would swallow has not
            self._bytes = (self._bytes or size(self._lines[0])) + size(line)
            if self._bytes > self._request.max_field_bytes:
                raise self._request.too_large(self.first, "a record")
        self._lines.append(line)
        return line


def _raising(error: DataError) -> Iterator[str]:
    raise error
    yield


def parse_lines(block: list[str], delimiter: str) -> list[list[str]] | None:
    """The fields of lines of which each is a record; None if one is not."""
    try:
        records = list(_reader(block, delimiter))
    except csv.Error:
        return None
    return records if len(records) == len(block) else None


def parse(source: RecordLines, request: ReadRequest, delimiter: str) -> Iterator[Record]:
    """What the csv module makes of the lines, its own errors told in words."""
    # The csv module's own limit (131,072 characters) is one for the process, so it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), min(request.max_field_bytes, _C_LONG)))
    try:
        for fields in _reader(source, delimiter):
            yield source.first, fields
            source.begin()
    except csv.Error as error:
        raise _bad_quote(str(error), source.first, request) from None


def _reader(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=delimiter, strict=True)


def _bad_quote(error: str, line: int, request: ReadRequest) -> DataError:
    if "end of data" in error:
        what = "a quote opens in this record and is never closed"
    elif "expected after" in error:
        what = "a quote that opens in this record is closed in the middle of a text"
    else:
        what = f"not a CSV record ({error})"
    return DataError(what, where=request.at(line), hint='close it, and write a quote inside quoted text as ""')


_USUAL_DELIMITERS = (",", ";", "\t", "|")


def rows(stream: io.BufferedReader, request: ReadRequest, delimiter: str) -> Iterator[Row]:
    """The rows under the header. Raises DataError."""
    found = records(stream, request, delimiter)
    header = _header(found, request, delimiter)
    text, label = find_columns(header, request)
    text_at = header.index(text)
    if label is None:
        for line, fields in found:
            yield Row(line, fields[text_at], None)
    else:
        label_at = header.index(label)
        for line, fields in found:
            yield Row(line, fields[text_at], fields[label_at])


def chosen(
    stream: io.BufferedReader, request: ReadRequest, delimiter: str, choose: Choose
) -> Iterator[tuple[int, list[str | None]]]:
    """Each record's line and its values of the columns chosen. Raises DataError."""
    found = records(stream, request, delimiter)
    header = _header(found, request, delimiter)
    refuse_doubled(header, request)
    places = [header.index(name) for name in choose(header)]
    for line, fields in found:
        yield line, [fields[place] for place in places]


def _header(found: Iterator[Record], request: ReadRequest, delimiter: str) -> list[str]:
    _, header = next(found)
    _refuse_other_delimiter(header, request, delimiter)
    return header


def records(stream: io.BufferedReader, request: ReadRequest, delimiter: str) -> Iterator[Record]:
    """The header, then every record, all with as many fields as the header has. Raises DataError."""
    parsed = parse(RecordLines(lines(stream, request), request), request, delimiter)
    first, header = next(parsed, (1, []))
    _refuse_blank_header(first, header, request)
    yield first, header
    blank: list[int] = []
    for line, fields in parsed:
        # Blank lines matter only when something follows: at the end of a file they are harmless.
        if not fields:
            blank = [blank[0] if blank else line, line]
            if len(header) > 1 and line - blank[0] >= bounds.MOST_BLANK:
                raise request.too_many_blank(blank[0])
            continue
        if blank:
            # In a file of a single column, a blank line is how an empty text is written.
            if len(header) > 1:
                raise _wrong_count(0, len(header), blank[0], request)
            yield from ((number, [""]) for number in range(blank[0], blank[1] + 1))
            blank = []
        if len(fields) != len(header):
            raise _wrong_count(len(fields), len(header), line, request)
        yield line, fields


def whole(
    stream: io.BufferedReader,
    request: ReadRequest,
    delimiter: str,
    faults: Faults | None,
    *,
    at_once: int,
    characters: int,
) -> tuple[list[str], Iterator[WholeRows]]:
    """The columns, and every record as it stands, some together; of faulty ones nothing but that. Raises DataError.

    With `faults`, an empty dict, what is wrong with a record is given with it, unless that leaves in doubt where the
    next begins, as an open quote does.
    """
    source = RecordLines(lines(stream, request, faults), request)
    parsed = parse(source, request, delimiter)
    try:
        first, header = next(parsed, (1, []))
    except RowError as error:
        if error.where == request.at(source.line + 1):
            raise DataError(error.what, where=error.where, hint=error.hint) from None
        raise  # of a row further on, which was decoded together with the header
    _refuse_blank_header(first, header, request)
    for fault in (faults or {}).values():
        raise fault
    _refuse_other_delimiter(header, request, delimiter)
    text_at = header.index(find_columns(header, request)[0])

    def windows() -> Iterator[WholeRows]:
        regular = partial(_regular_rows, source, delimiter, len(header), text_at, faults, at_once, characters)
        yield from regular()
        for others in together(_whole_rows(source, parsed, request, len(header), text_at, faults), at_once, characters):
            yield others
            if source.first == others.lines[-1]:  # and no blank lines before it are still to be given
                yield from regular()

    return header, windows()


def _regular_rows(
    source: RecordLines,
    delimiter: str,
    width: int,
    text_at: int,
    faults: Faults | None,
    at_once: int,
    characters: int,
) -> Iterator[WholeRows]:
    """Rows as long as each line is one, without a fault; `source` goes on with the lines of which one is not.

    Nearly all lines of nearly all files are such, and read in a third of the time that telling the others apart takes.
    """
    while block := source.take(at_once, characters):
        records: list[Any] | None = None if faults else parse_lines(block, delimiter)
        if records is None or set(map(len, records)) != {width}:
            source.put_back(block)
            return
        numbers = list(range(source.line + 1 - len(block), source.line + 1))
        texts = [fields[text_at] for fields in records]
        yield WholeRows(numbers, texts, [line.rstrip("\r\n") for line in block], records, {})


def _whole_rows(
    source: RecordLines,
    parsed: Iterator[Record],
    request: ReadRequest,
    width: int,
    text_at: int,
    faults: Faults | None,
) -> Iterator[WholeRow]:
    blank = range(0)  # lines that matter only when something follows, as in `records`
    for line, fields in parsed:
        fault = source.fault_of_record(faults) if faults else None
        if not fields and fault is None:
            blank = range(blank.start if blank else line, line + 1)
            if width > 1 and len(blank) > bounds.MOST_BLANK:
                raise request.too_many_blank(blank.start)
            continue
        for each in blank:
            if width > 1:
                yield _faulty(each, "", _wrong_count(0, width, each, request), faults)
            else:
                yield WholeRow(each, "", "", [""], None)
        blank = range(0)
        if fault is None and len(fields) != width:
            fault = _wrong_count(len(fields), width, line, request)
        if fault is None:
            yield WholeRow(line, fields[text_at], source.record(), fields, None)
        else:
            yield _faulty(line, source.record(), fault, faults)


def _faulty(line: int, raw: str, fault: DataError, faults: Faults | None) -> WholeRow:
    if faults is None:
        raise RowError.of(fault)
    return WholeRow(line, "", raw, (), fault)


def _refuse_blank_header(line: int, header: list[str], request: ReadRequest) -> None:
    if not header:
        raise DataError("line is blank", where=request.at(line), hint="the first line must name the columns")


def _wrong_count(count: int, expected: int, line: int, request: ReadRequest) -> DataError:
    if count == 0:
        hint = "remove the blank line"
    elif count > expected:
        hint = "quote the text"
    else:
        hint = "add what is missing, or check the quotes"
    fields = f"{count} field{'' if count == 1 else 's'}"
    return DataError(f"{fields}, expected {expected}", where=request.at(line), hint=hint)


def _refuse_other_delimiter(header: list[str], request: ReadRequest, delimiter: str) -> None:
    """A header of one column such as "text;label" means that the file has another delimiter."""
    if len(header) != 1 or header[0] == request.text_column:
        return
    for other in _USUAL_DELIMITERS:
        if other != delimiter and other in header[0]:
            hint = {"\t": "name it .tsv"}.get(other, f"use --set data.delimiter={other!r}")
            raise DataError(
                f"the header is one column, {show(header)}; found {other!r}", where=request.at(1), hint=hint
            )
