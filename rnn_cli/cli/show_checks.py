"""What a check of labelled texts found, printed."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.cells import cell_len

from rnn_cli.checks.findings import counted
from rnn_cli.cli.layout import NAME_CELLS, cut_to, padded, paragraph, show_table, table, terminal_width
from rnn_cli.cli.options import shell_hint
from rnn_cli.text.plain import apart, one_line

if TYPE_CHECKING:
    from rnn_cli.checks.check import CheckReport
    from rnn_cli.checks.findings import Finding
    from rnn_cli.checks.learning_curve import LearningCurve
    from rnn_cli.checks.lengths import Lengths


COLOURS = {"error": "red", "warning": "yellow", "note": "blue"}


LABELS = 12
"""Labels whose rows are shown, at most."""


TEXT_CELLS = 60
"""Columns of an example's text where the output is no terminal."""


HARDLY = 0.3
"""Points of accuracy that are not worth collecting rows for."""


_INDENT = " " * 9


def show_report(report: "CheckReport", *, examples: int, out: Path | None) -> None:
    """The findings with some rows of each, then how long the texts are."""
    from rnn_cli.data.numbers import numbers_in_words

    sides = report.rows.sides
    counts = ", ".join(f"{len(side):,} {name}" for name, side in sides.items())
    names = apart(list(report.labels)[:LABELS], NAME_CELLS, cut_to)
    labels = [f"{name} ({report.labels[label]:,})" for label, name in names.items()]
    more = f" and {len(report.labels) - LABELS:,} more" if len(report.labels) > LABELS else ""
    suffix = "" if "rows" in sides else " rows"
    if list(sides) == ["rows"]:
        counts = counted(len(sides["rows"]), "row")
    found = numbers_in_words(report.rows.numbers) if report.rows.number else f"labels: {', '.join(labels)}{more}"
    read = f"{counts}{suffix}; {found}" if counts else "no row could be read"
    click.echo(paragraph(f"{one_line(report.source)}: {read}", indent=""))
    click.echo()
    for finding in report.findings:
        _show_finding(report, finding, examples)
    if not report.findings:
        click.echo("Nothing suspicious was found.\n")
    if not report.judged and report.lengths is not None:
        why = "The rows are too few, or of one label, to judge labels by a linear model."
        if report.rows.several:
            why = "Labels are judged by a linear model only where a text has one."
        elif report.rows.number:
            why = "Numbers are not judged by a linear model."
        click.echo(paragraph(why, "") + "\n")
    if report.lengths is not None:
        _show_lengths(report.lengths)
    if out is not None:
        click.echo(f"\nAll rows of all findings: {one_line(str(out))}")


def _show_finding(report: "CheckReport", finding: "Finding", examples: int) -> None:
    severity = click.style(padded(finding.severity.value, len(_INDENT)), fg=COLOURS[finding.severity.value], bold=True)
    click.echo(severity + click.style(finding.name, bold=True))
    click.echo(paragraph(one_line(finding.what), _INDENT))
    rows, hits = report.rows, finding.hits[:examples]
    names = apart((rows.labels[hit.row] for hit in hits), 16, cut_to)
    shown = [
        (one_line(rows.where(hit.row)), names[rows.labels[hit.row]], one_line(hit.note), rows.texts[hit.row])
        for hit in hits
    ]
    widths = [max((cell_len(cells[index]) for cells in shown), default=0) for index in (0, 1)]
    for where, label, note, text in shown:
        head = f"{_INDENT}{padded(where, widths[0])}  {padded(label, widths[1])}  "
        width = terminal_width()
        cells = TEXT_CELLS if width is None else max(width - cell_len(head), 20)
        if note:
            click.echo(head + click.style(cut_to(note, cells), italic=True))
            head = " " * cell_len(head)
        click.echo(head + (cut_to(text, cells) or click.style("(empty)", dim=True)))
    click.echo(paragraph(f"→ {one_line(shell_hint(finding.hint) or '')}", _INDENT) + "\n")


def _show_lengths(lengths: "Lengths") -> None:
    half, most, many, nearly, longest = lengths.quantiles.values()
    unit = {"char": "characters", "sentence": "sentences", "subword": "pieces"}.get(lengths.level, "words")
    at_most = table(
        (f"{unit} a text ({lengths.splitting})", "half", "90%", "95%", "99%", "longest"),
        [("at most", *(f"{count:,}" for count in (half, most, many, nearly, longest)))],
    )
    show_table(at_most)
    click.echo()
    rows = [_setting("max_length", "of texts whole", lengths.in_force, lengths.max_length, 1 - lengths.cut)]
    if lengths.vocab_size is not None:
        known = 1 - lengths.unknown
        rows.append(_setting("vocab_size", f"of running {unit}", lengths.in_force, lengths.vocab_size, known))
    show_table(table(("tokenizer", "keeps", "95%", "99%", "now", "keeps"), rows, names=2))


def _setting(name: str, kept: str, now: object, needed: object, share: float) -> tuple[str, ...]:
    assert isinstance(now, dict) and isinstance(needed, dict)
    return name, kept, *(f"{needed[part]:,}" for part in (0.95, 0.99)), f"{now[name]:,}", f"{share:.1%}"


def show_curve(report: "CheckReport") -> None:
    """The learning curve and what it promises, in a sentence."""
    curve = report.curve
    click.echo()
    if curve is None:
        click.echo("Too few rows for a learning curve.")
        return
    sizes = zip(curve.sizes, curve.accuracies, strict=True)
    show_table(table(("training rows", "accuracy"), [(f"{size:,}", f"{accuracy:.1%}") for size, accuracy in sizes]))
    click.echo("\n" + paragraph(_promise(curve), indent=""))


def _promise(curve: "LearningCurve") -> str:
    low, high = (100 * end for end in curve.gain_range)
    gain = f"about {100 * curve.gain:.1f} points more ({low:.1f} to {high:.1f})"
    hardly = high < HARDLY
    text = f"Twice the rows, {2 * curve.rows:,}, would give {gain}{': hardly worth it' if hardly else ''}. "
    return (
        f"{text}That is the linear model's accuracy, on {curve.held_out:,} held-out rows, carried on by power laws; "
        "a network's is another, but what helps one mostly helps the other."
    )
