"""CSV and TSV: lines become records, records become rows; every irregular one is refused with its line.

Python's csv module in strict mode does the parsing. Nothing is converted: NA, null, 007 and 1e5 stay as they
are.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple

from rnn_cli.data.reading import bounds
from rnn_cli.data.reading.blocks import Block, Opened, Read, together
from rnn_cli.data.reading.decoding import Faults, lines, size
from rnn_cli.data.reading.table import ReadRequest, choose_columns, quoted_names
from rnn_cli.errors import DataError, RowError, Setting

_C_LONG = 2**31 - 1  # the least that csv.field_size_limit takes on every platform


class _Taken(NamedTuple):
    """Records: the line each begins on, each as it stands, and its fields, of which a blank line has none.

    `line` is the last one they take, and `error` what stops the reading behind them.
    """

    firsts: list[int]
    raws: list[str]
    fields: list[Any]
    line: int
    error: DataError | None


class _Records:
    """The records of a file, as the csv module finds them; refused once one has taken more than it may.

    `faults` are those of lines, where they are only noted; `first` is the line that the last record taken begins on.
    """

    def __init__(self, stream: io.BufferedReader, request: ReadRequest, delimiter: str) -> None:
        self.faults: Faults | None = {} if request.lenient else None
        self.first = 0
        self._stream, self._request = stream, request
        self._lines: list[str] = []  # of the record under way
        # The csv module's own limit (131,072 characters) is one for the process, so it is only ever raised.
        csv.field_size_limit(max(csv.field_size_limit(), min(request.max_field_bytes, _C_LONG)))
        self._reader = csv.reader(self._read(), delimiter=delimiter, strict=True)

    def _read(self) -> Iterator[str]:
        request, held, taken = self._request, self._lines, 0
        for number, line in enumerate(lines(self._stream, request, self.faults), start=1):
            if held:  # the first line of a record has been measured; what a quote left open would swallow has not
                taken = (taken if len(held) > 1 else size(held[0])) + size(line)
                if taken > request.max_field_bytes:
                    raise request.too_large(number - len(held), "a record")
            held.append(line)
            yield line

    @property
    def line(self) -> int:
        """The last line that was read."""
        return self._reader.line_num

    def take(self, at_once: int, characters: int) -> _Taken:
        """The next records, `at_once` of them, or fewer that hold so many `characters`."""
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
        what = "a quote that opens in this record is closed in the middle of a text"
    else:
        what = f"not a CSV record ({error})"
    return DataError(what, where=request.at(line), hint='close it, and write a quote inside quoted text as ""')


def open_delimited(stream: io.BufferedReader, request: ReadRequest, delimiter: str) -> Opened:
    """The columns, which the header names, and the records under it. Raises DataError, here or as they are read.

    If lenient, what is wrong with a record is noted with it, unless that leaves in doubt where the next begins, as an
    open quote does.
    """
    source = _Records(stream, request, delimiter)
    taken = source.take(1, 1)
    if (error := taken.error) is not None:
        if isinstance(error, RowError) and error.where == request.at(source.line + 1):
            raise DataError(error.what, where=error.where, hint=error.hint)
        raise error  # perhaps of a row further on, which was decoded together with the header
    header = taken.fields[0] if taken.fields else []
    if not header:
        raise DataError("line is blank", where=request.at(1), hint="the first line must name the columns")
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
        for block in together(_rows(source, taken, len(header), request), request):
            values: list[Any] = block.values  # none where a record is faulty
            columns = [[fields[index] if fields else "" for fields in values] for index in indices]
            yield replace(block, columns=columns)
            error = block.error
            if block.lines and source.first == block.lines[-1]:  # no blank lines before it are still to be given
                break


def _rows(source: _Records, taken: _Taken, width: int, request: ReadRequest) -> Iterator[Read]:
    """The records taken and all behind them as rows, whatever is wrong with each."""
    faults = source.faults
    blank = range(0)  # lines that matter only when something follows: at the end of a file they are harmless
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
                # In a file of a single column, a blank line is how an empty text is written.
                yield (line, "", (), _wrong_count(0, width, line, request)) if width > 1 else (line, "", [""], None)
            blank = range(0)
            if fault is None and len(fields) != width:
                fault = _wrong_count(len(fields), width, first, request)
            yield first, raw, () if fault else fields, fault
        if taken.error is not None:
            raise taken.error
        taken = source.take(1, 1)


def _are_regular(records: Sequence[list[str]], width: int) -> bool:
    """Whether each record is a row without a fault, as nearly all are: telling the others apart takes its time."""
    return set(map(len, records)) == {width}


def _wrong_count(count: int, expected: int, line: int, request: ReadRequest) -> DataError:
    if count == 0:
        hint = "remove the blank line"
    elif count > expected:
        hint = "quote the text"
    else:
        hint = "add what is missing, or check the quotes"
    fields = f"{count} field{'' if count == 1 else 's'}"
    return DataError(f"{fields}, expected {expected}", where=request.at(line), hint=hint)


_USUAL_DELIMITERS = (",", ";", "\t", "|")


def _refuse_other_delimiter(header: list[str], request: ReadRequest, delimiter: str) -> None:
    """A header of one column such as "text;label" means that the file has another delimiter."""
    if len(header) != 1 or header[0] == request.text_column:
        return
    for other in _USUAL_DELIMITERS:
        if other != delimiter and other in header[0]:
            hint = "name it .tsv" if other == "\t" else Setting("data.delimiter", repr(other))
            raise DataError(
                f"the header is one column, {quoted_names(header)}; found {other!r}", where=request.at(1), hint=hint
            )
