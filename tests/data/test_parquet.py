"""Parquet: types, nulls, and names that differ from the text formats'."""

import decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rnn_cli.data.reading.readers import open_blocks
from rnn_cli.data.reading.table import ReadRequest
from rnn_cli.errors import DataError
from tests.data.conftest import read_rows


@pytest.fixture
def written(tmp_path):
    def write_columns(names=("text", "label"), **columns):
        path = str(tmp_path / "f.parquet")
        arrays = [column if isinstance(column, pa.Array) else pa.array(column) for column in columns.values()]
        pq.write_table(pa.Table.from_arrays(arrays, names=list(names)), path)
        return path

    return write_columns


@pytest.mark.parametrize(
    ("labels", "read"),
    [
        (pa.array(["NA", "007"]), ["NA", "007"]),
        (pa.array(["a", "b"], pa.large_string()), ["a", "b"]),
        (pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
        (pa.array([0, -1], pa.int8()), ["0", "-1"]),
        (pa.array([2**63 + 1, 0], pa.uint64()), ["9223372036854775809", "0"]),
        (pa.array([1.0, 0.5]), ["1", "0.5"]),
        (pa.array([True, False]), ["true", "false"]),
    ],
)
def test_types_of_labels(written, labels, read):
    assert [row.label for row in read_rows(written(text=["x", "y"], label=labels))] == read


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_types_of_texts(written, kind):
    texts = ["NA", "é\0"[:1], "", "🎬"]
    path = written(text=pa.array(texts).cast(kind), label=["a"] * 4)
    assert [row.text for row in read_rows(path)] == texts


def test_rows_are_numbered_over_batches_and_row_groups(tmp_path):
    path = str(tmp_path / "f.parquet")
    count = 3000
    pq.write_table(
        pa.table({"text": [f"t{n}" for n in range(count)], "label": ["a"] * count}), path, row_group_size=700
    )
    rows = list(read_rows(path))
    assert [(row.line, row.text) for row in rows] == [(n + 1, f"t{n}") for n in range(count)]


def test_other_columns_do_not_matter(written):
    path = written(("n", "text.other", "text", "label"), n=[[1]], other=["no"], text=["yes"], label=["a"])
    assert [row.text for row in read_rows(path)] == ["yes"]


@pytest.mark.parametrize(
    ("text", "label", "what", "place"),
    [
        (["a", None], ["x", "y"], "'text' is null", ":2"),
        ([None, None], ["x", "y"], "'text' is null", ":1"),
        ([1, 2], ["x", "y"], "the column 'text' is int64", ""),
        ([["a"], ["b"]], ["x", "y"], "the column 'text' is list<", ""),
        ([b"a", b"b"], ["x", "y"], "the column 'text' is binary", ""),
        (["a", "b"], [["x"], ["y"]], "the column 'label' is list<", ""),
        (["a", "b"], [{"x": 1}, {"x": 2}], "the column 'label' is struct<", ""),
        (["a", "b"], [decimal.Decimal(1), decimal.Decimal(2)], "the column 'label' is decimal", ""),
        (["a", "b"], ["x", None], "1 row has no label (line 2)", ""),
        (["a", "b"], [float("nan"), 1.0], "1 row has no label (line 1)", ""),
        (["a", "b"], [None, None], "2 rows have no label (lines 1, 2)", ""),
        (["a", "b"], [float("inf"), 1.0], "'label' is an infinite number", ":1"),
        (["a", "b\0"], ["x", "y"], "a NUL character", ":2"),
        ([], [], "has no rows", ""),
    ],
)
def test_bad_columns(written, text, label, what, place):
    path = written(text=text if text else pa.array([], pa.string()), label=label)
    with pytest.raises(DataError) as caught:
        list(read_rows(path))
    assert what in caught.value.what and caught.value.where == path + place and caught.value.hint


def test_doubled_and_missing_columns(written):
    with pytest.raises(DataError, match="the column 'text' appears twice"):
        list(read_rows(written(("text", "text", "label"), a=["a"], b=["b"], c=["c"])))
    with pytest.raises(DataError, match=r"no column has a usual name for texts \(columns: 'a', 'label'\)"):
        list(read_rows(written(("a", "label"), a=["a"], b=["b"])))


def test_a_text_that_is_too_large_or_no_utf_8(written):
    path = written(text=["a", "é" * 50], label=["x", "y"])
    with pytest.raises(DataError, match=":2: a text larger than 99 bytes"):
        list(read_rows(path, max_field_bytes=99))
    assert len(list(read_rows(path, max_field_bytes=100))) == 2
    broken = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff"]).buffers())
    with pytest.raises(DataError, match="f.parquet: "):
        list(read_rows(written(text=broken, label=["x"])))


def test_every_truncation_is_refused(written):
    path = written(text=["a", "b"], label=["x", "y"])
    with open(path, "rb") as file:
        content = file.read()
    for cut in range(4, len(content), 7):
        with open(path, "wb") as file:
            file.write(content[:cut])
        with pytest.raises(DataError, match="not a whole Parquet file"):
            list(read_rows(path))


def windows(path, at_once=8, characters=1000):
    request = ReadRequest(path, labels=False, whole=True, as_table=True, at_once=at_once, characters=characters)
    with open_blocks(request) as opened:
        return list(opened.blocks)


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
@pytest.mark.parametrize("group", [5, 100])
def test_windows_hold_so_many_rows_or_so_many_bytes(kind, group, tmp_path):
    lengths = [1] * 30 + [300] * 12 + [1] * 9 + [5000, 0, 700, 700] + [1] * 20
    texts = [chr(97 + n % 26) * length for n, length in enumerate(lengths)]
    is_dictionary = pa.types.is_dictionary(kind)
    column = pa.array(texts).dictionary_encode() if is_dictionary else pa.array(texts, kind)
    path = str(tmp_path / "f.parquet")
    pq.write_table(pa.table({"text": column}), path, row_group_size=group)
    found = windows(path)
    assert [text for rows in found for text in rows.texts] == texts
    assert [line for rows in found for line in rows.lines] == list(range(1, len(texts) + 1))
    for rows in found:
        assert rows.batch.column("text").to_pylist() == rows.texts and len(rows.lines) <= 8
        assert len(rows.lines) == 1 or sum(map(len, rows.texts)) <= 1000
    assert [rows.lines for rows in windows(path)] == [rows.lines for rows in found]
    if group == 100 or not is_dictionary:  # else each small group has all values to itself
        assert len(found) < 35


def test_other_columns_count_and_a_large_dictionary_does_not(written):
    bodies = pa.array([b"x" * 400] * 16)
    assert [len(rows.lines) for rows in windows(written(("text", "body"), text=["a"] * 16, body=bodies))] == [2] * 8
    words = pa.DictionaryArray.from_arrays(pa.array([0] * 800, pa.int32()), [chr(97 + n) * 400 for n in range(20)])
    path = written(("text", "word"), text=["a"] * 800, word=words)
    assert [len(rows.lines) for rows in windows(path)] == [8] * 100


def test_what_stands_in_a_dictionary_within_lists_counts_where_it_stands(written):
    words = pa.DictionaryArray.from_arrays(pa.array([0] * 800, pa.int32()), ["w" * 400])
    for nested in (
        pa.ListArray.from_arrays(list(range(801)), words),
        pa.StructArray.from_arrays([words], ["word"]),
        pa.MapArray.from_arrays(list(range(801)), pa.array(["k"] * 800), words),
    ):
        path = written(("text", "more"), text=["a"] * 800, more=nested)
        found = windows(path)
        assert [len(rows.lines) for rows in found] == [2] * 400
        assert [value for rows in found for value in rows.batch.column("more").to_pylist()] == nested.to_pylist()


def test_short_rows_come_in_full_windows_across_row_groups(tmp_path):
    path = str(tmp_path / "f.parquet")
    pq.write_table(pa.table({"text": [f"t{n}" for n in range(3000)]}), path, row_group_size=700)
    found = windows(path, at_once=1024, characters=1 << 20)
    assert [len(rows.lines) for rows in found] == [1024, 1024, 952]
