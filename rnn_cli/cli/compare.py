"""`rnn compare`."""

from typing import TYPE_CHECKING

import click

from rnn_cli.errors import UsageError

if TYPE_CHECKING:
    from rnn_cli.evaluation.compare import PredictedRows


@click.command(
    epilog="""\b
Examples:
  rnn compare runs/quick-1 runs/quick-2
  rnn compare --split validation runs/quick-1 runs/quick-2 runs/quick-3
  rnn compare --data new_reviews.csv runs/quick-1 runs/quick-2
  rnn compare runs/quick-1 another_program.csv --json
"""
)
@click.argument("runs", nargs=-1, metavar="RUN RUN...")
@click.option("--split", default="test", show_default=True, metavar="NAME", help="Which rows, test or validation.")
@click.option("--data", "source", metavar="FILE", help="Labelled texts (or a built-in set) that all runs score anew.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a data key of the first run's config for --data, as data.text_column=review.",
)
@click.option("--json", "as_json", is_flag=True, help="Print every figure as JSON.")
def compare(runs: tuple[str, ...], split: str, source: str | None, overrides: tuple[str, ...], as_json: bool) -> None:
    """Say whether models really differ, on the same rows.

    Each is held against the first. A RUN is a trained model's folder, whose answers to its test rows were kept, or a
    file with anyone's answers (columns label, prediction, and text or id; probability, the prediction's, if known). All
    must have answered the same rows, in any order. With --data, which takes rows that none of them learned from, each
    model answers now.

    Differences are paired: with their 95% intervals, and McNemar's exact test. Of more than two models the p-values
    are corrected for their number (Holm).
    """
    if len(runs) < 2:
        raise UsageError("one model is not enough to compare", hint="name two or more, as rnn compare runs/a runs/b")
    if source is None and overrides:
        raise UsageError("--set tells how to read --data, which is not given", hint="add --data FILE")

    from rnn_cli.evaluation.compare import compare_models

    if source is None:
        from rnn_cli.evaluation.compare import read_predictions

        comparison_of_models = compare_models([read_predictions(run, split) for run in runs])
    else:
        comparison_of_models = compare_models(_scored(runs, source, overrides))
    if as_json:
        from rnn_cli.cli.layout import to_json

        click.echo(to_json(comparison_of_models.to_dict(), indent=2))
    else:
        from pathlib import Path

        from rnn_cli.cli.show_comparison import show_models
        from rnn_cli.data.reading.remote import shown

        of_runs = any(Path(run).is_dir() for run in runs)
        rows = f"{split} rows" if of_runs else "rows"
        show_models(comparison_of_models, f"rows of {Path(shown(source)).name}" if source else rows)


def _scored(runs: tuple[str, ...], source: str, overrides: tuple[str, ...]) -> "list[PredictedRows]":
    from pathlib import Path

    from rnn_cli.bundle.model_folder import Bundle
    from rnn_cli.evaluation.evaluate import evaluate, labelled_rows, predictions_of
    from rnn_cli.scoring.predictor import Predictor

    opened = [Bundle.open(Path(run)) for run in runs]  # all of them, before any is set to work
    rows = labelled_rows(opened[0], source, overrides)
    return [predictions_of(run, evaluate(Predictor(each), rows)) for run, each in zip(runs, opened, strict=True)]
