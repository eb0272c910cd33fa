"""`rnn config`."""

import click


@click.group()
def config() -> None:
    """Look at configs: recipes, keys, the schema, what a file resolves to."""


@config.command("list", epilog="\b\nExample:\n  rnn config list")
def list_() -> None:
    """List the recipes that come with rnn."""
    from rnn_cli.cli.tables import show_recipes

    show_recipes()


@config.command(epilog="\b\nExamples:\n  rnn config show\n  rnn config show quick --set training.epochs=2 > my.yaml")
@click.argument("config", required=False, metavar="[CONFIG]")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key (a YAML value).")
def show(config: str | None, overrides: tuple[str, ...]) -> None:
    """Print a config with every default spelled out.

    CONFIG is a YAML file or a recipe's name; without it, the recipe `default`.
    """
    from rnn_cli.loading import load_config, to_yaml

    click.echo(to_yaml(load_config(config, overrides)), nl=False)


@config.command(epilog="\b\nExample:\n  rnn config keys")
def keys() -> None:
    """List every key: its type, default and meaning."""
    from rnn_cli.cli.tables import show_keys

    show_keys()


@config.command(epilog="\b\nExample:\n  rnn config schema > rnn.schema.json")
def schema() -> None:
    """Print the configs' JSON schema, for editors that check YAML as it is typed."""
    import json

    from rnn_cli.config import Config

    click.echo(json.dumps(Config.model_json_schema(), indent=2))
