"""The group `rnn`, and the one place where errors become messages and exit codes."""

import io
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

from rnn_cli import __version__
from rnn_cli.bundle.model_folder import MANIFEST
from rnn_cli.cli.check_model import check_model
from rnn_cli.cli.common import quiet_option
from rnn_cli.cli.compare import compare
from rnn_cli.cli.completion import completion
from rnn_cli.cli.config import config
from rnn_cli.cli.data import data
from rnn_cli.cli.drift import drift
from rnn_cli.cli.evaluate import evaluate
from rnn_cli.cli.export import export
from rnn_cli.cli.init import init
from rnn_cli.cli.inspect import inspect
from rnn_cli.cli.label import label
from rnn_cli.cli.options import LABELLED, in_shell_terms, shell_hint
from rnn_cli.cli.predict import predict
from rnn_cli.cli.runs import runs
from rnn_cli.cli.score import score
from rnn_cli.cli.serve import serve
from rnn_cli.cli.train import train
from rnn_cli.cli.tune import tune
from rnn_cli.errors import ConfigError, Error, Note, quoted
from rnn_cli.messages import tell
from rnn_cli.text.plain import one_line

FAILED, WRONG_USAGE, INTERRUPTED, PIPE_CLOSED, TERMINATED = 1, 2, 130, 141, 143


class Terminated(BaseException):
    """SIGTERM or SIGHUP came; raised wherever the run is, so that temporary files are cleared away."""


class _Output(io.FileIO):
    """The standard output, which errors call by its name."""

    def write(self, content: Any) -> Any:
        """Write bytes, as many as go; returns how many."""
        try:
            return super().write(content)
        except OSError as error:
            error.filename = "standard output"
            raise


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
@click.version_option(__version__, prog_name="rnn", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="On an error, show where in the program it arose.")
def cli(debug: bool) -> None:
    """Train, evaluate and use text classifiers made of bidirectional recurrent networks."""


for command in (
    *(data, label, init, train, tune, runs, evaluate, compare, check_model, drift),
    *(predict, score, serve, export, inspect, config, completion),
):
    cli.add_command(command)
for quiet_command in (
    train,
    tune,
    evaluate,
    compare,
    check_model,
    drift,
    predict,
    score,
    serve,
    export,
    data.commands["check"],
    inspect.commands["gradients"],
    label.commands["start"],
    cli,
):
    quiet_command.params.append(quiet_option())


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns its exit code, after printing on stderr what went wrong."""
    try:
        # Not cli.main: it prints an empty line on Ctrl-C, and ends with code 1 on a closed pipe.
        color = False if os.environ.get("NO_COLOR") else None  # None: on a terminal; see https://no-color.org
        with cli.make_context("rnn", list(arguments), color=color) as context:
            cli.invoke(context)
        sys.stdout.flush()
        return 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except (KeyboardInterrupt, click.Abort) as error:
        _print_notes(error)
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except Terminated as error:
        _print_notes(error)
        click.echo("terminated", err=True)
        return TERMINATED
    except BrokenPipeError:
        return PIPE_CLOSED
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return WRONG_USAGE
    except Exception as error:
        _print_notes(error)
        if stopped := _stopped(error):
            click.echo("interrupted" if stopped == INTERRUPTED else "terminated", err=True)
            return stopped
        # Looked for here, because parsing may have failed; behind the command it is no option of ours.
        if "--debug" in takewhile(lambda word: word.startswith("-"), arguments):
            traceback.print_exc()
        from rnn_cli.api import naming_extra

        return _print_error(naming_extra(error))


def _stopped(error: BaseException | None) -> int | None:
    """The code of the interrupt in whose wake an error arose: what an interrupted function clears away may fail."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt | Terminated):
            return INTERRUPTED if isinstance(error, KeyboardInterrupt) else TERMINATED
        error = error.__context__
    return None


def _print_notes(error: BaseException | None) -> None:
    """Print how to go on, as noted on an exception or on those in whose wake it was raised."""
    while error is not None:
        for note in getattr(error, "__notes__", ()):
            if isinstance(note, Note):
                tell(one_line(shell_hint(note.said)))
        error = error.__context__


def _print_error(error: Exception) -> int:
    """Print the error, a message for each of a config's mistakes; returns the exit code."""
    mistakes = error.mistakes if isinstance(error, ConfigError) else ()
    named = [(str(each), each.where) for each in mistakes] or [(_worded(error), _place(error))]
    for message, place in named:
        tell(f"Error: {one_line(message)}", whole=[one_line(place)])
    if isinstance(error, Error):
        return error.exit_code
    return WRONG_USAGE if isinstance(error, click.ClickException) else FAILED


def _place(error: Exception) -> str:
    """The file or the like that an error's message begins with, if any."""
    return str((error.where if isinstance(error, Error) else getattr(error, "filename", "")) or "")


def _worded(error: Exception) -> str:
    match error:
        case Error():
            return str(in_shell_terms(error, LABELLED))
        case click.ClickException():
            context: click.Context | None = getattr(error, "ctx", None)
            meant = _meant(error, context) if context else ""
            while context and context.command.hidden:  # `rnn runs`, whose help has its options
                context = context.parent
            command = context.command_path if context else "rnn"
            return f"{error.format_message().rstrip('.')}{meant} (see {command} --help)"
        case OSError(strerror=str(reason)):
            return f"{error.filename or 'standard input or output'}: {reason.lower()}"
        case MemoryError():
            return "out of memory; use shorter texts, smaller batches or a smaller network"
    return (
        f"{type(error).__name__}: {error}; this is a fault of rnn: "
        "run it again as rnn --debug ... and report what it shows"
    )


def _meant(error: click.ClickException, context: click.Context) -> str:
    """For an argument too many, the option that it may be meant for."""
    found = re.fullmatch(r"Got unexpected extra argument \((\S+)\)", error.format_message())
    if found is None:
        return ""
    word, options = found[1], {name for param in context.command.params for name in param.opts}
    is_model = (Path(word) / MANIFEST).exists()
    option = "--model" if is_model else "--to" if "--to" in options else "--data"
    return f"; did you mean {option} {quoted(word)}?" if option in options else ""


def _terminate(signum: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


def _again(lost: "sys.UnraisableHookArgs") -> None:
    """Let an interrupt come again that came while Python cleared something away, where it drops what is raised."""
    number = {KeyboardInterrupt: signal.SIGINT, Terminated: signal.SIGTERM}.get(lost.exc_type)
    if number is None:
        sys.__unraisablehook__(lost)
    else:  # a moment later: here it would be dropped, too
        # To the thread that may be waiting: another one's signal would not end that.
        timer = threading.Timer(0.05, signal.pthread_kill, [threading.main_thread().ident, number])
        timer.daemon = True
        timer.start()


def _open_streams() -> None:
    """Standard streams that take any text: what is closed becomes the null device, what is written is UTF-8."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):  # a file takes the lowest free number
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8", errors="backslashreplace"))
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace")
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout is sys.__stdout__:
        # With PYTHONUNBUFFERED, too: a full disk would take a part of what is written, and nobody would know.
        at_once = sys.stdout.isatty() or sys.stdout.write_through
        output = io.BufferedWriter(_Output(sys.stdout.fileno(), "w", closefd=False))
        sys.stdout = io.TextIOWrapper(output, "utf-8", "backslashreplace", line_buffering=at_once)


def main() -> NoReturn:
    """Run the command line and end with its exit code."""
    try:
        code = _main()
    except KeyboardInterrupt:  # before the command began, or while its error was printed
        code = INTERRUPTED
    except Terminated:
        code = TERMINATED
    sys.exit(code)


def _main() -> int:
    sys.unraisablehook = _again
    for name in ("SIGTERM", "SIGHUP"):  # a terminal that is closed sends the latter, and nohup has it ignored
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _terminate)
    _open_streams()
    if "_RNN_COMPLETE" in os.environ:
        from rnn_cli.cli.completers import answer_shell

        answer_shell(cli)
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError:  # printed already; Python would print it again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code
