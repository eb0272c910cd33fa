"""Memory is bounded: by the bound on a field for a line without end, and for Parquet by what is read at once."""

import subprocess
import sys
import tracemalloc

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rnn_cli.errors import DataError
from tests.data.conftest import read_rows


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
        for _ in range(25):  # in shorter lines, tracemalloc takes half a minute
            file.write((b"a text of some length," * 4 + b"and its label\n") * 10_000)
    assert _peak_until_refused(path, ":2: a record larger than 16,777,216 bytes") < 100_000_000


def _peak_until_refused(path, message):
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=message):
            list(read_rows(path))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


MEASURED = """
import re, sys
import pyarrow.parquet
from rnn_cli.data.reading.readers import open_blocks
from rnn_cli.data.reading.table import ReadRequest
def mebibytes(name):
    return int(re.search(name + r":\\s+(\\d+) kB", open("/proc/self/status").read())[1]) / 1024
before, rows = mebibytes("VmRSS"), 0
request = ReadRequest(sys.argv[1], labels=False, whole=True, as_table=True, at_once=2048, characters=2 << 20)
with open_blocks(request) as opened:
    for block in opened.blocks:
        rows += len(block.lines)
print(rows, mebibytes("VmHWM") - before)
"""


@pytest.mark.parametrize("rows", [400, 1_000_000], ids=["long texts", "many rows in one group"])
def test_parquet_is_not_read_whole(rows, tmp_path):
    path, one = str(tmp_path / "f.parquet"), 160_000_000 // rows
    texts = pa.array(f"{n:06}" + "x" * (one - 6) for n in range(rows))
    # Arrow writes so many rows before it looks whether a page is full, and a page is read whole.
    pq.write_table(pa.table({"text": texts}), path, compression="none", write_batch_size=4)
    ended = subprocess.run([sys.executable, "-c", MEASURED, path], capture_output=True, text=True, check=True)
    read, mebibytes = ended.stdout.split()
    assert int(read) == rows
    assert float(mebibytes) < 100
