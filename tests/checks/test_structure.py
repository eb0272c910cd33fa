"""What a check says of a file that training refuses: it reads what can be read, and names the rest."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rnn_cli.checks.check import CheckReport, check_rows
from rnn_cli.checks.findings import Severity
from rnn_cli.checks.label_errors import judged_rows
from rnn_cli.checks.rows import WHOLE, CheckedRows, gather_rows
from rnn_cli.copies.words import learn_words, split_words
from rnn_cli.data.rows import Dataset
from rnn_cli.errors import DataError, RowError


@pytest.fixture
def checked(tmp_path: Path) -> Callable[[bytes], CheckReport]:
    def check(content: bytes, name: str = "f.csv") -> CheckReport:
        path = tmp_path / name
        path.write_bytes(content)
        return check_rows(str(path), *gather_rows(str(path)))

    return check


H = b"text,label\n"


@pytest.mark.parametrize(
    ("content", "rows", "name", "what"),
    [
        (
            H + b"a,b\nc,d,e\nf,g\nh\n",
            2,
            "ragged rows",
            "2 rows with another number of fields than the header (lines 3, 5)",
        ),
        (H + b"a,b\nc\0,d\n", 1, "NUL characters", "1 row with NUL characters (line 3)"),
        (H + b"a,b\nc,\nd,e\n", 2, "missing labels", "1 row without a label (line 3)"),
        (H + b"a,b\nGr\xf6\xdfe \x96 gut,d\n", 2, "encoding", "is not UTF-8"),
        (H + b'"x, y",b\n"The soup,b\nnever,c\nShe ",b\nk,c\n', 4, "quotes", "a quote opens here and swallows"),
        (b"4,What a lovely evening\n0,Never again\n4,Fine soup\n", 3, "header", "looks like a row"),
        (
            b"Report of May\n\nwords,kind,day\n" + b"a text,x,1\nb text,y,2\n" * 2,
            0,
            "header",
            "lines 1 to 2 stand above",
        ),
        (b"words,kind\na text here,x\nb text there,y\n", 2, "columns", "no column has a usual name"),
        (b"\xef\xbb\xbf" + H + b"a,b\nc,d\n", 2, "byte order mark", "begins with a byte order mark"),
        (b"<html><body>no table</body></html>\n", 0, "page", "is a page of HTML"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else None,
)
def test_the_structure_of_a_file(
    checked: Callable[[bytes], CheckReport], content: bytes, rows: int, name: str, what: str
) -> None:
    report = checked(content)
    found = {finding.name: finding for finding in report.findings}
    assert name in found and what in found[name].what
    assert found[name].severity is (Severity.NOTE if name == "byte order mark" else Severity.ERROR)
    assert len(report.rows) == rows
    assert report.to_dict()["findings"]


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        gather_rows(str(tmp_path / "none.csv"))


def test_of_many_labels_the_frequent_ones_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    from rnn_cli.checks import label_errors

    labels = [f"label {number}" for number in range(40) for _ in range(50 - number)]
    texts = [f"some text {row} of {label}" for row, label in enumerate(labels)]
    rows = CheckedRows({WHOLE: Dataset("f.csv", texts, labels, list(range(2, len(texts) + 2)))})
    assert {labels[row] for row in judged_rows(rows, learn_words(texts, split_words)[0])} == set(labels)
    monkeypatch.setattr(label_errors, "JUDGED_FITS", 10_000)
    judged = judged_rows(rows, learn_words(texts, split_words)[0])
    kept = {labels[row] for row in judged}
    assert kept == {f"label {number}" for number in range(len(kept))} and 8 < len(kept) < 40
    assert len(kept) * len(judged) <= 10_000


def test_a_finding_follows_from_the_kind_of_a_fault_and_not_from_its_words(
    checked: Callable[[bytes], CheckReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = DataError.__init__

    def reworded(self: DataError, what: str, **more: Any) -> None:
        before(self, "said otherwise", **more)

    monkeypatch.setattr(DataError, "__init__", reworded)
    names = {finding.name for finding in checked(H + b"a,b\nc,d,e\nc\0,d\nx,\n").findings}
    assert {"ragged rows", "NUL characters", "missing labels"} <= names
    assert {finding.name for finding in checked(b"<html><body>no table</body></html>\n").findings} == {"page"}


def test_an_error_keeps_its_kind_in_another_process_and_as_a_row_s() -> None:
    error = DataError("3 fields, expected 2", where="f.csv:3", hint="quote the text", kind="ragged")
    found = pickle.loads(pickle.dumps(RowError.of(error)))
    assert (type(found), found.kind, found.where, str(found)) == (RowError, "ragged", "f.csv:3", str(error))
