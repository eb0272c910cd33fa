"""Excel workbooks: every value as the sheet shows it, rows in = rows out, and one line for what cannot be read."""

import datetime
import gzip
import io
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.styles import numbers

from rnn_cli.data.reading import bounds
from rnn_cli.data.reading.blocks import Block
from rnn_cli.data.reading.number_formats import general
from rnn_cli.data.reading.readers import open_blocks, read_columns
from rnn_cli.data.reading.table import ReadRequest
from rnn_cli.data.reading.xlsx_cells import cell_name
from rnn_cli.errors import DataError
from tests.data.conftest import read_rows
from tests.data.sheets import HEADER, by_hand, saved, text, workbook

Write = Callable[[str, bytes | str], str]
ROWS = [("text", "label"), ("a warm film", "good"), ("dull", "bad")]


def whole(path: str, **how: Any) -> tuple[list[str], list[Block]]:
    """A file's columns and blocks as they are scored."""
    with open_blocks(ReadRequest(path, labels=False, whole=True, **how)) as opened:
        return list(opened.columns), list(opened.blocks)


def values(path: str, **how: Any) -> list[list[str | None]]:
    return [list(row) for block in whole(path, **how)[1] for row in block.values]


def refusal(
    path: str, read: Callable[..., object] = lambda path, **how: list(read_rows(path, **how)), **how: Any
) -> str:
    with pytest.raises(DataError) as caught:
        read(path, **how)
    return str(caught.value)


def test_rows_and_the_lines_they_stand_in(write: Write) -> None:
    path = write("f.xlsx", workbook({"S": [(), (), *ROWS, (), ()]}))
    assert [tuple(row) for row in read_rows(path)] == [(4, "a warm film", "good"), (5, "dull", "bad")]


def test_a_workbook_is_known_by_its_content_and_may_be_compressed(write: Write) -> None:
    content = workbook({"S": ROWS})
    for path in (write("f.csv", content), write("f", content), write("f.xlsx.gz", gzip.compress(content))):
        assert len(list(read_rows(path))) == 2
    assert "is not an Excel workbook" in refusal(write("f.xlsm", "text,label\na,b\n"))


def test_values_are_read_as_they_are_shown(write: Write) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["text", "value"])
    day = datetime.datetime(2024, 1, 31, 10, 20, 30)
    cases: list[tuple[Any, str | None, str | None]] = [
        ("007", None, "007"),
        ("=not a formula", None, "=not a formula"),
        (" spaces ", None, " spaces "),
        ("two\nlines", None, "two\nlines"),
        (12.0, None, "12"),
        (123456789012345, None, "123456789012345"),
        (0.1 + 0.2, None, "0.3"),
        (7, "000", "007"),
        (1234.5, "#,##0.00", "1,234.50"),
        (0.256, "0.0%", "25.6%"),
        (day, "dd/mm/yyyy", "31/01/2024"),
        (day, None, "2024-01-31 10:20:30"),
        (day.date(), None, "2024-01-31"),
        (day.time(), None, "10:20:30"),
        (datetime.timedelta(hours=30), None, "30:00:00"),
        (True, None, "TRUE"),
        (False, None, "FALSE"),
        (None, None, None),
        ("", None, None),
        (5, "@", "5"),
    ]
    for row, (value, code, _) in enumerate(cases, start=2):
        sheet.cell(row, 1, "x")
        cell = sheet.cell(row, 2, value)
        if value == "=not a formula":
            cell.data_type = "s"
        if code:
            cell.number_format = code
    told: list[str] = []
    assert [row[1] for row in values(write("f.xlsx", saved(book)), on_warning=told.append)] == [c[2] for c in cases]
    assert not told


def test_a_format_that_is_not_understood_is_told_once_with_its_column(write: Write) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["text", "half", "day"])
    for _ in range(3):
        sheet.append(["x", 0.5, datetime.date(2024, 1, 31)])
    for row in (2, 3, 4):
        sheet.cell(row, 2).number_format = "# ?/?"
        sheet.cell(row, 3).number_format = numbers.FORMAT_DATE_XLSX14  # what the computer's language makes of it
    told: list[str] = []
    path = write("f.xlsx", saved(book))
    assert values(path, on_warning=told.append) == [["x", "0.5", "2024-01-31"]] * 3
    assert len(told) == 2
    assert "numbers of the column 'half' have the format '# ?/?', which rnn cannot show" in told[0]
    assert "dates of the column 'day'" in told[1] and "each computer shows in its own way" in told[1]
    told.clear()
    list(read_columns(path, lambda _: ("text",), on_warning=told.append))
    assert not told  # of a column that is not read


def test_built_in_money_is_not_guessed(write: Write) -> None:
    styles = '<cellXfs><xf numFmtId="0"/><xf numFmtId="8"/><xf numFmtId="164"/></cellXfs>'
    cells = '<c r="B2" s="1"><v>5</v></c><c r="C2" s="2"><v>5</v></c>'
    header = f'<row r="1">{text("A1", "text")}{text("B1", "b")}{text("C1", "c")}</row>'
    known = '<numFmts><numFmt numFmtId="164" formatCode="&quot;$&quot;0.00"/></numFmts>'
    row = f'<row r="2">{text("A2", "x")}{cells}</row>'
    told: list[str] = []
    path = write("f.xlsx", by_hand(header + row, styles=known + styles))
    assert values(path, on_warning=told.append) == [["x", "5", "$5.00"]]
    assert len(told) == 1 and "column 'b'" in told[0]


def test_a_long_whole_number_keeps_all_its_digits(write: Write) -> None:
    row = f'<row r="2">{text("A2", "x")}<c r="B2"><v>12345678901234567890</v></c></row>'
    assert values(write("f.xlsx", by_hand(HEADER + row))) == [["x", "12345678901234567890"]]


def test_texts_of_every_kind(write: Write) -> None:
    strings = (
        "<si><t>plain</t></si>"
        '<si><r><rPr/><t xml:space="preserve">rich </t></r><r><t>text</t></r></si>'
        "<si><t>東京</t><rPh><t>トウキョウ</t></rPh></si>"
        "<si><t>a_x000D_b_x005F_x000D_</t></si>"
    )
    rows = "".join(f'<row r="{at + 2}"><c r="A{at + 2}" t="s"><v>{at}</v></c></row>' for at in range(4))
    rows += '<row r="6"><c r="A6" t="str"><f>A2&amp;"!"</f><v>plain!</v></c></row>'
    path = write("f.xlsx", by_hand(f'<row r="1">{text("A1", "text")}</row>{rows}', strings=strings))
    assert [row[0] for row in values(path)] == ["plain", "rich text", "東京", "a\rb_x000D_", "plain!"]


def test_cells_and_rows_may_lack_their_names(write: Write) -> None:
    cell = "<c t='inlineStr'><is><t>{}</t></is></c>"
    data = "".join(f"<row>{''.join(map(cell.format, row))}</row>" for row in ROWS)
    assert [tuple(row)[1:] for row in read_rows(write("f.xlsx", by_hand(data)))] == ROWS[1:]


def test_dates_in_iso_8601_and_from_1904(write: Write) -> None:
    styles = '<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs>'
    known = '<numFmts><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
    row = f'<row r="2">{text("A2", "x")}<c r="B2" s="1" t="d"><v>2024-01-31T00:00:00</v></c></row>'
    assert values(write("f.xlsx", by_hand(HEADER + row, styles=known + styles))) == [["x", "2024-01-31"]]
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.active.append(["text", "day"])
    book.active.append(["x", datetime.date(2024, 1, 31)])
    assert values(write("f.xlsx", saved(book))) == [["x", "2024-01-31"]]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (f'{text("A2", "x")}<c r="B2" t="e"><v>#N/A</v></c>', ":2: the cell B2 holds the error #N/A; correct it"),
        (text("B2", "good"), ":2: the cell A2, of the column 'text', is empty; write its text, or remove the row"),
        (f"{text('A2', 'x')}{text('B2', 'y')}{text('D2', 'z')}", ":2: the cell D2 is not empty, and its column has no"),
    ],
)
def test_a_row_that_cannot_be_read(row: str, told: str, write: Write) -> None:
    good = f'<row r="3">{text("A3", "fine")}{text("B3", "bad")}</row>'
    path = write("f.xlsx", by_hand(f'{HEADER}<row r="2">{row}</row>{good}'))
    assert f"{path}{told}" in refusal(path)
    _, (block,) = whole(path, lenient=True)
    assert (block.lines, list(block.faults), block.texts) == ([2, 3], [0], ["", "fine"])


def test_a_missing_label_is_told_with_its_line(write: Write) -> None:
    path = write("f.xlsx", workbook({"S": [*ROWS, ("x", None), ("y", "")]}))
    assert refusal(path) == f"{path}: 2 rows have no label (lines 4, 5); label or remove them"


def test_an_empty_row_between_others_is_a_fault_and_behind_them_nothing(write: Write) -> None:
    path = write("f.xlsx", workbook({"S": [*ROWS, (), ("x", "good"), (None, ""), ()]}))
    assert refusal(path) == f"{path}:4: the row is empty, and others follow; remove it"
    _, (block,) = whole(path, lenient=True)
    assert (block.lines, list(block.faults)) == ([2, 3, 4, 5], [2])


def test_a_formula_without_a_value_is_told_with_its_cell(write: Write) -> None:
    rows = [*ROWS, ('=CONCAT("a","b")', "good")]
    path = write("f.xlsx", workbook({"S": rows}))
    told = (
        f"{path}:4: the formula in the cell A4 has no stored value; open and save the workbook in a spreadsheet program"
    )
    assert told in refusal(path)
    assert told in refusal(path, whole, lenient=True)  # no row could be trusted
    path = write("f.xlsx", workbook({"S": [("text", "label", "n"), ("a", "b", "=1+1")]}))
    assert len(list(read_rows(path))) == 1  # of a column that is not read


def test_hidden_rows_and_columns_are_read_and_told(write: Write) -> None:
    book = openpyxl.Workbook()
    for row in ROWS:
        book.active.append(row)
    book.active.row_dimensions[3].hidden = True
    book.active.column_dimensions["B"].hidden = True
    book.active.column_dimensions["X"].hidden = True  # outside the table
    told: list[str] = []
    path = write("f.xlsx", saved(book))
    assert len(list(read_rows(path, on_warning=told.append))) == 2
    assert told == [f"{path}: 1 hidden row and 1 hidden column are read like the others"]


def test_the_sheets_size_may_lie(write: Write) -> None:
    data = HEADER + f'<row r="2">{text("A2", "x")}{text("B2", "y")}</row>'
    for size in ("A1", "A1:XFD1048576"):
        path = write("f.xlsx", by_hand(data, before=f'<dimension ref="{size}"/>'))
        assert [tuple(row) for row in read_rows(path)] == [(2, "x", "y")]


def test_several_sheets_are_not_guessed_from(write: Write) -> None:
    path = write("f.xlsx", workbook({"First": ROWS, "": [], "Notes": [(), (None, "read", "me", 1, 2)]}))
    told = refusal(path)
    assert "2 of its sheets hold cells: 'First' ('text', 'label', ...), 'Notes' ('read', 'me', '1', ...)" in told
    assert told.endswith("choose one with sheet=NAME")
    assert len(list(read_rows(path, sheet="First"))) == len(list(read_rows(path, sheet="1"))) == 2
    assert "no sheet 'Fist' (sheets: 'First', " in (told := refusal(path, sheet="Fist"))
    assert "did you mean sheet=First?" in told
    assert "no sheet '4'" in refusal(path, sheet="4")
    named = write("f.xlsx", workbook({"2": ROWS, "x": [("no",)]}))
    assert len(list(read_rows(named, sheet="2"))) == 2  # a name goes before a number


@pytest.mark.parametrize(
    ("above", "told"),
    [
        ([("Survey of October",)], ":1: row 1 stands above the header, which is in row 2 of the sheet 'S'"),
        ([(), ("Survey",), ("Created", 46000), ()], ":2: rows 2 to 4 stand above the header, which is in row 5"),
    ],
)
def test_a_title_above_the_header_is_told(write: Write, above: list[tuple[Any, ...]], told: str) -> None:
    rows = [("ID", "Date", "Comment", "Rating"), (1, "x", "Fine soup", 4), (2, "y", "Cold soup", 1)]
    path = write("f.xlsx", workbook({"S": [*above, *rows]}))
    assert told in refusal(path) and told in refusal(path, text_column="Comment")
    assert len(list(read_rows(write("f.xlsx", workbook({"S": rows}))))) == 2


def test_the_columns_to_name_are_proposed(write: Write) -> None:
    rows = [("Nr", "Remark", "Team"), *[(n, f"Soup {n} was fine", "ab"[n % 2]) for n in range(9)]]
    told = refusal(write("f.xlsx", workbook({"S": rows})))
    assert told.endswith("use text_column=Remark label_column=Team")


def test_the_only_sheet_that_is_not_empty_is_read(write: Write) -> None:
    assert len(list(read_rows(write("f.xlsx", workbook({"Empty": [], "Data": ROWS, "Also": [()]}))))) == 2
    assert "all of its sheets are empty" in refusal(write("f.xlsx", workbook({"A": [], "B": []})))
    assert "(sheet 'A'): is empty" in refusal(write("f.xlsx", workbook({"A": []})))
    assert "has no rows" in refusal(write("f.xlsx", workbook({"A": ROWS[:1]})))


def archive(parts: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return sink.getvalue()


def ole(part: str) -> bytes:
    """An old Office file whose list of parts begins in its second sector."""
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(48, b"\0") + (1).to_bytes(4, "little")
    return head.ljust(1024, b"\0") + part.encode("utf-16-le").ljust(128, b"\0")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("f.xls", ole("Workbook"), "is an old Excel workbook (.xls); save it as .xlsx or CSV"),
        ("f.xlsx", ole("EncryptedPackage"), "is protected with a password; save it without one"),
        ("f.xlsx", ole("?")[:60], "is an old Office document, or one protected with a password"),
        (
            "f.ods",
            archive({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}),
            "is an OpenDocument spreadsheet (.ods); save it as .xlsx or CSV",
        ),
        ("f.numbers", archive({"Index/Document.iwa": b""}), "is a Numbers, Pages or Keynote document; save it as"),
        ("f.xlsb", archive({"xl/workbook.bin": b""}), "is a binary Excel workbook (.xlsb); save it as"),
        ("f.xlsx", archive({"word/document.xml": b""}), "is a Word document"),
        ("f.zip", archive({"a.csv": b"text"}), "is a zip archive; unpack it"),
        ("f.xlsx", archive({"xl/workbook.xml": b"<a/>"}), "not a whole workbook ("),
        ("f.xlsx", workbook({"S": ROWS})[:-200], "is a zip archive or an Excel workbook, and damaged; copy it again"),
    ],
)
def test_other_files_of_the_office_are_named(name: str, content: bytes, told: str, write: Write) -> None:
    path = write(name, content)
    assert refusal(path).startswith(f"{path}: {told}")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ('<row r="2"/><row r="2"/>', "row 2 comes after row 2"),
        ('<row r="1048577"/>', "row 1048577 comes after row 1"),
        ('<row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>1</v></c></row>', "two cells stand in A2"),
        ('<row r="2"><c r="A2" t="s"><v>9</v></c></row>', "A2 is none of its texts"),
        ('<row r="2"><c r="A2"><v>one</v></c></row>', "A2 is no number"),
        ('<row r="2"><c r="A2"><v>1e999</v></c></row>', "A2 is no number"),
        ('<row r="2"><c r="A2"', "not well-formed"),
        ('<row r="2"><c r="7"/></row>', "'7' is no cell"),
    ],
)
def test_a_damaged_sheet_is_told(data: str, told: str, write: Write) -> None:
    path = write("f.xlsx", by_hand(HEADER + data))
    found = refusal(path)
    assert found.startswith(f"{path}: not a whole workbook (") and told in found


def test_xml_that_grows_is_refused(write: Write) -> None:
    entities = '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    row = f'<row r="2">{text("A2", "&b;")}{text("B2", "x")}</row>'
    content = by_hand(HEADER + row)
    parts = {
        name: zipfile.ZipFile(io.BytesIO(content)).read(name)
        for name in zipfile.ZipFile(io.BytesIO(content)).namelist()
    }
    for part in ("xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"):
        path = write("f.xlsx", archive({**parts, part: entities.encode() + parts[part]}))
        assert "not a whole workbook (" in refusal(path)


def test_a_workbook_that_holds_too_much_is_refused_before_a_row_is_used(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "FREE_BYTES", 1 << 20)
    told = "holds more than 1,048,576 bytes"
    big = " " * (bounds.FREE_BYTES + 1)
    assert told in refusal(write("f.xlsx", by_hand(HEADER, **{"xl/media/more.bin": big})))
    assert told in refusal(write("f.xlsx", by_hand(HEADER, strings="<si/>" * 20_000)))
    monkeypatch.undo()
    wide = '<row r="2">' + "<c/>" * 20_001 + "</row>"
    assert "more than 20,000 columns" in refusal(write("f.xlsx", by_hand(HEADER + wide)))
    assert "is too large" in refusal(write("f.xlsx", by_hand(HEADER, styles=" " * (17 << 20))))
    assert "has too many parts" in refusal(write("f.xlsx", by_hand(HEADER, styles="<x/>" * 1_000_001)))


def test_a_cell_or_a_row_that_is_too_large_is_refused(write: Write) -> None:
    path = write("f.xlsx", by_hand(f'{HEADER}<row r="2">{text("A2", "x" * 200)}{text("B2", "y")}</row>'))
    assert f"{path}:2: a cell larger than 100 bytes" in refusal(path, max_field_bytes=100)
    assert f"{path}:2: a row larger than 200 bytes" in refusal(path, whole, max_field_bytes=200)
    path = write("f.xlsx", by_hand(HEADER, strings=f"<si><t>{'x' * 200}</t></si>"))
    assert "a cell larger than 100 bytes" in refusal(path, max_field_bytes=100)


def test_a_nul_character_is_handled_as_in_other_files(write: Write) -> None:
    path = write("f.xlsx", by_hand(f'{HEADER}<row r="2">{text("A2", "a_x0000_b")}{text("B2", "y")}</row>'))
    assert f"{path}:2: a NUL character" in refusal(path)
    assert f"{path}:2: a NUL character" in refusal(path, whole)
    assert values(path, strip_nul=True) == [["ab", "y"]]


def test_columns_without_a_name_and_repeated_ones(write: Write) -> None:
    path = write("f.xlsx", workbook({"S": [(None, "text", None, "label"), (1, "a", 2, "b")]}))
    assert whole(path)[0] == ["", "text", "", "label"]
    assert values(path) == [["1", "a", "2", "b"]]
    assert "the column 'text' appears twice" in refusal(
        write("f.xlsx", workbook({"S": [("text", "text"), ("a", "b")]}))
    )


def test_blocks_have_the_size_asked_for(write: Write) -> None:
    path = write("f.xlsx", workbook({"S": [ROWS[0], *[(f"text {n}", "x") for n in range(7)]]}))
    assert [len(block.lines) for block in whole(path, at_once=3)[1]] == [3, 3, 1]


@pytest.mark.parametrize(("column", "name"), [(0, "A1"), (25, "Z1"), (26, "AA1"), (701, "ZZ1"), (702, "AAA1")])
def test_cells_are_named_as_in_spreadsheets(column: int, name: str) -> None:
    assert cell_name(column, 1) == name


# What XML can hold; openpyxl refuses the rest. Carriage returns become line feeds in XML.
CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff") | st.sampled_from("\n\t")
TEXTS = st.text(CHARACTERS, min_size=1, max_size=20).filter(lambda text: "_x" not in text)
CELLS = (
    st.none()
    | TEXTS
    | st.integers(-(10**14), 10**14)
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15)
    | st.booleans()
    | st.datetimes(datetime.datetime(1900, 3, 1), datetime.datetime(9999, 12, 31)).map(
        lambda d: d.replace(microsecond=0)
    )
    | st.dates(datetime.date(1900, 3, 1))
)


def as_shown(value: Any) -> str | None:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return general(float(f"{value:.16g}"))  # as openpyxl writes it
    if isinstance(value, datetime.datetime):
        return f"{value.date().isoformat()} {value.hour}:{value.minute:02}:{value.second:02}"
    return None if value is None else value.isoformat() if isinstance(value, datetime.date) else str(value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(TEXTS, CELLS, CELLS), min_size=1, max_size=6))
def test_whatever_openpyxl_writes_comes_back_as_shown(write: Write, rows: list[tuple[Any, ...]]) -> None:
    book = openpyxl.Workbook()
    book.active.append(["text", "a", "b"])
    for row, cells in enumerate(rows, start=2):
        for column, value in enumerate(cells, start=1):
            cell = book.active.cell(row, column, value)
            if isinstance(value, str):
                cell.data_type = "s"  # also one that begins as a formula does
    found = values(write("f.xlsx", saved(book)))
    assert found == [[as_shown(value) for value in row] for row in rows]
