"""What the behaviour tests of a model came to, printed."""

from collections.abc import Iterator
from pathlib import Path

import click
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from rnn_cli.cli.layout import NAME_CELLS, cut_to, padded, paragraph, show_table, table, terminal_width, to_json
from rnn_cli.errors import RunFailed, UsageError, few_of
from rnn_cli.evaluation.wording import EVERY, span
from rnn_cli.inspection.behaviour import Behaviour, Outcome
from rnn_cli.text.plain import one_line

PREDICTED_CELLS = 16
"""The widest a predicted label may be."""

TEXT_LINES = 4
"""The most lines of a text on a terminal."""


def behaviour_as_json(found: Behaviour, model: Path, cases: str | None) -> None:
    """Everything as one JSON object, with every failure."""
    click.echo(to_json({"model": str(model), "cases": cases} | found.to_dict(), indent=2))


def show_behaviour(found: Behaviour, model: Path, cases: str | None, examples: int) -> None:
    """The rate of failures of each test, what was not run, and a few failures of each."""
    source = "the tests of rnn for short English opinions" if cases is None else one_line(cases)
    click.echo(f"Model  {one_line(str(model))}  ({few_of([*map(one_line, found.labels)])})")
    click.echo(f"Tests  {source}\n")
    if found.outcomes:
        head, rows = ("test", "kind", "texts", "failed", "rate", EVERY), [_row(each) for each in found.outcomes]
        narrow = [[*row[:1], *row[2:-1]] for row in rows]
        if not show_table(table(head, rows, names=2), table([*head[:1], *head[2:-1]], narrow)):
            click.echo(paragraph("A wider terminal shows each test's kind and interval, as does --json.", indent=""))
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
        hint = "the reasons are above; --label NAME=LABEL names a label"
        raise UsageError("none of the tests could be run", hint=hint)
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
    if found.not_run and all(each.kind == "same" for each in found.outcomes):
        yield "If a label has another name in the model, name it: --label positive=LABEL."


def _counted(number: int) -> str:
    return f"{number:,}" if number < 10**7 else f"{float(number):.0e}"


def _examples(outcome: Outcome, most: int) -> Iterator[str]:
    expected = " or ".join(map(one_line, outcome.expect))
    what = {
        "label": f"{expected} expected",
        "same": "the label must stay",
        "more": f"{expected} must not become less probable",
        "less": f"{expected} must not become more probable",
    }
    name = cut_to(outcome.name, NAME_CELLS)
    head = paragraph(f"{name}: {what[outcome.kind]}", indent="")
    yield click.style(name, bold=True) + head.removeprefix(name) if head.startswith(name) else head
    shown = min(most, outcome.failed)
    # Far apart, as neighbours are of one template.
    failures = [outcome.failures[number * outcome.failed // shown] for number in range(shown)]
    followed = outcome.expect[0] if outcome.kind in ("more", "less") else None
    heads = {
        side: f"{cut_to(side.predicted if followed is None else followed, PREDICTED_CELLS)} {side.probability:.0%}"
        for failure in failures
        for side in (failure.before, failure.after)
        if side is not None
    }
    cells = max(map(cell_len, heads.values()))
    for failure in failures:
        if failure.before is not None:
            yield from _lines(f"    {padded(heads[failure.before], cells)}  ", failure.before.text)
        mark = "  " if failure.before is None else "→ "
        yield from _lines(f"  {mark}{padded(heads[failure.after], cells)}  ", failure.after.text)


def _lines(head: str, text: str) -> Iterator[str]:
    """A text behind its head, in the lines that a terminal has for it."""
    width, indent, text = terminal_width(), cell_len(head), one_line(text)
    if width is None:
        yield head + text
        return
    cells = max(width - indent, 16)
    lines = Text(cut_to(text, TEXT_LINES * cells)).wrap(Console(), cells)
    for number, line in enumerate(lines):
        yield (" " * indent if number else head) + line.plain.rstrip()
