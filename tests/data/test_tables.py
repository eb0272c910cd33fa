"""Tables as spreadsheets and people save them: delimiters, a header or none, Excel's first line, empty columns."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnn_cli.config.schema import DataConfig
from rnn_cli.data.source import further_column, load_rows
from rnn_cli.errors import DataError
from tests.data.conftest import read_rows

Write = Callable[[str, bytes | str], str]
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def refusal(path: str, **how: object) -> str:
    with pytest.raises(DataError) as caught:
        list(read_rows(path, **how))
    return str(caught.value).removeprefix(path)


@pytest.mark.parametrize(
    ("name", "content", "delimiter"),
    [
        ("f.csv", "text;label\nA, b;x\nc;y\n", ";"),
        ("f.csv", "text\tlabel\nA, b\tx\nc\ty\n", "\t"),
        ("f.csv", "text|label\nA|x\nc|y\n", "|"),
        ("f.tsv", "text,label\nA,x\nc,y\n", ","),
        ("f.csv", "sep=;\r\ntext;label\r\nA;x\r\n", ";"),
        ("f.csv", '"sep=|"\ntext|label\nA|x\n', "|"),
        ("f.csv", "text, in short;label\nA, b, c;x\nc;y\n", ";"),
        ("f.csv", "text,label\nA;b,x\nc;d,y\n", None),
        ("f.tsv", "text\tlabel\nA,b\tx\n", None),
    ],
)
def test_the_delimiter_is_seen_and_told(write: Write, name: str, content: str, delimiter: str | None) -> None:
    how = {} if "short" not in content else {"text_column": "text, in short"}
    dataset = load_rows(write(name, content), DataConfig(**how))
    assert set(dataset.labels) <= {"x", "y"} and len(dataset.reading) == (delimiter is not None)
    assert dataset.reading.get("delimiter") == delimiter
    assert any("fields are separated by" in note for note in dataset.notes) == (delimiter is not None)
    again = load_rows(write(name, content), DataConfig(**how, **dataset.reading))
    assert again.fingerprint() == dataset.fingerprint() and not again.notes


def test_lines_count_from_excels_own(write: Write) -> None:
    path = write("f.csv", "sep=;\r\ntext;label\r\nA;x\r\nb;c;d\r\n")
    assert refusal(path).startswith(":4: 3 fields, expected 2")
    assert "the line says that fields are separated by ';'" in refusal(path, delimiter=",")


@pytest.mark.parametrize("word", ["tab", "\\t", "\t"])
def test_names_of_the_tab(write: Write, word: str) -> None:
    assert DataConfig(delimiter=word).delimiter == "\t"
    assert [row.label for row in read_rows(write("f.txt", "text\tlabel\na\tb\n"), delimiter=word)] == ["b"]


@pytest.mark.parametrize(
    "content",
    [
        "text,label,,,\na,x,,,\nb,y,,,\n",
        "text,label,,,\na,x\nb,y,,,,,\n",
        "text,label\na,x,,,\nb,y\n",
        'text,label\na,x,""\nb,y\n',
    ],
)
def test_empty_columns_at_the_end(write: Write, content: str) -> None:
    assert [(row.text, row.label) for row in read_rows(write("f.csv", content))] == [("a", "x"), ("b", "y")]


@pytest.mark.parametrize("end", [",,\n", ",,\n" * 5_000, ' ,"",\n,,5\n'])
def test_empty_rows_at_the_end_are_left_out_and_told(write: Write, end: str) -> None:
    path = write("f.csv", "text,label,day\na,x,1\nb,y,2\n" + end)
    rows = load_rows(path, DataConfig())
    assert [*zip(rows.texts, rows.labels, strict=True)] == [("a", "x"), ("b", "y")]
    count = end.count("\n")
    lines = "a row without text and label (line 4)" if count == 1 else f"(lines 4 to {3 + count})"
    assert len(rows.warnings) == 1 and lines in rows.warnings[0]
    assert further_column(rows, "day", DataConfig()) == ["1", "2"]


def test_empty_rows_between_others_are_not_left_out(write: Write) -> None:
    assert "3 rows have no label (lines 3, 4, 6)" in refusal(write("f.csv", "text,label\na,x\n,\n,\nb,y\nc,\n,\n"))


def test_more_than_empty_columns_are_refused(write: Write) -> None:
    assert refusal(write("f.csv", "text,label,,\na,x,more\nb,y\n")).startswith(":2: 3 fields, expected 2")


HEADERLESS = '4,"What a lovely evening"\n0,Never again\n4,Fine soup\n0,Cold soup\n'


def test_a_row_in_place_of_the_header(write: Write) -> None:
    path = write("f.csv", HEADERLESS)
    told = refusal(path)
    assert told.startswith(":1: looks like a row, not like a header: '4' is a value of the same column below")
    assert "header=False text_column=2 label_column=1" in told and "header=True" in told
    assert "'4' is a value" in refusal(path, text_column="What a lovely evening", label_column="4")
    rows = list(read_rows(path, header=False, text_column="2", label_column="1"))
    assert [(row.line, row.label) for row in rows] == [(1, "4"), (2, "0"), (3, "4"), (4, "0")]
    named = {"text_column": "What a lovely evening", "label_column": "4"}
    assert len(list(read_rows(path, header=True, **named))) == 3


@pytest.mark.parametrize(
    "content",
    [
        "text,label\na text,label\nb,x\n",
        "id,review,class\n1,a,2\n1,b,2\n",
        "rating,comment\n4,fine\n5,well\n",
    ],
)
def test_a_usual_name_makes_a_header(write: Write, content: str) -> None:
    assert len(list(read_rows(write("f.csv", content)))) == 2


def test_names_of_programs_are_no_row(write: Write) -> None:
    path = write("f.csv", ",0,1\n0,a text,1\n1,another,0\n")
    assert len(list(read_rows(path, text_column="0", label_column="1"))) == 2


def test_the_way_out_without_a_header_is_named_where_line_1_may_be_a_row(write: Write) -> None:
    told = refusal(write("f.csv", "good,Fine room\nbad,Dull evening here\n"))
    assert "use text_column='Fine room'" in told
    assert "; if line 1 is a row, header=False text_column=2 label_column=1" in told
    assert "is a row" not in refusal(write("g.csv", "Note,Kommentar\ngut,ein guter Abend\nschlecht,kalte Suppe\n"))


def test_a_repeated_header_is_no_sign_of_none(write: Write) -> None:
    path = write("f.csv", "Kommentar,Note\na,x\nKommentar,Note\nb,y\n")
    assert len(list(read_rows(path, text_column="Kommentar", label_column="Note"))) == 3


def test_a_single_column(write: Write) -> None:
    path = write("f.csv", "What a lovely evening\nNever again\nThe soup was cold\n")
    assert "the only column would be called 'What a lovely evening'" in refusal(path, labels=False)
    assert [row.line for row in read_rows(path, labels=False, header=False)] == [1, 2, 3]
    assert len(list(read_rows(path, labels=False, text_column="What a lovely evening"))) == 2
    assert len(list(read_rows(write("g.csv", "Text\na\nb\n"), labels=False))) == 2
    assert "cannot be both texts and labels" in refusal(path)


def test_an_excel_export_is_refused_once_with_all_it_needs(write: Write) -> None:
    rows = "Kommentar;Note\r\nGröße – gut;gut\r\nkalte Suppe;schlecht\r\nnie wieder, wirklich;schlecht\r\n"
    for start in ("", "sep=;\r\n"):
        path = write("f.csv", (start + rows).encode("cp1252"))
        told = refusal(path)
        assert "is not UTF-8, and no column has a usual name for texts" in told
        assert "use encoding=cp1252 text_column=Kommentar label_column=Note" in told
        how = {"encoding": "cp1252", "text_column": "Kommentar", "label_column": "Note"}
        assert [row.text for row in read_rows(path, **how)][0] == "Größe – gut"


def test_a_page_is_no_table(write: Write) -> None:
    assert "is a page of HTML" in refusal(write("f.csv", "\n<!DOCTYPE html>\n<html><body>text,label</body></html>\n"))


@pytest.mark.parametrize("name", ["rating", "stars", "score", "emotion", "intent", "y"])
def test_further_names_of_labels(write: Write, name: str) -> None:
    path = write("f.csv", f"text,{name}\n" + "".join(f"text {n},{n % 5}\n" for n in range(60)))
    assert {row.label for row in read_rows(path)} == set("01234")
    many = write("g.csv", f"text,{name}\n" + "".join(f"text {n},0.{n + 100}\n" for n in range(60)))
    assert "no column has a usual name for labels" in refusal(many)
    both = write("h.csv", f"text,{name},sentiment\na,1,x\nb,2,y\n")
    assert {row.label for row in read_rows(both)} == {"x", "y"}


CELLS = st.text("abc é'x", min_size=1, max_size=10).filter(lambda cell: cell == cell.strip())
TABLES = st.lists(st.tuples(CELLS, st.sampled_from(["p", "q"])), min_size=2, max_size=12)


@SHARED
@given(rows=TABLES, delimiter=st.sampled_from(",;\t|"), suffix=st.sampled_from(["csv", "tsv"]), excel=st.booleans())
def test_any_usual_delimiter_is_seen(
    write: Write, rows: Sequence[tuple[str, str]], delimiter: str, suffix: str, excel: bool
) -> None:
    lines = [f"sep={delimiter}"] * excel + [delimiter.join(row) for row in [("text", "label"), *rows]]
    found = list(read_rows(write(f"f.{suffix}", "\n".join(lines) + "\n")))
    assert [(row.text, row.label) for row in found] == rows


@SHARED
@given(rows=TABLES)
def test_no_first_row_is_lost_in_silence(write: Write, rows: Sequence[tuple[str, str]]) -> None:
    path = write("f.csv", "".join(f"{label},{text}\n" for text, label in [*rows, rows[0]]))
    assert "looks like a row" in refusal(path) or "no column has a usual name" in refusal(path)
    found = list(read_rows(path, header=False, text_column="2", label_column="1"))
    assert [(row.text, row.label) for row in found] == [*rows, rows[0]]


@pytest.mark.parametrize(
    "content",
    [
        "Kommentar des Kunden;Art der Meldung\nDie Lieferung kam viel zu spät;Lob\nAlles war gut und flott da;Kritik\n",
        "Kommentar des Kunden;Art der Meldung\n" + "War ok;Lob\nWar kalt;Kritik\nNie mehr;Kritik\n" * 3,
        "Kommentar des Kunden;Note des Kunden\nWar ok;1\nWar kalt;5\nGeht so;3\n",
        "What did you like about us?,How would you rate us?\nfood,5\nthe staff,4\nnothing,1\n",
    ],
)
def test_a_phrase_above_a_column_is_a_name(write: Write, content: str) -> None:
    told = refusal(write("f.csv", content))
    assert "no column has a usual name for texts" in told and "looks like a row" not in told
    assert "is a row" in told or "text_column=" in told


@pytest.mark.parametrize(
    "content",
    [
        "Die Suppe war kalt.,3 von 5\nNie wieder!,1 von 5\nGerne wieder,5 von 5\n",
        "Never again in my life,bad\nFine food,good\nVery slow,worse\n",
        "I would come here again with my whole family,great\n" + "Fine,good\nCold,bad\nSlow,worse\n",
    ],
)
def test_a_text_in_place_of_names_is_still_a_row(write: Write, content: str) -> None:
    assert "looks like a row, not like a header" in refusal(write("f.csv", content))
