"""A report of gates as JUnit XML and as Markdown, for build servers. Nothing in a text becomes markup."""

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as xml

from rnn_cli import system
from rnn_cli.bundle.locate import shown_model
from rnn_cli.evaluation.wording import seen_in_words
from rnn_cli.gates.outcomes import GateOutcome, GateReport, GoldenOutcome
from rnn_cli.text.plain import one_line, plain

MOST_LISTED = 50
"""Mismatches of a golden set that Markdown lists; JUnit and JSON have all."""

_MARKS = re.compile(r"([\\`*_{}\[\]()#+!|~$^@:-])")
"""What Markdown of any dialect may take for its own."""


def save(report: GateReport, *, junit: Path | None, markdown: Path | None) -> None:
    """Write the report to the files named, each whole or not at all; raises `WriteError`."""
    for name, out, write in (("junit", junit, as_junit), ("markdown", markdown, as_markdown)):
        if out is not None:
            with system.as_write_error(out, name=name), system.whole_file(out) as hidden:
                system.write(hidden, write(report))


def as_junit(report: GateReport) -> str:
    """One test suite with a test case a gate; the golden set is one, too, with all its mismatches in the failure.

    Characters that XML 1.0 does not allow become U+FFFD.
    """
    cases = len(report.outcomes) + (report.golden is not None)
    suite = xml.Element(
        "testsuite",
        name=plain(f"rnn check-model {shown_model(report.model)}"),
        tests=str(cases),
        failures=str(len(report.failed)),
        errors="0",
        skipped="0",
    )
    for each in report.outcomes:
        case = xml.SubElement(suite, "testcase", classname="gates", name=plain(each.name))
        if not each.passed:
            xml.SubElement(case, "failure", type="gate", message=plain(outcome_in_words(each))).text = plain(each.gate)
        else:
            xml.SubElement(case, "system-out").text = plain(outcome_in_words(each))
    if golden := report.golden:
        case = xml.SubElement(suite, "testcase", classname="golden", name=plain(golden.file))
        if not golden.passed:
            failure = xml.SubElement(case, "failure", type="golden", message=plain(golden_in_words(golden)))
            failure.text = "\n".join(
                f"{one_line(each.where)}: {one_line(each.wanted)} expected, {one_line(each.predicted)} predicted"
                f"{f' ({each.sure})' if each.sure else ''}: {one_line(each.text)}"
                for each in golden.mismatches
            )
    xml.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + xml.tostring(suite, encoding="unicode") + "\n"


def as_markdown(report: GateReport) -> str:
    """A heading with the result, a table of the gates, and the golden set's mismatches."""
    word = "pass" if report.passed else "fail"
    lines = [f"### Gates of {_cell(shown_model(report.model))}: {word}", ""]
    if report.rows is not None:
        lines += [f"{report.rows:,} {_cell(report.of)}.", ""]
    if report.seen is not None:
        lines += [_cell(seen_in_words(report.seen)), ""]
    head, rows = report.table()
    lines += _table([*head[:-1], "result"], rows)
    lines += [f"\n{_cell(each.title)}: {_cell(each.reason)}" for each in report.outcomes if each.reason]
    if report.golden is not None and report.golden.mismatches:
        lines += ["", f"{_cell(golden_in_words(report.golden))}:", ""]
        found = report.golden.mismatches
        listed = [(each.where, each.wanted, each.predicted, each.sure, each.text) for each in found]
        lines += _table(("place", "expected", "predicted", "", "text"), listed[:MOST_LISTED])
        if len(found) > MOST_LISTED:
            lines += ["", f"And {len(found) - MOST_LISTED:,} more."]
    return "\n".join(lines) + "\n"


def outcome_in_words(outcome: GateOutcome) -> str:
    """What was measured, in a sentence without its end."""
    if outcome.value is None:
        return f"{outcome.figure} does not exist: {outcome.reason}"
    interval = f" (95% interval {outcome.bounds})" if outcome.interval is not None else ""
    reason = f"; {outcome.reason}" if outcome.reason else ""
    return f"{outcome.figure} is {outcome.measured}{interval}, demanded is {outcome.demanded}{reason}"


def golden_in_words(golden: GoldenOutcome) -> str:
    """How many texts got another label."""
    how = "were predicted wrongly" if golden.within is None else f"are off by more than {golden.within:g}"
    return f"{len(golden.mismatches):,} of the {golden.rows:,} texts in {golden.file} {how}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return lines + [f"| {' | '.join(map(_cell, row))} |" for row in rows]


def _cell(text: str) -> str:
    """A text in a cell of a table: on one line, with nothing in it that Markdown or HTML would read."""
    escaped = _MARKS.sub(r"\\\1", one_line(text))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
