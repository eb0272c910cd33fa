"""Quotes in CSV and TSV: around fields, as characters, and as what swallows rows."""

import csv
import io
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnn_cli.config.schema import DataConfig
from rnn_cli.data.source import load_rows
from rnn_cli.errors import DataError
from tests.data.conftest import read_rows

Write = Callable[[str, bytes | str], str]

STRAY = '"The soup was cold, he said|bad\nA lovely evening|good\nNever again|bad\nShe called it "|good\nFine|good\n'


def texts(path: str, **how: object) -> list[str]:
    return [row.text for row in read_rows(path, **how)]


@pytest.mark.parametrize("suffix", ["tsv", "csv"])
def test_a_quote_that_swallows_rows_is_a_character_if_the_whole_file_says_so(write: Write, suffix: str) -> None:
    rows = "text|label\n" + STRAY if suffix == "tsv" else "text|label\n" + STRAY.replace("cold, he", "cold he")
    path = write(f"f.{suffix}", rows.replace("|", {"tsv": "\t", "csv": ","}[suffix]))
    assert texts(path) == [line.split("|")[0] for line in rows.splitlines()[1:]]
    dataset = load_rows(path)
    assert dataset.reading == {"quoting": "none"}
    assert dataset.notes == (f"{path}: quotes are read as plain characters, as they do not enclose fields",)


@pytest.mark.parametrize(
    ("content", "line", "count"),
    [
        ('"fine, indeed",good\n"The soup,bad\nnever,bad\nShe called it ",good\n', 3, "the next 2 lines"),
        ('"fine, indeed",good\nbad one,bad\n"The soup,bad\nShe called it ",good\n', 4, "the next line"),
        ('"two\nlines, well",good\nbad,bad\n"The soup,bad\nShe called it ",good\n', 5, "the next line"),
    ],
)
def test_a_quote_that_swallows_rows_of_a_file_of_quoted_fields_is_refused(
    write: Write, content: str, line: int, count: str
) -> None:
    path = write("f.csv", "text,label\n" + content)
    with pytest.raises(DataError) as caught:
        texts(path)
    assert caught.value.where == f"{path}:{line}"
    assert f"a quote opens here and swallows {count}, which look" in caught.value.what
    assert "quoting=none" in str(caught.value.hint) and "quoting=csv" in str(caught.value.hint)
    assert len(texts(path, quoting="csv")) < content.count("\n")


def test_rows_swallowed_in_the_last_column_are_found(write: Write) -> None:
    path = write("f.csv", 'id,text\n1,"a, b"\n2,fine\n3,"The soup\n4,lovely\n5,She called it "\n6,x\n')
    with pytest.raises(DataError, match="swallows the next 2 lines") as caught:
        texts(path, labels=False)
    assert caught.value.where == f"{path}:4"


@pytest.mark.parametrize(
    "text",
    [
        "Dear team,\nthe order is late",
        "Hello,\n\nmy order, well, is late,\nbye",
        "We waited, and waited\nthen left",
        "it cost 1,000\nand more",
        'he ""said"", no\nthanks',
    ],
)
def test_quoted_texts_of_several_lines_stay_one_row(write: Write, text: str) -> None:
    others = "".join(f"text {number},{'good' if number % 2 else 'bad'}\n" for number in range(30))
    path = write("f.csv", f'text,label\n{others}"{text}",good\n{others}')
    rows = list(read_rows(path))
    assert len(rows) == 61 and rows[30].text == text.replace('""', '"') and not load_rows(path).notes


def test_texts_that_begin_with_a_quoted_word(write: Write) -> None:
    path = write("f.tsv", 'text\tlabel\n"Magic" it was not\ta\n"Never" again\tb\nshe said "no"\ta\n')
    assert texts(path) == ['"Magic" it was not', '"Never" again', 'she said "no"']
    with pytest.raises(DataError) as caught:
        texts(path, quoting="csv")
    assert caught.value.where == f"{path}:2" and "quoting=none" in str(caught.value.hint)


def test_a_mistake_in_a_file_of_quoted_fields_is_no_reason_to_keep_the_quotes(write: Write) -> None:
    path = write("f.csv", 'text,label\n"He said "hi" to me","good"\n"Fine","bad"\n"Dull","bad"\n')
    with pytest.raises(DataError, match="closes in the middle of a text"):
        texts(path)


@pytest.mark.parametrize("row", ['a, "b, c"', ' "a, b",c'])
def test_a_space_before_a_quote(write: Write, row: str) -> None:
    path = write("f.csv", f"text,label\nx,y\n{row}\n")
    with pytest.raises(DataError, match="3 fields, expected 2") as caught:
        texts(path)
    assert "remove the space before the quote" in str(caught.value.hint)


def test_a_pipe_cannot_be_looked_at_twice(write: Write) -> None:
    fifo = write("x", "") + ".fifo"
    os.mkfifo(fifo)
    content = ("text|label\n" + STRAY).replace("|", "\t")
    threading.Thread(target=Path(fifo).write_text, args=[content], daemon=True).start()
    with pytest.raises(DataError, match="swallows the next 3 lines") as caught:
        texts(fifo, format="tsv")
    assert caught.value.where == f"{fifo}:2"


WORDS = st.text("ab \"',;é", min_size=1, max_size=8).filter(str.strip)
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
LABELS = st.sampled_from(["good", "bad"])


@SHARED
@given(rows=st.lists(st.tuples(WORDS, LABELS), min_size=1, max_size=12), pad=st.booleans())
def test_no_row_of_a_file_whose_quotes_are_characters_is_lost(
    write: Write, rows: Sequence[tuple[str, str]], pad: bool
) -> None:
    rows = [*rows, *([("plain", "good"), ("other", "bad")] * 10 if pad else [])]
    path = write("f.tsv", "text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows))
    try:
        found = list(read_rows(path))
    except DataError as error:
        assert "quot" in str(error)
    else:
        assert [(row.text.replace('"', ""), row.label) for row in found] == [
            (text.replace('"', ""), label) for text, label in rows
        ]


@SHARED
@given(
    rows=st.lists(st.tuples(st.text("ab \"',;\n\té", min_size=1, max_size=12), LABELS), min_size=1, max_size=12),
    delimiter=st.sampled_from(",;\t|"),
    style=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_a_csv_writer_wrote_comes_back(
    write: Write, rows: Sequence[tuple[str, str]], delimiter: str, style: int
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=style)  # type: ignore[arg-type]
    writer.writerows([("text", "label"), *rows])
    path = write("f.csv", out.getvalue())
    try:
        found = list(read_rows(path))
    except DataError as error:  # a text of lines like rows
        assert "swallows" in str(error)
    else:
        assert [(row.text, row.label) for row in found] == list(rows)


def test_the_keys_of_a_config_say_it(write: Write) -> None:
    path = write("f.tsv", 'text\tlabel\n"Fine"\ta\n"Dull"\tb\n')
    assert load_rows(path).texts == ["Fine", "Dull"]
    assert load_rows(path, DataConfig(quoting="none")).texts == ['"Fine"', '"Dull"']
