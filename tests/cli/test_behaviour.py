"""`rnn inspect behaviour`: what is shown, what it exits with, and what is told when it cannot run."""

import json
import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from rnn_cli.cli.inspect import behaviour
from rnn_cli.inspection.behaviour import MOST_CASES
from rnn_cli.inspection.cases import load_suite

from .conftest import Rnn, on_a_terminal

CASES = """
tests:
  - name: praise
    kind: label
    expect: good
    templates: ["a {warm} film", "the {warm} story"]
  - name: praise as blame
    kind: label
    expect: bad
    templates: ["a {warm} film", "the {warm} story"]
  - name: blame added
    kind: more
    expect: bad
    pairs: [["a {warm} film", "a {warm} film, dull and bland and clumsy"]]
  - name: praise added
    kind: more
    expect: bad
    pairs: [["a dull and bland film", "a dull and bland film, {warm} and warm and lovely and bright"]]
  - name: shouting
    kind: same
    change: upper
    templates: ["a {warm} film"]
  - name: facts
    kind: label
    expect: neither
    templates: ["a film of {warm}"]
slots:
  warm: [warm, lovely, bright, tender, splendid]
"""


@pytest.fixture
def cases(home: Path) -> str:
    (home / "cases.yaml").write_text(CASES, encoding="utf-8")
    return "cases.yaml"


def test_each_test_has_a_row_and_failures_an_example(rnn: Rnn, newest: Path, cases: str) -> None:
    code, out, err = rnn("inspect", "behaviour", cases)
    assert (code, err) == (0, "")
    rows = {line[:17].strip(): line[17:].split() for line in out.splitlines() if re.search(r"% to \d", line)}
    assert list(rows) == ["praise", "praise as blame", "blame added", "praise added", "shouting"]
    assert rows["praise"][:4] == ["label", "10", "0", "0.0%"]
    assert rows["praise as blame"][:4] == ["label", "10", "10", "100.0%"]
    assert rows["blame added"][:4] == ["more", "5", "0", "0.0%"]
    assert rows["praise added"][:4] == ["more", "5", "5", "100.0%"]
    assert rows["shouting"][:4] == ["same", "5", "0", "0.0%"]
    assert "Not run, as the model has no label neither: facts." in out
    # An example each of both templates.
    shown = out.partition("\npraise as blame: bad expected\n")[2].splitlines()[:2]
    assert [re.sub(r" \d+%", "", line) for line in shown] == ["    good  a warm film", "    good  the warm story"]
    shown = out.partition("\npraise added: bad must not become less probable\n")[2].splitlines()[:2]
    assert shown[0].startswith("    bad ") and shown[0].endswith("a dull and bland film")
    assert shown[1].startswith("  → bad ") and shown[1].endswith("film, warm and warm and lovely and bright")
    assert "\npraise:" not in out and "\nshouting:" not in out


def test_as_json_every_failure_is_there(rnn: Rnn, newest: Path, cases: str) -> None:
    code, out, err = rnn("inspect", "behaviour", cases, "--json", "--texts", "8")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert (found["cases"], found["labels"]) == ("cases.yaml", ["bad", "good"])
    tests = {each["name"]: each for each in found["tests"]}
    assert (tests["praise as blame"]["texts"], tests["praise as blame"]["possible"]) == (8, 10)
    assert len(tests["praise as blame"]["failures"]) == 8
    assert tests["praise"]["failures"] == []
    assert tests["praise added"]["possible"] is None
    failure = tests["praise added"]["failures"][0]
    assert failure["before"]["probability"] > failure["after"]["probability"] + 0.1
    assert found["not_run"] == [{"name": "facts", "kind": "label", "reason": "the model has no label neither"}]


def test_a_sample_is_told(rnn: Rnn, newest: Path, cases: str) -> None:
    out = rnn("inspect", "behaviour", cases, "--texts", "8").out
    assert "  8 of 10  " in out
    assert out == rnn("inspect", "behaviour", cases, "--texts", "8").out


def test_more_failures_than_allowed_are_an_exit_code(rnn: Rnn, newest: Path, cases: str) -> None:
    code, out, err = rnn("inspect", "behaviour", cases, "--fail-above", "0.5")
    assert code == 1
    assert "praise as blame" in out
    assert err == "Error: 2 tests fail on more than 0.5 of the texts: praise as blame, praise added\n"
    assert rnn("inspect", "behaviour", cases, "--fail-above", "0.5", "--json").code == 1
    assert rnn("inspect", "behaviour", cases, "--fail-above", "1")[::2] == (0, "")


def test_without_a_file_the_tests_of_rnn_run(rnn: Rnn, newest: Path) -> None:
    code, out, err = rnn("inspect", "behaviour", "--texts", "30")
    assert (code, err) == (0, "")
    told = " ".join(out.split())
    for test in load_suite().tests:  # each in the table or among those that were not run
        assert test.name in told
    assert "Not run, as the model has no label positive: plain praise, " in told
    assert "name it: --label positive=LABEL" in told
    code, out, err = rnn("inspect", "behaviour", "--texts", "30", "--label", "positive=good", "--label", "negative=bad")
    assert (code, err) == (0, "")
    assert "plain praise" in out.partition("Not run")[0]
    assert "Not run, as the model has no label neutral: facts, questions." in out and "--label" not in out


def test_the_tests_of_rnn_are_printed_to_start_from(rnn: Rnn, newest: Path, home: Path) -> None:
    code, out, err = rnn("inspect", "behaviour", "--yaml")
    assert (code, err) == (0, "")
    (home / "mine.yaml").write_text(out, encoding="utf-8")
    assert load_suite("mine.yaml") == load_suite()
    own, mine = (json.loads(rnn("inspect", "behaviour", *words, "--json").out) for words in ([], ["mine.yaml"]))
    assert own["tests"] == mine["tests"]


@pytest.mark.parametrize("columns", [80, 50])
def test_it_fits_the_terminal(newest: Path, home: Path, columns: int) -> None:
    long, wide = "the long {warm} story of a film, " * 4, "長い {warm} 映画" + "です" * 40
    names, templates = "praise as blame, " * 4, f'["{long}", "{wide}"]'
    tests = f"tests: [{{name: '{names}', kind: label, expect: bad, templates: {templates}}}]\nslots: {{warm: [warm]}}"
    (home / "long.yaml").write_text(tests, encoding="utf-8")
    shown, ended = on_a_terminal("inspect", "behaviour", "long.yaml", columns=columns)
    assert ended.code == 0, shown
    assert max(map(cell_len, shown.splitlines())) <= columns
    assert ("95% interval" in shown) == (columns == 80)
    # What is said of a text may hang on its last word, so it is wrapped.
    told = " ".join(shown.split())
    assert long.format(warm="warm").strip() in told
    assert ("…" not in told.partition("映画")[2]) == (columns == 80)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none.yaml"], "none.yaml: cannot be read (No such file or directory)"),
        (["."], ".: cannot be read (Is a directory)"),
        (["bad.yaml"], 'bad.yaml:2: tests.0.kind: expected label, same, more or less, got "labels"'),
        (["--label", "positive"], "--label positive: expected NAME=LABEL; such as --label positive=1"),
        (["--label", "positive=ham"], "the model has no label ham; its labels are bad, good"),
        (["--label", "positiv=good"], "no test expects the label positiv; it expects positive, negative, neutral"),
        (["--yaml", "cases.yaml"], "--yaml prints the tests that come with rnn; leave CASES.yaml out"),
        (["--json", "--examples", "3"], "--json has every failure, so it takes no --examples; leave one out"),
        (["--fail-above", "nan"], "--fail-above nan: expected a rate from 0 to 1"),
        (["--fail-above", "2"], "Invalid value for '--fail-above'"),
        (["--model", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(
    rnn: Rnn, newest: Path, home: Path, words: list[str], message: str
) -> None:
    (home / "bad.yaml").write_text("tests:\n- {name: n, kind: labels, expect: good, templates: [a]}\n")
    code, out, err = rnn("inspect", "behaviour", *words)
    assert (code, out) == (2, "")
    assert err.startswith(f"Error: {message}") and len(err.splitlines()) == 1


def test_a_file_of_which_nothing_can_be_run_fails(rnn: Rnn, newest: Path, home: Path) -> None:
    (home / "one.yaml").write_text("tests: [{name: n, kind: label, expect: positive, templates: [a]}]")
    code, out, err = rnn("inspect", "behaviour", "one.yaml")
    assert code == 2
    assert "Not run, as the model has no label positive: n." in out
    assert err == ("Error: none of the tests could be run; the reasons are above; --label NAME=LABEL names a label\n")


def test_the_help_names_the_number_that_is_used() -> None:
    (option,) = (each for each in behaviour.params if each.name == "texts")
    assert f"[default: {MOST_CASES}]" in str(getattr(option, "help", ""))
