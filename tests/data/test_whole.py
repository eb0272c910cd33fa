"""Rows with all that stands in them: as they stand, with their lines, and what is wrong with each."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnn_cli.data.reading import decoding, delimited
from rnn_cli.data.reading.blocks import Block, Opened
from rnn_cli.data.reading.readers import open_blocks
from rnn_cli.data.reading.table import ReadRequest
from rnn_cli.errors import DataError

Read = Callable[..., tuple[Opened, list[Block]]]


@pytest.fixture
def read(write: Callable[[str, bytes | str], str]) -> Read:
    """A file's columns and rows: name, content → both."""

    def read_whole(
        name: str, content: bytes | str, lenient: bool = True, as_table: bool = True, at_once: int = 3, **how: Any
    ) -> tuple[Opened, list[Block]]:
        asked: dict[str, Any] = {"lenient": lenient, "as_table": as_table, "at_once": at_once, "characters": 100}
        request = ReadRequest(write(name, content), labels=False, whole=True, **asked, **how)
        with open_blocks(request) as opened:
            return opened, list(opened.blocks)

    return read_whole


def told(windows: list[Block]) -> list[tuple[int, str, str, str | None]]:
    """Line, text, row as it stands and fault of every row."""
    return [
        (line, rows.texts[place], rows.raws[place], rows.faults[place].what if place in rows.faults else None)
        for rows in windows
        for place, line in enumerate(rows.lines)
    ]


def test_rows_come_in_windows_of_rows_and_of_characters(read: Read) -> None:
    whole, windows = read("f.csv", "id,text\n" + "".join(f"{n},t\n" for n in range(7)) + f"7,{'x' * 200}\n8,t\n9,t\n")
    assert (whole.kind, whole.columns) == (",", ["id", "text"])
    assert [len(rows.lines) for rows in windows] == [3, 3, 2, 2]
    assert [line for rows in windows for line in rows.lines] == list(range(2, 12))
    assert [values[0] for rows in windows for values in rows.values] == [str(n) for n in range(10)]


def test_a_record_stands_as_it_did_without_its_line_end(read: Read) -> None:
    _, windows = read("f.csv", 'id,text\r\n1,"a\r\nb"\r\n"2" ,c\n'.replace('"2" ', " 2 ") + '3,"lone\rreturn"\r4,""')
    assert told(windows) == [
        (2, "a\r\nb", '1,"a\r\nb"', None),
        (4, "c", " 2 ,c", None),
        (5, "lone\rreturn", '3,"lone\rreturn"', None),
        (7, "", '4,""', None),
    ]


def test_of_one_column_a_blank_line_is_an_empty_text_but_at_the_end(read: Read) -> None:
    for lenient in (False, True):
        _, windows = read("f.csv", 'text\na\n\n\n""\nb\n\n\n', lenient=lenient)
        assert [(line, text) for line, text, _, _ in told(windows)] == [(2, "a"), (3, ""), (4, ""), (5, ""), (6, "b")]


def test_faulty_records_are_told_each_with_its_line(read: Read) -> None:
    content = b'id,text\n1,a\n2\n\n3,b,c\n4,n\0ul\n5,\xff\xfe\n6,"two\n\0lines"\n\0\0\n7,\xc3\xa9\n\0'
    _, windows = read("f.csv", content)
    assert told(windows) == [
        (2, "a", "1,a", None),
        (3, "", "2", "1 field, expected 2"),
        (4, "", "", "0 fields, expected 2"),
        (5, "", "3,b,c", "3 fields, expected 2"),
        (6, "", "4,nul", "a NUL character"),
        (7, "", "5,\ufffd\ufffd", "bytes that are not UTF-8"),
        (8, "", '6,"two\nlines"', "a NUL character"),
        (10, "", "", "a NUL character"),
        (11, "é", "7,é", None),
        (12, "", "", "a NUL character"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("f.csv", 'id,text\n1,a\n2,"open\n3,b\n', ":3: a quote opens in this record and is never closed"),
        ("f.csv", 'id,text\n1,a\n2,"open\n3,"b"\n', ":3: a quote that opens in this record closes in the middle"),
        ("f.csv", f"id,text\n1,a\n2,{'x' * 60}\n", ":3: a line larger than 50 bytes"),
        ("f.csv", 'id,text\n1,a\n2,"' + "x\n" * 60, ":3: a record larger than 50 bytes"),
        ("f.csv", "id,te\0xt\n1,a\n", ":1: a NUL character"),
        ("f.csv", b"id,text\xff\n1,a\n", ":1: bytes that are not UTF-8"),
        ("f.csv", "\nid,text\n1,a\n", ":1: the line is blank"),
        ("f.csv", "id,text\n1,ab\n".encode("utf-16")[:-1], ":2: "),
        ("f.jsonl", '{"id": 1, "n": 2}\n', "no column has a usual name for texts"),
        ("f.jsonl", '{"text": "a", "\\ud800": 1}\n', ":1: half of a surrogate pair"),
    ],
)
def test_what_leaves_doubt_where_rows_begin_always_stops(
    name: str, content: bytes | str, message: str, read: Read
) -> None:
    for lenient in (False, True):
        with pytest.raises(DataError) as caught:
            read(name, content, lenient=lenient, max_field_bytes=50)
        told_so = str(caught.value)
        assert message in told_so or (not lenient and "not UTF-8" in message and "is not UTF-8" in told_so)
        assert "\n" not in told_so


JSONL = [
    (b'{"text": "a"}', None),
    (b'{"text": "a"', "broken JSON"),
    (b"[1]", "a list, not an object"),
    (b'{"text": null}', "'text' is null"),
    (b'{"text": 1}', "'text' is a number"),
    (b'{"text": ["a"]}', "'text' is a list"),
    (b'{"more": "a"}', "has no key 'more'"),
    (b"{}", "the key 'text' is missing"),
    (b'{"text": "a", "text": "b"}', "the key 'text' appears twice"),
    (b'{"text": "a", "n": NaN}', "NaN is not JSON"),
    (b'{"text": "\\ud800"}', "half of a surrogate pair"),
    (b'{"text": "a", "n": "\\udfff"}', "half of a surrogate pair"),
    (b'{"text": "\\u0000"}', "a NUL character"),
    (b'{"text": "\0"}', "a NUL character"),
    (b'{"text": "\xff"}', "bytes that are not UTF-8"),
    (b'{"text": "a", "n": ' + b"[" * 40 + b"]" * 40 + b"}", "a line larger than 90 bytes"),
    (b'{"text": "\\u00e9", "n": {"a": 1.0}}', None),
]


def test_faulty_objects_are_told_each_with_its_line(read: Read) -> None:
    first = b'{"text": "a", "n": 1}'
    _, windows = read("f.jsonl", b"\n".join([first, *(line for line, _ in JSONL)]), max_field_bytes=90)
    for (line, _, _, fault), (number, (_, expected)) in zip(told(windows)[1:], enumerate(JSONL, 2), strict=True):
        assert line == number
        assert expected is None if fault is None else expected is not None and expected in fault


def test_a_line_of_nothing_but_nul_characters_is_no_blank_line(read: Read) -> None:
    _, windows = read("f.jsonl", b'\0\n{"text": "a"}\n\n\0 \0\r\n{"text": "b"}')
    assert told(windows) == [
        (1, "", "", "a NUL character"),
        (2, "a", '{"text": "a"}', None),
        (4, "", "", "a NUL character"),
        (5, "b", '{"text": "b"}', None),
    ]
    _, windows = read("f.jsonl", b'{"text": "a"}\n\0\n', strip_nul=True)
    assert [line for line, *_ in told(windows)] == [1]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("more", range(-3, 6))
def test_after_a_line_that_is_too_long_lines_are_still_counted_right(
    line_end: str, more: int, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "_PIECE", 4)
    short, long = '{"text": "a"}', f'{{"text": "{"x" * (38 + more)}"}}'  # 50 bytes and more
    _, windows = read("f.jsonl", line_end.join([short, long, short, "", short]), max_field_bytes=50)
    assert [line for line, _, _, _ in told(windows)] == [1, 2, 3, 5]
    assert [fault for *_, fault in told(windows)] == [None, "a line larger than 50 bytes" if more > 0 else None] + [
        None
    ] * 2


def test_only_for_a_table_objects_need_the_same_keys(read: Read) -> None:
    content = '{"text": "a"}\n{"more": [1], "text": "b"}\n'
    assert [fault for *_, fault in told(read("f.jsonl", content, as_table=False)[1])] == [None, None]
    assert told(read("f.jsonl", content)[1])[1][3] is not None


def test_objects_that_are_all_faulty_have_no_columns(read: Read) -> None:
    whole, windows = read("f.jsonl", "[]\n{\n")
    assert (whole.columns, len(told(windows))) == ((), 2)


PIECES = [b"1,a\n", b'2,"b"\n', b"3,c\r\n", b"4,d\r", b'5,"two\nlines"\n', b"\n", b"6\n", b"7,x,y\n", b"8,n\0ul\n"]
PIECES += [b"9,\xff\n", b'10,"open\n', b'11,"clo"sed\n', b"12," + b"long" * 30 + b"\n", "13,ö\n".encode(), b"\0"]
REGULAR = [PIECES[:4], [b"6\n", b'"7"\n', b"8\r\n", b"9;\r"]]
"""Of two columns, and of one."""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), one_column=st.booleans(), lenient=st.booleans(), strip_nul=st.booleans())
def test_regular_records_taken_together_are_the_rows_told_apart_one_by_one(
    data: st.DataObject, one_column: bool, lenient: bool, strip_nul: bool, write: Callable[[str, bytes | str], str]
) -> None:
    pieces = data.draw(st.lists(st.sampled_from(PIECES) | st.sampled_from(REGULAR[one_column] * 3), max_size=20))
    delimiter = data.draw(st.sampled_from(",|"))
    at_once, characters = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 20))
    content = b"".join([b"text\n" if one_column else b"id,text\n", *pieces]).replace(b",", delimiter.encode())
    path = write("f.csv", content)
    how: dict[str, Any] = {"whole": True, "lenient": lenient, "at_once": at_once, "characters": characters}
    request = ReadRequest(
        path, labels=False, max_field_bytes=100, delimiter=delimiter, strip_nul=strip_nul, as_table=True, **how
    )

    def read() -> tuple[list[Block], str]:
        windows: list[Block] = []
        try:
            with open_blocks(request) as opened:
                windows += opened.blocks
        except DataError as error:
            return windows, str(error)
        return windows, ""

    in_blocks, error = read()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(delimited, "_are_regular", lambda *_: False)
        one_by_one, same_error = read()
    assert error == same_error
    assert told(in_blocks) == told(one_by_one)
    for ours, theirs in zip(in_blocks, one_by_one, strict=True):
        assert (ours.lines, list(map(tuple, ours.values))) == (theirs.lines, list(map(tuple, theirs.values)))
