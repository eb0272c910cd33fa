"""Reads Excel workbooks (.xlsx, .xlsm): the rows of one sheet, every value as the sheet shows it.

openpyxl finds the parts and the sheets of a workbook; loads it, so import this only for workbooks. Formulas are not
computed: what the spreadsheet program stored as their value is read.
"""

import math
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import IO, Any, NamedTuple

import defusedxml  # noqa: F401  (with it openpyxl refuses XML that grows without bound, and without it reads it)
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.numbers import BUILTIN_FORMATS
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_ISO8601, to_excel
from openpyxl.xml.constants import ARC_STYLE, SHARED_STRINGS
from openpyxl.xml.functions import fromstring

from rnn_cli.data.reading import bounds
from rnn_cli.data.reading.blocks import Block, Opened, TextRow, into_blocks
from rnn_cli.data.reading.decoding import size
from rnn_cli.data.reading.header import column_settings, has_usual_name, may_be_names
from rnn_cli.data.reading.number_formats import NumberFormat, format_of_code
from rnn_cli.data.reading.opening import Seekable
from rnn_cli.data.reading.remote import safe_reason
from rnn_cli.data.reading.table import NoUsualName, ReadRequest, choose_columns, nearest_name, quoted_names
from rnn_cli.data.reading.xlsx_cells import (
    BadSheet,
    Cell,
    CellTooLarge,
    Row,
    RowTooWide,
    SheetRows,
    cell_name,
    column_name,
    read_strings,
    unescaped,
)
from rnn_cli.errors import DataError, RowError, Setting, quoted

_PART_BYTES, _PART_NODES = 1 << 24, 1_000_000
"""The maximum of a part that openpyxl reads whole, such as the list of sheets."""

_SYSTEM_DATES = frozenset({14, 22, *range(27, 37), *range(50, 59)})
_SYSTEM_MONEY = frozenset({5, 6, 7, 8, 42, 44})
"""Numbers of built-in formats that each computer shows in its own way, where the workbook does not say how."""

_FIRST_CELLS = 3  # shown of a sheet
_FIRST_ROWS = 40  # looked at where the header is refused


_WHOLE = re.compile("-?[1-9][0-9]*|0")
_GENERAL = format_of_code("General")


class _Sheet(NamedTuple):
    name: str
    part: str


class _Bounded(zipfile.ZipFile):
    """An archive whose parts can be read whole only if they are small."""

    def read(self, name: Any, pwd: bytes | None = None) -> bytes:
        if self.getinfo(name).file_size > _PART_BYTES:
            raise BadSheet(f"{name} is too large")
        content = super().read(name, pwd)
        if content.count(b"<") > _PART_NODES:
            raise BadSheet(f"{name} has too many parts")
        return content


def open_workbook(source: Seekable, request: ReadRequest) -> Opened:
    """The columns in a sheet's first row that is not empty, and the rows below it. Raises DataError, here or later.

    If lenient, records the fault of a row. Says to `request.warn` what a reader may not expect.
    """
    book = _Workbook(source, request)
    sheet = book.choose()
    table = _Table(book, sheet, request)
    return Opened("xlsx", table.columns, table.chosen, table.blocks())


class _Workbook:
    """An open workbook: its sheets, shared strings and formats."""

    def __init__(self, source: Seekable, request: ReadRequest) -> None:
        self.source, self.request = source, request
        with self.faults():
            self.archive = _Bounded(source.file)
            if bounds.is_too_much(sum(part.file_size for part in self.archive.infolist()), source.stored):
                raise self._too_much()
            self._read_parts()

    def _too_much(self) -> DataError:
        return bounds.too_much(self.request.name, "if you trust it, save it as CSV")

    def _read_parts(self) -> None:
        reader = ExcelReader(self.source.file, read_only=True, data_only=True, keep_links=False)
        reader.archive = self.archive
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of parts that are not read
            reader.read_manifest()
            reader.read_workbook()
            found = list(reader.parser.find_sheets())
        parts = frozenset(self.archive.namelist())
        self.sheets = [
            _Sheet(sheet.name, rel.target)
            for sheet, rel in found
            if rel.target in parts and rel.Type.endswith("/worksheet")  # not of a chart
        ]
        self.is_1904 = reader.wb.epoch == CALENDAR_MAC_1904
        strings = reader.package.find(SHARED_STRINGS)
        self.strings: list[str] = []
        if strings is not None:
            cost = 0

            def count(text: str) -> None:
                nonlocal cost
                cost += len(text) * (1 if text.isascii() else 4) + bounds.ROW_BYTES
                if bounds.is_too_much(cost, self.source.stored):
                    raise self._too_much()

            with self.archive.open(strings.PartName[1:]) as stream:
                self.strings = read_strings(stream, self.request.max_field_bytes, count)
        self.formats = self._formats() if ARC_STYLE in parts else []

    def _formats(self) -> list[NumberFormat]:
        """The formats of numbers, by the styles that cells name."""
        styles = fromstring(self.archive.read(ARC_STYLE))
        codes: dict[int, str] = {}
        used: list[int] = []
        for part in styles:
            name = part.tag.rpartition("}")[2]
            if name == "numFmts":
                codes = {int(each.get("numFmtId", 0)): each.get("formatCode", "") for each in part}
            elif name == "cellXfs":
                used = [int(each.get("numFmtId", 0)) for each in part]
        found = {number: self._format(number, codes.get(number)) for number in set(used)}
        return [found[number] for number in used]

    def _format(self, number: int, code: str | None) -> NumberFormat:
        if code is not None:
            return format_of_code(code, is_1904=self.is_1904)
        default = "yyyy-mm-dd" if number in _SYSTEM_DATES else "General"
        code = BUILTIN_FORMATS.get(number, default)
        return format_of_code(code, is_1904=self.is_1904, is_system=number in _SYSTEM_DATES | _SYSTEM_MONEY)

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Turn errors of the archive and of openpyxl in the block into a DataError."""
        name = self.request.name
        try:
            yield
        except DataError:
            raise
        except CellTooLarge as error:
            if error.row:
                raise self.request.too_large(error.row, "a cell") from None
            what = f"a cell larger than {self.request.max_field_bytes:,} bytes"
            raise DataError(what, where=name, hint=Setting("data.max_field_bytes", "N", "allow more with {}")) from None
        except RowTooWide:
            raise bounds.too_many_columns(name) from None
        except Exception as error:  # openpyxl raises what its parts run into
            raise self.damaged(safe_reason(error, self.request.path)) from None

    def damaged(self, reason: str) -> DataError:
        """The error for a workbook that is not as it should be."""
        return DataError(f"not a whole workbook ({reason})", where=self.request.name, hint="open and save it again")

    def choose(self) -> _Sheet:
        """The sheet that is asked for, else the only one that is not empty. Raises DataError."""
        if not self.sheets:
            hint = "save it again as .xlsx or CSV"
            raise DataError("holds no sheet that can be read", where=self.request.name, hint=hint)
        if self.request.sheet is not None:
            return self._named(self.request.sheet)
        filled = [(sheet, cells) for sheet in self.sheets if (cells := self._first_cells(sheet))]
        if len(filled) == 1 or len(self.sheets) == 1:
            return filled[0][0] if filled else self.sheets[0]
        if not filled:
            raise DataError("all of its sheets are empty", where=self.request.name, hint="give one a header and rows")
        listed = ", ".join(f"{quoted_names([sheet.name])} ({quoted_names(cells)}, ...)" for sheet, cells in filled)
        what = f"{len(filled)} of its sheets hold cells: {listed}"
        raise DataError(what, where=self.request.name, hint=Setting("data.sheet", "NAME", "choose one with {}"))

    def _named(self, asked: str) -> _Sheet:
        names = [sheet.name for sheet in self.sheets]
        if asked in names:
            return self.sheets[names.index(asked)]
        if asked.isdecimal() and 1 <= int(asked) <= len(names):
            return self.sheets[int(asked) - 1]
        meant = nearest_name(asked, names)
        hint = Setting("data.sheet", quoted(meant) if meant else "NAME", "did you mean {}?" if meant else "use {}")
        raise DataError(f"no sheet {asked!r} (sheets: {quoted_names(names)})", where=self.request.name, hint=hint)

    def _first_cells(self, sheet: _Sheet) -> list[str]:
        """The first cells of the first row that is not empty, as they are stored."""
        with self.faults(), self.archive.open(sheet.part) as stream:
            for row in SheetRows(stream, self.request.max_field_bytes):
                if cells := [text for cell in row.cells if (text := self.stored(cell, row.number))]:
                    return cells[:_FIRST_CELLS]
        return []

    def stored(self, cell: Cell, row: int) -> str:
        """A cell's value as it is stored, an empty text for none. Raises DataError."""
        if cell.kind == "s" and cell.value is not None:
            try:
                return self.strings[int(cell.value)]
            except (ValueError, IndexError):
                raise self.damaged(f"{cell_name(cell.column, row)} is none of its texts") from None
        return cell.value or ""


class _Table:
    """The rows of a sheet below its header."""

    def __init__(self, book: _Workbook, sheet: _Sheet, request: ReadRequest) -> None:
        self._book, self._sheet, self._request = book, sheet, request
        self._unshown: set[tuple[int, str]] = set()
        self._hidden = 0
        self.columns: list[str] = []
        self._rows = self._filled()
        self.columns, self._header = self._read_header()
        try:
            self.chosen = choose_columns(self.columns, request)
        except DataError as error:
            raise self._with_columns(error) from None
        self._indices = [self.columns.index(each) for each in self.chosen]
        self._wanted: Sequence[int] = range(len(self.columns)) if request.whole else self._indices
        self._is_wanted = frozenset(self._wanted)

    def blocks(self) -> Iterator[Block]:
        """The rows in blocks."""
        chosen = self._indices if self._request.whole else range(len(self._indices))
        for block in into_blocks(self._texts(), self._request):
            values: list[Any] = block.values  # empty for a faulty row
            empty = None if self._request.choose else ""
            columns = [[row[index] if row else empty for row in values] for index in chosen]
            yield replace(block, columns=columns)

    def _filled(self) -> Iterator[Row]:
        """The rows with a cell that is not empty, in order. Raises DataError."""
        book, request = self._book, self._request
        with book.faults(), book.archive.open(self._sheet.part) as stream:
            size = book.archive.getinfo(self._sheet.part).file_size
            metered = _Metered(stream, size, request.on_read, book.source.stored)
            self._source = SheetRows(metered, request.max_field_bytes)
            for row in self._source:
                if any(cell.value is None or book.stored(cell, row.number) for cell in row.cells):
                    yield row

    def _read_header(self) -> tuple[list[str], int]:
        """The names in the first row that is not empty, and its number. Raises DataError."""
        row = next(self._rows, None)
        if row is None:
            where = f"{self._request.name} (sheet {self._sheet.name!r})"
            raise DataError("is empty", where=where, hint="give it a header and rows")
        return self._cells(row), row.number

    def _cells(self, row: Row) -> list[str]:
        """What all cells of a row show, an empty text for none. Raises DataError."""
        shown: list[str] = []
        for cell in row.cells:
            if (text := self._text(cell, row.number)) is not None:
                if cell.column >= bounds.MOST_COLUMNS:
                    raise bounds.too_many_columns(self._request.name)
                shown += [""] * (cell.column - len(shown)) + [text]
        return shown

    def _with_columns(self, error: DataError) -> DataError:
        """The error that refused the header, with the row of the header below a title, or the columns to name."""
        try:
            rows = [(row.number, self._cells(row)) for row in islice(self._rows, _FIRST_ROWS)]
        except DataError:
            return error
        title, width = _filled_in(self.columns), max((_filled_in(cells) for _, cells in rows), default=0)
        below = next(((number, cells) for number, cells in rows if _filled_in(cells) == width), None)
        if below and 2 * title <= width and not has_usual_name(self.columns) and may_be_names(below[1]):
            first, header = self._header, below[0]
            above = f"row {first} stands" if header == first + 1 else f"rows {first} to {header - 1} stand"
            what = f"{above} above the header, which is in row {header} of the sheet {quoted_names([self._sheet.name])}"
            return DataError(what, where=self._request.at(first), hint="remove what is above it, and save the workbook")
        if not isinstance(error, NoUsualName):
            return error
        settings = column_settings(self.columns, [cells for _, cells in rows], self._request)
        hint = Setting(*settings[0], also=settings[1:]) if settings else error.hint
        return NoUsualName(error.what, where=error.where, hint=hint)

    def _texts(self) -> Iterator[TextRow]:
        """Each row with its values, as a spreadsheet would copy it. Raises DataError."""
        last = self._header
        for row in self._rows:
            self._refuse_many(last + 1, row.number)
            for number in range(last + 1, row.number):
                yield number, "", (), self._empty_row(number)
            last = row.number
            self._hidden += row.is_hidden
            yield self._text_row(row)
        self._tell_hidden()

    def _text_row(self, row: Row) -> TextRow:
        request, values = self._request, dict[int, str | None]()
        fault: DataError | None = None
        for cell in row.cells:
            is_beyond = cell.column >= len(self.columns)
            if not is_beyond and cell.column not in self._is_wanted:
                continue
            try:
                values[cell.column] = self._text(cell, row.number)
                if is_beyond and values[cell.column] is not None:
                    raise self._beyond(cell.column, row.number)
            except RowError as error:
                values[cell.column] = cell.value
                fault = fault or error
        found = [values.get(column) for column in self._wanted]
        raw = "\t".join([text or "" for text in found])
        if fault is None:
            fault = self._fault(found, raw, row.number)
        if request.whole and request.strip_nul and "\0" in raw:
            found = [text and text.replace("\0", "") for text in found]
        return row.number, raw, () if fault else found, fault

    def _fault(self, values: Sequence[str | None], raw: str, number: int) -> DataError | None:
        """What is wrong with a row as a whole."""
        request = self._request
        if len(raw) * 4 > request.max_field_bytes and size(raw) > request.max_field_bytes:
            return request.too_large(number, "a row")
        if request.whole and "\0" in raw and not request.strip_nul:
            return request.nul(number)
        if request.choose is None:
            text = self.columns.index(self.chosen[0])
            if values[self._wanted.index(text)] is None:
                what = f"the cell {cell_name(text, number)}, of the column {self.chosen[0]!r}, is empty"
                return RowError(what, where=request.at(number), hint="write its text, or remove the row")
        return None

    def _text(self, cell: Cell, row: int) -> str | None:
        """What a cell shows, None if it is empty. Raises RowError for an error in it, DataError for no value."""
        if cell.value is None:
            what = f"the formula in the cell {cell_name(cell.column, row)} has no stored value"
            hint = "open and save the workbook in a spreadsheet program, which computes it"
            raise DataError(what, where=self._request.at(row), hint=hint)
        if cell.kind == "s":
            return self._book.stored(cell, row) or None
        if cell.kind in ("n", "d"):
            return self._number(cell, row)
        if cell.kind == "b":
            return "TRUE" if cell.value in ("1", "true") else "FALSE"
        if cell.kind == "e":
            what = f"the cell {cell_name(cell.column, row)} holds the error {cell.value[:20]}"
            raise RowError(what, where=self._request.at(row), hint="correct it, or remove the row")
        return unescaped(cell.value) or None

    def _number(self, cell: Cell, row: int) -> str | None:
        """A number or a date as its format shows it; a whole number without a format as it is stored."""
        assert cell.value is not None
        formats = self._book.formats
        form = formats[cell.style] if cell.style < len(formats) else _GENERAL
        stored = cell.value.strip()
        if form.code in ("General", "@") and _WHOLE.fullmatch(stored):
            return stored
        try:
            number = _days(stored, self._book.is_1904) if cell.kind == "d" else float(stored)
        except ValueError:
            number = None
        if number is None or not math.isfinite(number):
            raise self._book.damaged(f"{cell_name(cell.column, row)} is no number")
        shown = form.show(number)
        if shown is None:
            shown = form.plain(number)
            self._warn_unshown(cell.column, form, shown)
        return shown

    def _warn_unshown(self, column: int, form: NumberFormat, shown: str) -> None:
        if (column, form.code) in self._unshown:
            return
        self._unshown.add((column, form.code))
        name = self.columns[column] if column < len(self.columns) else column_name(column)
        what = "dates" if form.is_date else "numbers"
        why = "each computer shows in its own way" if form.is_system else "rnn cannot show"
        how = f"have the format {form.code!r}, which {why}; they are read as {shown}"
        self._request.warn(f"{self._request.name}: {what} of the column {name!r} {how}")

    def _beyond(self, column: int, row: int) -> RowError:
        what = f"the cell {cell_name(column, row)} is not empty, and its column has no name in row {self._header}"
        return RowError(what, where=self._request.at(row), hint="name the column, or clear the cell")

    def _empty_row(self, number: int) -> RowError:
        return RowError("the row is empty, and others follow", where=self._request.at(number), hint="remove it")

    def _refuse_many(self, first: int, end: int) -> None:
        if end - first > bounds.MOST_BLANK:
            raise self._request.too_many_blank(first)

    def _tell_hidden(self) -> None:
        """Warn of hidden rows and columns, which are read."""
        width = len(self.columns)
        parts = [range(max(part.start, 0), min(part.stop, width)) for part in self._source.hidden]
        columns = len({column for part in parts for column in part})
        counts = {"row": self._hidden, "column": columns}
        if any(counts.values()):
            hidden = [f"{count:,} hidden {what}{'s' * (count > 1)}" for what, count in counts.items() if count]
            verb = "is" if sum(counts.values()) == 1 else "are"
            self._request.warn(f"{self._request.name}: {' and '.join(hidden)} {verb} read like the others")


def _filled_in(cells: Sequence[str]) -> int:
    """The number of cells that are not empty."""
    return sum(map(bool, cells))


def _days(text: str, is_1904: bool) -> float:
    """A date in ISO 8601 as a count of days. Raises ValueError."""
    days: float = to_excel(from_ISO8601(text), CALENDAR_MAC_1904 if is_1904 else CALENDAR_WINDOWS_1900)
    return days


class _Metered:
    """A part of a workbook that reports what is read as a share of the workbook's size."""

    def __init__(self, stream: IO[bytes], size: int, on_read: Callable[[int], None] | None, stored: int) -> None:
        self._stream, self._size, self._on_read, self._stored = stream, size, on_read, stored
        self._read = self._reported = 0

    def read(self, size: int) -> bytes:
        step = self._stream.read(size)
        if self._on_read:
            self._read += len(step)
            share = self._stored * self._read // max(1, self._size)
            self._on_read(share - self._reported)
            self._reported = share
        return step
