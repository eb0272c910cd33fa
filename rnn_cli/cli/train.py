"""`rnn train`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rnn_cli.cli.common import check_full
from rnn_cli.cli.options import labelled_options, overrides_of, set_option, splitting_options, unlabelled_option
from rnn_cli.errors import UsageError
from rnn_cli.text.plain import one_line

if TYPE_CHECKING:
    from rnn_cli.config.load import Override


@click.command(
    epilog="""\b
Examples:
  rnn train
  rnn train reviews.csv
  rnn train tickets.csv --label-column team --out models/tickets
  rnn train reviews.csv --unlabelled more.txt
  rnn train quick reviews.csv --set model.units=[32]
  rnn train --resume
  rnn train new_reviews.csv --from runs/quick-1
"""
)
@click.argument("config", required=False, metavar="[CONFIG]")
@click.argument("file", required=False, metavar="[FILE]")
@set_option("Override a key of the config; may be repeated.")
@labelled_options
@splitting_options
@unlabelled_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The model's folder  [default: a new one in runs/]",
)
@click.option("--force", is_flag=True, help="Replace the model, or restart the run, in --out.")
@click.option(
    "--resume",
    is_flag=False,
    flag_value="",
    metavar="[DIR]",
    help="Go on with a stopped run  [default: the last one]",
)
@click.option("--from", "origin", metavar="DIR", help="Train the model in DIR further on new rows.")
@click.option("--tracker", metavar="NAME", help="Show the run in mlflow or tensorboard.")
@click.option("--tracker-uri", metavar="URI", help="A folder, or an address of MLflow's.")
@click.option("--folds", type=click.IntRange(min=2), metavar="N", help="Measure by N folds (docs/folds.md).")
@click.option("--no-baseline", is_flag=True, help="Fit no linear model to compare with.")
def train(
    config: str | None,
    file: str | None,
    settings: tuple[str, ...],
    out: Path | None,
    force: bool,
    resume: str | None,
    origin: str | None,
    tracker: str | None,
    tracker_uri: str | None,
    folds: int | None,
    no_baseline: bool,
    unlabelled: str | None,
    **columns: str | bool | None,
) -> None:
    """Train a classifier, measure it and write it to a folder.

    CONFIG is a YAML file or a recipe (`rnn config list`); without it, the recipe `default`, or with --from the model's
    own config. For a FILE (or folder) of labelled texts alone, the config is the one that `rnn init` would write. The
    folder appears when the run has finished. A run that is stopped (Ctrl-C, a kill, a full disk) is kept in
    DIR.unfinished; --resume goes on with it. With --folds it learns from all rows.
    Each run also fits a linear model to compare with. More: docs/guide.md.
    """
    check_full()
    from rnn_cli.config.load import Override

    overrides = overrides_of(settings, unlabelled=unlabelled, **columns)
    if unlabelled is not None and resume is None and origin is None:
        overrides += _teacher(config, [each.key for each in overrides])
    if folds is not None:
        overrides.append(Override("training.folds", folds))
    if no_baseline:
        overrides.append(Override("training.baseline", False))
    if resume is not None and (out or force or origin):
        wrong = "--out" if out else "--force" if force else "--from"
        raise click.UsageError(f"{wrong} and --resume do not go together.")

    from rnn_cli import api
    from rnn_cli.progress import listening

    with listening() as listener:
        run = api.train(
            config,
            file,
            out=out,
            force=force,
            origin=origin,
            resume=False if resume is None else resume or True,
            tracker=tracker,  # type: ignore[arg-type]  # a wrong one is told as such
            tracker_uri=tracker_uri,
            progress=listener,
            overrides=overrides,
        )

    from rnn_cli.cli.show_metrics import show_trained

    if run.validation is None:
        click.echo(f"Model  {one_line(str(run.path))}  (was finished already)")
    else:
        show_trained(run, named=out is not None)


def _teacher(config: str | None, named: Sequence[str]) -> "list[Override]":
    """The usual teacher, unless overrides of the keys `named`, the config or that of labelled texts have the say."""
    from rnn_cli.config.load import Override, load_config, names_data

    if config is None and not any(key.startswith("data.source") for key in named):
        hint = "rnn train FILE --unlabelled MORE; without labels, rnn score predicts by the general model"
        raise UsageError("--unlabelled adds to labelled texts, and no file of those is named", hint=hint)
    decided = any(key.startswith("training.teacher") for key in named) or (config is not None and names_data(config))
    if decided or load_config(config).training.teacher is not None:
        return []
    return [Override("training.teacher", {})]
