"""Files that are refused before a record is looked at: missing, foreign, cut, undecodable, swollen."""

import gzip
import random

import pytest
import zstandard

from rnn_cli.data.reading import expanding
from rnn_cli.errors import DataError
from tests.data.conftest import read_rows

H = b"text,label\n"
NOISE = random.Random(1).randbytes(5000).hex().encode()  # does not compress to nothing

# case: (the file's name, its content, part of what is said, where after the path, part of the mend)
CORPUS = {
    "empty": ("f.csv", b"", "is empty", "", "give it a header and rows"),
    "empty gz": ("f.csv.gz", gzip.compress(b""), "is empty", "", "header"),
    "only a mark": ("f.csv", b"\xef\xbb\xbf", "the line is blank", ":1", "must name the columns"),
    "NUL": ("f.csv", H + b"a,b\nc\0c,d\n", "a NUL character", ":3", "strip_nul=True"),
    "UTF-16 without a mark": (
        "f.csv",
        (H + b"a,b\n").decode().encode("utf-16-le"),
        "a NUL character",
        ":1",
        "this looks like UTF-16; use encoding=utf-16",
    ),
    "Latin-1": (
        "f.csv",
        H + b"a,b\ncaf\xe9 au lait,d\n",
        "byte 0xe9 at position 4 of the line is not UTF-8",
        ":3",
        "use encoding=latin-1 (or the file's encoding)",
    ),
    "Latin-1, first byte": ("f.csv", b"\xe9,label\n", "byte 0xe9 at position 1", ":1", "latin-1"),
    "Latin-1 after CRLF": (
        "f.csv",
        b"text,label\r\na,b\r\n\xe9,c",
        "byte 0xe9 at position 1",
        ":3",
        "latin-1",
    ),
    "Latin-1 after CR": ("f.csv", b"text,label\ra,b\r\xe9,c", "byte 0xe9 at position 1", ":3", "latin-1"),
    "Latin-1 in JSON": ("f.jsonl", b'{"text": "\xe9"}', "byte 0xe9 at position 11", ":1", "latin-1"),
    "far Latin-1": (
        "f.csv",
        H + b"good text,b\r\n" * 20_000 + b"x" * 99_999 + b"\xff,c\n",
        "byte 0xff at position 100000 of the line",
        ":20002",
        "latin-1",
    ),
    "far Latin-1 in gz": (
        "f.csv.gz",
        gzip.compress(H + "gütes,b\n".encode() * 20_000 + "ü".encode() + b"\xff,c\n"),
        "byte 0xff at position 3 of the line",
        ":20002",
        "most of the file is UTF-8: write this line again",
    ),
    "cut in a character": ("f.csv", H + b"a,\xe2\x82", "byte 0xe2 at position 3", ":2", "most of the file is UTF-8"),
    "marks of cp1252": ("f.csv", H + b"Gr\xf6\xdfe \x96 gut,a\n", "byte 0xf6", ":2", "use encoding=cp1252"),
    "no mark of cp1252": ("f.csv", H + b"\x81\x93,a\n", "byte 0x81", ":2", "use encoding=latin-1"),
    "UTF-16, big-endian": (
        "f.csv",
        "text,label\na,b\n".encode("utf-16-be"),
        "a NUL character",
        ":1",
        "this looks like UTF-16; use encoding=utf-16-be",
    ),
    "half of UTF-16": (
        "f.csv",
        b"\xff\xfe" + "text,label\nc".encode("utf-16-le") + b"d",
        "is not UTF-16-LE",
        ":2",
        "encod",
    ),
    "no suffix": ("f", H + b"a,b\n", "its name does not say its format", "", "name it .csv"),
    "txt": ("f.txt", H + b"a,b\n", "its name does not say its format", "", "format=csv"),
    "json": ("f.json", b"[]", "its name does not say its format", "", "one object per line is .jsonl"),
    "not Parquet": ("f.parquet", H + b"a,b\n", "is not a Parquet file", "", "correct its name"),
    "cut Parquet": ("f.parquet", b"PAR1 and no more", "not a whole Parquet file (", "", "write it again"),
    "Excel": ("f.csv", b"PK\x03\x04rest", "is a zip archive or an Excel workbook", "", "save it as CSV"),
    "xz": ("f.csv", b"\xfd7zXZ\x00rest", "is compressed with xz", "", "plain, .gz or .zst"),
    "gz in gz": ("f.csv.gz", gzip.compress(gzip.compress(H)), "is compressed twice", "", "plain"),
    "cut gz": ("f.csv.gz", gzip.compress(H + NOISE)[:-100], "is damaged or cut short", "", "copy"),
    "gz without its sum": ("f.csv.gz", gzip.compress(H + b"a,b\n")[:-1], "damaged or cut short", "", "copy"),
    "gz of another sum": (
        "f.csv.gz",
        gzip.compress(H + b"a,b\n")[:-8] + b"\0" * 8,
        "its compressed data is damaged or cut short",
        "",
        "copy or compress it again",
    ),
    "flipped gz": (
        "f.csv.gz",
        gzip.compress(H + NOISE)[:400] + b"\xff\xff\xff\xff" + gzip.compress(H + NOISE)[404:],
        "damaged or cut short",
        "",
        "copy",
    ),
    "trash after gz": (
        "f.csv.gz",
        gzip.compress(H + b"a,b\n") + b"trash",
        "damaged or cut short",
        "",
        "copy",
    ),
    "cut zst": (
        "f.csv.zst",
        zstandard.ZstdCompressor().compress(H + NOISE)[:-100],
        "damaged or cut short",
        "",
        "copy",
    ),
    "only magic of zst": ("f.csv.zst", expanding.ZSTD, "damaged or cut short", "", "copy"),
    "trash after zst": (
        "f.csv.zst",
        zstandard.ZstdCompressor().compress(H + b"a,b\n") + b"trash",
        "damaged or cut short",
        "",
        "copy",
    ),
}


@pytest.mark.parametrize(("name", "content", "what", "place", "hint"), CORPUS.values(), ids=CORPUS)
def test_bad_file(refused, name, content, what, place, hint):
    refused(name, content, what, place, hint)


def test_missing_directory_unreadable(tmp_path, monkeypatch):
    def message(path):
        with pytest.raises(DataError) as caught:
            list(read_rows(path))
        assert str(path) in caught.value.where
        return caught.value.what

    assert message(tmp_path / "none.csv") == "no such file"
    assert message(tmp_path) == "holds no rows and no texts"
    (tmp_path / "f.csv").write_bytes(H)
    assert message(tmp_path / "f.csv" / "g.csv") == "no such file"

    def denied(*_):
        raise PermissionError(13, "Permission denied")

    # Not by chmod: the tests may run as root, who may read everything.
    monkeypatch.setattr("builtins.open", denied)
    assert message("f.csv") == "cannot be read (permission denied)"


def test_a_nul_in_a_path_is_no_such_file():
    with pytest.raises(DataError, match="no such file"):
        list(read_rows("a\0b.csv"))
