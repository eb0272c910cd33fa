"""What stands in other columns: numbers, dates, nested and missing values, whatever they become."""

import datetime
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rnn_cli.batch.text_writers import as_json, as_they_stand, harmless
from rnn_cli.errors import DataError

from .conftest import Done, read_table, unpacked, write_table

ADDED = ["label", "probability", "no_known_words"]


@pytest.mark.parametrize("asked", ["csv", "tsv", "parquet"])
def test_json_values_become_cells_as_they_are_written(asked: str, score: Any) -> None:
    written = ["1.0", "1e400", "-0", "0", "1.50", "123456789012345678901234567890", "true", '[ 1.0,{"a" :1e-7} ]', "{}"]
    lines = [f'{{ "text" :"a","n": {value} , "s":"\\u00e9\\n\\"" }}' for value in written]
    lines += ['{"text": "a", "n": null}', '{"n": "1.0", "text": "a", "s": "null"}']
    Path("in.jsonl").write_text("\n".join(lines))
    score("in.jsonl", f"out.{asked}")
    columns, rows = read_table(f"out.{asked}")
    nothing = None if asked == "parquet" else ""
    assert columns == ["text", "n", "s", *ADDED]
    assert [row[1] for row in rows] == [*written, nothing, "1.0"]
    assert [row[2] for row in rows] == ['é\n"'] * len(written) + [nothing, "null"]


@pytest.mark.parametrize(
    "raw", ["{}", "{ }", '{"a":1}', ' {"a" : "\\"}" ,\t"b\\n":[{"c":"]"}, 2.0] }'.strip(), '{"": null, "x": false}']
)
def test_an_object_taken_apart_is_what_json_reads(raw: str) -> None:
    taken = as_they_stand(raw)
    read = json.loads(raw)
    assert list(taken) == list(read)
    for key, value in read.items():
        assert (taken[key] == value) if isinstance(value, str | None) else json.loads(taken[key] or "") == value


TYPES = {
    "int8": (pa.array([1, None, -3], pa.int8()), ["1", "", "-3"], [1, None, -3]),
    "uint64": (pa.array([2**64 - 1, 0, None], pa.uint64()), ["18446744073709551615", "0", ""], [2**64 - 1, 0, None]),
    "float": (pa.array([0.1, float("nan"), None]), ["0.1", "NaN", ""], [0.1, None, None]),
    "bool": (pa.array([True, False, None]), ["true", "false", ""], [True, False, None]),
    "decimal": (pa.array([Decimal("1.10"), None, None]), ["1.10", "", ""], ["1.10", None, None]),
    "date": (pa.array([datetime.date(2024, 2, 29), None, None]), ["2024-02-29", "", ""], ["2024-02-29", None, None]),
    "time": (pa.array([1, None, None], pa.timestamp("ns")), ["1970-01-01 00:00:00.000000001", "", ""], None),
    "far": (pa.array([253_402_300_800, None, None], pa.timestamp("s")), ["10000-01-01 00:00:00.000", "", ""], None),
    "list": (pa.array([[1, None], [], None]), ["[1, null]", "[]", ""], [[1, None], [], None]),
    "struct": (pa.array([{"a": [1.5]}, None, None]), ['{"a": [1.5]}', "", ""], [{"a": [1.5]}, None, None]),
    "category": (pa.array(["x", None, "x"]).dictionary_encode(), ["x", "", "x"], ["x", None, "x"]),
    "large": (pa.array(["NA", "", None], pa.large_string()), ["NA", "", ""], ["NA", "", None]),
    "bytes": (pa.array([b"\xff", None, b""]), ["ff", "", ""], ["ff", None, ""]),
    "nothing": (pa.nulls(3), ["", "", ""], [None, None, None]),
}


@pytest.fixture
def table() -> pa.Table:
    """Three rows with a column of every type, as pandas writes them, with metadata."""
    table = pa.table({"text": ["warm", "dull", ""], **{name: array for name, (array, *_) in TYPES.items()}})
    table = table.replace_schema_metadata({"pandas": "{}", "origin": "a shop"})
    pq.write_table(table, "in.parquet", row_group_size=2)
    return pq.read_table("in.parquet")


def test_parquet_keeps_types_and_metadata(table: pa.Table, score: Any) -> None:
    score("in.parquet", "out.parquet")
    out = pq.read_table("out.parquet")
    assert out.column_names == [*table.column_names, *ADDED]
    assert all(out[name].equals(table[name]) for name in table.column_names if name != "float")
    assert str(out["float"].to_pylist()) == str(table["float"].to_pylist())  # NaN equals nothing
    assert out.schema.metadata == table.schema.metadata
    assert [str(out.schema.field(name).type) for name in ADDED] == ["string", "double", "bool"]


def test_parquet_becomes_text_without_loss(table: pa.Table, score: Any) -> None:
    score("in.parquet", "out.csv")
    score("in.parquet", "out.jsonl")
    columns, rows = read_table("out.csv")
    _, objects = read_table("out.jsonl")
    for place, name in enumerate(columns[:-3]):
        if name != "text":
            _, cells, values = TYPES[name]
            assert [row[place] for row in rows] == cells, name
            assert [each[place] for each in objects] == (values or [cell or None for cell in cells]), name


def test_categories_that_differ_from_group_to_group(score: Any, small_windows: None) -> None:
    words = [f"word {n % 11}" for n in range(200)]
    table = pa.table({"text": words, "category": pa.array(words).dictionary_encode()})
    pq.write_table(table, "in.parquet", row_group_size=7)
    score("in.parquet", "out.parquet")
    assert pq.read_table("out.parquet")["category"].to_pylist() == words


def test_what_is_no_text_is_told_in_one_line(score: Any) -> None:
    broken = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff"]).buffers())
    pq.write_table(pa.table({"text": ["warm"], "other": broken}), "in.parquet")
    with pytest.raises(DataError, match="^in.parquet: the column 'other' holds what is no text .*; use format=parq"):
        score("in.parquet", "out.csv")
    assert score("in.parquet", "out.parquet").counts.rows == 1


@pytest.mark.parametrize("asked", ["jsonl", "parquet"])
def test_columns_without_a_name_need_a_format_that_can_hold_them(asked: str, score: Any) -> None:
    Path("in.csv").write_text("text,,\nwarm,1,2\n")
    with pytest.raises(DataError, match="^in.csv: has several columns without a name; name them, or write it as CSV"):
        score("in.csv", f"out.{asked}")
    score("in.csv", "out.csv")
    assert unpacked("out.csv").startswith(b"text,,,label,probability,no_known_words\nwarm,1,2,good,")


def test_json_of_what_it_does_not_know() -> None:
    assert as_json({"a": [float("inf"), (1, None)], "é": datetime.date(2024, 1, 2)}) == (
        '{"a": [null, [1, null]], "é": "2024-01-02"}'
    )


@pytest.mark.parametrize("cell", ["=1+1", "+a", "-a", "@a", "\ta", "\ra", "\na", "=", "-", "＝1", "＋1", "－1", "＠a"])
def test_a_formula_is_made_harmless(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "a=1", "-1", "+1.5", "-1e5", "'=1", " =1", "1-1"])
def test_what_is_no_formula_stays(cell: str) -> None:
    assert harmless(cell) == cell


@pytest.mark.parametrize("asked", ["csv", "tsv", "jsonl", "parquet"])
def test_spreadsheet_safe_is_for_cells_and_only_if_asked(asked: str, score: Any) -> None:
    columns, row = ["=id", "text"], ["=1+1", '=cmd|" /C calc"!A0']
    write_table("in.csv", columns, [row])
    score("in.csv", f"plain.{asked}")
    assert read_table(f"plain.{asked}")[1][0][:2] == row
    done: Done = score("in.csv", f"safe.{asked}", spreadsheet_safe=True)
    named, (found,) = read_table(f"safe.{asked}")
    mark = "'" if asked in ("csv", "tsv") else ""
    assert found[:2] == [mark + cell for cell in row]
    assert named[:2] == [f"{mark}=id", "text"]
    assert done.counts.rows == 1
