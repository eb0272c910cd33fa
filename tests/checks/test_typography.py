"""What is unusual in how texts are typed is named, with the number of texts."""

import pytest

from rnn_cli.checks.findings import Finding, Severity
from rnn_cli.checks.rows import WHOLE, CheckedRows
from rnn_cli.checks.typography import find_typography
from rnn_cli.data.rows import Dataset


def found(*texts: str, splitting: str = "unicode") -> list[Finding]:
    labels = ["good"] * len(texts)
    return find_typography(
        CheckedRows({WHOLE: Dataset("r.csv", list(texts), labels, list(range(2, len(texts) + 2)))}), splitting
    )


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a\u00a0film", "non-breaking and other unusual spaces"),
        ("a\u2009film", "non-breaking and other unusual spaces"),
        ("a\u2028film", "unusual line ends"),
        ("so\u200bso", "characters of no width"),
        ("so\u00adso", "soft hyphens"),
        ("ｆｉｌｍ", "full-width letters or marks"),
        ("cafe\u0301", "accents as characters of their own"),
    ],
)
def test_each_kind_is_named(text: str, kind: str) -> None:
    (finding,) = found("plain", text, "café – naïve")
    assert (finding.severity, finding.name) == (Severity.NOTE, "typography")
    assert finding.what == f"1 text has unusual characters: {kind} (1)."
    assert [(hit.row, hit.note) for hit in finding.hits] == [(1, kind)]


def test_quotes_are_unusual_where_they_are_mixed() -> None:
    assert found("“good”", "‘bad’") == []
    (finding,) = found("“good”", '"bad"')
    assert finding.what == "1 text has unusual characters: curly quotes, where others are straight (1)."


def test_it_costs_accuracy_where_texts_are_split_at_ascii() -> None:
    (finding,) = found("a\u00a0film", "so\u200bso\u00a0", splitting="ascii")
    assert finding.severity is Severity.WARNING and "tokenizer.splitting: unicode" in finding.hint
    assert finding.what.startswith("2 texts have unusual characters: non-breaking and other unusual spaces (2); ")


@pytest.mark.parametrize("splitting", ["unicode", "ascii"])
@pytest.mark.parametrize("character", ["\x00", "\x07", "\x08", "\x0b", "\x0c", "\x1b", "\x1f", "\x7f"])
def test_control_characters_are_to_be_removed(character: str, splitting: str) -> None:
    (finding,) = found("plain", f"wa{character}rm", splitting=splitting)
    assert finding.severity is Severity.WARNING and [hit.row for hit in finding.hits] == [1]
    assert finding.what == "1 text has unusual characters: control characters (1)."
    assert finding.hint == "Remove the control characters, which may stay in words."
    (both,) = found(f"cafe\u0301 wa{character}rm", splitting=splitting)
    assert "read" in both.hint and both.hint.endswith(finding.hint)


def test_usual_texts_have_none() -> None:
    assert found("a film", "café", "“quoted”", "tabs\tand\r\nlines\n") == []
