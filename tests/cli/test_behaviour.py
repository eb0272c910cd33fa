"""`rnn inspect behaviour`: what is shown, the exit codes, and mistakes on one line."""

import json
from pathlib import Path

import pytest
from rich.cells import cell_len

from .conftest import Rnn, on_a_terminal

CASES = """
slots: {noun: [film, book]}
tests:
  warmth:
    kind: label
    texts:
      good: [a warm lovely film, a tender film]
      bad: [a warm splendid evening]
  words:
    kind: same
    texts: [warm lovely film => dull tedious film]
  more warmth:
    kind: more
    texts:
      bad: [a dull film => a warm lovely funny film]
"""


@pytest.fixture(autouse=True)
def file(home: Path, newest: Path) -> Path:
    (home / "cases.yaml").write_text(CASES)
    return home / "cases.yaml"


def test_a_table_of_rates_and_examples(rnn: Rnn) -> None:
    code, out, err = rnn("inspect", "behaviour", "cases.yaml")
    assert (code, err) == (0, "")
    rows = [line.split() for line in out.splitlines()[2:5]]
    assert [row[:-3] for row in rows] == [
        ["warmth", "label", "3", "1", "33.3%"],
        ["words", "same", "1", "1", "100.0%"],
        ["more", "warmth", "more", "1", "1", "100.0%"],
    ]
    assert "\n  a warm splendid evening\n      expected bad, predicted good (" in out
    assert "\n  warm lovely film\n  → dull tedious film\n      expected good as before, predicted bad (" in out
    assert "\n      expected no less bad, which falls from " in out


def test_json_has_every_failure_and_the_same_figures(rnn: Rnn) -> None:
    code, out, err = rnn("inspect", "behaviour", "cases.yaml", "--json")
    found = json.loads(out)
    assert (code, err, found["source"], found["labels"]) == (0, "", "cases.yaml", ["bad", "good"])
    assert [(each["name"], each["texts"], each["failed"]) for each in found["tests"]] == [
        ("warmth", 3, 1),
        ("words", 1, 1),
        ("more warmth", 1, 1),
    ]
    (failure,) = found["tests"][0]["failures"]
    assert (failure["text"], failure["expected"], failure["predicted"]) == ("a warm splendid evening", "bad", "good")
    low, high = found["tests"][0]["interval"]
    assert low < found["tests"][0]["rate"] < high


def test_a_rate_above_the_limit_is_exit_code_1_after_the_table(rnn: Rnn) -> None:
    assert rnn("inspect", "behaviour", "cases.yaml", "--fail-above", "1").code == 0
    code, out, err = rnn("inspect", "behaviour", "cases.yaml", "--fail-above", "0.5")
    assert (code, err) == (1, "2 of 3 tests fail more often than 0.5: words, more warmth\n")
    assert out == rnn("inspect", "behaviour", "cases.yaml").out


def test_what_is_not_run_is_told(rnn: Rnn) -> None:
    code, out, err = rnn("inspect", "behaviour")
    assert (code, err) == (0, "")
    assert (
        "\nNot run (for a model of the labels positive and negative, with or without neutral): negated praise, " in out
    )
    found = json.loads(rnn("inspect", "behaviour", "--json").out)
    assert {each["kind"] for each in found["tests"]} == {"same"} and found["source"] is None
    assert "negated praise" in found["not_run"]


@pytest.mark.parametrize("words", [[], ["cases.yaml"]])
@pytest.mark.parametrize("columns", [80])
def test_it_fits_the_terminal(words: list[str], columns: int, file: Path) -> None:
    file.write_text(
        CASES.replace("warmth", "a test whose name is long and says too much").replace("splendid", "\u202e" * 9)
    )
    shown, ended = on_a_terminal("inspect", "behaviour", *words, columns=columns)
    assert ended.code == 0 and "Error" not in shown and "\u202e" not in shown
    assert max(cell_len(line) for line in shown.splitlines()) <= columns


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["none.yaml"], "Error: none.yaml: cannot be read (No such file or directory)"),
        (["runs"], "Error: runs: cannot be read (Is a directory)"),
        (["latin.yaml"], "Error: latin.yaml:2: not UTF-8 (byte 0xe9)"),
        (["wrong.yaml"], "Error: wrong.yaml: tests.t.kind: expected 'label', 'same', 'more' or 'less', got \"sam\""),
        (["other.yaml"], "Error: other.yaml: tests.t.texts.goood: the model has no label goood; did you mean good?"),
        (["cases.yaml", "--model", "nowhere"], "Error: nowhere: no such folder"),
        (["--fail-above", "2"], "Error: Invalid value for '--fail-above'"),
        (["--fail-above", "nan"], "Error: Invalid value for '--fail-above'"),
    ],
)
def test_a_mistake_is_one_line(words: list[str], told: str, rnn: Rnn) -> None:
    Path("latin.yaml").write_bytes(b"slots:\n- caf\xe9")
    Path("wrong.yaml").write_text("tests: {t: {kind: sam, texts: [a]}}")
    Path("other.yaml").write_text("tests: {t: {kind: label, texts: {goood: [a]}}}")
    code, out, err = rnn("inspect", "behaviour", *words)
    assert (code, out) == (2, "")
    assert err.startswith(told) and err.count("\n") == 1
