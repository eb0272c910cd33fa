"""The headers of a Parquet file's pages, read without the pages: structs in Thrift's compact protocol.

Sources: https://github.com/apache/parquet-format (`parquet.thrift`) and
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md.
"""

from collections.abc import Iterator
from typing import IO, Any, NamedTuple

_WINDOW = 1 << 14  # bytes that are read of a file at once, to look for headers
_LONGEST_HEADER = 1 << 20
_DATA, _DICTIONARY, _DATA_2 = 0, 2, 3  # kinds of pages


class NotParquet(Exception):
    """A page's header cannot be read, or tells what cannot be."""


class Page(NamedTuple):
    """A page: how many values it holds, and how many bytes, expanded (`size`) and as it lies (`stored`).

    Its content begins at `body`; `levels` are the bytes before the values of a page of the second version.
    """

    is_dictionary: bool
    values: int
    encoding: int
    size: int
    stored: int
    body: int
    levels: int | None
    is_compressed: bool


class Headers:
    """The pages of a file, by their headers; each may be met once."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        """`size` is the file's."""
        self._file, self._size = file, size
        self._window, self._start = b"", 0
        self._seen = 0

    def pages(self, column: Any) -> Iterator[Page]:
        """Those of a column's chunk, in the order in which Arrow meets them."""
        at, seen = column.data_page_offset, 0
        if column.has_dictionary_page and 0 < (column.dictionary_page_offset or 0) < at:
            at = column.dictionary_page_offset
        end = min(self._size, at + column.total_compressed_size)
        while seen < column.num_values and at < end:
            header, body = self._header(at)
            page = _page(header, body)
            if body + page.stored > self._size:
                raise NotParquet(f"a page of {page.stored:,} bytes goes beyond the file's end")
            self._seen += body + page.stored - at
            if self._seen > self._size:
                raise NotParquet("its row groups share pages")
            at = body + page.stored
            # A page of another kind, an index, is passed over, but read.
            seen += 0 if page.is_dictionary else page.values
            yield page

    def body(self, page: Page) -> bytes:
        """What a page holds, as it lies."""
        self._file.seek(page.body)
        return self._file.read(page.stored)

    def _header(self, at: int) -> tuple[dict[int, Any], int]:
        """A header, and where its page begins."""
        length = _WINDOW
        while True:
            begun = at - self._start
            if not 0 <= begun < len(self._window) or length > _WINDOW:
                self._file.seek(at)
                self._window, self._start, begun = self._file.read(length), at, 0
            try:
                header, behind = _struct(self._window, begun)
                return header, self._start + behind
            except IndexError:
                whole = len(self._window) - begun < length and self._start + len(self._window) >= self._size
                if whole or length >= _LONGEST_HEADER:
                    raise NotParquet("a page's header has no end") from None
                if begun:  # it began near the end of what was read
                    self._window = b""
                else:
                    length *= 8
            except RecursionError:
                raise NotParquet("a page's header is nested too deeply") from None


def _page(header: dict[int, Any], body: int) -> Page:
    try:
        kind, size, stored = header[1], header[2], header[3]
        levels, is_compressed = None, True
        about: dict[int, Any] = {}
        if kind == _DICTIONARY:
            about = header[7]
        elif kind == _DATA:
            about = header[5]
        elif kind == _DATA_2:
            about = header[8]
            levels, is_compressed = about[5] + about[6], about.get(7, True)
        values = about.get(1, 0)
        encoding = about.get(4 if kind == _DATA_2 else 2, 0)
        if min(size, stored, values, levels or 0) < 0 or max(size, stored, values) >= 1 << 31:
            raise NotParquet("a page's header tells what cannot be")
    except (KeyError, TypeError, AttributeError):
        raise NotParquet("a page's header lacks something") from None
    return Page(kind == _DICTIONARY, values, encoding, size, stored, body, levels, is_compressed)


def number(data: bytes, at: int) -> tuple[int, int]:
    """A number of some bytes of seven bits, and where it ends. Raises IndexError where `data` ends before."""
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise NotParquet("a number of too many bytes")


def _signed(data: bytes, at: int) -> tuple[int, int]:
    value, at = number(data, at)
    return value >> 1 ^ -(value & 1), at


def _struct(data: bytes, at: int) -> tuple[dict[int, Any], int]:
    """A struct's values by their fields' numbers, and where it ends. Raises IndexError where `data` ends before."""
    fields: dict[int, Any] = {}
    field = 0
    while kind := data[at]:
        at += 1
        if kind >> 4:
            field += kind >> 4
        else:
            field, at = _signed(data, at)
        if field in fields:  # of two, others may take the other one
            raise NotParquet("a page's header tells something twice")
        if kind & 15 in (1, 2):  # a bool stands in its field's head
            fields[field] = kind & 15 == 1
        else:
            fields[field], at = _value(data, at, kind & 15)
    return fields, at + 1


def _value(data: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind in (1, 2, 3):  # bools of a list, and bytes
        return data[at], at + 1
    if kind in (4, 5, 6):
        return _signed(data, at)
    if kind == 7:
        return None, at + 8
    if kind == 8:
        length, at = number(data, at)
        if at + length > len(data):
            raise IndexError
        return None, at + length
    if kind in (9, 10):
        count, of = data[at] >> 4, data[at] & 15
        count, at = number(data, at + 1) if count == 15 else (count, at + 1)
        for _ in range(count):
            _, at = _value(data, at, of)
        return None, at
    if kind == 12:
        return _struct(data, at)
    raise NotParquet(f"a page's header holds what is no part of one ({kind})")
