"""What quotes mean in a CSV or TSV file: around fields, or characters like others; and quotes that swallow rows.

A whole file is scanned once before it is read, mostly for no more than whether it holds a quote at all. Only a quote in
an odd place, or a quoted field whose lines look like rows, makes a second, closer look necessary.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from rnn_cli.data.reading.decoding import lines, text_of
from rnn_cli.data.reading.dialect import Look, has_width
from rnn_cli.data.reading.opening import open_bytes
from rnn_cli.data.reading.records import QuoteTrouble, Records
from rnn_cli.data.reading.table import BLOCK_CHARACTERS, BLOCK_ROWS, ReadRequest, is_number
from rnn_cli.errors import DataError, Setting

_CHUNK = 1 << 20
_LINE_END = re.compile(r"\r\n|\r|\n")
_MOST_VALUES = 2_000
_ENOUGH = 20  # rows that say whether a column holds labels


class Habits:
    """What the values of each column look like, by the first rows."""

    def __init__(self, rows: Iterable[Sequence[str]], width: int) -> None:
        rows = [row for row in rows if has_width(row, width) and not any("\n" in cell or "\r" in cell for cell in row)]
        self.has_blank_starts = any(cell[:1].isspace() for row in rows for cell in row)
        self._columns = [_Habit([row[index] for row in rows]) for index in range(width)]

    def fit(self, index: int, cell: str) -> bool:
        """Whether a value may well be one of a column."""
        return self._columns[index].fits(cell) if index < len(self._columns) else not cell

    def know(self, index: int, cell: str) -> bool:
        """Whether a value is one of those of a column, or a number in a column of numbers."""
        return index < len(self._columns) and self._columns[index].knows(cell)


def _is_word(cell: str) -> bool:
    return any(map(str.isalnum, cell))


class _Habit:
    def __init__(self, cells: Sequence[str]) -> None:
        self._values = set(cells[:_MOST_VALUES])
        self._are_few = len(cells) >= _ENOUGH and len(self._values) * 4 <= len(cells)
        self._are_numbers = len(cells) >= 3 and all(map(is_number, self._values))
        self._has_blank_starts = any(cell[:1].isspace() for cell in self._values)

    def knows(self, cell: str) -> bool:
        return (cell in self._values and _is_word(cell)) or (self._are_numbers and bool(cell) and is_number(cell))

    def fits(self, cell: str) -> bool:
        if cell in self._values:
            return True
        if self._are_few or not cell:
            return False
        # Behind a comma in a sentence stands a blank.
        return not (cell[0].isspace() and not self._has_blank_starts) and (not self._are_numbers or is_number(cell))


def swallowed(fields: Sequence[str], delimiter: str, habits: Habits) -> tuple[int, int] | None:
    """The line of a record, from 0, where a quote opens a field whose lines look like rows, and how many are swallowed.

    A field's line looks like a row if it completes the number of fields with values that fit their columns. None if no
    field is of such lines for the most part, or none of their values is known in its column. The lines of a single
    column tell nothing.
    """
    before = 0
    for index, field in enumerate(fields):
        parts = _LINE_END.split(field)
        if len(parts) > 1 and _are_rows(parts, index, fields, delimiter, habits):
            return before, len(parts) - 1
        before += len(parts) - 1
    return None


def _are_rows(parts: Sequence[str], index: int, fields: Sequence[str], delimiter: str, habits: Habits) -> bool:
    like = judged = 0
    last, width = len(parts) - 1, len(fields)
    known = {(column, cell) for column, cell in enumerate(fields) if column != index and _is_word(cell)}
    is_known = False
    for number, part in enumerate(parts):
        # The first and the last line stand in rows of which the other fields are beyond doubt.
        start = index if number == 0 else 0
        end = index + 1 if number == last else width
        if end - start < 2:
            continue
        judged += 1
        cells = part.split(delimiter)
        if len(cells) != end - start:
            continue
        others = [(column, cell) for column, cell in enumerate(cells, start=start) if column != index]
        if all(habits.fit(*each) for each in others):
            like += 1
            is_known = is_known or any(each in known or habits.know(*each) for each in others)
            known.update(each for each in others if _is_word(each[1]))
    return is_known and like * 2 > judged


def swallowing(line: int, count: int, request: ReadRequest) -> QuoteTrouble:
    """The error for a quote, opened in this line, that swallows so many of the next lines."""
    rows = "the next line, which looks like a row" if count == 1 else f"the next {count:,} lines, which look like rows"
    one_text = Setting("data.quoting", "csv", ", if the lines are one text, {}")
    hint = Setting("data.quoting", "none", "double it; if quotes are plain characters here, use {}", more=(one_text,))
    return QuoteTrouble(f"a quote opens here and swallows {rows}", where=request.at(line), hint=hint)


class Quoting(NamedTuple):
    """What quotes mean in a file: `csv` or `none`.

    `are_lines` says that every record is known to be a line, `watch` that a quote may swallow rows.
    """

    kind: str
    are_lines: bool = False
    watch: bool = False


def quoting_of(request: ReadRequest, look: Look, habits: Habits) -> Quoting:
    """What quotes mean in a whole file.

    They are plain characters if they make no sense as CSV's, all lines have the right number of fields without them,
    and nothing speaks for CSV: no fields that are quoted throughout. With another delimiter than the tab, a quote
    within a field that does not begin with one must be there, too.
    """
    scan = _Scan(look.delimiter, habits, look.width)
    try:
        if scan.is_plain(request):
            return Quoting("csv", are_lines=scan.are_lines)
        if not scan.is_open and not _has_trouble(request, look, habits):
            return Quoting("csv")
        if _are_characters(request, look):
            return Quoting("none", are_lines=True)
    except DataError:  # of the file itself: reading meets it, too
        pass
    return Quoting("csv", watch=True)


class _Scan:
    """A quick look at all quotes of a file.

    In the end `are_lines` says whether no quoted field has several lines, `is_open` whether one seems to have no end.
    """

    def __init__(self, delimiter: str, habits: Habits, width: int) -> None:
        self.are_lines, self.is_open = True, False
        self._delimiter, self._habits, self._width = delimiter, habits, width
        self._beside = f"{delimiter}\r\n"

    def is_plain(self, request: ReadRequest) -> bool:
        """Whether every quote is beside a delimiter, a line's end or another quote, and no quoted line may be a row."""
        held: list[str] = []  # the beginning of a record
        size, is_within = 0, False
        with open_bytes(request.path) as stream, text_of(stream, request, errors="replace")[0] as text:
            while chunk := text.read(_CHUNK):
                end = max(chunk.rfind("\n"), chunk.rfind("\r", 0, -1)) + 1
                quotes = chunk.count('"', 0, end)
                if quotes % 2 != is_within or not end:  # amid a quoted field
                    is_within = is_within != chunk.count('"') % 2
                    held.append(chunk)
                    size += len(chunk)
                    if size > request.max_field_bytes + _CHUNK:
                        self.is_open = is_within
                        return not any('"' in each for each in held)
                    continue
                if (quotes or any('"' in each for each in held)) and not self._are_plain("".join(held) + chunk[:end]):
                    return False
                held, size = [chunk[end:]], len(chunk) - end
                is_within = chunk.count('"', end) % 2 == 1
        self.is_open = is_within
        return not is_within and self._are_plain("".join(held))

    def _are_plain(self, records: str) -> bool:
        pieces = records.split('"')
        if len(pieces) == 1:
            return True
        beside, delimiter = self._beside, self._delimiter
        first, *between, last = pieces[0::2]
        if first[-1:] not in beside or last[:1] not in beside:
            return False
        if any(piece[:1] not in beside or piece[-1:] not in beside for piece in set(between)):
            return False
        joined = "".join(pieces[1::2])
        if "\n" not in joined and "\r" not in joined:
            return True
        self.are_lines = False
        # In prose a blank stands behind a comma: then no line of it is a row.
        if self._width == 1:
            return True
        if not self._habits.has_blank_starts:
            if not re.search(rf"{re.escape(delimiter)}[^ \r\n]", joined):
                return True
        quoted = [piece for piece in pieces[1::2] if "\n" in piece or "\r" in piece]
        return not any(_may_hold_rows(piece, delimiter, self._habits, self._width) for piece in quoted)


def _may_hold_rows(piece: str, delimiter: str, habits: Habits, width: int) -> bool:
    """Whether `swallowed` could say so of a field with this part between two quotes; quickly."""
    if delimiter not in piece:
        return False
    parts = _LINE_END.split(piece)
    if len(parts) == 2 and width > 2 and piece.count(delimiter) == width - 1:
        return True
    for part in parts:
        if part.count(delimiter) == width - 1:
            if sum(map(habits.fit, range(width), part.split(delimiter))) >= width - 1:
                return True
    return False


def _has_trouble(request: ReadRequest, look: Look, habits: Habits) -> bool:
    """Whether a quote is in the way where the file is read as CSV."""
    has_lines = is_within = False
    with open_bytes(request.path) as stream:
        source = islice(lines(stream, request, {}), look.skipped, None)
        records = Records(source, request, look.delimiter)
        while (taken := records.take(BLOCK_ROWS, BLOCK_CHARACTERS)).fields:
            if not taken.are_lines:
                has_lines = True
                if any(swallowed(fields, look.delimiter, habits) for fields in taken.fields):
                    return True
            # In a single column nothing else tells texts of several lines from a quote that swallows some.
            is_within = is_within or any(raw[0] != '"' and '"' in raw for raw in filter(None, taken.raws))
            if look.width == 1 and has_lines and is_within:
                return True
            if taken.error is not None:
                break
    return isinstance(taken.error, QuoteTrouble)


def _are_characters(request: ReadRequest, look: Look) -> bool:
    """Whether a file is of whole lines if quotes are characters, and no field of it is quoted as CSV quotes."""
    delimiter, width = look.delimiter, look.width
    rows, throughout, is_within, blank = 0, [0] * width, delimiter == "\t", False
    with open_bytes(request.path) as stream:
        try:
            for line in islice(lines(stream, request, {}), look.skipped, None):
                cells = line.rstrip("\r\n").split(delimiter)
                if width > 1 and cells == [""]:
                    blank = True
                    continue
                if blank or not has_width(cells, width):
                    return False
                if '"' in line:
                    if any(map(_is_escaped, cells)):
                        return False
                    is_quoted = [_is_quoted(cell) for cell in cells[:width]]
                    if rows == 0 and any(is_quoted):
                        return False  # the names of the columns
                    throughout = list(map(int.__add__, throughout, is_quoted))
                    is_within = is_within or any('"' in cell and cell[0] != '"' for cell in cells)
                rows += 1
        except DataError:
            return False
    return is_within and all(count * 2 <= rows for count in throughout)


def _is_quoted(cell: str) -> bool:
    return len(cell) > 1 and cell[0] == cell[-1] == '"'


def _is_escaped(cell: str) -> bool:
    """Whether a cell is quoted and holds quotes, all of them doubled."""
    return _is_quoted(cell) and '""' in cell[1:-1] and '"' not in cell[1:-1].replace('""', "")
