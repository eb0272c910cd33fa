"""The group `rnn`, and the one place where errors become messages and exit codes."""

import io
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from itertools import takewhile
from types import FrameType
from typing import Any, NoReturn

import click

from rnn_cli.cli.compare import compare
from rnn_cli.cli.config import config
from rnn_cli.cli.data import data
from rnn_cli.cli.evaluate import evaluate
from rnn_cli.cli.export import export
from rnn_cli.cli.init import init
from rnn_cli.cli.inspect import inspect
from rnn_cli.cli.lacking import understood
from rnn_cli.cli.predict import predict
from rnn_cli.cli.train import train
from rnn_cli.errors import ConfigError, RnnError

FAILED, WRONG_USAGE, INTERRUPTED, PIPE_CLOSED, TERMINATED = 1, 2, 130, 141, 143


class Terminated(BaseException):
    """SIGTERM or SIGHUP came; raised wherever the run is, so that temporary files are cleared away."""


class InOrder(click.Group):
    """A group whose help lists the commands in the order they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands' names, as they were added."""
        return list(self.commands)


@click.group(
    cls=InOrder,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  rnn train                                 on film reviews, to begin with
  rnn train quick --set training.epochs=2   another recipe, with a change
  rnn evaluate
  rnn predict "A warm, funny film."
""",
)
@click.version_option(package_name="rnn-cli", prog_name="rnn", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="On an error, show where in the program it arose.")
def cli(debug: bool) -> None:
    """Train, evaluate and use text classifiers made of bidirectional recurrent networks."""


for command in (data, init, train, evaluate, compare, predict, export, inspect, config):
    cli.add_command(command)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; answers its exit code, having told on stderr what went wrong."""
    try:
        # Not cli.main: it answers Ctrl-C with an empty line more, and a closed pipe with code 1.
        color = False if os.environ.get("NO_COLOR") else None  # None: on a terminal; see https://no-color.org
        with cli.make_context("rnn", list(arguments), color=color) as context:
            cli.invoke(context)
        sys.stdout.flush()
        return 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except Terminated:
        click.echo("terminated", err=True)
        return TERMINATED
    except BrokenPipeError:
        return PIPE_CLOSED
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return WRONG_USAGE
    except Exception as error:
        # Looked for here, because parsing may have failed; behind the command it is no option of ours.
        if "--debug" in takewhile(lambda word: word.startswith("-"), arguments):
            traceback.print_exc()
        return _tell(understood(error))


def _tell(error: Exception) -> int:
    from rnn_cli.cli.layout import one_line

    for told in error.mistakes if isinstance(error, ConfigError) else [_in_words(error)]:
        click.echo(f"Error: {one_line(told)}", err=True)
    if isinstance(error, RnnError):
        return error.exit_code
    return WRONG_USAGE if isinstance(error, click.ClickException) else FAILED


def _in_words(error: Exception) -> str:
    match error:
        case RnnError():
            return str(error)
        case click.ClickException():
            context = getattr(error, "ctx", None)
            return f"{error.format_message().rstrip('.')} (see {context.command_path if context else 'rnn'} --help)"
        case OSError(strerror=str(reason)):
            return f"{error.filename or 'standard input or output'}: {reason.lower()}"
        case MemoryError():
            return "out of memory; use shorter texts, smaller batches or a smaller network"
    return (
        f"{type(error).__name__}: {error}; this is a fault of rnn: "
        "run it again as rnn --debug ... and report what it shows"
    )


def _terminate(signum: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


def _open_streams() -> None:
    """Standard streams that take any text: what is closed becomes the null device, what is written is UTF-8."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):  # a file takes the lowest free number
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))
    if isinstance(sys.stdout, io.TextIOWrapper) and isinstance(sys.stdout.buffer, io.RawIOBase):
        # With PYTHONUNBUFFERED a full disk takes a part of what is written, and nobody is told.
        raw: Any = sys.stdout.detach()
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(raw), line_buffering=True)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def main() -> NoReturn:
    """The entry point of the console script."""
    for name in ("SIGTERM", "SIGHUP"):  # a terminal that is closed sends the latter, and nohup has it ignored
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _terminate)
    _open_streams()
    if "_RNN_COMPLETE" in os.environ:
        cli.main(prog_name="rnn")  # answers the shell's request for completions
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError:  # told already; Python would tell it again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
