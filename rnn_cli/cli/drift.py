"""`rnn drift`."""

import click

from rnn_cli.cli.options import labelled_options, model_option, overrides_of, set_option
from rnn_cli.errors import RunFailed, few_of


@click.command(
    epilog="""\b
Examples:
  rnn drift new_reviews.csv
  rnn drift --model runs/quick-1 new_reviews.csv --fail-on-drift
  rnn drift --labelled new_reviews.csv --json
"""
)
@click.argument("source", metavar="FILE")
@model_option
@click.option("--labelled", is_flag=True, help="The rows have labels: compare the accuracy, too.")
@set_option("Override a data key of the run's config for FILE.")
@labelled_options
@click.option("--fail-on-drift", is_flag=True, help="Exit 1 if something differs beyond chance.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def drift(
    source: str,
    model: str | None,
    labelled: bool,
    settings: tuple[str, ...],
    fail_on_drift: bool,
    as_json: bool,
    **columns: str | bool | None,
) -> None:
    """Tell whether new texts are like those of the training.

    Compares FILE with the summary that training keeps of its texts: lengths, scripts, languages and words of the
    training texts; unknown words, predicted labels and confidence on the rows kept aside. Names what differs, with
    words and rows.

    All tests together see a difference where there is none in 5 % of the cases. A row is taken to be independent of
    the others. More: docs/drift.md.
    """
    overrides = overrides_of(settings, **columns)

    from rnn_cli import api
    from rnn_cli.progress import listening

    with listening() as listener:
        found = api.drift(model, source, labelled=labelled, progress=listener, overrides=overrides)
    if as_json:
        from rnn_cli.cli.layout import to_json

        click.echo(to_json(found.to_dict(), indent=2))
    else:
        from rnn_cli.cli.show_drift import show_drift

        show_drift(found)
    if fail_on_drift and found.is_sure:
        raise RunFailed(f"drift in {few_of([each.feature for each in found.shifts if each.is_sure])}")
