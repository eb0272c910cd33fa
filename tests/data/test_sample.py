"""data/sample.csv keeps what data/README.md says of it."""

import csv
import io
from collections import Counter
from pathlib import Path

import pytest

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample.csv"
COLUMNS = ["text", "label", "domain"]
DOMAINS = {"film", "book", "restaurant", "hotel", "product", "app", "travel", "course", "service", "music"}

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def content() -> str:
    return SAMPLE.read_bytes().decode("utf-8")


@pytest.fixture(scope="module")
def rows(content: str) -> Rows:
    return list(csv.DictReader(io.StringIO(content, newline=""), strict=True))


def test_has_300_rows_of_three_columns(content: str) -> None:
    header, *records = csv.reader(io.StringIO(content, newline=""), strict=True)
    assert header == COLUMNS
    assert len(records) == 300
    assert {len(record) for record in records} == {3}


def test_labels_are_balanced(rows: Rows) -> None:
    assert Counter(row["label"] for row in rows) == {"negative": 150, "positive": 150}


def test_each_domain_has_as_many_rows_of_each_label(rows: Rows) -> None:
    counts = Counter((row["domain"], row["label"]) for row in rows)
    assert counts == {(domain, label): 15 for domain in DOMAINS for label in ("negative", "positive")}


def test_the_order_mixes_labels_and_domains(rows: Rows) -> None:
    for start in range(0, len(rows), 20):
        part = rows[start : start + 20]
        assert Counter(row["label"] for row in part) == {"negative": 10, "positive": 10}
        assert {row["domain"] for row in part} == DOMAINS


def test_no_text_occurs_twice(rows: Rows) -> None:
    counts = Counter(" ".join(row["text"].casefold().split()) for row in rows)
    assert [text for text, count in counts.items() if count > 1] == []


def test_no_text_is_empty_or_padded(rows: Rows) -> None:
    assert [row["text"] for row in rows if not row["text"] or row["text"] != row["text"].strip()] == []


def test_texts_are_short_reviews(rows: Rows) -> None:
    assert [row["text"] for row in rows if not 5 <= len(row["text"].split()) <= 45] == []


def test_is_utf8_without_byte_order_mark(content: str) -> None:
    assert not content.startswith("\ufeff")
    assert not content.isascii()


def test_lines_end_in_lf_only(content: str) -> None:
    assert "\r" not in content
    assert content.endswith("\n")
    assert not content.endswith("\n\n")


def test_is_quoted_only_where_csv_needs_it(content: str) -> None:
    again = io.StringIO(newline="")
    csv.writer(again, lineterminator="\n").writerows(csv.reader(io.StringIO(content, newline="")))
    assert again.getvalue() == content


@pytest.mark.parametrize("character", [",", '"', "\n"])
def test_some_texts_need_quoting(rows: Rows, character: str) -> None:
    assert sum(character in row["text"] for row in rows) >= 5
