"""CSV and TSV: lines become records, records become rows; every irregular one is refused with its line.

Python's csv module in strict mode does the parsing. Nothing is converted: NA, null, 007 and 1e5 stay as they
are.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from operator import itemgetter
from typing import Any

from rnn_cli.data.reading import bounds
from rnn_cli.data.reading.blocks import Block, Opened, Read, together
from rnn_cli.data.reading.decoding import Faults, lines, size
from rnn_cli.data.reading.table import ReadRequest, choose_columns, show
from rnn_cli.errors import DataError, RowError

_Record = tuple[int, list[str]]
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

    def take(self, at_once: int, characters: int) -> tuple[list[str], list[str]]:
        """The next lines, `at_once` of them, or fewer that hold more than so many `characters`; not within a record.

        With them, the same without their line ends. No lines where the file ends before that, or cannot be read on:
        they are still to come.
        """
        block, raws, left = [], [], characters
        try:
            for line in islice(chain(self._again, self._source), at_once):
                block.append(line)
                raws.append(raw := line.rstrip("\r\n"))
                left -= len(raw)
                if left <= 0:
                    break
        except DataError as error:
            self._source = _raising(error)
        self.line += len(block)
        if len(block) < at_once and left > 0:
            self.put_back(block)
            return [], []
        return block, raws

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


def _parse_lines(block: list[str], delimiter: str) -> list[list[str]] | None:
    """The fields of lines of which each is a record; None if one is not."""
    try:
        records = list(_reader(block, delimiter))
    except csv.Error:
        return None
    return records if len(records) == len(block) else None


def _parse(source: RecordLines, request: ReadRequest, delimiter: str) -> Iterator[_Record]:
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
    return DataError(what, where=request.at(line), mend='close it, and write a quote inside quoted text as ""')


def open_blocks(stream: io.BufferedReader, request: ReadRequest, delimiter: str) -> Opened:
    """The columns, which the header names, and the records under it. Raises DataError, here or as they are read.

    If lenient, what is wrong with a record is noted with it, unless that leaves in doubt where the next begins, as an
    open quote does.
    """
    faults: Faults | None = {} if request.lenient else None
    source = RecordLines(lines(stream, request, faults), request)
    parsed = _parse(source, request, delimiter)
    try:
        first, header = next(parsed, (1, []))
    except RowError as error:
        if error.where == request.at(source.line + 1):
            raise DataError(error.what, where=error.where, mend=error.mend) from None
        raise  # of a row further on, which was decoded together with the header
    if not header:
        raise DataError("line is blank", where=request.at(first), mend="the first line must name the columns")
    for fault in (faults or {}).values():
        raise fault
    _refuse_other_delimiter(header, request, delimiter)
    chosen = choose_columns(header, request)
    indices = [header.index(name) for name in chosen]

    def blocks() -> Iterator[Block]:
        regular = partial(_regular_blocks, source, request, delimiter, len(header), indices, faults)
        yield from regular()
        for block in together(_rows(source, parsed, request, len(header), faults), request):
            values: list[Any] = block.values  # none where a record is faulty
            yield replace(block, columns=[[fields[index] if fields else "" for fields in values] for index in indices])
            if block.lines and source.first == block.lines[-1]:  # and no blank lines before it are still to be given
                yield from regular()

    return Opened(delimiter, header, chosen, blocks())


def _regular_blocks(
    source: RecordLines,
    request: ReadRequest,
    delimiter: str,
    width: int,
    indices: Sequence[int],
    faults: Faults | None,
) -> Iterator[Block]:
    """Blocks as long as each line is a row without a fault; `source` goes on with the lines of which one is not.

    Nearly all lines of nearly all files are such, and read in a third of the time that telling the others apart takes.
    """
    while True:
        block, raws = source.take(request.at_once, request.characters)
        records: list[Any] | None = None if faults else _parse_lines(block, delimiter)
        if records is None or set(map(len, records)) != {width}:  # or there are none
            source.put_back(block)
            return
        numbers = list(range(source.line + 1 - len(block), source.line + 1))
        columns = [list(map(itemgetter(index), records)) for index in indices]
        yield Block(numbers, columns, raws, records, {})


def _rows(
    source: RecordLines, parsed: Iterator[_Record], request: ReadRequest, width: int, faults: Faults | None
) -> Iterator[Read]:
    """Every record, whatever is wrong with it."""
    blank = range(0)  # lines that matter only when something follows: at the end of a file they are harmless
    for line, fields in parsed:
        fault = source.fault_of_record(faults) if faults else None
        if not fields and fault is None:
            blank = range(blank.start if blank else line, line + 1)
            if width > 1 and len(blank) > bounds.MOST_BLANK:
                raise request.too_many_blank(blank.start)
            continue
        for each in blank:
            # In a file of a single column, a blank line is how an empty text is written.
            yield (each, "", (), _wrong_count(0, width, each, request)) if width > 1 else (each, "", [""], None)
        blank = range(0)
        if fault is None and len(fields) != width:
            fault = _wrong_count(len(fields), width, line, request)
        yield line, source.record(), () if fault else fields, fault


def _wrong_count(count: int, expected: int, line: int, request: ReadRequest) -> DataError:
    if count == 0:
        mend = "remove the blank line"
    elif count > expected:
        mend = "quote the text"
    else:
        mend = "add what is missing, or check the quotes"
    fields = f"{count} field{'' if count == 1 else 's'}"
    return DataError(f"{fields}, expected {expected}", where=request.at(line), mend=mend)


_USUAL_DELIMITERS = (",", ";", "\t", "|")


def _refuse_other_delimiter(header: list[str], request: ReadRequest, delimiter: str) -> None:
    """A header of one column such as "text;label" means that the file has another delimiter."""
    if len(header) != 1 or header[0] == request.text_column:
        return
    for other in _USUAL_DELIMITERS:
        if other != delimiter and other in header[0]:
            mend = {"\t": "name it .tsv"}.get(other, f"use --set data.delimiter={other!r}")
            raise DataError(
                f"the header is one column, {show(header)}; found {other!r}", where=request.at(1), mend=mend
            )
