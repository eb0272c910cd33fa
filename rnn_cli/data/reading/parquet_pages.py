"""Bounds the memory for reading a Parquet file from the headers of its pages, before any page is decoded.

Each header gives the page's size and number of values. Arrow reserves that much, and refuses a page that turns out
smaller; so the headers bound the memory, which the footer does not.

Source: https://github.com/apache/parquet-format/blob/master/Encodings.md.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, NamedTuple

import numpy as np
import pyarrow as pa

from rnn_cli.data.reading import bounds

_WINDOW = 1 << 14  # bytes of a file to read at once, to find headers
_LONGEST_HEADER = 1 << 20
_DATA, _DICTIONARY, _DATA_2 = 0, 2, 3  # kinds of pages


class NotParquet(Exception):
    """A page's header cannot be read, or its content is impossible."""


class Page(NamedTuple):
    """A page: its number of values, and its bytes, decompressed (`size`) and in the file (`stored`).

    Its content starts at `body`; `levels` is the number of bytes before the values in a page of version 2.
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
    """Reads the headers of a file's pages; each page may occur once."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        """`size` is that of the file."""
        self._file, self._size = file, size
        self._window, self._start = b"", 0
        self._seen = 0

    def pages(self, column: Any) -> Iterator[Page]:
        """The pages of a column chunk, in the order in which Arrow reads them."""
        at, seen = column.data_page_offset, 0
        if column.has_dictionary_page and 0 < (column.dictionary_page_offset or 0) < at:
            at = column.dictionary_page_offset
        end = min(self._size, at + column.total_compressed_size)
        while seen < column.num_values and at < end:
            header, body = self._header(at)
            page = _page(header, body)
            if body + page.stored > self._size:
                raise NotParquet(f"a page of {page.stored:,} bytes extends beyond the end of the file")
            self._seen += body + page.stored - at
            if self._seen > self._size:
                raise NotParquet("its row groups share pages")
            at = body + page.stored
            # Arrow reads a page of another kind, an index, and skips it.
            seen += 0 if page.is_dictionary else page.values
            yield page

    def body(self, page: Page) -> bytes:
        """The content of a page as stored."""
        self._file.seek(page.body)
        return self._file.read(page.stored)

    def _header(self, at: int) -> tuple[dict[int, Any], int]:
        """A header, and the position of its page."""
        length = _WINDOW
        while True:
            offset = at - self._start
            if not 0 <= offset < len(self._window) or length > _WINDOW:
                self._file.seek(at)
                self._window, self._start, offset = self._file.read(length), at, 0
            try:
                header, end = _struct(self._window, offset)
                return header, self._start + end
            except IndexError:
                whole = len(self._window) - offset < length and self._start + len(self._window) >= self._size
                if whole or length >= _LONGEST_HEADER:
                    raise NotParquet("a page's header has no end") from None
                if offset:  # it starts near the end of the window
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
            raise NotParquet("a page's header gives impossible numbers")
    except (KeyError, TypeError, AttributeError):
        raise NotParquet("a page's header lacks a field") from None
    return Page(kind == _DICTIONARY, values, encoding, size, stored, body, levels, is_compressed)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """A number in bytes of seven bits, and the position after it. Raises IndexError if `data` ends before."""
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise NotParquet("a number has too many bytes")


def _signed(data: bytes, at: int) -> tuple[int, int]:
    value, at = read_varint(data, at)
    return value >> 1 ^ -(value & 1), at


def _struct(data: bytes, at: int) -> tuple[dict[int, Any], int]:
    """A struct's values by field number, and the position after it. Raises IndexError if `data` ends before."""
    fields: dict[int, Any] = {}
    field = 0
    while kind := data[at]:
        at += 1
        if kind >> 4:
            field += kind >> 4
        else:
            field, at = _signed(data, at)
        if field in fields:  # other readers may take the other one
            raise NotParquet("a page's header holds a field twice")
        if kind & 15 in (1, 2):  # a bool is stored in the field's header
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
        length, at = read_varint(data, at)
        if at + length > len(data):
            raise IndexError
        return None, at + length
    if kind in (9, 10):
        count, of = data[at] >> 4, data[at] & 15
        count, at = read_varint(data, at + 1) if count == 15 else (count, at + 1)
        for _ in range(count):
            _, at = _value(data, at, of)
        return None, at
    if kind == 12:
        return _struct(data, at)
    raise NotParquet(f"a page's header holds an unknown type ({kind})")


HELD_BYTES = 1 << 26
"""The maximum for pages held at once; above it, `RATIO` times what they take in the file."""
AT_ONCE_BYTES = 1 << 25
"""The maximum for rows read together, unless it is one row."""

_VALUE = 16  # bytes of a number, or of a dictionary index, with its levels
_BYTE_ARRAY, _FIXED = "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"
_IN_DICTIONARY = (2, 8)  # encodings
_DELTA_LENGTHS, _DELTA_TEXTS = 6, 7
_CODECS = ("snappy", "gzip", "brotli", "zstd")


class TooLarge(Exception):
    """The pages of a row group would take too much memory."""


class Leaf(NamedTuple):
    """A leaf column, of which a nested column may have several: its position in a row group, and its type.

    `repetition` counts the lists around a value, `definition` the levels at which it may be missing. `as_dictionary`
    says that Arrow returns the values as indices into a dictionary.
    """

    position: int
    path: str
    kind: str
    length: int
    repetition: int
    definition: int
    as_dictionary: bool


@dataclass(frozen=True)
class _Chunk:
    """A leaf's pages in a row group."""

    leaf: Leaf
    dictionary: int  # bytes of the dictionary
    longest: int  # bytes of the longest value in it
    pages: Sequence[Page]

    @property
    def held(self) -> int:
        """Bytes in memory while it is read, besides its values; all values of lists may belong to one row."""
        held = self.dictionary + max((page.size + page.stored + _lengths(page) for page in self.pages), default=0)
        if self.leaf.repetition:
            held += sum(page.values * (_VALUE + self._worst(page)) for page in self.pages)
        if self.leaf.as_dictionary:  # it grows by values that are in no dictionary
            held += sum(page.size for page in self.pages if page.encoding not in _IN_DICTIONARY)
        return held

    def _worst(self, page: Page) -> int:
        """The maximum of bytes per value, besides those in its page."""
        if self.leaf.kind == _FIXED:
            return self.leaf.length
        if page.encoding == _DELTA_TEXTS:  # each value may start with the one before, and so be as long as all together
            return page.size
        return self.longest if page.encoding in _IN_DICTIONARY and not self.leaf.as_dictionary else 0

    def bytes_of_rows(self, rows: int) -> int:
        """The maximum of bytes of `rows` consecutive rows, wherever they are."""
        if self.leaf.repetition or not self.pages:
            return 0
        ends = np.cumsum([page.values for page in self.pages])
        sizes = np.cumsum([0, *(0 if page.encoding in _IN_DICTIONARY else page.size for page in self.pages)])
        last = np.minimum(np.searchsorted(ends, ends - 1 + rows, side="left"), len(self.pages) - 1)
        from_pages = int((sizes[last + 1] - sizes[:-1]).max())  # rows that start with the last row of a page
        return from_pages + rows * (_VALUE + max(map(self._worst, self.pages)))


def _lengths(page: Page) -> int:
    """Bytes for the lengths of a page's values, in encodings that decode them first."""
    return 8 * page.values if page.encoding in (_DELTA_LENGTHS, _DELTA_TEXTS) else 0


class Pages:
    """The pages of a file's leaves, checked once, row group by row group."""

    def __init__(self, file: IO[bytes], size: int, leaves: Sequence[Leaf]) -> None:
        """`size` is that of the file."""
        self._headers, self._leaves = Headers(file, size), leaves

    def rows_at_once(self, group: Any, most: int) -> int:
        """How many rows of a row group to read together: a power of two, at most `most`.

        `group` is its entry in the footer. Raises NotParquet and TooLarge.
        """
        return _rows_at_once([_chunk(self._headers, group.column(leaf.position), leaf) for leaf in self._leaves], most)


def _rows_at_once(chunks: Sequence[_Chunk], most: int) -> int:
    stored = sum(page.stored for chunk in chunks for page in chunk.pages)
    if sum(chunk.held for chunk in chunks) > max(HELD_BYTES, bounds.RATIO * stored):
        raise TooLarge
    rows = 1 << max(1, most).bit_length() - 1
    while rows > 1 and sum(chunk.bytes_of_rows(rows) for chunk in chunks) > AT_ONCE_BYTES:
        rows //= 2
    return rows


def _chunk(headers: "Headers", column: Any, leaf: Leaf) -> _Chunk:
    dictionary, longest, pages = 0, 0, []
    codec = column.compression.lower()
    for page in headers.pages(column):
        if page.is_dictionary:
            dictionary = max(dictionary, page.size)
            if leaf.kind == _BYTE_ARRAY and not leaf.as_dictionary:
                longest = max(longest, _longest(_expanded(_body(headers, page), page, codec), page))
            continue
        if page.encoding in (_DELTA_LENGTHS, _DELTA_TEXTS):
            _check_lengths(_expanded(_body(headers, page), page, codec), page, leaf)
        pages.append(page)
    return _Chunk(leaf, dictionary, longest, pages)


def _body(headers: Headers, page: Page) -> bytes:
    """The stored content of a page that is to be decompressed."""
    if page.size > HELD_BYTES:
        raise TooLarge
    return headers.body(page)


def _expanded(body: bytes, page: Page, codec: str) -> bytes | None:
    """The decompressed content of a page; None for an unknown codec."""
    if codec == "uncompressed" or not page.is_compressed:
        return body
    if codec not in _CODECS:
        return None
    levels = page.levels or 0  # they are not compressed
    try:
        expanded: bytes = pa.decompress(body[levels:], page.size - levels, codec, asbytes=True)
    except (pa.ArrowException, OSError, ValueError):
        raise NotParquet("a page cannot be decompressed") from None
    return body[:levels] + expanded


def _longest(body: bytes | None, page: Page) -> int:
    """Bytes of the longest text in a dictionary."""
    if body is None:
        return page.size
    at = longest = 0
    unpack, end = struct.Struct("<I").unpack_from, len(body) - 4
    while at <= end:
        (length,) = unpack(body, at)
        longest = max(longest, length)
        at += 4 + length
    return min(longest, page.size)


def _check_lengths(body: bytes | None, page: Page, leaf: Leaf) -> None:
    """Refuse a page with more lengths than values, as Arrow decodes all lengths at once."""
    if body is None:
        raise NotParquet("lengths encoded as differences, with an unknown compression")
    at = page.levels
    if at is None:  # each kind of level starts with its length
        at = 0
        for level in (leaf.repetition, leaf.definition):
            at += 4 + int.from_bytes(body[at : at + 4], "little") if level else 0
    for _ in range(2 if page.encoding == _DELTA_TEXTS else 1):
        try:
            at = _behind_differences(body, at, page.values)
        except IndexError:
            raise NotParquet("a page ends too soon") from None


def _behind_differences(data: bytes, at: int, most: int) -> int:
    """The position after numbers in the encoding DELTA_BINARY_PACKED, of which there must be at most `most`."""
    block, at = read_varint(data, at)
    parts, at = read_varint(data, at)
    count, at = read_varint(data, at)
    _, at = read_varint(data, at)
    if count > most:
        raise NotParquet("a page has more lengths than values")
    left = count - 1
    if left > 0 and not 0 < parts <= block:
        raise NotParquet("a page's blocks have no parts")
    while left > 0:
        _, at = read_varint(data, at)
        widths, at = data[at : at + parts], at + parts
        for width in widths[: -(-left // (block // parts))]:  # parts after the last number are not stored
            at += width * (block // parts) // 8
            left -= block // parts
        if at > len(data):
            raise IndexError
    return at
