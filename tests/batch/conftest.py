"""What the tests of scored files share: a model, files written, jobs done, and readers that are not ours."""

import csv
import gzip
import io
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from rnn_cli.batch import to_file, windows
from rnn_cli.batch.job import Counts, Job, find_inputs
from rnn_cli.data.reading.names import format_of
from rnn_cli.scoring.predictor import Predictor

MODEL = {"model": "a model's"}


class Heard:
    """A listener that remembers what it hears."""

    def __init__(self) -> None:
        self.rows = self.bytes = 0
        self.notes: list[str] = []

    def to_read(self, size: int | None) -> None:
        pass

    def read(self, count: int) -> None:
        self.bytes += count

    def scored(self, count: int) -> None:
        self.rows += count

    def note(self, text: str) -> None:
        self.notes.append(text)

    warn = note


class Done(NamedTuple):
    counts: Counts
    heard: Heard
    rejected: list[dict[str, Any]]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # a thousand real ones take a minute
    return tmp_path


@pytest.fixture(scope="session")
def predictor(trained: Path) -> Predictor:
    return Predictor.open(trained, threads=2)


@pytest.fixture
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of 3 rows."""
    monkeypatch.setattr(windows, "BLOCK_ROWS", 3)


def job_of(names: str | Sequence[str], output: str | Path, **more: Any) -> Job:
    """The job that `rnn score NAMES --output OUTPUT` is."""
    inputs = find_inputs([names] if isinstance(names, str) else names, any_format=True)
    name = str(output)
    compression = {"gz": "gz", "zst": "zst"}.get(name.rpartition(".")[2])
    how = more.pop("how", {})
    return Job(tuple(inputs), more.pop("format", None) or format_of(name) or "csv", how, compression, **more)


@pytest.fixture
def score(predictor: Predictor) -> Callable[..., Done]:
    """Scores files: names, output → what came of it."""

    def call(names: str | Sequence[str], output: str, resume: bool = False, force: bool = False, **more: Any) -> Done:
        rejects, heard = Path(f"{output}.rejected.jsonl"), Heard()
        job = job_of(names, output, **more)
        how = {"resume": resume, "force": force}
        counts = to_file.score_to_file(job, predictor, MODEL, Path(output), rejects, heard, **how)
        assert counts.rows == counts.scored + counts.rejected
        told = rejects.read_text(encoding="utf-8").splitlines() if rejects.exists() else []
        assert len(told) == counts.rejected
        return Done(counts, heard, [json.loads(line) for line in told])

    return call


def packed(name: str, content: bytes) -> bytes:
    """The bytes, compressed as the name says."""
    if name.endswith(".gz"):
        return gzip.compress(content)
    return zstandard.ZstdCompressor().compress(content) if name.endswith(".zst") else content


def unpacked(name: str | Path) -> bytes:
    content = Path(name).read_bytes()
    if str(name).endswith(".gz"):
        return gzip.decompress(content)
    if str(name).endswith(".zst"):
        return zstandard.ZstdDecompressor().stream_reader(content, read_across_frames=True).read()
    return content


def write_table(name: str, columns: Sequence[str], rows: Sequence[Sequence[str]], line_end: str = "\n") -> str:
    """Write texts as a file of the format that its name says, by other libraries than ours."""
    form = format_of(name)
    if form == "parquet":
        sink = io.BytesIO()
        arrays = [pa.array([row[place] for row in rows], pa.string()) for place in range(len(columns))]
        pq.write_table(pa.Table.from_arrays(arrays, names=list(columns)), sink)
        content = sink.getvalue()
    elif form == "jsonl":
        lines = [json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) for row in rows]
        content = "".join(line + line_end for line in lines).encode()
    else:
        out = io.StringIO(newline="")
        # Before Python 3.13 the writer quotes only the line end it writes itself, and so leaves others bare.
        quoting = csv.QUOTE_MINIMAL if line_end == "\r\n" else csv.QUOTE_ALL
        delimiter = "\t" if form == "tsv" else ","
        csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=quoting).writerows([columns, *rows])
        content = out.getvalue().encode()
    Path(name).write_bytes(packed(name, content))
    return name


def read_table(name: str | Path) -> tuple[list[str], list[list[Any]]]:
    """A file's columns and rows, by other libraries than ours."""
    form = format_of(str(name))
    if form == "parquet":
        table = pq.read_table(name)
        return table.column_names, [list(row.values()) for row in table.to_pylist()]
    text = unpacked(name).decode()
    if form == "jsonl":
        records = [json.loads(line) for line in text.removesuffix("\n").split("\n")]
        return list(records[0]), [list(record.values()) for record in records]
    columns, *rows = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if form == "tsv" else ",", strict=True)
    return columns, rows
