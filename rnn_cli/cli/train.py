"""`rnn train`."""

from pathlib import Path

import click


@click.command(
    epilog="""\b
Examples:
  rnn train
  rnn train quick
  rnn train quick --set data.source=reviews.csv --out models/reviews
  rnn train configs/default.yaml --set model.cell=gru --set model.units=[32]
"""
)
@click.argument("config", required=False, metavar="[CONFIG]")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a key of the config (a YAML value); may be repeated.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The model's folder  [default: the next free one in runs/]",
)
@click.option("--force", is_flag=True, help="Replace the model that stands in --out.")
def train(config: str | None, overrides: tuple[str, ...], out: Path | None, force: bool) -> None:
    """Train a classifier, measure it and write it to a folder.

    CONFIG is a YAML file, or a recipe that comes with rnn (`rnn config list`); without it, the recipe `default`.
    The folder appears when the run has finished: Ctrl-C ends it and leaves nothing behind.
    """
    from rnn_cli import bundle
    from rnn_cli.loading import load_config

    settings = load_config(config, overrides)
    bundle.check_target(out, force=force)

    from rnn_cli.cli.figures import show_trained
    from rnn_cli.cli.progress import listening
    from rnn_cli.training.prepare import prepare

    with listening() as listener:
        prepared = prepare(settings, listener)
        listener.note("loading TensorFlow")
        from rnn_cli.training import quiet  # noqa: F401  (before all that loads TensorFlow)
        from rnn_cli.training.run import train as work

        name = Path(config or "default").stem
        run = work(prepared, out=out, name=name, force=force, listener=listener)
    show_trained(run, named=out is not None)
