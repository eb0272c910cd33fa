"""A call of `rnn score`: what is refused before any work is done, the output's format, and who writes the rows."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from rnn_cli.batch.job import STOP, Counts, Input, Job, ScoringListener, local, would_read
from rnn_cli.data.reading.names import format_of, suffix_of
from rnn_cli.data.reading.remote import STANDARD_INPUT
from rnn_cli.errors import Setting, UsageError
from rnn_cli.formats import COMPRESSIONS, WRITTEN
from rnn_cli.outputs import another, check_file
from rnn_cli.system import keep_ray_here

if TYPE_CHECKING:  # it is loaded when all else is found right
    from rnn_cli.scoring.predictor import Predictor

RAY = "ray"

_SAY_FORMAT = f"add --format csv ({', '.join(WRITTEN[1:])})"


@dataclass(frozen=True)
class Target:
    """Where the rows go, and who writes them.

    `name` is a file, a folder or a URL; None is a stream. `rejects` is the file for rows that cannot be read, where one
    is named. `engine` is "local" or "ray".
    """

    name: str | None
    rejects: str | None = None
    resume: bool = False
    force: bool = False
    engine: str = "local"
    ray_address: str | None = None

    @property
    def is_folder(self) -> bool:
        """Whether the output is a folder of files."""
        return self.name is not None and (self.name.endswith("/") or "://" in self.name or os.path.isdir(self.name))

    @property
    def rejected(self) -> Path | None:
        """Where rows that cannot be read are written; None where there is no place for them."""
        if self.rejects is not None:
            return Path(self.rejects)
        if self.name is None:
            return None
        return Path(self.name, "_rejected") if self.is_folder else Path(f"{self.name}.rejected.jsonl")


def check_options(target: Target, names: Sequence[str], on_bad_row: str) -> None:
    """Raise UsageError, before anything is opened, for options that make no sense together."""
    to_stream, on_ray = target.name is None, target.engine == RAY
    skips, from_stream = on_bad_row != STOP, STANDARD_INPUT in names
    mistakes = (
        (to_stream and target.resume, "--resume is for --output, which is not given", "add --output FILE"),
        (
            to_stream and target.force and target.rejects is None,
            "--force is for --output, which is not given",
            "add --output FILE",
        ),
        (
            to_stream and skips and target.rejects is None,
            "rows that cannot be read need a place",
            "add --rejects FILE, or --output FILE",
        ),
        (
            target.rejects is not None and not skips,
            "--rejects is for rows that are skipped or marked",
            "add --on-bad-row skip (or mark)",
        ),
        (
            target.rejects is not None and target.is_folder,
            "--rejects is for one file",
            "leave it out: an output folder has a folder of them",
        ),
        (from_stream and target.resume, "the standard input cannot be read again", "name a file"),
        (from_stream and on_ray, "--engine ray cannot read the standard input", "name a file"),
        (on_ray and not target.is_folder, "--engine ray writes a folder of files", "add --output FOLDER/"),
        (
            target.ray_address is not None and not on_ray,
            "--ray-address is for --engine ray, which is not given",
            "add --engine ray",
        ),
    )
    for is_made, what, hint in mistakes:
        if is_made:
            raise UsageError(what, hint=hint)


def check_places(target: Target, names: Sequence[str], inputs: Sequence[Input]) -> None:
    """Raise UsageError for a file that would be read and written, or written twice, and for one that is read once only.

    `names` are as given: a pattern or a folder would also stand for an output written into it, when it is read again.
    """
    from rnn_cli.batch.stores import store_of
    from rnn_cli.batch.unfinished import check_output

    rejected = None if target.is_folder else target.rejected
    read = [each.path for each in inputs]
    if target.is_folder:
        store_of(str(target.name))
        if _real(str(target.name)) in map(_real, read):
            raise UsageError("is the input", where=target.name, hint=another("output"))
    elif target.name is not None:
        assert rejected is not None
        if _real(target.name) == _real(str(rejected)):
            raise UsageError("is the output and the rejects", where=str(rejected), hint="name another for one of them")
        check_output(Path(local(target.name)), rejected, read, resume=target.resume, force=target.force)
    elif rejected is not None:
        check_file(rejected, force=target.force, name="rejects", inputs=read)
    for parameter, name in (("output", target.name), ("rejects", rejected)):
        is_folder = target.is_folder and parameter == "output"
        for each in names if name is not None else ():
            if would_read(each, local(str(name)), is_folder=is_folder):
                what = f"would be one of the files of {each}"
                raise UsageError(what, where=str(name), hint=another(parameter))
    _refuse_unrepeatable(target, read)


def _refuse_unrepeatable(target: Target, read: Sequence[str]) -> None:
    """Raise UsageError for input that cannot be read twice, where it would have to be."""
    why = "resuming" if target.resume else "Ray" if target.engine == RAY else None
    for path in read if why else ():
        if "://" not in path and os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
            raise UsageError(f"is not a file, and {why} reads it more than once", where=path, hint="save it first")


def _real(name: str) -> str:
    """A path without links, or a URL without its query."""
    return name.partition("?")[0].rstrip("/") if "://" in name else os.path.realpath(name)


def output_format(target: Target, asked: str | None, of_input: str | None, first: str) -> tuple[str, str | None]:
    """The output's format, and its compression if it has one; `first` is the first input file.

    It is the one `asked` for, else what the output's name says, else the input's, or CSV of a workbook. Raises
    UsageError where nothing says it, or two say different ones.
    """
    if target.name is not None and "://" in target.name and format_of(target.name):
        raise UsageError("a URL names a folder", where=target.name, hint="add a / behind it, or name a local file")
    output = None if target.is_folder else target.name
    named = format_of(output) if output is not None else None
    compression = COMPRESSIONS.get(Path(output.lower()).suffix) if output is not None else None
    if "xlsx" in (asked, named):
        where = output if named == "xlsx" else None
        raise UsageError("Excel workbooks are read, not written", where=where, hint=f"use one of {', '.join(WRITTEN)}")
    if asked is not None and asked not in WRITTEN:
        raise UsageError(f"the format {asked} cannot hold a file's columns", hint=f"use one of {', '.join(WRITTEN)}")
    if asked is not None and named is not None and asked != named:
        raise UsageError(
            f"is named as {named}, and the format asked for is {asked}", where=output, hint="change one of them"
        )
    if asked is None and named is None and output is not None and suffix_of(output):
        hint = Setting("format", text="name it .csv, .tsv, .jsonl or .parquet, or add {}")
        raise UsageError("its name does not say a format that can be written", where=output, hint=hint)
    found = asked or named or of_input or format_of(first)
    found = "csv" if found == "xlsx" else found
    if found is None:
        if os.path.isdir(first):
            raise UsageError("is a folder of texts, so nothing says how to write rows", where=first, hint=_SAY_FORMAT)
        where = "standard input" if first == STANDARD_INPUT else first
        key = "format" if first == STANDARD_INPUT else "input_format"
        raise UsageError("its name does not say its format", where=where, hint=Setting(key, "csv", "add {} (tsv, ...)"))
    if found == "parquet" and target.name is None:
        hint = Setting("output", "FILE", "add {}", more=(Setting("format", "csv", ", or {} (tsv, jsonl)"),))
        raise UsageError("Parquet cannot be written to the standard output", hint=hint)
    if found == "parquet" and compression:
        raise UsageError("Parquet is compressed in itself", where=output, hint="leave the last ending out")
    return found, compression


def write_scored(
    job: Job,
    predictor: "Predictor",
    target: Target,
    stream: IO[bytes] | None,
    listener: ScoringListener,
    threads: int | None,
) -> Counts:
    """Score a job's files and write the rows to `target`, or to `stream`. Raises DataError, UsageError and RunFailed.

    A cluster has at most `threads` workers.
    """
    if target.name is None:
        from rnn_cli.batch.to_file import score_to_stream

        assert stream is not None
        return score_to_stream(job, predictor, stream, target.rejected, listener, force=target.force)

    model = {"model": predictor.bundle.fingerprint(), "precision": predictor.precision}
    how = {"resume": target.resume, "force": target.force}
    if not target.is_folder:
        from rnn_cli.batch.to_file import score_to_file

        assert target.rejected is not None
        return score_to_file(job, predictor, model, Path(target.name), target.rejected, listener, **how)

    from rnn_cli.batch.stores import store_of
    from rnn_cli.batch.to_folder import open_job_folder, score_to_folder

    with ExitStack() as cluster:
        if target.engine == RAY:  # before anything is written: it may not be there
            if not target.ray_address:
                keep_ray_here()
            from rnn_cli.batch.connection import connected

            listener.note("connecting to Ray" if target.ray_address else "starting Ray")
            cluster.enter_context(connected(target.ray_address, threads))
        with open_job_folder(job, model, store_of(target.name), **how) as folder:
            if target.engine == RAY:
                from rnn_cli.batch.cluster import score_on_ray

                counts = score_on_ray(job, predictor, folder, listener, workers=threads)
            else:
                counts = score_to_folder(job, predictor, folder, listener)
            folder.finish(job, counts)
    return counts
