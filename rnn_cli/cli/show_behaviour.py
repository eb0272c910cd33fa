"""What came of behaviour tests: a table of failure rates, with examples."""

from collections.abc import Iterator

import click

from rnn_cli.cli.layout import paragraph, show_table, table
from rnn_cli.evaluation.wording import EVERY
from rnn_cli.inspection.behaviour import Behaviour, BehaviourResult, Failure
from rnn_cli.text.plain import one_line

EXAMPLES = 2
"""Failures shown of a test."""


def show_behaviour(found: Behaviour) -> None:
    """The failure rate of each test, examples of its failures, and what was not run."""
    rows = [
        (each.name, each.kind, f"{each.texts:,}", f"{len(each.failures):,}", f"{each.rate:.1%}", _interval(each))
        for each in found.tests
    ]
    show_table(table(("test", "kind", "texts", "failed", "rate", EVERY), rows, names=2))
    for test in found.tests:
        if test.failures:
            click.echo()
            click.secho(paragraph(one_line(test.name), indent=""), bold=True)
            for failure in test.examples(EXAMPLES):
                for line in _example(failure, test):
                    click.echo(line)
    for reason in dict.fromkeys(found.not_run.values()):
        names = ", ".join(name for name, why in found.not_run.items() if why == reason)
        click.echo("\n" + paragraph(f"Not run ({reason}): {names}.", indent=""))


def _interval(test: BehaviourResult) -> str:
    low, high = test.interval
    return f"{low:.1%} to {high:.1%}"


def _example(failure: Failure, test: BehaviourResult) -> Iterator[str]:
    yield paragraph(one_line(failure.text), indent="  ")
    if failure.changed is not None:
        yield paragraph(f"→ {one_line(failure.changed)}", indent="  ")
    yield paragraph(_in_words(failure, test), indent="      ")


def _in_words(failure: Failure, test: BehaviourResult) -> str:
    expected, predicted = one_line(failure.expected), one_line(failure.predicted)
    if failure.before is not None:
        wanted, moved = ("no less", "falls") if test.kind == "more" else ("no more", "rises")
        return f"expected {wanted} {expected}, which {moved} from {failure.before:.0%} to {failure.probability:.0%}"
    before = " as before" if test.kind == "same" else ""
    return f"expected {expected}{before}, predicted {predicted} ({failure.probability:.0%})"
