"""Streams the rows of a worksheet's XML, and the workbook's shared strings, in bounded memory.

openpyxl's own reader of cells does not tell a formula without a value from an empty cell, nor a hidden row from others,
turns dates into values before their format is known, and keeps a node of every row. Knows nothing of files.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol
from xml.parsers import expat

from rnn_cli.data.reading.bounds import MOST_COLUMNS

MOST_ROWS = 1 << 20
"""Rows of a sheet."""

_STEP = 1 << 16  # bytes to parse at once
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_COLUMN = re.compile("[A-Z]{1,4}")


class Cell(NamedTuple):
    """A cell that is not empty: its column, from 0, the kind of its value, the value as stored, its style.

    `kind` is n, s, str, inlineStr, b, e or d, as in the file. `value` is None for a formula whose value is not stored.
    """

    column: int
    kind: str
    value: str | None
    style: int


class Row(NamedTuple):
    """A row that the file mentions: its number, from 1, whether it is hidden, and its cells."""

    number: int
    is_hidden: bool
    cells: list[Cell]


class Readable(Protocol):
    """What a sheet is read from."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""


class BadSheet(Exception):
    """The XML is not that of a sheet."""


class CellTooLarge(Exception):
    """A value is larger than allowed; `row` is its row, 0 for a shared string."""

    def __init__(self, row: int) -> None:
        super().__init__(row)
        self.row = row


class RowTooWide(Exception):
    """A row has too many cells."""


class SheetRows:
    """The rows of a sheet; `hidden` are the columns that are hidden, as ranges from 0, known with the first row."""

    def __init__(self, stream: Readable, most: int) -> None:
        """Read from `stream`; no value may have more than `most` characters."""
        self.hidden: list[range] = []
        self._stream, self._most = stream, most
        self._done: list[Row] = []
        self._cells: list[Cell] = []
        self._number = self._column = 0
        self._is_hidden = self._is_formula = self._in_data = self._has_ended = False
        self._kind, self._style = "n", 0
        self._value: str | None = None
        self._text: list[str] | None = None  # of the value that is being read
        self._size = self._phonetic = 0

    def __iter__(self) -> Iterator[Row]:
        """The rows, in order. Raises BadSheet, CellTooLarge, RowTooWide, and what the stream raises."""
        parser = _parser(self._start, self._end, self._characters)
        while not self._has_ended:
            step = self._stream.read(_STEP)
            _parse(parser, step)
            yield from self._done
            self._done.clear()
            if not step:
                return

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(" ")[2]
        if name == "c":
            self._begin_cell(attributes)
        elif name in ("v", "t"):
            if not self._phonetic:
                self._text = []
        elif name == "f":
            self._is_formula = True
        elif name == "row":
            self._begin_row(attributes)
        elif name == "rPh":
            self._phonetic += 1
        elif name == "col" and not self._in_data and attributes.get("hidden") in ("1", "true"):
            if len(self.hidden) < MOST_COLUMNS:
                self.hidden.append(range(_whole(attributes.get("min")) - 1, _whole(attributes.get("max"))))
        elif name == "sheetData":
            self._in_data = True

    def _end(self, name: str) -> None:
        name = name.rpartition(" ")[2]
        if name in ("v", "t"):
            if self._text is not None:
                self._value = (self._value or "") + "".join(self._text)
            self._text = None
        elif name == "c":
            value = None if self._value == "" and self._kind == "n" else self._value
            if value is not None or self._is_formula:
                self._cells.append(Cell(self._column - 1, self._kind, value, self._style))
            if self._column > MOST_COLUMNS:
                raise RowTooWide
        elif name == "row":
            self._done.append(Row(self._number, self._is_hidden, self._cells))
        elif name == "rPh":
            self._phonetic -= 1
        elif name == "sheetData":
            self._has_ended = True

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._size += len(text)
            if self._size > self._most:
                raise CellTooLarge(self._number)
            self._text.append(text)

    def _begin_row(self, attributes: dict[str, str]) -> None:
        number = _whole(attributes["r"]) if "r" in attributes else self._number + 1
        if not self._number < number <= MOST_ROWS:
            raise BadSheet(f"row {number} comes after row {self._number}")
        self._number, self._column = number, 0
        self._is_hidden = attributes.get("hidden") in ("1", "true")
        self._cells = []

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        column = _column(attributes["r"]) if "r" in attributes else self._column + 1
        if column <= self._column:
            raise BadSheet(f"two cells stand in {cell_name(column - 1, self._number)}")
        self._column = column
        self._kind = attributes.get("t", "n")
        self._style = _whole(attributes.get("s", "0"))
        self._value, self._is_formula, self._size = None, False, 0


def read_strings(stream: Readable, most: int, count: Callable[[str], None]) -> list[str]:
    """A workbook's shared strings, each of at most `most` characters; calls `count` with each.

    Raises BadSheet, CellTooLarge, and what the stream raises.
    """
    strings = _Strings(most, count)
    parser = _parser(strings.start, strings.end, strings.characters)
    while step := stream.read(_STEP):
        _parse(parser, step)
    _parse(parser, b"")
    return strings.found


class _Strings:
    """The shared strings found so far."""

    def __init__(self, most: int, count: Callable[[str], None]) -> None:
        self.found: list[str] = []
        self._most, self._count = most, count
        self._parts: list[str] = []
        self._size = self._text = self._phonetic = 0

    def start(self, name: str, _: dict[str, str]) -> None:
        name = name.rpartition(" ")[2]
        if name == "si":
            self._parts.clear()
            self._size = 0
        elif name == "t":
            self._text += 1
        elif name == "rPh":
            self._phonetic += 1

    def end(self, name: str) -> None:
        name = name.rpartition(" ")[2]
        if name == "si":
            self.found.append(unescaped("".join(self._parts)))
            self._count(self.found[-1])
        elif name == "t":
            self._text -= 1
        elif name == "rPh":
            self._phonetic -= 1

    def characters(self, text: str) -> None:
        if self._text and not self._phonetic:
            self._size += len(text)
            if self._size > self._most:
                raise CellTooLarge(0)
            self._parts.append(text)


def _parser(
    start: Callable[[str, dict[str, str]], None], end: Callable[[str], None], characters: Callable[[str], None]
) -> expat.XMLParserType:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = _refuse_entities  # without them no entity can be declared that grows
    return parser


def _refuse_entities(*_: object) -> None:
    raise BadSheet("it declares a document type")


def _parse(parser: expat.XMLParserType, step: bytes) -> None:
    try:
        parser.Parse(step, not step)
    except expat.ExpatError as error:
        raise BadSheet(str(error)) from None


def _whole(text: str | None) -> int:
    try:
        return int(text or "")
    except ValueError:
        raise BadSheet(f"{(text or '')[:20]!r} is no number") from None


def _column(reference: str) -> int:
    """The column of a cell such as BC7, from 1."""
    found = _COLUMN.match(reference)
    if found is None:
        raise BadSheet(f"{reference[:20]!r} is no cell")
    number = 0
    for letter in found[0]:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def column_name(column: int) -> str:
    """The letters of a column, from 0."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def cell_name(column: int, row: int) -> str:
    """A cell as a spreadsheet names it: BC7."""
    return f"{column_name(column)}{row}"


def unescaped(text: str) -> str:
    """The text with characters that XML cannot hold, written as _x000D_, as they are meant."""
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def _character(found: re.Match[str]) -> str:
    number = int(found[1], 16)
    return found[0] if 0xD800 <= number < 0xE000 else chr(number)  # halves of a character stay as they stand
