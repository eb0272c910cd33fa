"""What commands share: the trained model they use, --quiet, and the check that an install is full."""

from importlib.util import find_spec
from pathlib import Path

import click

from rnn_cli.errors import missing
from rnn_cli.progress import QUIET, Notes


def check_full() -> None:
    """Refuse, before any work is done, what needs the full install. Raises `UsageError`."""
    if find_spec("tensorflow") is None and (error := missing("tensorflow")):
        raise error


def trained_folder(model: str | None) -> Path:
    """The folder of the model named, else of the one trained last. Raises `BundleError` where nothing was trained."""
    from rnn_cli.bundle.locate import locate

    return locate(model, Notes().note, or_general=False)


def quiet_option() -> click.Option:
    """The option that leaves only warnings and errors on stderr, for a command and for the group above all."""

    def heed(context: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            context.meta[QUIET] = True

    about = "Show no progress, only warnings and errors."
    return click.Option(["-q", "--quiet"], is_flag=True, expose_value=False, callback=heed, help=about)
