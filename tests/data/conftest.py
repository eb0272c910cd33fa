"""Files for the readers' tests: bytes under a name, rows in every format, compression."""

import csv
import gzip
import io
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from rnn_cli.data.reading.readers import read_labelled
from rnn_cli.data.reading.table import ReadRequest
from rnn_cli.errors import DataError

Pairs = Sequence[tuple[str, str]]


class Row(NamedTuple):
    line: int
    text: str
    label: str | None


def read_rows(path: str | os.PathLike[str], **how: Any) -> Iterator[Row]:
    """A file's rows as training reads them, one by one."""
    for block in read_labelled(ReadRequest(os.fspath(path), **how)):
        _, labels = [*block.columns, [None] * len(block.lines)][:2]
        yield from map(Row, block.lines, block.texts, labels)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, bytes | str], str]:
    """Write bytes (or UTF-8 text) under a name; the answer is the path."""

    def write_file(name: str, content: bytes | str) -> str:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write_file


@pytest.fixture(scope="session")
def encode() -> Callable[..., bytes]:
    """(text, label) pairs as the bytes of a file of one format."""

    def in_format(form: str, pairs: Pairs, line_end: str = "\n") -> bytes:
        if form == "parquet":
            table = pa.table({"text": [t for t, _ in pairs], "label": [c for _, c in pairs]})
            sink = io.BytesIO()
            pq.write_table(table, sink)
            return sink.getvalue()
        if form == "jsonl":
            lines = [json.dumps({"text": t, "label": c}, ensure_ascii=False) for t, c in pairs]
            return "".join(line + line_end for line in lines).encode()
        out = io.StringIO(newline="")
        # Before Python 3.13 the writer quotes only the line end it writes itself, and so leaves others bare.
        quoting = csv.QUOTE_MINIMAL if line_end == "\r\n" else csv.QUOTE_ALL
        delimiter = {"csv": ",", "tsv": "\t"}[form]
        writer = csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
        writer.writerows([("text", "label"), *pairs])
        return out.getvalue().encode()

    return in_format


@pytest.fixture(scope="session")
def compress() -> Callable[[str, bytes], bytes]:
    """Bytes, compressed as the suffix says; "" leaves them."""

    def as_suffix(suffix: str, content: bytes) -> bytes:
        return {"": bytes, ".gz": gzip.compress, ".zst": zstandard.ZstdCompressor().compress}[suffix](content)

    return as_suffix


@pytest.fixture
def refused(write: Callable[[str, bytes | str], str]) -> Callable[..., None]:
    """Assert that a file is refused in one line that says what, where and how to mend it."""

    def check(name: str, content: bytes, what: str, place: str, hint: str) -> None:
        path = write(name, content)
        with pytest.raises(DataError) as caught:
            list(read_rows(path))
        error = caught.value
        assert what in error.what
        assert error.where == path + place or (place.endswith(":") and error.where.startswith(path + place))
        assert hint in str(error.hint)
        assert error.exit_code == 2 and "\n" not in str(error)

    return check
