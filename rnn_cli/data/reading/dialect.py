"""How a CSV or TSV file is written, by its first lines: the line that Excel puts first, and the delimiter."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rnn_cli.data.reading.records import allow_fields, reader
from rnn_cli.data.reading.table import ReadRequest
from rnn_cli.errors import DataError

HEAD_LINES, HEAD_CHARACTERS = 2_048, 1 << 18
"""The maximum of lines, and about the maximum of characters, that are looked at before a file is read."""

USUAL_DELIMITERS = (",", ";", "\t", "|")

OF_ONE_WIDTH = 0.9
"""So many of the first rows must have the header's number of fields for a delimiter that nobody named."""

_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[\r\n]*', re.IGNORECASE)


@dataclass(frozen=True)
class Head:
    """The first lines of a file; `error` is what ended them, and `is_cut` tells that more follow."""

    lines: list[str]
    error: DataError | None
    is_cut: bool

    def rest(self, lines: Iterator[str]) -> Iterator[str]:
        """The lines that follow; raises what ended the first ones."""
        return lines if self.error is None else _raising(self.error)

    def records(self, delimiter: str, *, plain: bool = False) -> list[list[str]]:
        """The records in them, without blank lines, whatever is wrong with quotes; the last may be cut."""
        return [fields for fields in reader(self.lines, delimiter, plain=plain, strict=False) if fields]


def read_head(lines: Iterator[str], request: ReadRequest) -> Head:
    """Take the first lines of a file."""
    allow_fields(request)
    taken: list[str] = []
    left = HEAD_CHARACTERS
    try:
        for line in lines:
            taken.append(line)
            left -= len(line)
            if left <= 0 or len(taken) >= HEAD_LINES:
                return Head(taken, None, True)
    except DataError as error:
        return Head(taken, error, True)
    return Head(taken, None, False)


def _raising(error: DataError) -> Iterator[str]:
    raise error
    yield


@dataclass(frozen=True)
class Look:
    """What the first lines show: the delimiter, and the records, of which the first may be a header.

    `skipped` lines stand before them, and `width` is the number of fields in the first, without empty ones at its end.
    """

    delimiter: str
    skipped: int
    first: list[str]
    rows: list[list[str]]
    width: int

    def cells(self, index: int) -> list[str]:
        """The first values of a column."""
        return [row[index] for row in self.rows if index < len(row)]


def look_at(head: Head, request: ReadRequest, usual: str, *, plain: bool = False) -> Look:
    """Find out how a file is written; `usual` is the delimiter that is named, or that of the format."""
    separator = _separator_line(head, request)
    skipped = 0 if separator is None else 1
    head = replace(head, lines=head.lines[skipped:])
    delimiter = separator or (usual if request.delimiter is not None else _guess_delimiter(head, usual, request))
    first, *rows = head.records(delimiter, plain=plain) or [[]]
    rows = rows[:-1] if head.is_cut and len(rows) > 1 else rows
    counted = first
    if any("\n" in cell or "\r" in cell for cell in first):  # a quote that swallows rows, perhaps
        counted = head.lines[0].rstrip("\r\n").split(delimiter)
    return Look(delimiter, skipped, first, rows, len(without_empty_end(counted)) or len(counted))


def _separator_line(head: Head, request: ReadRequest) -> str | None:
    """The delimiter in a first line such as "sep=;", which Excel writes and reads. Raises DataError for another one."""
    found = _SEPARATOR_LINE.fullmatch(head.lines[0]) if head.lines else None
    if found is None or len(head.lines) < 2:
        return None
    if request.delimiter not in (None, found[1]):
        what = f"the line says that fields are separated by {found[1]!r}"
        raise DataError(what, where=request.at(1), hint="name no other delimiter, or remove the line")
    return found[1]


def _guess_delimiter(head: Head, default: str, request: ReadRequest) -> str:
    """The delimiter by the first lines: the default unless another one divides nearly all of them alike, and it not."""
    if not head.lines or head.lines[0].strip("\r\n") == request.text_column:
        return default
    width, share = _fit(head, default)
    if width > 1 and share == 1:
        return default
    best, most = default, share if width > 1 else -1.0
    for other in USUAL_DELIMITERS:
        if other != default and other in head.lines[0]:
            width, share = _fit(head, other)
            if width > 1 and share >= OF_ONE_WIDTH and share > most:
                best, most = other, share
    return best


def _fit(head: Head, delimiter: str) -> tuple[int, float]:
    """The number of the header's fields, and the share of rows that have as many, with quotes or without."""
    found = []
    for plain in (False, True):
        first, *rows = head.records(delimiter, plain=plain) or [[]]
        rows = rows[:-1] if head.is_cut and len(rows) > 1 else rows
        width = len(without_empty_end(first))
        found.append((width, sum(has_width(row, width) for row in rows) / len(rows) if rows else 1.0))
        if found[0][1] == 1:
            break
    return max(found, key=lambda each: (each[0] > 1, each[1]))


def without_empty_end(fields: Sequence[str]) -> Sequence[str]:
    """The fields without empty ones at the end."""
    end = len(fields)
    while end and not fields[end - 1].strip():
        end -= 1
    return fields[:end]


def has_width(fields: Sequence[str], width: int) -> bool:
    """Whether there are so many fields, and behind them only empty ones, as spreadsheets write them."""
    return len(fields) == width or (len(fields) > width and not any(fields[width:]))
