"""`rnn data`."""

import click


@click.group()
def data() -> None:
    """Look at labelled texts."""


@data.command("list", epilog="\b\nExample:\n  rnn data list")
def list_() -> None:
    """List the built-in sets: what each holds, its size, labels and licence."""
    from rnn_cli.cli.tables import show_builtin_sets

    show_builtin_sets()
