"""`rnn train`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rnn_cli.cli.common import check_full
from rnn_cli.text.plain import one_line

if TYPE_CHECKING:
    from rnn_cli.training.run import TrainedRun


@click.command(
    epilog="""\b
Examples:
  rnn train
  rnn train quick
  rnn train quick --set data.source=reviews.csv --out models/reviews
  rnn train quick --no-baseline
  rnn train configs/default.yaml --set model.cell=gru --set model.units=[32]
  rnn train --resume
  rnn train --from runs/quick-1 --set data.source=new_reviews.csv
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
@click.option("--force", is_flag=True, help="Replace the model, or begin anew the run, that stands in --out.")
@click.option(
    "--resume",
    is_flag=False,
    flag_value="",
    metavar="[DIR]",
    help="Go on with a run that was stopped  [default: the last one in runs/]",
)
@click.option(
    "--from", "origin", metavar="DIR", help="Train the model in DIR, or what a run left there, further on new rows."
)
@click.option("--no-baseline", is_flag=True, help="Fit no linear model to compare with (training.baseline=false).")
def train(
    config: str | None,
    overrides: tuple[str, ...],
    out: Path | None,
    force: bool,
    resume: str | None,
    origin: str | None,
    no_baseline: bool,
) -> None:
    """Train a classifier, measure it and write it to a folder.

    CONFIG is a YAML file, or a recipe that comes with rnn (`rnn config list`); without it, the recipe `default`,
    or with --from the model's own config. The folder appears when the run has finished. A run that is stopped by
    Ctrl-C, a kill or a full disk is kept beside it, in DIR.unfinished, and --resume goes on with it.

    Each run also fits a linear model to the same rows, and shows both: a network that is no better than that is not
    worth its time.
    """
    check_full()
    if no_baseline:
        overrides = (*overrides, "training.baseline=false")
    if resume is not None:
        if out or force or origin:
            wrong = "--out" if out else "--force" if force else "--from"
            raise click.UsageError(f"{wrong} and --resume do not go together.")
        run = _resumed(Path(resume) if resume else None, config, overrides)
    else:
        run = _trained(config, overrides, out, force, Path(origin) if origin else None)
    if run is not None:
        from rnn_cli.cli.show_metrics import show_trained

        show_trained(run, named=out is not None)


def _trained(
    config: str | None, overrides: tuple[str, ...], out: Path | None, force: bool, origin: Path | None
) -> "TrainedRun":
    from rnn_cli.bundle.checkpoints import check_begin
    from rnn_cli.config.load import load_config

    if origin is None:
        parent = None
        settings = load_config(config, overrides)
    else:
        from rnn_cli.training.finetune import Origin

        parent = Origin.open(origin, lambda text: click.echo(f"Warning: {one_line(text)}", err=True))
        settings = parent.further(config, overrides)
    check_begin(out, force=force)

    from rnn_cli.cli.show_progress import listening
    from rnn_cli.training.prepare import prepare

    with listening() as listener:
        prepared = prepare(settings, listener, parent.known if parent else None)
        if parent is not None:
            parent.compare(prepared, listener)
        listener.note("loading TensorFlow")
        from rnn_cli.training import quiet  # noqa: F401  (before all that loads TensorFlow)
        from rnn_cli.training.run import train as work

        name = Path(config or "default").stem if origin is None else _name(origin)
        return work(prepared, out=out, name=name, force=force, listener=listener, origin=parent)


def _resumed(named: Path | None, config: str | None, overrides: tuple[str, ...]) -> "TrainedRun | None":
    from rnn_cli.bundle.checkpoints import locate_unfinished, reopened
    from rnn_cli.bundle.writer import point_latest_to
    from rnn_cli.cli.show_progress import listening
    from rnn_cli.config.load import load_config, parse_config, to_yaml
    from rnn_cli.training.checkpointing import SavedRun
    from rnn_cli.training.prepare import prepare

    path = locate_unfinished(named)
    with listening() as listener, reopened(path, listener.warn) as (place, checkpoint):
        saved = SavedRun.read(checkpoint)
        if config is not None:
            settings = saved.gone_on_with(load_config(config, overrides))
        else:
            settings = saved.gone_on_with(parse_config(to_yaml(saved.config), str(path), overrides))
        if saved.is_finished(place):
            point_latest_to(place.target)  # it may have been stopped before that
            place.remove()
            click.echo(f"Model  {one_line(str(place.target))}  (was finished already)")
            return None
        for change in saved.changed_versions():
            listener.warn(f"{change} since the run began; its numbers may differ in the last digits")
        prepared = prepare(settings, listener, saved.known)
        listener.note(f"going on with {path}: {saved.standing}")
        listener.note("loading TensorFlow")
        from rnn_cli.training import quiet  # noqa: F401  (before all that loads TensorFlow)
        from rnn_cli.training.run import resume

        return resume(prepared, place, saved, listener)


def _name(origin: Path) -> str:
    """The recipe's name in a model's folder's: quick-3 → quick."""
    from rnn_cli.bundle.model_folder import UNFINISHED

    name = origin.resolve().name.removesuffix(UNFINISHED)
    stem, dash, tail = name.rpartition("-")
    return stem if dash and tail.isdecimal() else name
