"""The group `rnn`, and the one place where errors become messages and exit codes."""

import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import click

from rnn_cli.cli.config import config
from rnn_cli.cli.data import data
from rnn_cli.cli.evaluate import evaluate
from rnn_cli.cli.predict import predict
from rnn_cli.cli.train import train
from rnn_cli.errors import RnnError

INTERRUPTED, TERMINATED = 130, 143


class Terminated(BaseException):
    """SIGTERM came; raised wherever the run is, so that temporary files are cleared away."""


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  rnn train                                   the classic network on 25,000 film reviews
  rnn train quick --set training.epochs=2     another recipe, with a change
  rnn evaluate
  rnn predict "A warm, funny film."
""",
)
@click.version_option(package_name="rnn-cli", prog_name="rnn", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="On an error, show where in the program it arose.")
def cli(debug: bool) -> None:
    """Train, evaluate and use text classifiers made of bidirectional recurrent networks."""


for command in (train, evaluate, predict, data, config):
    cli.add_command(command)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; answers its exit code, having told on stderr what went wrong."""
    # Known before parsing, because parsing may fail too; after `--` all words are texts.
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    try:
        result = cli.main(list(arguments), prog_name="rnn", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted; nothing was written", err=True)
        return INTERRUPTED
    except Terminated:
        click.echo("terminated; nothing was written", err=True)
        return TERMINATED
    except click.ClickException as error:
        error.show()
        return error.exit_code if isinstance(error, click.FileError) else 2
    except Exception as error:
        if "--debug" in options:
            raise
        return _tell(error)


def _tell(error: Exception) -> int:
    if isinstance(error, RnnError):
        for line in str(error).splitlines():
            click.echo(f"Error: {line}", err=True)
        return error.exit_code
    click.echo(
        f"Error: {type(error).__name__}: {' '.join(str(error).split())}; this is a fault of rnn: "
        "run it again as rnn --debug ... and report what it shows",
        err=True,
    )
    return 1


def _terminate(signum: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


def main() -> None:
    """The entry point of the console script."""
    signal.signal(signal.SIGTERM, _terminate)
    if hasattr(signal, "SIGPIPE"):
        # A reader that has seen enough (`| head`) ends the command silently, as it does other programs.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(run(sys.argv[1:]))
