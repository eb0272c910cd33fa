"""`rnn data`."""

import click


@click.group()
def data() -> None:
    """Show the labelled texts that rnn knows by name."""


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
    click.echo("\nTrain on one: rnn train --set data.source=NAME")
