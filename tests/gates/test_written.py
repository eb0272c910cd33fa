"""Reports of gates as XML and Markdown: valid whatever the texts hold."""

import re
from pathlib import Path
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from rnn_cli.gates.outcomes import GateOutcome, GateReport, GoldenOutcome, Mismatch
from rnn_cli.gates.written import MOST_LISTED, as_junit, as_markdown

HOSTILE = 'a\x00b\x1b[31m]]>&<script>|`x`\n| y | "\ufffe\ud800\u202e'


def outcome(name: str, *, passed: bool) -> GateOutcome:
    return GateOutcome(name, name, "accuracy", ">= 0.900", 0.85, (0.8, 0.9), passed)


def report(name: str, text: str, times: int = 1) -> GateReport:
    wrong = Mismatch("golden.csv:2", text, "good", "bad", 0.75)
    golden = GoldenOutcome("golden.csv", 10, (wrong,) * times, 0)
    return GateReport(Path("runs/a"), "new.csv", 60, (outcome("one", passed=True), outcome(name, passed=False)), golden)


def test_junit_has_a_case_a_gate_and_one_for_the_golden_set() -> None:
    suite = ElementTree.fromstring(as_junit(report("two", "a film")))
    assert (suite.tag, suite.attrib["tests"], suite.attrib["failures"]) == ("testsuite", "3", "2")
    cases = list(suite)
    assert [case.attrib["name"] for case in cases] == ["one", "two", "golden.csv"]
    assert [case.find("failure") is not None for case in cases] == [False, True, True]
    failure = cases[1].find("failure")
    assert failure is not None
    assert failure.attrib["message"] == ("accuracy is 0.850 (95% interval 0.800 to 0.900), demanded is >= 0.900")
    wrong = cases[2].findtext("failure")
    assert wrong == "golden.csv:2: good expected, bad predicted (75.0%): a film"


@given(st.text() | st.just(HOSTILE))
def test_junit_is_valid_whatever_texts_hold(text: str) -> None:
    made = as_junit(report(text, text))
    parsed = ElementTree.fromstring(made.encode("utf-8"))
    assert len(list(parsed)) == 3
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", made)


@given(st.text() | st.just(HOSTILE))
def test_markdown_has_as_many_cells_as_its_head_whatever_texts_hold(text: str) -> None:
    lines = as_markdown(report(text, text)).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [6] * 5 + [6] * 3
    assert not any(re.search(r"<|(?<!\\)`", line) for line in lines)


def test_markdown_says_what_failed_and_lists_some_mismatches() -> None:
    made = as_markdown(report("two", "a film", times=MOST_LISTED + 3))
    assert made.startswith("### Gates of runs/a: fail\n\n60 rows of new.csv.\n")
    assert made.count("a film") == MOST_LISTED
    assert made.endswith("And 3 more.\n")
