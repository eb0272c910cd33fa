"""Training and scoring are two views of the same blocks: the same rows, and the same fault first."""

import io
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnn_cli.data.reading import jsonl
from rnn_cli.data.reading.names import format_of
from rnn_cli.data.reading.readers import open_blocks, read_columns
from rnn_cli.data.reading.table import ReadRequest
from rnn_cli.errors import DataError, RowError
from rnn_cli.formats import COMPRESSIONS, DATA_FILE, FORMATS, FORMATS_BY_SUFFIX
from tests.data.conftest import Row, read_rows

Write = Callable[[str, bytes | str], str]
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def until_refused(rows: Iterable[Any]) -> tuple[list[Any], str]:
    """What comes before an error, and what that says."""
    found: list[Any] = []
    try:
        found.extend(rows)
    except DataError as error:
        return found, str(error)
    return found, ""


def scored(path: str, **how: Any) -> Iterator[list[Any]]:
    """The windows of a file: of each the rows with their lines, texts, values and faults."""
    with open_blocks(ReadRequest(path, labels=False, whole=True, **how)) as opened:
        for block in opened.blocks:
            assert block.batch is None and len({len(block.lines), len(block.texts), len(block.raws)}) == 1
            rows = zip(block.lines, block.texts, block.raws, block.values, strict=True)
            faults = [str(block.faults.get(index, "")) for index in range(len(block.lines))]
            yield [(*row, fault) for row, fault in zip(rows, faults, strict=True)]


CSV = [
    b"text,more\n",
    b"a,1\n",
    b'"b",2\n',
    "é,3\n".encode(),
    b'"two\nlines",4\n',
    b"5\n",
    b"c,6,7\n",
    b"d,\0\n",
]
JSONL = [
    b'{"text": "a"}\n',
    b'{"text": "\\u00e9", "n": [1]}\n',
    b"\n",
    b"[1]\n",
    b'{"text": 1}\n',
    b'{"n": 1}\n',
    b"{\n",
]
JSONL += [b'{"text": "\\ud800"}\n', b'{"text": "\\u0000"}\n', b' {"text": "b"} \r\n', b'{"text": "a"} {"text": "b"}\n']
JSONL += [
    b'{"text": "a", "text": "b"}\n',
    b'{"text": "a", "n": NaN}\n',
    b'{"text": "' + b"x" * 99 + b'"}\n',
    b'"text"\n',
]


@SHARED
@given(data=st.data(), lines=st.sampled_from([CSV, JSONL]), strip_nul=st.booleans())
def test_the_two_views_hold_the_same_rows_and_stop_at_the_same_fault(
    data: st.DataObject, lines: list[bytes], strip_nul: bool, write: Write
) -> None:
    some = data.draw(st.lists(st.sampled_from(lines) | st.sampled_from(lines[1:3]), max_size=12))
    path = write("f.csv" if lines is CSV else "f.jsonl", b"".join([lines[0], lines[1], *some]))
    how: dict[str, Any] = {"strip_nul": strip_nul, "max_field_bytes": 90, "at_once": data.draw(st.integers(1, 20))}
    rows, error = until_refused(read_rows(path, labels=False, **how))
    try:
        windows = list(scored(path, **how))
    except RowError as fault:
        assert str(fault) == error
        windows = list(scored(path, lenient=True, **how))
        # In the first row that is faulty the reading stopped.
        first = next(row for window in windows for row in window if row[4])
        assert (first[1], first[4]) == ("", error)
        assert [row.line for row in rows] == [row[0] for window in windows for row in window if row[0] < first[0]]
    else:
        assert not error
        assert rows == [Row(row[0], row[1], None) for window in windows for row in window]


@SHARED
@given(data=st.data(), lenient=st.booleans(), as_table=st.booleans())
def test_objects_parsed_together_are_the_ones_parsed_line_by_line(
    data: st.DataObject, lenient: bool, as_table: bool, write: Write
) -> None:
    lines = data.draw(st.lists(st.sampled_from(JSONL) | st.sampled_from(JSONL[:2]), max_size=12))
    path = write("f.jsonl", b"".join(lines))
    how: dict[str, Any] = {"lenient": lenient, "as_table": as_table, "at_once": data.draw(st.integers(1, 5))}
    together = until_refused(scored(path, **how))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(jsonl, "_objects", lambda _: None)
        one_by_one = until_refused(scored(path, **how))
    assert together == one_by_one


@pytest.mark.parametrize("bad", [b"b,c\n", b"\0\n", b'"open\n'])
def test_a_window_in_which_the_reading_stops_is_not_given(bad: bytes, write: Write) -> None:
    """Else a job that goes on, and passes over the bad row, would hold the others of its window for done."""
    path = write("f.csv", b"text\n" + b"a\n" * 4 + bad + b"a\n" * 3)
    with open_blocks(ReadRequest(path, labels=False, whole=True, at_once=3)) as opened:
        windows, error = until_refused(opened.blocks)
    assert error and [block.lines for block in windows] == [[2, 3, 4]]
    assert [row.line for row in until_refused(read_rows(path, labels=False, at_once=3))[0]] == [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("name", "first", "then", "told"),
    [
        ("f.jsonl", '{"text": 1, "label": "x"}', "{", ":2: 'text' is a number"),
        ("f.jsonl", '{"text": "\\u0000", "label": "x"}', "{", ":2: a NUL character"),
        ("f.jsonl", '{"text": "a", "label": [1]}', '{"text": 1}', ":2: 'label' is a list"),
        ("f.jsonl", '{"text": "a"}', '{"text": "\0"}', ":2: the key 'label' is missing"),
        ("f.csv", "a", 'b,"open', ":2: 1 field, expected 2"),
        ("f.csv", "a,b,c", "\0,x", ":2: 3 fields, expected 2"),
    ],
)
def test_of_two_faults_the_first_row_s_is_told(name: str, first: str, then: str, told: str, write: Write) -> None:
    head = "text,label" if name == "f.csv" else '{"text": "a", "label": "x"}'
    path = write(name, "\n".join([head, first, then, ""]))
    assert told in until_refused(read_rows(path))[1]


def test_a_row_that_cannot_be_read_is_told_before_labels_that_are_missing(write: Write) -> None:
    rows = [{"text": "a", "label": None}, {"text": "b", "label": "\0"}]
    path = write("f.jsonl", "\n".join(map(json.dumps, rows)))
    assert ":2: a NUL character" in until_refused(read_rows(path))[1]
    # Dropped, it leaves no label.
    assert "2 rows have no label (lines 1, 2)" in until_refused(read_rows(path, strip_nul=True))[1]


def test_labels_of_any_kind_beside_each_other(write: Write) -> None:
    values = [1, True, 1.0, "1", 0.5, "true", 0]
    path = write("f.jsonl", "\n".join(json.dumps({"text": "a", "label": value}) for value in values))
    assert [row.label for row in read_rows(path)] == ["1", "true", "1", "1", "0.5", "true", "0"]


def test_a_further_column_of_a_doubled_name_is_refused_in_parquet_too(write: Write) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([pa.array(["a"])] * 2, names=["text", "text"]), sink)
    with pytest.raises(DataError, match="the column 'text' appears twice"):
        list(read_columns(write("f.parquet", sink.getvalue()), lambda names: names[:1]))


def test_objects_without_keys_have_rows_without_values(write: Write) -> None:
    assert list(read_columns(write("f.jsonl", "{}\n\n{}\n"), lambda names: names)) == [(1, ()), (3, ())]


def test_what_a_name_says_is_said_once() -> None:
    assert set(FORMATS_BY_SUFFIX.values()) == set(FORMATS)
    for suffix, form in FORMATS_BY_SUFFIX.items():
        for compression in ("", *COMPRESSIONS):
            assert format_of(f"Reviews{suffix}{compression}".upper()) == form
            assert DATA_FILE.search(f"reviews{suffix}{compression}")
    assert not any(map(DATA_FILE.search, ["config.yaml", "reviews.csv.xz", "reviews_csv", "csv", "a.csv.yaml"]))
