"""What the behaviour tests of a model came to, printed."""

from collections.abc import Iterator
from pathlib import Path

import click
from rich.cells import cell_len

from rnn_cli.cli.layout import cut_to, paragraph, show_table, table, terminal_width, to_json
from rnn_cli.errors import RunFailed, UsageError, few_of
from rnn_cli.evaluation.wording import EVERY, span
from rnn_cli.inspection.behaviour import Behaviour, Failure, Outcome, Side
from rnn_cli.text.plain import one_line

PIPE_CELLS = 2**31
"""The width where there is no terminal: nothing is cut."""

LABEL_CELLS = 16
"""The widest a predicted label may be."""


def behaviour_as_json(found: Behaviour, model: Path, cases: str | None) -> None:
    """Everything as one JSON object, with every failure."""
    click.echo(to_json({"model": str(model), "cases": cases} | found.to_dict(), indent=2))


def show_behaviour(found: Behaviour, model: Path, cases: str | None, examples: int) -> None:
    """The rate of failures of each test, what was not run, and a few failures of each."""
    source = "the tests of rnn for short English opinions" if cases is None else one_line(cases)
    click.echo(f"Model  {one_line(str(model))}  ({few_of([*map(one_line, found.labels)])})")
    click.echo(f"Tests  {source}\n")
    if found.outcomes:
        head = ("test", "kind", "texts", "failed", "rate", EVERY)
        show_table(table(head, [_row(each) for each in found.outcomes], names=2))
    for line in _notes(found):
        click.echo("\n" + paragraph(line, indent=""))
    for outcome in found.outcomes:
        if outcome.failures and examples:
            click.echo()
            for line in _examples(outcome, examples):
                click.echo(line)


def refuse_failures(found: Behaviour, fail_above: float | None) -> None:
    """Raise `UsageError` if no test could be run, `RunFailed` if one fails on more than the share `fail_above`."""
    if not found.outcomes:
        what = f"no test expects a label of this model ({few_of([*map(one_line, found.labels)])})"
        raise UsageError(what, hint="name its labels with --label NAME=LABEL")
    worse = [] if fail_above is None else [each.name for each in found.outcomes if each.rate > fail_above]
    if worse:
        some = "1 test fails" if len(worse) == 1 else f"{len(worse)} tests fail"
        raise RunFailed(f"{some} on more than {fail_above:.4g} of the texts: {few_of([*map(one_line, worse)])}")


def _row(outcome: Outcome) -> list[str]:
    percent = "{:.1%}".format
    of = "" if outcome.possible is None else f" of {_counted(outcome.possible)}"
    figures = (f"{outcome.texts:,}{of}", f"{outcome.failed:,}", percent(outcome.rate), span(outcome.interval, percent))
    return [outcome.name, outcome.kind, *figures]


def _notes(found: Behaviour) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for each in found.not_run:
        reasons.setdefault(each.reason, []).append(each.name)
    for reason, names in reasons.items():
        yield f"Not run, as {one_line(reason)}: {', '.join(map(one_line, names))}."


def _counted(number: int) -> str:
    return f"{number:,}" if number < 10**7 else f"{float(min(number, 10**300)):.0e}"


def _examples(outcome: Outcome, most: int) -> Iterator[str]:
    expected = " or ".join(map(one_line, outcome.expect))
    what = {
        "label": f"{expected} expected",
        "same": "the label must stay",
        "more": f"{expected} must not become less probable",
        "less": f"{expected} must not become more probable",
    }
    yield click.style(one_line(outcome.name), bold=True) + f": {what[outcome.kind]}"
    followed = one_line(outcome.expect[0]) if outcome.kind in ("more", "less") else None
    shown = min(most, outcome.failed)
    for number in range(shown):  # far apart, as neighbours are of one template
        yield from _failure(outcome.failures[number * outcome.failed // shown], followed)


def _failure(failure: Failure, followed: str | None) -> Iterator[str]:
    """The text with its prediction; of a change both texts, each on its line."""
    if failure.before is not None:
        yield _side("  ", failure.before, followed)
    yield _side("  " if failure.before is None else "→ ", failure.after, followed)


def _side(mark: str, side: Side, followed: str | None) -> str:
    label = cut_to(side.predicted if followed is None else followed, LABEL_CELLS)
    end = f"  {label} {side.probability:.0%}"
    width = (terminal_width() or PIPE_CELLS) - len(mark) - cell_len(end) - 2
    return f"  {mark}{cut_to(side.text, width)}{end}"
