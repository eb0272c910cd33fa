"""`rnn compare`."""

import click

from rnn_cli.cli.options import (
    include_seen_option,
    labelled_options,
    labels_option,
    overrides_of,
    refuse_without_data,
    set_option,
)
from rnn_cli.errors import UsageError


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
@click.option("--data", "source", metavar="FILE", help="Labelled texts or a built-in set that all runs predict.")
@set_option("Override a data key of the first config for --data.")
@labels_option
@include_seen_option
@labelled_options
@click.option("--json", "as_json", is_flag=True, help="Print all metrics as JSON.")
def compare(
    runs: tuple[str, ...],
    split: str,
    source: str | None,
    settings: tuple[str, ...],
    labels: list[str] | None,
    include_seen: bool,
    as_json: bool,
    **columns: str | bool | None,
) -> None:
    """Say whether models really differ, on the same rows.

    Each is compared with the first. A RUN is a trained model's folder, which holds its predictions for the test rows,
    or a file of predictions from elsewhere (columns label, prediction, and text or id; also probability, if known). All
    must have predicted the same rows, in any order. With --data each model predicts now; rows that one of them learned
    from are left out and counted.

    Differences are paired, with 95% intervals and McNemar's exact test; of numbers, those of how far they are off. For
    more than two models the p-values are corrected for their number (Holm).
    """
    if len(runs) < 2:
        raise UsageError("one model is not enough to compare", hint="name two or more, as rnn compare runs/a runs/b")
    overrides = overrides_of(settings, **columns)
    refuse_without_data(overrides, source, include_seen=include_seen, labels=labels)

    from rnn_cli import api
    from rnn_cli.progress import listening

    with listening() as listener:
        found = api.compare(
            *runs,
            data=source,
            split=split,
            labels=labels,
            include_seen=include_seen,
            progress=listener,
            overrides=overrides,
        )
    if as_json:
        from rnn_cli.cli.layout import to_json

        click.echo(to_json(found.to_dict(), indent=2))
    else:
        from pathlib import Path

        from rnn_cli.cli.show_comparison import show_models, show_models_of_numbers
        from rnn_cli.data.reading.remote import shown
        from rnn_cli.evaluation.compare import ModelComparison, kept_side
        from rnn_cli.evaluation.compare_numbers import NumberModelComparison
        from rnn_cli.evaluation.compare_ordered import OrderedModelComparison
        from rnn_cli.evaluation.wording_folds import side_rows

        of_runs = any(Path(run).is_dir() for run in runs)
        rows = side_rows(kept_side(runs, split)) if of_runs else "rows"
        named = f"rows of {Path(shown(source)).name}" if source else rows
        if isinstance(found, ModelComparison | OrderedModelComparison):
            show_models(found, named)
        elif isinstance(found, NumberModelComparison):
            show_models_of_numbers(found, named)
        else:
            from rnn_cli.cli.show_several import show_models_of_several

            show_models_of_several(found, named)
