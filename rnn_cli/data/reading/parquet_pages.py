"""What reading a Parquet file would take in memory, told from its pages' headers before any page is decoded.

Each page says how large it is and how many values it holds. Arrow reserves as much, and refuses a page only when it
turns out to be smaller; so what is said there bounds what reading takes, and what the footer says does not.
Source: https://github.com/apache/parquet-format/blob/master/Encodings.md.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, NamedTuple

import numpy as np
import pyarrow as pa

from rnn_cli.data.reading import bounds

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


def read_varint(data: bytes, at: int) -> tuple[int, int]:
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
    value, at = read_varint(data, at)
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
    raise NotParquet(f"a page's header holds what is no part of one ({kind})")


HELD_BYTES = 1 << 26
"""What the pages that are held at once may take; more of them may take so many times what they take in the file."""
AT_ONCE_BYTES = 1 << 25
"""What rows that are read together may take, unless it is one row."""

_VALUE = 16  # bytes of a number, or of a place in a dictionary, with its levels
_BYTE_ARRAY, _FIXED = "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"
_IN_DICTIONARY = (2, 8)  # encodings
_DELTA_LENGTHS, _DELTA_TEXTS = 6, 7
_CODECS = ("snappy", "gzip", "brotli", "zstd")


class TooLarge(Exception):
    """The pages of a row group would take more than they may."""


class Leaf(NamedTuple):
    """A column of values, of which a nested column may have several: its place in a row group, and its kind.

    Levels are how often a value is in a list, and how often it may be missing. `as_dictionary` tells that the values
    are given as places in a dictionary, in which each is held once.
    """

    place: int
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
    dictionary: int  # bytes of it,
    longest: int  # and of the longest value in it
    pages: Sequence[Page]

    @property
    def held(self) -> int:
        """What is in memory while it is read, besides its values; those of a list may all be one row's."""
        held = self.dictionary + max((page.size + page.stored + _lengths(page) for page in self.pages), default=0)
        if self.leaf.repetition:
            held += sum(page.values * (_VALUE + self._worst(page)) for page in self.pages)
        if self.leaf.as_dictionary:  # it grows by what was in none
            held += sum(page.size for page in self.pages if page.encoding not in _IN_DICTIONARY)
        return held

    def _worst(self, page: Page) -> int:
        """Bytes of a value at most, besides what its page itself holds of it."""
        if self.leaf.kind == _FIXED:
            return self.leaf.length
        if page.encoding == _DELTA_TEXTS:  # each may begin as the one before, and so be as long as all together
            return page.size
        return self.longest if page.encoding in _IN_DICTIONARY and not self.leaf.as_dictionary else 0

    def together(self, rows: int) -> int:
        """Bytes that so many neighbouring rows take at most, wherever they stand."""
        if self.leaf.repetition or not self.pages:
            return 0
        ends = np.cumsum([page.values for page in self.pages])
        sizes = np.cumsum([0, *(0 if page.encoding in _IN_DICTIONARY else page.size for page in self.pages)])
        last = np.minimum(np.searchsorted(ends, ends - 1 + rows, side="left"), len(self.pages) - 1)
        from_pages = int((sizes[last + 1] - sizes[:-1]).max())  # rows that begin with the last one of a page
        return from_pages + rows * (_VALUE + max(map(self._worst, self.pages)))


def _lengths(page: Page) -> int:
    """Bytes that the lengths of a page's values take, where they are decoded before the values are."""
    return 8 * page.values if page.encoding in (_DELTA_LENGTHS, _DELTA_TEXTS) else 0


class Pages:
    """The pages of a file's leaves, which are looked at once, row group by row group."""

    def __init__(self, file: IO[bytes], size: int, leaves: Sequence[Leaf]) -> None:
        """`size` is the file's."""
        self._headers, self._leaves = Headers(file, size), leaves

    def rows_at_once(self, group: Any, most: int) -> int:
        """How many rows of a row group can be read together, `most` or fewer: a power of two.

        `group` is what the footer says of it. Raises NotParquet and TooLarge.
        """
        return _rows_at_once([_chunk(self._headers, group.column(leaf.place), leaf) for leaf in self._leaves], most)


def _rows_at_once(chunks: Sequence[_Chunk], most: int) -> int:
    stored = sum(page.stored for chunk in chunks for page in chunk.pages)
    if sum(chunk.held for chunk in chunks) > max(HELD_BYTES, bounds.RATIO * stored):
        raise TooLarge
    rows = 1 << max(1, most).bit_length() - 1
    while rows > 1 and sum(chunk.together(rows) for chunk in chunks) > AT_ONCE_BYTES:
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
    """What a page holds, as it lies; it will be expanded."""
    if page.size > HELD_BYTES:
        raise TooLarge
    return headers.body(page)


def _expanded(body: bytes, page: Page, codec: str) -> bytes | None:
    """What a page holds; None if it is compressed in a way that nothing here expands."""
    if codec == "uncompressed" or not page.is_compressed:
        return body
    if codec not in _CODECS:
        return None
    levels = page.levels or 0  # they are not compressed
    try:
        expanded: bytes = pa.decompress(body[levels:], page.size - levels, codec, asbytes=True)
    except (pa.ArrowException, OSError, ValueError):
        raise NotParquet("a page cannot be expanded") from None
    return body[:levels] + expanded


def _longest(body: bytes | None, page: Page) -> int:
    """Bytes of the longest of a dictionary's texts."""
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
    """Refuse a page whose values' lengths, which Arrow decodes all at once, are more than its values."""
    if body is None:
        raise NotParquet("differences of lengths, compressed in an uncommon way")
    at = page.levels
    if at is None:  # each kind of level has its length before it
        at = 0
        for level in (leaf.repetition, leaf.definition):
            at += 4 + int.from_bytes(body[at : at + 4], "little") if level else 0
    for _ in range(2 if page.encoding == _DELTA_TEXTS else 1):
        try:
            at = _behind_differences(body, at, page.values)
        except IndexError:
            raise NotParquet("a page ends too soon") from None


def _behind_differences(data: bytes, at: int, most: int) -> int:
    """Where numbers in the encoding DELTA_BINARY_PACKED end, of which there are `most` at most."""
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
        for width in widths[: -(-left // (block // parts))]:  # parts behind the last number are left out
            at += width * (block // parts) // 8
            left -= block // parts
        if at > len(data):
            raise IndexError
    return at
