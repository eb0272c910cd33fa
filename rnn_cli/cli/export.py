"""`rnn export`."""

from pathlib import Path
from typing import Literal

import click

from rnn_cli.cli.common import trained_folder
from rnn_cli.cli.options import model_option
from rnn_cli.errors import quoted
from rnn_cli.text.plain import one_line

PRECISIONS = ("fp32", "int8")


@click.command(
    epilog="""\b
Examples:
  rnn export --to classifier
  rnn export --to classifier --model runs/quick-1 --force
  python classifier/predict.py "A warm, funny film."
"""
)
@click.option("--to", required=True, type=click.Path(path_type=Path), metavar="DIR", help="The folder to write.")
@model_option
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    default="fp32",
    metavar="NAME",
    help="fp32 (default), or int8: smaller and faster.",
)
@click.option("--force", is_flag=True, help="Replace an earlier --to.")
def export(to: Path, model: str | None, precision: Literal["fp32", "int8"], force: bool) -> None:
    """Write a trained model as a folder that predicts without rnn.

    It holds the network, the tokenizer, the manifest and predict.py, a short script that predicts as rnn predict does,
    by copies of its modules (rnn_runtime). It needs only Python, numpy and onnxruntime. Training texts and metrics are
    left out, and paths in its config.yaml keep only their last parts. The folder appears when it is whole; rnn predict
    --model takes it, too.
    """
    from rnn_cli.bundle.model_folder import SCRIPT, Bundle
    from rnn_cli.bundle.targets import check_export_folder

    opened = Bundle.open(trained_folder(model))
    check_export_folder(opened.path, to, force=force)

    from rnn_cli.export.export import export_bundle as work

    written = work(opened, to, precision=precision, force=force)

    click.echo(f"Model  {one_line(str(to))}  ({written.precision}, {written.size / 1e6:,.1f} MB)")
    click.echo(f'Next   python {quoted(to / SCRIPT)} "A sentence of your own."')
