"""Reads CSV and TSV: lines to records to rows; refuses every irregular record and names its line.

Python's csv module parses in strict mode. Nothing is converted: NA, null, 007 and 1e5 stay as they are.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple

from rnn_cli.data.reading import bounds
from rnn_cli.data.reading.blocks import Block, Opened, TextRow, into_blocks
from rnn_cli.data.reading.decoding import Faults, lines, size
from rnn_cli.data.reading.table import ReadRequest, choose_columns, quoted_names
from rnn_cli.errors import DataError, RowError, Setting

_C_LONG = 2**31 - 1  # the largest limit that csv.field_size_limit accepts on every platform


class _Taken(NamedTuple):
    """Records: the first line of each, each as in the file, and its fields; a blank line has none.

    `line` is their last line, and `error` ends the reading after them.
    """

    firsts: list[int]
    raws: list[str]
    fields: list[Any]
    line: int
    error: DataError | None


class _Records:
    """The records of a file, as the csv module finds them; raises DataError for a record that is too large.

    `faults` records faults of lines if reading is lenient; `first` is the first line of the last record taken.
    """

    def __init__(self, stream: io.BufferedReader, request: ReadRequest, delimiter: str) -> None:
        self.faults: Faults | None = {} if request.lenient else None
        self.first = 0
        self._stream, self._request = stream, request
        self._lines: list[str] = []  # of the current record
        # The csv module's limit (131,072 characters) holds for the whole process, so it is only ever raised.
        csv.field_size_limit(max(csv.field_size_limit(), min(request.max_field_bytes, _C_LONG)))
        self._reader = csv.reader(self._read(), delimiter=delimiter, strict=True)

    def _read(self) -> Iterator[str]:
        request, held, taken = self._request, self._lines, 0
        for number, line in enumerate(lines(self._stream, request, self.faults), start=1):
            if held:  # the first line is within the limit; measure the lines that an open quote would add
                taken = (taken if len(held) > 1 else size(held[0])) + size(line)
                if taken > request.max_field_bytes:
                    raise request.too_large(number - len(held), "a record")
            held.append(line)
            yield line

    @property
    def line(self) -> int:
        """The last line read."""
        return self._reader.line_num

    def take(self, at_once: int, characters: int) -> _Taken:
        """The next records: at most `at_once`, fewer if they hold `characters` characters."""
        reader, held = self._reader, self._lines
        firsts: list[int] = []
        raws: list[str] = []
        records: list[Any] = []
        error: DataError | None = None
        first = reader.line_num + 1
        try:
            for fields in islice(reader, at_once):
                raw = "".join(held).rstrip("\r\n")
                held.clear()
                firsts.append(first)
                raws.append(raw)
                records.append(fields)
                first = reader.line_num + 1
                characters -= len(raw)
                if characters <= 0:
                    break
        except csv.Error as caught:
            error = _bad_quote(str(caught), first, self._request)
        except DataError as caught:
            error = caught
        self.first = firsts[-1] if firsts else self.first
        return _Taken(firsts, raws, records, first - 1, error)


def _bad_quote(error: str, line: int, request: ReadRequest) -> DataError:
    if "end of data" in error:
        what = "a quote opens in this record and is never closed"
    elif "expected after" in error:
        what = "a quote that opens in this record closes in the middle of a text"
    else:
        what = f"not a CSV record ({error})"
    return DataError(what, where=request.at(line), hint='close it, and write a quote inside quoted text as ""')


def open_delimited(stream: io.BufferedReader, request: ReadRequest, delimiter: str) -> Opened:
    """The columns in the header, and the records below it. Raises DataError, here or while reading.

    If lenient, records the fault of a record, unless it hides where the next record begins, as an open quote does.
    """
    source = _Records(stream, request, delimiter)
    taken = source.take(1, 1)
    if (error := taken.error) is not None:
        if isinstance(error, RowError) and error.where == request.at(source.line + 1):
            raise DataError(error.what, where=error.where, hint=error.hint)
        raise error  # may be of a later row, decoded together with the header
    header = taken.fields[0] if taken.fields else []
    if not header:
        raise DataError("the line is blank", where=request.at(1), hint="the first line must name the columns")
    for fault in (source.faults or {}).values():
        raise fault
    _refuse_other_delimiter(header, request, delimiter)
    chosen = choose_columns(header, request)
    return Opened(delimiter, header, chosen, _blocks(source, request, header, [header.index(name) for name in chosen]))


def _blocks(source: _Records, request: ReadRequest, header: list[str], indices: Sequence[int]) -> Iterator[Block]:
    error: DataError | None = None
    while error is None:
        taken = source.take(request.at_once, request.characters)
        error = taken.error
        if not taken.fields and error is None:
            return
        if not source.faults and _are_regular(taken.fields, len(header)):
            columns = [list(map(itemgetter(index), taken.fields)) for index in indices]
            yield Block(taken.firsts, columns, taken.raws, taken.fields, {}, None, error)
            continue
        for block in into_blocks(_rows(source, taken, len(header), request), request):
            values: list[Any] = block.values  # empty for a faulty record
            columns = [[fields[index] if fields else "" for fields in values] for index in indices]
            yield replace(block, columns=columns)
            error = block.error
            if block.lines and source.first == block.lines[-1]:  # no blank lines are pending
                break


def _rows(source: _Records, taken: _Taken, width: int, request: ReadRequest) -> Iterator[TextRow]:
    """The records taken and all later ones as rows, each with its fault, if any."""
    faults = source.faults
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
                yield (line, "", (), _wrong_count(0, width, line, request)) if width > 1 else (line, "", [""], None)
            blank = range(0)
            if fault is None and len(fields) != width:
                fault = _wrong_count(len(fields), width, first, request)
            yield first, raw, () if fault else fields, fault
        if taken.error is not None:
            raise taken.error
        taken = source.take(1, 1)


def _are_regular(records: Sequence[list[str]], width: int) -> bool:
    """Whether every record has the right number of fields; this fast path serves nearly all blocks."""
    return set(map(len, records)) == {width}


def _wrong_count(count: int, expected: int, line: int, request: ReadRequest) -> DataError:
    if count == 0:
        hint = "remove the blank line"
    elif count > expected:
        hint = "quote the text"
    else:
        hint = "add the missing fields, or check the quotes"
    fields = f"{count} field{'' if count == 1 else 's'}"
    return DataError(f"{fields}, expected {expected}", where=request.at(line), hint=hint)


_USUAL_DELIMITERS = (",", ";", "\t", "|")


def _refuse_other_delimiter(header: list[str], request: ReadRequest, delimiter: str) -> None:
    """Refuse a header of one column, such as "text;label", that contains another delimiter."""
    if len(header) != 1 or header[0] == request.text_column:
        return
    for other in _USUAL_DELIMITERS:
        if other != delimiter and other in header[0]:
            hint = "name it .tsv" if other == "\t" else Setting("data.delimiter", repr(other))
            raise DataError(
                f"the header is one column, {quoted_names(header)}; found {other!r}", where=request.at(1), hint=hint
            )
