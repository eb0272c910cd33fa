"""`rnn predict --input`: whole files of rows."""

import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from rnn_cli.cli.options import LABELLED, Command, in_shell_terms
from rnn_cli.errors import Error, RowError, UsageError
from rnn_cli.formats import COMPRESSIONS, FORMATS
from rnn_cli.progress import Notes
from rnn_cli.system import keep_ray_here
from rnn_cli.text.plain import one_line

if TYPE_CHECKING:
    from rnn_cli.batch.job import Counts, Input, Job, Listener
    from rnn_cli.bundle.model_folder import Bundle
    from rnn_cli.scoring.predictor import Predictor


OPTIONS_OF = {
    **LABELLED,
    "data.format": "--input-format",
    "data.strip_nul": "--strip-nul",
    "data.max_field_bytes": "--max-field-bytes",
}
"""A config's keys that are options here."""

OPTIONS = (
    click.option("--proba", is_flag=True, help="Add the probability of every label."),
    click.option(
        "--precision",
        type=click.Choice(("fp32", "int8")),
        default="fp32",
        help="How the network computes  [default: fp32]; int8 is faster and answers nearly the same.",
    ),
    click.option("--threads", type=click.IntRange(1), metavar="N", help="Cores to use  [default: all]"),
    click.option(
        "--input",
        "inputs",
        multiple=True,
        metavar="FILE...",
        help="Score the rows of files: CSV, TSV, JSONL or Parquet, plain, .gz or .zst; also folders, patterns, URLs, "
        "and - for the standard input.",
    ),
    click.option(
        "--output",
        metavar="FILE",
        help="Write the answered rows here; FOLDER/ for a file a chunk of rows  [default: the standard output]",
    ),
    click.option("--text-column", metavar="NAME", help="The column of texts  [default: found by its name]"),
    click.option("--prefix", default="", metavar="TEXT", help="Begin the names of the added columns with this."),
    click.option(
        "--on-bad-row",
        type=click.Choice(("stop", "skip", "mark")),
        default="stop",
        show_default=True,
        help="What to do with a row that cannot be read: stop, leave it out, or keep it without an answer. "
        "The latter two write such rows to FILE.rejected.jsonl.",
    ),
    click.option("--rejects", metavar="FILE", help="Where rows that cannot be read are written instead."),
    click.option("--resume", is_flag=True, help="Go on with a job that was stopped."),
    click.option("--force", is_flag=True, help="Replace an earlier output, or begin a stopped job anew."),
    click.option("--input-format", type=click.Choice(FORMATS), help="What the input is, whatever its name says."),
    click.option("--delimiter", metavar="CHAR", help="The character between fields  [default: by the name]"),
    click.option("--encoding", metavar="NAME", help="The input's encoding  [default: UTF-8, or its byte order mark]"),
    click.option("--strip-nul", is_flag=True, help="Drop NUL characters, which are a mistake otherwise."),
    click.option("--max-field-bytes", type=click.IntRange(1), metavar="N", help="The largest line or text allowed."),
    click.option(
        "--spreadsheet-safe", is_flag=True, help="Put ' before cells that a spreadsheet would run as formulas."
    ),
    click.option(
        "--engine", type=click.Choice(("local", "ray")), default="local", help="Where it runs: here, or on Ray."
    ),
    click.option("--ray-address", metavar="ADDRESS", help="A running Ray cluster  [default: one is started here]"),
)


@dataclass(frozen=True)
class FileOptions:
    """What the options say, by their names; the first three are of texts, too."""

    proba: bool = False
    precision: Literal["fp32", "int8"] = "fp32"
    threads: int | None = None
    inputs: tuple[str, ...] = ()
    output: str | None = None
    text_column: str | None = None
    prefix: str = ""
    on_bad_row: str = "stop"
    rejects: str | None = None
    resume: bool = False
    force: bool = False
    input_format: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    strip_nul: bool = False
    max_field_bytes: int | None = None
    spreadsheet_safe: bool = False
    engine: str = "local"
    ray_address: str | None = None

    @property
    def target(self) -> str | None:
        """The output's name; None for the standard output."""
        return None if self.output == "-" else self.output

    @property
    def is_folder(self) -> bool:
        """Whether the output is a folder of files."""
        name = self.target
        return name is not None and (name.endswith("/") or "://" in name or os.path.isdir(name))

    @property
    def rejected(self) -> Path | None:
        """Where rows that cannot be read are written; None where there is no place for them."""
        if self.rejects is not None:
            return Path(self.rejects)
        if self.target is None:
            return None
        return Path(self.target, "_rejected") if self.is_folder else Path(f"{self.target}.rejected.jsonl")


def file_options(command: Command) -> Command:
    """Give a command the options."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def refuse_without_input(options: FileOptions, style: str | None) -> None:
    """Raise UsageError for what only files can have."""
    unset = FileOptions(options.proba, options.precision, options.threads)
    for name, value in vars(options).items():
        if value != getattr(unset, name):
            raise UsageError(f"--{name.replace('_', '-')} is for --input, which is not given", hint="add --input FILE")
    if style == "parquet":
        raise UsageError("--format parquet is for --input, which is not given", hint="add --input FILE")


def refuse_unsuitable(options: FileOptions) -> None:
    """Raise UsageError, before anything is opened, for options that make no sense beside each other."""
    to_stream, is_folder, on_ray = options.target is None, options.is_folder, options.engine == "ray"
    passes_over, from_stream = options.on_bad_row != "stop", "-" in options.inputs
    mistakes = (
        (to_stream and options.resume, "--resume is for --output, which is not given", "add --output FILE"),
        (
            to_stream and options.force and options.rejects is None,
            "--force is for --output, which is not given",
            "add --output FILE",
        ),
        (
            to_stream and passes_over and options.rejects is None,
            "rows that cannot be read need a place",
            "add --rejects FILE, or --output FILE",
        ),
        (
            options.rejects is not None and not passes_over,
            "--rejects is for rows that are passed over",
            "add --on-bad-row skip (or mark)",
        ),
        (
            options.rejects is not None and is_folder,
            "--rejects is for one file",
            "leave it out: a folder of answers has a folder of them",
        ),
        (from_stream and options.resume, "the standard input cannot be read again", "name a file with --input"),
        (from_stream and on_ray, "--engine ray cannot read the standard input", "name a file with --input"),
        (on_ray and not is_folder, "--engine ray writes a folder of files", "add --output FOLDER/"),
        (
            options.ray_address is not None and not on_ray,
            "--ray-address is for --engine ray, which is not given",
            "add --engine ray",
        ),
    )
    for is_made, what, hint in mistakes:
        if is_made:
            raise UsageError(what, hint=hint)


def refuse_own_output(options: FileOptions, names: Sequence[str], inputs: "Sequence[Input]") -> None:
    """Raise UsageError for a file that would be read and written, now or by the next call, or written twice."""
    from rnn_cli.batch.job import local, would_read

    rejected = None if options.is_folder or options.rejected is None else str(options.rejected)
    written = [local(name) for name in (options.target, rejected) if name is not None]
    if len(set(map(_real, written))) < len(written):
        raise UsageError("is --output and --rejects", where=rejected, hint="name another for one of them")
    read = {_real(each.path) for each in inputs}
    for name in written:
        if _real(name) in read:
            raise UsageError("would be read and replaced", where=name, hint="name another place")
        is_folder = options.is_folder and name != rejected
        if reading := next((each for each in names if would_read(each, name, is_folder=is_folder)), None):
            raise UsageError(f"would be among what {reading} stands for", where=name, hint="name another place")


def refuse_unrepeatable(options: FileOptions, inputs: "Sequence[Input]") -> None:
    """Raise UsageError for input that cannot be read twice, where it would have to be."""
    option = "--resume" if options.resume else "--engine ray" if options.engine == "ray" else None
    for each in inputs if option else ():
        if "://" not in each.path and os.path.exists(each.path) and not os.path.isfile(each.path):
            raise UsageError(f"is no file, and {option} reads it more than once", where=each.path, hint="save it first")


def _real(name: str) -> str:
    """A path without links, or a URL without what is asked of it."""
    return name.partition("?")[0].rstrip("/") if "://" in name else os.path.realpath(name)


def output_format(options: FileOptions, style: str | None, first: str) -> tuple[str, str | None]:
    """What the output is: its format, and its compression if it has one; `first` is the first file that is read.

    Raises UsageError where that is not said, or twice.
    """
    from rnn_cli.data.reading.readers import format_of, suffix_of

    if options.target is not None and "://" in options.target and format_of(options.target):
        raise UsageError("a URL names a folder", where=options.target, hint="add a / behind it, or name a local file")
    output = None if options.is_folder else options.target
    said = format_of(output) if output is not None else None
    compression = COMPRESSIONS.get(Path(output.lower()).suffix) if output is not None else None
    if style is not None and style not in FORMATS:
        raise UsageError(f"--format {style} cannot hold a file's columns", hint=f"use one of {', '.join(FORMATS)}")
    if style is not None and said is not None and style != said:
        raise UsageError(f"is named as {said}, and --format says {style}", where=output, hint="change one of them")
    if style is None and said is None and output is not None and suffix_of(output):
        hint = "name it .csv, .tsv, .jsonl or .parquet, or add --format"
        raise UsageError("its name does not say a format that can be written", where=output, hint=hint)
    format_ = style or said or options.input_format or format_of(first) or ("csv" if options.delimiter else None)
    if format_ is None:
        where = "standard input" if first == "-" else first
        raise UsageError("its name does not say its format", where=where, hint="add --input-format csv (tsv, ...)")
    if format_ == "parquet" and options.target is None:
        hint = "add --output FILE, or --format csv (tsv, jsonl)"
        raise UsageError("Parquet cannot be written to the standard output", hint=hint)
    if format_ == "parquet" and compression:
        raise UsageError("Parquet is compressed in itself", where=output, hint="leave the last ending out")
    return format_, compression


def score_files(options: FileOptions, more: Sequence[str], model: str | None, style: str | None) -> None:
    """Score files; `more` are those named behind the one of --input."""
    try:
        _score_files(options, [*options.inputs, *more], model, style)
    except Error as error:
        way_round = options.on_bad_row == "stop" and isinstance(error, RowError)
        worded = in_shell_terms(error, OPTIONS_OF)  # a mistake in the model's config stays as it is
        raise (_with_way_round(worded) if way_round else worded) from error


def _score_files(options: FileOptions, names: Sequence[str], model: str | None, style: str | None) -> None:
    from rnn_cli.batch.job import find_inputs

    refuse_unsuitable(options)
    inputs = find_inputs(names, any_format=options.input_format is not None)
    refuse_own_output(options, names, inputs)
    refuse_unrepeatable(options, inputs)
    format_, compression = output_format(options, style, inputs[0].path)

    from rnn_cli.batch.job import Job
    from rnn_cli.bundle.model_folder import Bundle, locate
    from rnn_cli.progress import listening
    from rnn_cli.scoring.predictor import Predictor

    began = time.monotonic()
    opened = Bundle.open(locate(model))
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
    sizes = [each.size for each in inputs]
    size = None if None in sizes else sum(size or 0 for size in sizes)
    among_rows = sys.stderr.isatty() and options.target is None and sys.stdout.isatty()
    with listening(size, is_shown=not among_rows) as listener:
        counts = _run(options, job, opened, predictor, listener)
    _tell(options, counts, listener.rows, time.monotonic() - began)


def _run(options: FileOptions, job: "Job", opened: "Bundle", predictor: "Predictor", listener: "Listener") -> "Counts":
    """Do the job, wherever its answers go and whoever computes them."""
    model = {"model": opened.fingerprint(), "precision": options.precision}
    if options.target is None:
        from rnn_cli.batch.to_file import score_to_stream

        out = _Terminal() if sys.stdout.isatty() else sys.stdout.buffer
        return score_to_stream(job, predictor, out, options.rejected, listener, force=options.force)
    if not options.is_folder:
        from rnn_cli.batch.to_file import score_to_file

        assert options.rejected is not None
        out, how = Path(options.target), {"resume": options.resume, "force": options.force}
        return score_to_file(job, predictor, model, out, options.rejected, listener, **how)

    from rnn_cli.batch.stores import store_of
    from rnn_cli.batch.to_folder import score_to_folder, taken

    with ExitStack() as cluster:
        if options.engine == "ray":  # before anything is written: it may not be there
            if not options.ray_address:
                keep_ray_here()
            from rnn_cli.batch.connection import connected

            listener.note("connecting to Ray" if options.ray_address else "starting Ray")
            cluster.enter_context(connected(options.ray_address, options.threads))
        how = {"resume": options.resume, "force": options.force}
        with taken(job, model, store_of(options.target), listener, **how) as folder:
            if options.engine == "ray":
                from rnn_cli.batch.cluster import score_on_ray

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
    from rnn_cli.bundle.model_folder import CONFIG
    from rnn_cli.config.load import stored_config

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
    tell = Notes()
    tell.note(f"{counts.scored:,} {rows} scored{took}{to}")
    if counts.rejected:
        given = "row" if counts.rows == 1 else "rows"
        told = f"{counts.rows:,} {given} in = {counts.scored:,} scored + {counts.rejected:,} rejected"
        tell.note(f"{told} → {options.rejected}")
    if not counts.scored:
        tell.warn("no row could be scored")
    if counts.unsure:
        tell.note(f"{counts.unsure:,} of the answers are unsure")
    if counts.unknown:
        hold = "text holds" if counts.unknown == 1 else "texts hold"
        tell.warn(f"{counts.unknown:,} {hold} no word the model knows (no_known_words)")


def _with_way_round(error: Error) -> Error:
    """The error of a row with the option that passes over it."""
    start = f"{error.hint}, or p" if error.hint else "p"
    return RowError(error.what, where=error.where, hint=f"{start}ass over such rows: --on-bad-row skip")
