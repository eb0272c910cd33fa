"""`rnn evaluate`."""

from pathlib import Path

import click

from rnn_cli.errors import UsageError


@click.command(
    epilog="""\b
Examples:
  rnn evaluate
  rnn evaluate --model runs/quick-1 --data new_reviews.csv
  rnn evaluate --data other.csv --set data.text_column=review
  rnn evaluate --json
"""
)
@click.option("--model", metavar="DIR", help="The trained model  [default: $RNN_MODEL, else the newest run]")
@click.option("--data", "source", metavar="FILE", help="Labelled texts (or a built-in set) instead of the test rows.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a data key of the run's config for --data, as data.text_column=review.",
)
@click.option("--json", "as_json", is_flag=True, help="Print every figure as JSON.")
def evaluate(model: str | None, source: str | None, overrides: tuple[str, ...], as_json: bool) -> None:
    """Measure a trained model on labelled texts.

    Without --data these are the test rows that its training kept aside, beside what the linear baseline made of them;
    they are refused if the data has changed.
    """
    from rnn_cli import bundle
    from rnn_cli.bundle import Bundle

    if source is None and overrides:
        raise UsageError("--set tells how to read --data, which is not given", mend="add --data FILE")
    opened = Bundle.open(bundle.locate(model))

    from rnn_cli.evaluation.against import kept_against
    from rnn_cli.evaluation.evaluate import evaluate as work
    from rnn_cli.evaluation.evaluate import kept_test_rows, labelled_rows
    from rnn_cli.scoring.predictor import Predictor

    predictor = Predictor(opened)
    rows = kept_test_rows(opened) if source is None else labelled_rows(opened, source, overrides)
    evaluation = work(predictor, rows)
    against = kept_against(opened, "test") if source is None else None  # the baseline itself is not kept
    if as_json:
        import json

        told = evaluation.figures.to_dict()
        if against is not None:
            told |= {"baseline": against.figures.to_dict(), "comparison": against.comparison.to_dict()}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        from rnn_cli.cli.figures import show_evaluation

        show_evaluation(evaluation, opened.path, "test" if source is None else Path(source).name, against)
