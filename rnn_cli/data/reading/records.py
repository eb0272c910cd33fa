"""The records of CSV and TSV: lines in, each record's fields and its lines out.

Python's csv module parses in strict mode. Nothing is converted: NA, null, 007 and 1e5 stay as they are.
"""

import csv
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from rnn_cli.data.reading.decoding import size
from rnn_cli.data.reading.table import ReadRequest
from rnn_cli.errors import DataError, Setting

_C_LONG = 2**31 - 1  # the largest limit that csv.field_size_limit accepts on every platform


class Taken(NamedTuple):
    """Records: the first line of each, each as in the file, and its fields; a blank line has none.

    `line` is their last line, and `error` ends the reading after them.
    """

    firsts: list[int]
    raws: list[str]
    fields: list[Any]
    line: int
    error: DataError | None

    @property
    def are_lines(self) -> bool:
        """Whether each record is one line."""
        return not self.firsts or self.line - self.firsts[0] + 1 == len(self.firsts)


class QuoteTrouble(DataError):
    """A quote that does not do what quotes do in CSV."""


class Records:
    """The records of lines, as the csv module finds them; raises DataError for a record that is too large.

    `first` is the first line of the last record taken. `skipped` lines of the file stand before the lines given.
    """

    def __init__(
        self,
        lines: Iterable[str],
        request: ReadRequest,
        delimiter: str,
        *,
        plain: bool = False,
        are_lines: bool = False,
        skipped: int = 0,
    ) -> None:
        """With `plain`, quotes are characters as others are. `are_lines` says that no record has several lines."""
        self.first = 0
        self._request, self._skipped = request, skipped
        self._lines: list[str] = []  # of the current record
        allow_fields(request)
        self._source = iter(lines) if are_lines or plain else None
        self._read_lines = 0
        self._parse = partial(reader, delimiter=delimiter, plain=plain, strict=True)
        self._reader = self._parse(self._read(lines))

    def _read(self, lines: Iterable[str]) -> Iterator[str]:
        request, held, taken = self._request, self._lines, 0
        for number, line in enumerate(lines, start=1 + self._skipped):
            if held:  # the first line is within the limit; measure the lines that an open quote would add
                taken = (taken if len(held) > 1 else size(held[0])) + size(line)
                if taken > request.max_field_bytes:
                    error = request.too_large(number - len(held), "a record")
                    raise QuoteTrouble(error.what, where=error.where, hint=error.hint)
            held.append(line)
            yield line

    @property
    def line(self) -> int:
        """The last line read."""
        return int(self._reader.line_num) + self._read_lines + self._skipped

    def take(self, at_once: int, characters: int) -> Taken:
        """The next records: at most `at_once`, fewer if they hold `characters` characters."""
        if self._source is not None:
            return self._take_lines(self._source, at_once, characters)
        reader, held, skipped = self._reader, self._lines, self._skipped
        firsts: list[int] = []
        raws: list[str] = []
        records: list[Any] = []
        error: DataError | None = None
        first = reader.line_num + 1 + skipped
        try:
            for fields in islice(reader, at_once):
                raw = "".join(held).rstrip("\r\n")
                held.clear()
                firsts.append(first)
                raws.append(raw)
                records.append(fields)
                first = reader.line_num + 1 + skipped
                characters -= len(raw)
                if characters <= 0:
                    break
        except csv.Error as caught:
            error = _bad_quote(str(caught), first, self._request)
        except DataError as caught:
            error = caught.with_traceback(None)  # which would keep what was read in memory
        self.first = firsts[-1] if firsts else self.first
        return Taken(firsts, raws, records, first - 1, error)

    def _take_lines(self, source: Iterator[str], at_once: int, characters: int) -> Taken:
        """The same where every record is a line, which is quicker."""
        raws: list[str] = []
        records: list[Any] = []
        error: DataError | None = None
        first = self.line + 1
        try:
            for line in source:
                raw = line.rstrip("\r\n")
                raws.append(raw)
                characters -= len(raw)
                if characters <= 0 or len(raws) >= at_once:
                    break
        except DataError as caught:
            error = caught
        try:
            records.extend(self._parse(raws))
        except csv.Error as caught:
            error = _bad_quote(str(caught), first + len(records), self._request)
        else:
            if len(records) != len(raws):
                error = DataError("the file changed while it was read", where=self._request.name, hint="try again")
        self._read_lines += len(records)
        firsts = list(range(first, first + len(records)))
        self.first = firsts[-1] if firsts else self.first
        return Taken(firsts, raws[: len(records)], records, self.line, error)


def reader(lines: Iterable[str], delimiter: str, *, plain: bool, strict: bool) -> Any:
    """A reader of the csv module; with `plain`, quotes are characters as others are."""
    if plain:
        return csv.reader(lines, delimiter=delimiter, strict=strict, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=delimiter, strict=strict)


def allow_fields(request: ReadRequest) -> None:
    """Let the csv module read fields as large as the request allows.

    Its own limit (131,072 characters) holds for the whole process, so it is only ever raised.
    """
    csv.field_size_limit(max(csv.field_size_limit(), min(request.max_field_bytes, _C_LONG)))


def _bad_quote(error: str, line: int, request: ReadRequest) -> QuoteTrouble:
    if "end of data" in error:
        what = "a quote opens in this record and is never closed"
    elif "expected after" in error:
        what = "a quote that opens in this record closes in the middle of a text"
    else:
        what = f"not a CSV record ({error})"
    text = 'close it, and write a quote inside quoted text as ""; if quotes are plain characters in this file, use {}'
    return QuoteTrouble(what, where=request.at(line), hint=Setting("data.quoting", "none", text))
