"""Rows that cannot be read: they stop the job, are left out or are kept without an answer, and are told of."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rnn_cli.errors import DataError

from .conftest import Done, read_table, unpacked

ASKED = ["csv", "jsonl", "parquet"]
# Row 2 of each is bad: the file's content, the line, what is said of it, and the row as it is told.
KINDS: dict[str, tuple[bytes, int, str, str]] = {
    "too many fields": (b"id,text\n1,warm\n2,a,b\n3,dull\n", 3, "3 fields, expected 2", "2,a,b"),
    "too few fields": (b"id,text\n1,warm\n2\n3,dull\n", 3, "1 field, expected 2", "2"),
    "blank line": (b"id,text\n1,warm\n\n3,dull\n", 3, "0 fields, expected 2", ""),
    "NUL": (b"id,text\n1,warm\n2,n\0ul\n3,dull\n", 3, "a NUL character", "2,nul"),
    "not UTF-8": (b"id,text\n1,warm\n2,\xe9t\n3,dull\n", 3, "not UTF-8", "2,\ufffdt"),
    "amid a record": (b'id,text\n1,warm\n2,"a\n\xff\nb"\n3,dull\n', 3, "not UTF-8", '2,"a\n\ufffd\nb"'),
    "broken JSON": (b'{"id":"1","text":"warm"}\n{"id":"2",\n{"id":"3","text":"dull"}', 2, "broken JSON", '{"id":"2",'),
    "missing key": (
        b'{"id":"1","text":"warm"}\n{"id":"2"}\n{"id":"3","text":"dull"}',
        2,
        "'text' is miss",
        '{"id":"2"}',
    ),
    "null": (b'{"id":"1","text":"warm"}\n{"text":null}\n{"id":"3","text":"dull"}', 2, "is null", '{"text":null}'),
    "a number": (b'{"id":"1","text":"warm"}\n{"text":1e4}\n{"id":"3","text":"dull"}', 2, "a number", '{"text":1e4}'),
    "NULs alone": (b'{"id":"1","text":"warm"}\n\0\0\n{"id":"3","text":"dull"}', 2, "a NUL character", ""),
    "JSON, not UTF-8": (
        b'{"id":"1","text":"warm"}\n{"id":"2","text":"\xff"}\n{"id":"3","text":"dull"}',
        *(2, "not UTF-8", '{"id":"2","text":"\ufffd"}'),
    ),
}


def named(content: bytes) -> str:
    return "in.jsonl" if content.startswith(b"{") else "in.csv"


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize(("content", "line", "what", "row"), KINDS.values(), ids=KINDS)
def test_a_bad_row_stops_the_job_with_its_line_and_nothing_is_left(
    content: bytes, line: int, what: str, row: str, asked: str, score: Any
) -> None:
    Path(name := named(content)).write_bytes(content)
    with pytest.raises(DataError) as caught:
        score(name, f"out.{asked}")
    assert what in caught.value.what and "\n" not in str(caught.value)
    line += row.count("\n") > 0  # the line of the very byte
    assert (caught.value.where or "").startswith(f"{name}:{line}")
    assert [path.name for path in Path().iterdir()] == [name]


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize(("content", "line", "what", "row"), KINDS.values(), ids=KINDS)
def test_a_bad_row_is_left_out_or_marked_and_told(
    content: bytes, line: int, what: str, row: str, asked: str, score: Any
) -> None:
    Path(name := named(content)).write_bytes(content)
    skipped: Done = score(name, f"skipped.{asked}", on_bad_row="skip")
    assert (skipped.counts.rows, skipped.counts.rejected, skipped.heard.rows) == (3, 1, 3)
    (told,) = skipped.rejected
    assert what in told.pop("error") and told == {"file": name, "line": line, "row": row}
    columns, rows = read_table(f"skipped.{asked}")
    assert columns == ["id", "text", "label", "probability", "no_known_words"]
    assert [found[:3] for found in rows] == [["1", "warm", "good"], ["3", "dull", "bad"]]

    marked: Done = score(name, f"marked.{asked}", on_bad_row="mark")
    assert marked.counts == skipped.counts and len(marked.rejected) == 1
    columns, rows = read_table(f"marked.{asked}")
    assert columns == ["id", "text", "label", "probability", "no_known_words", "error"]
    nothing = "" if asked == "csv" else None
    good, bad, also = rows
    assert [good[:2], also[:2]] == [["1", "warm"], ["3", "dull"]] and good[-1] == also[-1] == nothing
    assert bad[-4:-1] == [nothing] * 3 and what in bad[-1] and set(bad[:-1]) == {nothing}


def test_texts_of_parquet_that_are_none(score: Any) -> None:
    broken = pa.Array.from_buffers(pa.string(), 3, pa.array([b"warm", b"\xff", b"a\0b"]).buffers())
    texts = pa.chunked_array([broken, pa.array([None, "x" * 60, "dull"])])
    pq.write_table(pa.table({"id": range(6), "text": texts}), "in.parquet")
    with pytest.raises(DataError, match="^in.parquet:2: 'text' is not UTF-8; "):
        score("in.parquet", "out.parquet")
    done: Done = score("in.parquet", "out.csv", on_bad_row="skip", how={"max_field_bytes": 50})
    assert [(told["line"], told["error"]) for told in done.rejected] == [
        (2, "'text' is not UTF-8"),
        (3, "a NUL character"),
        (4, "'text' is null"),
        (5, "a text larger than 50 bytes"),
    ]
    assert done.rejected[0]["row"] is None
    assert json.loads(done.rejected[3]["row"]) == {"id": 4, "text": "x" * 60}
    assert [row[:3] for row in read_table("out.csv")[1]] == [["0", "warm", "good"], ["5", "dull", "bad"]]
    score("in.parquet", "out.parquet", on_bad_row="mark", how={"max_field_bytes": 50})
    out = pq.read_table("out.parquet")
    assert out["id"].to_pylist() == list(range(6))
    assert out["label"].to_pylist() == ["good", None, None, None, None, "bad"]
    assert out["error"].to_pylist()[3:5] == ["line 4: 'text' is null", "line 5: a text larger than 50 bytes"]


@pytest.mark.parametrize("content", [b'id,text\n1,warm\n2,"open\n3,dull\n', b"id,text\n1,warm\n2," + b"x" * 99 + b"\n"])
@pytest.mark.parametrize("on_bad_row", ["stop", "skip", "mark"])
def test_what_leaves_doubt_where_the_next_row_begins_stops(content: bytes, on_bad_row: str, score: Any) -> None:
    Path("in.csv").write_bytes(content)
    with pytest.raises(DataError, match="^in.csv:3: "):
        score("in.csv", "out.csv", on_bad_row=on_bad_row, how={"max_field_bytes": 90})
    assert [path.name for path in Path().iterdir()] == ["in.csv"]


def test_a_line_of_jsonl_that_is_too_long_is_one_bad_row(score: Any) -> None:
    long = json.dumps({"text": "x" * 3000})
    Path("in.jsonl").write_text(f'{{"text": "warm"}}\n{long}\n{{"text": "dull"}}\n')
    done: Done = score("in.jsonl", "out.jsonl", on_bad_row="skip", how={"max_field_bytes": 2000})
    (told,) = done.rejected
    assert (told["line"], told["error"]) == (2, "a line larger than 2,000 bytes")
    assert told["row"] == long[:1000] + "..."


@pytest.mark.parametrize("asked", ASKED)
def test_rows_that_are_all_bad(asked: str, score: Any) -> None:
    Path("in.jsonl").write_text("[]\n{\n")
    done: Done = score("in.jsonl", f"out.{asked}", on_bad_row="mark")
    assert (done.counts.rows, done.counts.scored) == (2, 0)
    columns, rows = read_table(f"out.{asked}")
    assert columns == ["label", "probability", "no_known_words", "error"]
    assert [len(row) for row in rows] == [4, 4]
    done = score("in.jsonl", f"none.{asked}", on_bad_row="skip")
    assert (done.counts.rows, done.counts.scored) == (2, 0)
    assert asked == "parquet" or not unpacked(f"none.{asked}").count(b"\n") > 1


def test_bad_rows_among_many_keep_all_others_in_order(score: Any, small_windows: None) -> None:
    lines = [f"{n},text {n}" if n % 7 else f"{n},a,b" for n in range(1, 100)]
    Path("in.csv").write_text("id,text\n" + "\n".join(lines))
    done: Done = score("in.csv", "out.csv", on_bad_row="skip")
    assert (done.counts.rows, done.counts.rejected) == (99, 14)
    assert [told["row"] for told in done.rejected] == lines[6::7]
    assert [row[0] for row in read_table("out.csv")[1]] == [str(n) for n in range(1, 100) if n % 7]
    score("in.csv", "marked.csv", on_bad_row="mark")
    assert [row[0] for row in read_table("marked.csv")[1]] == [str(n) if n % 7 else "" for n in range(1, 100)]


@pytest.mark.parametrize("content", [b"", b"id,text\n", b"\n\n"])
def test_no_rows_at_all(content: bytes, score: Any) -> None:
    Path(name := "in.csv" if content != b"\n\n" else "in.jsonl").write_bytes(content)
    with pytest.raises(DataError, match=f"^{name}: (is empty|has no rows); give it"):
        score(name, "out.csv", on_bad_row="skip")
    assert [path.name for path in Path().iterdir()] == [name]
