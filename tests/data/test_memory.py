"""A line without end costs no more memory than the bound on a field allows."""

import tracemalloc

import pytest

from rnn_cli.data.reading.readers import read_rows
from rnn_cli.errors import DataError


@pytest.mark.parametrize(
    ("name", "start"),
    [("f.csv", b"text,label\na,b\n"), ("f.csv", b'text,label\na,b\n"'), ("f.jsonl", b'\n\n{"text": "')],
    ids=["csv", "csv quoted", "jsonl"],
)
def test_a_line_of_100_mb_is_not_read_whole(tmp_path, name, start):
    path = tmp_path / name
    with open(path, "wb") as file:
        file.write(start)
        for _ in range(100):
            file.write(b"x" * 1_000_000)
    assert _peak_until_refused(path, ":3: a line larger than 16,777,216 bytes") < 64_000_000


def test_a_quote_left_open_does_not_swallow_the_file(tmp_path):
    path = tmp_path / "f.csv"
    with open(path, "wb") as file:
        file.write(b'text,label\n"open,b\n')
        for _ in range(50):
            file.write(b"a text of some length,and its label\n" * 30_000)
    assert _peak_until_refused(path, ":2: a record larger than 16,777,216 bytes") < 120_000_000


def _peak_until_refused(path, message):
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=message):
            list(read_rows(path))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
