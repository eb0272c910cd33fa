"""How far off a model's numbers are, printed."""

from typing import TYPE_CHECKING

import click

from rnn_cli.bundle.locate import shown_model
from rnn_cli.cli.layout import paragraph, show_table, table
from rnn_cli.cli.show_metrics import show_folds
from rnn_cli.evaluation.wording import seen_in_words
from rnn_cli.evaluation.wording_numbers import number_standing_in_words, numbers_table
from rnn_cli.text.plain import one_line

if TYPE_CHECKING:
    from rnn_cli.evaluation.evaluate_numbers import NumberEvaluation


def show_numbers(evaluation: "NumberEvaluation", rows: str) -> None:
    """Every metric with its interval, beside the linear model's, and how the model stands; `rows` names the rows."""
    from rnn_cli.evaluation.evaluate import models_of

    if evaluation.model is not None:
        click.echo(f"Model  {one_line(shown_model(evaluation.model, from_here=True))}\n")
    if evaluation.seen is not None:
        click.echo(paragraph(seen_in_words(evaluation.seen), indent="") + "\n")
    show_table(table(*numbers_table(rows, models_of(evaluation))))
    for line in number_standing_in_words(evaluation, None if evaluation.seen is not None else rows):
        click.echo("\n" + paragraph(line, indent=""))
    if evaluation.folds is not None:
        click.echo()
        show_folds(evaluation.folds)
    if unknown := int((~evaluation.scores.known).sum()):
        click.echo(f"\nRows without one word the model knows: {unknown:,}")
