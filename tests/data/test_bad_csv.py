"""CSV and TSV whose records, header or labels are wrong, and options that cannot be served."""

import pytest

from rnn_cli.errors import DataError
from tests.data.conftest import read_rows

H = b"text,label\n"

# case: (the file's name, its content, part of what is said, where after the path, part of the mend)
CORPUS = {
    "header only": ("f.csv", H, "has no rows", "", "add rows"),
    "header only, no line end": ("f.csv", b"text,label", "has no rows", "", "add rows"),
    "blank first line": ("f.csv", b"\n" + H + b"a,b\n", "the line is blank", ":1", "must name the columns"),
    "comma in a text": ("f.csv", H + b"a,b,c\n", "3 fields, expected 2", ":2", "quote the text"),
    "comma after good rows": ("f.csv", H + b"a,b\n" * 9 + b"a,b,c\n", "3 fields, expected 2", ":11", "quote"),
    "after a record of three lines": ("f.csv", H + b'"a\nb\nc",d\nx\n', "1 field, expected 2", ":5", "add"),
    "too few fields": ("f.csv", H + b"a\n", "1 field, expected 2", ":2", "add the missing fields"),
    "blank line inside": (
        "f.csv",
        H + b"a,b\n\nc,d\n",
        "0 fields, expected 2",
        ":3",
        "remove the blank line",
    ),
    "two blank lines": (
        "f.csv",
        H + b"a,b\n\n\nc,d\n",
        "0 fields, expected 2",
        ":3",
        "remove the blank line",
    ),
    "quote open at the end": (
        "f.csv",
        H + b'a,b\n"open,c\nd,e\n',
        "a quote opens in this record and is never closed",
        ":3",
        'write a quote inside quoted text as ""',
    ),
    "quote open amid": (
        "f.csv",
        H + b'a,b\n"open,c\nd,"e"\nf,g\n',
        "a quote that opens in this record closes in the middle of a text",
        ":3",
        "close it",
    ),
    "quote after CRs": ("f.csv", b'text,label\ra,b\r"open,c\r', "never closed", ":3", "close it"),
    "text after a quote": ("f.csv", H + b'"a"b,c\n', "in the middle of a text", ":2", "close it"),
    "no text column": (
        "f.csv",
        b"words,label\na,b\n",
        "no column has a usual name for texts (columns: 'words', 'label')",
        "",
        "use text_column=words",
    ),
    "no label column": (
        "f.csv",
        b"text,lable\na,b\n",
        "no column has a usual name for labels",
        "",
        "label_column",
    ),
    "no header": (
        "f.csv",
        b"a good film,1\na bad one,0\n",
        "looks like a row, not like a header: '1' is a number",
        ":1",
        "use header=False text_column=1 label_column=2",
    ),
    "two for the text": (
        "f.csv",
        b"review,comment,label\na,b,c\n",
        "2 columns could be the texts: 'review', 'comment'",
        "",
        "text_column",
    ),
    "text and Text": (
        "f.csv",
        b"text,Text,label\na,b,c\n",
        "2 columns could be the texts",
        "",
        "text_column",
    ),
    "doubled column": (
        "f.csv",
        b"text,label,text\na,b,c\n",
        "the column 'text' appears twice (columns: 'text', 'label', 'text')",
        "",
        "give each column its own name",
    ),
    "missing label": (
        "f.csv",
        H + b"a,b\nc,\nd,e\n",
        "1 row has no label (line 3)",
        "",
        "label or remove them",
    ),
    "many missing labels": (
        "f.csv",
        H + b"a,b\n" + b"c, \n" * 1200,
        "1,200 rows have no label (lines 3, 4, 5, 6, 7, ...)",
        "",
        "label or remove them",
    ),
}


@pytest.mark.parametrize(("name", "content", "what", "place", "hint"), CORPUS.values(), ids=CORPUS)
def test_bad_file(refused, name, content, what, place, hint):
    refused(name, content, what, place, hint)


@pytest.mark.parametrize(
    ("options", "what", "hint"),
    [
        (
            {"text_column": "txt"},
            "no column 'txt' (columns: 'text', 'label')",
            "did you mean text_column=text?",
        ),
        ({"label_column": "LABEL"}, "no column 'LABEL'", "did you mean label_column=label?"),
        ({"label_column": "zzz"}, "no column 'zzz'", "use label_column=NAME"),
        (
            {"text_column": "text", "label_column": "text"},
            "'text' cannot be both texts and labels",
            "name another",
        ),
        ({"label_column": "text"}, "no column has a usual name for texts", "text_column"),
        ({"encoding": "utf-99"}, "no text encoding is called 'utf-99'", "latin-1"),
        ({"encoding": "base64"}, "no text encoding is called 'base64'", "latin-1"),
        ({"encoding": ""}, "no text encoding is called ''", "latin-1"),
        ({"encoding": "a\0b"}, "no text encoding", "latin-1"),
        ({"encoding": "undefined"}, "no text encoding", "latin-1"),
        ({"delimiter": '"'}, "cannot be a delimiter", "use one such as"),
        ({"delimiter": "\n"}, "cannot be a delimiter", "use one such as"),
        ({"max_field_bytes": 20}, "a line larger than 20 bytes", "max_field_bytes=N"),
    ],
)
def test_bad_options(write, options, what, hint):
    with pytest.raises(DataError) as caught:
        list(read_rows(write("f.csv", H + b"a,b\n" + b"a" * 20 + b",b\n"), **options))
    assert what in caught.value.what and hint in str(caught.value.hint)


def test_a_record_that_grows_past_the_limit_is_told_at_its_opening_line(write):
    path = write("f.csv", H + b"a,b\n" + b'"' + b"line\n" * 100)
    with pytest.raises(DataError) as caught:
        list(read_rows(path, max_field_bytes=50))
    assert caught.value.where == f"{path}:3" and "a record larger than 50 bytes" in caught.value.what
