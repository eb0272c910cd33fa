"""What new texts came to beside those of training, printed."""

from pathlib import Path

import click

from rnn_cli.bundle.locate import shown_model
from rnn_cli.cli.layout import cut_to, paragraph, show_table, table
from rnn_cli.evaluation.wording_folds import side_rows
from rnn_cli.monitoring.compare import Drift, Shift, WordShift
from rnn_cli.text.plain import one_line

SHOWN = {
    "length": "length in tokens, mean",
    "script": "script",
    "language": "language",
    "unknown": "unknown words, mean share",
    "label": "predicted label",
    "confidence": "probability, mean",
    "accuracy": "predicted right",
    "words": "words, all together",
}
"""What a table calls each feature."""


def show_drift(found: Drift) -> None:
    """Each test, what they come to together, and words and rows that differ."""
    click.echo(f"Model  {one_line(shown_model(found.model, from_here=True))}")
    click.echo(f"Rows   {found.rows:,} of {one_line(Path(found.data).name)}\n")
    head = ("", "then", "now", "p", "p (Holm)", "")
    rows = [_row(each) for each in found.shifts]
    show_table(table(head, rows), table((*head[:3], *head[4:]), [[*row[:3], *row[4:]] for row in rows]))
    click.echo("\n" + paragraph(_verdict(found), indent=""))
    right = next((each for each in found.shifts if each.feature == "accuracy"), None)
    if right is not None and found.side is not None:
        told = f"Predicted right then is the share of the {right.rows_then:,} {side_rows(found.side)}."
        click.echo(paragraph(told, indent=""))
    if found.learned:
        click.echo(
            paragraph(
                f"The model learned from {found.learned:,} of the rows: they are left out of what it does with them "
                "(unknown words, labels, probability).",
                indent="",
            )
        )
    for what, words in (("More", found.more), ("Fewer", found.fewer)):
        if words:
            click.echo("\n" + paragraph(f"{what} texts have: {', '.join(map(_word, words))}", indent=""))
    if found.examples and found.is_sure:
        click.echo("\nLeast like the training texts:")
        for each in found.examples:
            click.echo(paragraph(f"{one_line(each.where)}: {cut_to(each.text, 150)}"))


def _row(shift: Shift) -> list[str]:
    name = SHOWN[shift.feature]
    if shift.name is not None and shift.feature != "accuracy":
        name = f"{name}: {one_line(shift.name)}"
    written = "{:.1f}" if shift.feature == "length" else "{:.1%}"
    values = ["" if value is None else written.format(value) for value in (shift.then, shift.now)]
    ps = [_p(value) for value in (shift.p_value, shift.corrected)]
    return [name, *values, *ps, "differs" if shift.is_sure else ""]


def _p(value: float) -> str:
    return f"{value:.4f}" if value < 0.01 else f"{value:.2f}"


def _word(word: WordShift) -> str:
    return f"{one_line(word.word)} ({word.then:.1%}, now {word.now:.1%})"


def _verdict(found: Drift) -> str:
    differing = [SHOWN[each.feature].partition(",")[0] for each in found.shifts if each.is_sure]
    if not differing:
        return f"Nothing differs beyond chance (p = {found.p_value:.2g} of all tests together)."
    return f"Drift beyond chance (p = {found.p_value:.2g}) in: {', '.join(differing)}."
