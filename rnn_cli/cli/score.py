"""`rnn score`."""

import sys
import time
from io import BytesIO
from typing import TYPE_CHECKING, Any

import click

from rnn_cli.cli.options import LABELLED, coverage_option, in_shell_terms, labels_option, model_option, reading_option
from rnn_cli.errors import Error, RowError
from rnn_cli.formats import FORMATS, WRITTEN
from rnn_cli.progress import Notes, listening
from rnn_cli.text.plain import one_line

if TYPE_CHECKING:
    from rnn_cli.batch.job import Counts

OPTIONS_OF = {
    **LABELLED,
    "data.format": "--input-format",
    "data.strip_nul": "--strip-nul",
    "data.max_field_bytes": "--max-field-bytes",
}
"""Keys of a config that are options here."""


@click.command(
    epilog="""\b
Examples:
  rnn score tickets.csv --output scored.csv
  rnn score 'logs/*.jsonl.gz' --output scored.parquet
  rnn score logs/ --output scored/ --on-bad-row skip
  cat tickets.csv | rnn score - --format csv > scored.csv
"""
)
@click.argument("inputs", nargs=-1, required=True, metavar="FILE...")
@click.option("--output", metavar="OUT", help="A file, or FOLDER/  [default: standard output]")
@model_option
@labels_option
@reading_option("text_column")
@reading_option("sheet")
@reading_option("delimiter")
@reading_option("quoting")
@reading_option("header")
@reading_option("encoding")
@click.option(
    "--input-format", type=click.Choice(FORMATS), metavar="NAME", help="The input's format  [default: by file name]"
)
@click.option("--strip-nul", is_flag=True, help="Drop NUL characters, which are an error otherwise.")
@click.option("--max-field-bytes", type=click.IntRange(1), metavar="N", hidden=True, help="The longest line or text.")
@click.option(
    "--format",
    "style",
    type=click.Choice(FORMATS),
    metavar="NAME",
    help=f"The output's: {', '.join(WRITTEN)}; a pipe's too.",
)
@click.option("--proba", is_flag=True, help="Add the probability of every label.")
@coverage_option
@click.option("--prefix", default="", metavar="TEXT", help="Begin the names of added columns with this.")
@click.option("--spreadsheet-safe", is_flag=True, help="Put ' before cells that would run as formulas.")
@click.option(
    "--on-bad-row",
    type=click.Choice(("stop", "skip", "mark")),
    default="stop",
    metavar="ACTION",
    help="On an unreadable row: stop (default), skip or mark.",
)
@click.option("--rejects", metavar="FILE", help="Where such rows go  [default: OUT.rejected.jsonl]")
@click.option("--resume", is_flag=True, help="Go on with a job that was stopped.")
@click.option("--force", is_flag=True, help="Replace an earlier output; start a job again.")
@click.option(
    "--precision",
    type=click.Choice(("fp32", "int8")),
    default="fp32",
    metavar="NAME",
    help="fp32 (default), or int8: faster, nearly the same.",
)
@click.option("--threads", type=click.IntRange(1), metavar="N", help="Cores to use  [default: all]")
@click.option(
    "--engine",
    type=click.Choice(("local", "ray")),
    default="local",
    metavar="NAME",
    help="local (default), or ray: a cluster.",
)
@click.option("--ray-address", metavar="ADDRESS", help="A running Ray cluster  [default: start one here]")
def score(inputs: tuple[str, ...], output: str | None, style: str | None, **options: Any) -> None:
    """Add predictions to files of rows.

    FILE is CSV, TSV, JSONL, Parquet or .xlsx, also .gz or .zst; or a folder, a pattern, a URL, or - for a pipe. Every
    row and column is kept, in order; added are label, probability and no_known_words (and unsure, where the model may
    abstain). OUT appears when it is whole. More: docs/files.md.
    """
    score_files(inputs, output, style, **options)


def score_files(inputs: tuple[str, ...], output: str | None, style: str | None, **options: Any) -> None:
    """Score files, and print what came of it on stderr."""
    from rnn_cli import api

    began = time.monotonic()
    place = None if output == "-" else output
    to_terminal = place is None and sys.stdout.isatty()
    try:
        with listening(is_shown=not (to_terminal and sys.stderr.isatty())) as listener:
            out = place or (_Terminal() if to_terminal else sys.stdout.buffer)
            counts = api.score(inputs, out, format=style, progress=listener, **options)  # type: ignore[arg-type]
    except Error as error:
        worded = in_shell_terms(error, OPTIONS_OF)  # a mistake in the model's config stays as it is
        can_skip = options["on_bad_row"] == "stop" and isinstance(error, RowError)
        raise (_with_skip(worded) if can_skip else worded) from error
    _print_summary(counts, place, options["rejects"], listener.rows, time.monotonic() - began)


class _Terminal(BytesIO):
    """The standard output as a stream of bytes that shows a file's lines without what a terminal must not get."""

    def flush(self) -> None:
        """Show what was written, which is whole lines."""
        from rnn_cli.cli.layout import for_terminal

        click.echo(for_terminal(self.getvalue().decode("utf-8", "replace")), nl=False)
        self.seek(0)
        self.truncate()


def _print_summary(counts: "Counts", output: str | None, rejects: str | None, now: int, seconds: float) -> None:
    """Print the counts on stderr; `now` is how many rows this call has read, and no earlier one."""
    from rnn_cli.batch.score import Target

    notes = Notes()
    to = f" → {one_line(output)}" if output is not None else ""
    took = f" in {seconds:.1f} s ({now / max(seconds, 1e-3):,.0f} a second)"
    if now < counts.rows:
        took = f", {counts.rows - now:,} of them before; the rest{took}" if now else ", all of them before"
    notes.note(f"{counts.scored:,} {'row' if counts.scored == 1 else 'rows'} scored{took}{to}")
    if counts.rejected:
        rows = f"{counts.rows:,} {'row' if counts.rows == 1 else 'rows'}"
        sum_ = f"{rows} in = {counts.scored:,} scored + {counts.rejected:,} rejected"
        notes.note(f"{sum_} → {Target(output, rejects).rejected}")
    if not counts.scored:
        notes.warn("no row could be scored")
    if counts.unsure:
        notes.note(f"{counts.unsure:,} of the predictions are unsure")
    if counts.seen:
        learned = f"the model was trained on {counts.seen:,} of these rows"
        notes.warn(f"{learned}; leave them out to measure it (rnn evaluate does)")
    if counts.unknown:
        hold = "text holds" if counts.unknown == 1 else "texts hold"
        notes.warn(f"{counts.unknown:,} {hold} no word the model knows (no_known_words)")


def _with_skip(error: Error) -> Error:
    """The error of a row with the option that skips such rows."""
    start = f"{error.hint}, or s" if error.hint else "s"
    return RowError(error.what, where=error.where, hint=f"{start}kip such rows: --on-bad-row skip")
