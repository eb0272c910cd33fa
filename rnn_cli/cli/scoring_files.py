"""`rnn predict --input`: whole files of rows."""

import re
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnn_cli.cli.file_options import (
    FileOptions,
    output_format,
    refuse_own_output,
    refuse_unrepeatable,
    refuse_unsuitable,
)
from rnn_cli.errors import ConfigError, RnnError, RowError
from rnn_cli.system import keep_ray_here
from rnn_cli.text.plain import one_line

if TYPE_CHECKING:  # loading them loads ONNX Runtime
    from rnn_cli.bulk.job import Counts, Job, Listener
    from rnn_cli.bundle import Bundle
    from rnn_cli.scoring.predictor import Predictor


def score_files(options: FileOptions, more: Sequence[str], model: str | None, style: str | None) -> None:
    """Score files; `more` are those named behind the one of --input."""
    try:
        _score_files(options, [*options.inputs, *more], model, style)
    except RnnError as error:
        way_round = options.on_bad_row == "stop" and isinstance(error, RowError)
        raise _in_options(_with_way_round(error) if way_round else error) from error


def _score_files(options: FileOptions, names: Sequence[str], model: str | None, style: str | None) -> None:
    from rnn_cli.bulk.inputs import find_inputs

    refuse_unsuitable(options)
    inputs = find_inputs(names, any_format=options.input_format is not None)
    refuse_own_output(options, names, inputs)
    refuse_unrepeatable(options, inputs)
    format_, compression = output_format(options, style, inputs[0].path)

    from rnn_cli import bundle
    from rnn_cli.bulk.job import Job
    from rnn_cli.bundle import Bundle
    from rnn_cli.cli.scoring_progress import listening
    from rnn_cli.scoring.predictor import Predictor

    began = time.monotonic()
    opened = Bundle.open(bundle.locate(model))
    job = Job(
        inputs=tuple(inputs),
        format=format_,
        how=_how(options, opened),
        compression=compression,
        on_bad_row=options.on_bad_row,
        prefix=options.prefix,
        proba=options.proba,
        spreadsheet_safe=options.spreadsheet_safe,
    )
    predictor = Predictor(opened, threads=options.threads, precision=options.precision)
    is_shown = sys.stderr.isatty() and not (options.target is None and sys.stdout.isatty())
    with listening(job, is_shown=is_shown) as listener:
        counts = _run(options, job, opened, predictor, listener)
    _tell(options, counts, listener.rows, time.monotonic() - began)


def _run(options: FileOptions, job: "Job", opened: "Bundle", predictor: "Predictor", listener: "Listener") -> "Counts":
    """Do the job, wherever its answers go and whoever computes them."""
    model = {"model": opened.fingerprint(), "precision": options.precision}
    if options.target is None:
        from rnn_cli.bulk.one_file import score_to_stream

        out = _Terminal() if sys.stdout.isatty() else sys.stdout.buffer
        return score_to_stream(job, predictor, out, options.rejected, listener, force=options.force)
    if not options.is_folder:
        from rnn_cli.bulk.one_file import score_to_file

        assert options.rejected is not None
        out, how = Path(options.target), {"resume": options.resume, "force": options.force}
        return score_to_file(job, predictor, model, out, options.rejected, listener, **how)

    from rnn_cli.bulk.answer_folder import taken
    from rnn_cli.bulk.folder import score_to_folder
    from rnn_cli.bulk.stores import store_of

    with ExitStack() as cluster:
        if options.engine == "ray":  # before anything is written: it may not be there
            if not options.ray_address:
                keep_ray_here()
            from rnn_cli.bulk.connection import connected

            listener.note("connecting to Ray" if options.ray_address else "starting Ray")
            cluster.enter_context(connected(options.ray_address, options.threads))
        how = {"resume": options.resume, "force": options.force}
        with taken(job, model, store_of(options.target), listener, **how) as folder:
            if options.engine == "ray":
                from rnn_cli.bulk.cluster import score_on_ray

                counts = score_on_ray(job, opened, options.precision, folder, listener, workers=options.threads)
            else:
                counts = score_to_folder(job, predictor, folder, listener)
            folder.finish(job, counts)
    return counts


class _Terminal(BytesIO):
    """The standard output as a stream of bytes that shows a file's lines without what a terminal must not get."""

    def flush(self) -> None:
        """Show what was written, which are whole lines."""
        from rnn_cli.cli.layout import for_terminal

        click.echo(for_terminal(self.getvalue().decode("utf-8", "replace")), nl=False)
        self.seek(0)
        self.truncate()


def _how(options: FileOptions, opened: "Bundle") -> dict[str, Any]:
    """How the files are read, as fields of a `ReadRequest`."""
    from rnn_cli.bundle import CONFIG
    from rnn_cli.loading import stored_config

    likely = None
    if CONFIG in opened.manifest.files:
        likely = stored_config(opened.read(CONFIG), str(opened.path / CONFIG)).data.text_column
    how: dict[str, Any] = {
        "text_column": options.text_column,
        "likely_text_column": likely,
        "format": options.input_format,
        "delimiter": options.delimiter,
        "encoding": options.encoding,
        "strip_nul": options.strip_nul,
    }
    return how | ({"max_field_bytes": options.max_field_bytes} if options.max_field_bytes is not None else {})


def _tell(options: FileOptions, counts: "Counts", now: int, seconds: float) -> None:
    """The summary, on stderr; `now` is how many rows this call has read, and an earlier one had not."""
    rows = "row" if counts.scored == 1 else "rows"
    to = f" → {one_line(options.target)}" if options.target is not None else ""
    took = f" in {seconds:.1f} s ({now / max(seconds, 1e-3):,.0f} a second)"
    if now < counts.rows:
        took = f", {counts.rows - now:,} of them before; the rest{took}" if now else ", all of them before"
    click.echo(f"{counts.scored:,} {rows} scored{took}{to}", err=True)
    if counts.rejected:
        given = "row" if counts.rows == 1 else "rows"
        told = f"{counts.rows:,} {given} in = {counts.scored:,} scored + {counts.rejected:,} rejected"
        click.echo(f"{told} → {one_line(str(options.rejected))}", err=True)
    if not counts.scored:
        click.echo("Warning: no row could be scored", err=True)
    if counts.unsure:
        click.echo(f"{counts.unsure:,} of the answers are unsure", err=True)
    if counts.unknown:
        hold = "text holds" if counts.unknown == 1 else "texts hold"
        click.echo(f"Warning: {counts.unknown:,} {hold} no word the model knows (no_known_words)", err=True)


def _with_way_round(error: RnnError) -> RnnError:
    """The error of a row with the option that passes over it."""
    mend = f"{error.mend}, or p" if error.mend else "p"
    return RowError(error.what, where=error.where, mend=f"{mend}ass over such rows: --on-bad-row skip")


def _in_options(error: RnnError) -> RnnError:
    """The error in the words of this command, which names a config's keys as options."""
    if isinstance(error, ConfigError):  # of the model's config, not of ours
        return error

    def option(key: re.Match[str]) -> str:
        return f"--{key[1].replace('_', '-')}"

    where = re.sub(r"^data\.(\w+)$", option, error.where or "") or None
    mend = error.mend and re.sub(r"--set data\.(\w+)=true", option, error.mend)
    mend = mend and re.sub(r"--set data\.(\w+)=", lambda key: f"{option(key)} ", mend)
    return type(error)(error.what, where=where, mend=mend)
