"""What new texts came to beside those of training, printed."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from rnn_cli.bundle.locate import shown_model
from rnn_cli.cli.layout import cut_to, paragraph, show_table, table
from rnn_cli.evaluation.wording_folds import side_rows
from rnn_cli.monitoring.compare import Drift, Shift, WordShift
from rnn_cli.scoring.prediction import shown_number
from rnn_cli.text.plain import one_line

SHOWN = {
    "length": "length in tokens, mean",
    "script": "script",
    "language": "language",
    "unknown": "unknown words, mean share",
    "label": "predicted label",
    "confidence": "probability, mean",
    "accuracy": "predicted right",
    "number": "predicted number, mean",
    "error": "off by, mean",
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
    right = next((each for each in found.shifts if each.feature in ("accuracy", "error")), None)
    if right is not None and found.side is not None:
        those = f"the {right.rows_then:,} {side_rows(found.side)}"
        told = f"Predicted right then is the share of {those}."
        told = f"Off by then is the mean absolute error of {those}." if right.feature == "error" else told
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
    name = _called(shift)
    if shift.name is not None and shift.feature != "accuracy":
        name = f"{name}: {one_line(shift.name)}"
    if shift.name is None and (shift.feature in ("number", "error") or shift.feature not in SHOWN):
        larger = max(abs(value) for value in (shift.then, shift.now) if value is not None)
        written: Callable[[float], str] = partial(shown_number, spread=larger / 10)
    else:
        written = ("{:.1f}" if shift.feature == "length" else "{:.1%}").format
    values = ["" if value is None else written(value) for value in (shift.then, shift.now)]
    ps = [_p(value) for value in (shift.p_value, shift.corrected)]
    return [name, *values, *ps, "differs" if shift.is_sure else ""]


def _called(shift: Shift) -> str:
    """What a table calls a feature; another column by its name."""
    return SHOWN.get(shift.feature) or one_line(shift.feature) + ", mean" * (shift.name is None)


def _p(value: float) -> str:
    return f"{value:.4f}" if value < 0.01 else f"{value:.2f}"


def _word(word: WordShift) -> str:
    return f"{one_line(word.word)} ({word.then:.1%}, now {word.now:.1%})"


def _verdict(found: Drift) -> str:
    differing = [
        one_line(SHOWN.get(each.feature, each.feature).partition(",")[0]) for each in found.shifts if each.is_sure
    ]
    if not differing:
        return f"Nothing differs beyond chance (p = {found.p_value:.2g} of all tests together)."
    return f"Drift beyond chance (p = {found.p_value:.2g}) in: {', '.join(differing)}."
