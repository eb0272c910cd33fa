"""What reading a Parquet file would take in memory, told from its pages' headers before any page is decoded.

Each page says how large it is and how many values it holds. Arrow reserves as much, and refuses a page only when it
turns out to be smaller; so what is said there bounds what reading takes, and what the footer says does not.
Source: https://github.com/apache/parquet-format/blob/master/Encodings.md.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any, NamedTuple

import numpy as np
import pyarrow as pa

from rnn_cli.data.reading import bounds
from rnn_cli.data.reading.page_headers import Headers, NotParquet, Page, number

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
    block, at = number(data, at)
    parts, at = number(data, at)
    count, at = number(data, at)
    _, at = number(data, at)
    if count > most:
        raise NotParquet("a page has more lengths than values")
    left = count - 1
    if left > 0 and not 0 < parts <= block:
        raise NotParquet("a page's blocks have no parts")
    while left > 0:
        _, at = number(data, at)
        widths, at = data[at : at + parts], at + parts
        for width in widths[: -(-left // (block // parts))]:  # parts behind the last number are left out
            at += width * (block // parts) // 8
            left -= block // parts
        if at > len(data):
            raise IndexError
    return at
