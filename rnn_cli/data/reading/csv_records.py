"""Lines become records, by Python's csv module in strict mode; its errors are told in words.

Knows nothing of columns.
"""

import csv
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from rnn_cli.data.reading.decoding import Faults, size
from rnn_cli.data.reading.request import ReadRequest
from rnn_cli.errors import DataError

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
    return DataError(what, where=request.at(line), mend='close it, and write a quote inside quoted text as ""')
