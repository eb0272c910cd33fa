"""`rnn config`."""

import click

from rnn_cli.cli.options import set_option


@click.group()
def config() -> None:
    """Show recipes, keys, and what a config resolves to."""


@config.command("list", epilog="\b\nExample:\n  rnn config list")
def list_() -> None:
    """List the recipes that come with rnn."""
    from rnn_cli.cli.layout import paragraph
    from rnn_cli.config.load import recipes

    for name, file in recipes().items():
        click.secho(name, bold=True)
        click.echo(paragraph(file.read_text(encoding="utf-8").splitlines()[0].removeprefix("#").strip()))
    click.echo("\nTrain with one: rnn train NAME")


@config.command(epilog="\b\nExamples:\n  rnn config show\n  rnn config show quick --set training.epochs=2 > my.yaml")
@click.argument("config", required=False, metavar="[CONFIG]")
@set_option("Override a key; may be repeated.")
def show(config: str | None, settings: tuple[str, ...]) -> None:
    """Print a config with every default spelled out.

    CONFIG is a YAML file or a recipe's name; without it, the recipe `default`.
    """
    from rnn_cli.config.load import load_config, parse_override, to_yaml

    click.echo(to_yaml(load_config(config, [*map(parse_override, settings)])), nl=False)


@config.command(epilog="\b\nExamples:\n  rnn config keys\n  rnn config keys | grep -A 1 dropout")
def keys() -> None:
    """List every key: its default, type and meaning."""
    from rnn_cli.cli.layout import paragraph
    from rnn_cli.config.describe import key_table

    for key in key_table():
        click.echo(f"{click.style(key.name, bold=True)}: {key.default}")
        click.echo(paragraph(f"{key.type[0].upper()}{key.type[1:]}. {key.description}"))


@config.command(epilog="\b\nExample:\n  rnn config schema > rnn.schema.json")
def schema() -> None:
    """Print the JSON schema of configs.

    An editor that is given it checks a YAML file as it is typed.
    """
    import json

    from rnn_cli.config.schema import Config

    click.echo(json.dumps(Config.model_json_schema(), indent=2))
