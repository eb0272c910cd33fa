"""Parquet files written byte by byte, as no library would: what their pages and footers say may be false or huge.

Source: https://github.com/apache/parquet-format (`parquet.thrift`) and Thrift's compact protocol.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

INT32, INT64, BYTE_ARRAY, FIXED = 1, 2, 6, 7
REQUIRED, OPTIONAL, REPEATED = 0, 1, 2
PLAIN, RLE, DELTA_BINARY, DELTA_LENGTH, DELTA_BYTE_ARRAY, RLE_DICTIONARY = 0, 3, 5, 6, 7, 8
CODECS = {None: 0, "snappy": 1, "gzip": 2, "brotli": 4, "zstd": 6}

Fields = dict[int, Any]
"""A Thrift struct: values by field; int, bool, bytes, a list of those or of structs, a struct."""


class Long(int):
    """An i64."""


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def zigzag(value: int) -> bytes:
    return varint(value << 1 if value >= 0 else (-value << 1) - 1)


def thrift(fields: Fields) -> bytes:
    out, last = bytearray(), 0
    for number, value in sorted(fields.items()):
        kind = (1 if value else 2) if isinstance(value, bool) else _kind(value)
        out += bytes([number - last << 4 | kind]) if number - last < 16 else bytes([kind]) + zigzag(number)
        last = number
        out += b"" if isinstance(value, bool) else _written(value)
    return bytes(out) + b"\0"


def _kind(value: Any) -> int:
    return {Long: 6, int: 5, bytes: 8, list: 9, dict: 12}[type(value)]


def _written(value: Any) -> bytes:
    if isinstance(value, int):
        return zigzag(value)
    if isinstance(value, bytes):
        return varint(len(value)) + value
    if isinstance(value, dict):
        return thrift(value)
    kind = _kind(value[0]) if value else 12
    head = bytes([len(value) << 4 | kind]) if len(value) < 15 else bytes([0xF0 | kind]) + varint(len(value))
    return head + b"".join(map(_written, value))


@dataclass
class Page:
    """A page: its content as it is before compression, and what its header says where that is not true."""

    content: bytes
    values: int
    encoding: int = PLAIN
    is_dictionary: bool = False
    codec: str | None = "zstd"
    uncompressed: int | None = None
    compressed: int | None = None

    def written(self) -> bytes:
        stored = pa.compress(self.content, self.codec, asbytes=True) if self.codec else self.content
        whole = len(self.content) if self.uncompressed is None else self.uncompressed
        head: Fields = {1: 2 if self.is_dictionary else 0, 2: whole}
        head[3] = len(stored) if self.compressed is None else self.compressed
        if self.is_dictionary:
            head[7] = {1: self.values, 2: PLAIN}
        else:
            head[5] = {1: self.values, 2: self.encoding, 3: RLE, 4: RLE}
        return thrift(head) + stored


@dataclass
class Column:
    """A column of the one schema all row groups share; `levels` are the schema elements that lead to it."""

    name: str
    pages: Sequence[Page]
    kind: int = BYTE_ARRAY
    values: int | None = None
    length: int = 0
    repetition: int = REQUIRED
    is_text: bool = True
    more: Fields = field(default_factory=dict)


def parquet(columns: Sequence[Column], rows: int, groups: int = 1, metadata: Fields | None = None) -> bytes:
    """A file whose row groups, each of so many rows, all stand in the same pages."""
    body, chunks, schema = bytearray(b"PAR1"), list[Fields](), [{4: b"schema", 5: len(columns)}]
    for column in columns:
        start = len(body)
        data = start
        for page in column.pages:
            body += page.written()
            if page.is_dictionary:
                data = len(body)
        element: Fields = {1: column.kind, 3: column.repetition, 4: column.name.encode()}
        element |= {2: column.length} if column.kind == FIXED else {}
        element |= {6: 0} if column.kind == BYTE_ARRAY and column.is_text else {}
        schema.append(element)
        values = sum(page.values for page in column.pages if not page.is_dictionary)
        size = len(body) - start
        about: Fields = {1: column.kind, 2: [PLAIN, RLE, RLE_DICTIONARY], 3: [column.name.encode()]}
        about |= {4: CODECS[column.pages[-1].codec], 5: Long(column.values or values), 6: Long(size), 7: Long(size)}
        about |= {9: Long(data)} | ({11: Long(start)} if data > start else {}) | column.more
        chunks.append({2: Long(start), 3: about})
    group = {1: chunks, 2: Long(len(body)), 3: Long(rows)}
    footer = thrift({1: 2, 2: schema, 3: Long(rows * groups), 4: [group] * groups, **(metadata or {})})
    return bytes(body) + footer + struct.pack("<I", len(footer)) + b"PAR1"


def text(value: bytes) -> bytes:
    """A value as the encoding PLAIN writes it."""
    return struct.pack("<I", len(value)) + value


def run(value: int, count: int, width: int) -> bytes:
    """`count` times a value of `width` bits, as one run."""
    return varint(count << 1) + value.to_bytes((width + 7) // 8, "little")


def same(name: str, value: bytes, rows: int, codec: str | None = "zstd") -> Column:
    """A column of one value over and over: a dictionary of it and one run."""
    pages = [
        Page(text(value), 1, is_dictionary=True, codec=codec),
        Page(b"\1" + run(0, rows, 1), rows, RLE_DICTIONARY, codec=codec),
    ]
    return Column(name, pages)


def alike(name: str, rows: int, codec: str | None = "zstd") -> Column:
    """A column of labels, a and b in turn."""
    groups = -(-rows // 8)
    pages = [
        Page(text(b"a") + text(b"b"), 2, is_dictionary=True, codec=codec),
        Page(b"\1" + varint(groups << 1 | 1) + b"\xaa" * groups, rows, RLE_DICTIONARY, codec=codec),
    ]
    return Column(name, pages)


def different(name: str, rows: int) -> Column:
    """A column of numbers, written out."""
    return Column(name, [Page(b"".join(text(b"%d" % number) for number in range(rows)), rows, codec=None)])


def numbers(values: Sequence[int]) -> bytes:
    """Numbers in the encoding DELTA_BINARY_PACKED, in blocks of one part of 128."""
    out = [varint(128), varint(1), varint(len(values)), zigzag(values[0])]
    deltas = [after - before for before, after in zip(values, values[1:], strict=False)]
    for start in range(0, len(deltas), 128):
        block = deltas[start : start + 128]
        least = min(block)
        width = (max(block) - least).bit_length()
        packed = sum(delta - least << place * width for place, delta in enumerate(block))
        out += [zigzag(least), bytes([width]), packed.to_bytes(width * 16, "little")]
    return b"".join(out)


def listed(name: str, elements: int, value: bytes = b"x") -> Column:
    """A column of one list a row, of which one row has so many elements; see `rows_of_one`."""
    levels = b"".join(
        struct.pack("<I", len(part)) + part for part in (run(0, 1, 1) + run(1, elements - 1, 1), run(1, elements, 1))
    )
    pages = [
        Page(text(value), 1, is_dictionary=True),
        Page(levels + b"\1" + run(0, elements, 1), elements, RLE_DICTIONARY),
    ]
    return Column(name, pages, repetition=REPEATED)
