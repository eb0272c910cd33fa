"""A job whose predictions become one file, or one stream: every row once, in order, whatever interrupts it.

A file is made of parts beside it, in `FILE.unfinished`, which are put together when all of them stand.
"""

import errno
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from shutil import copyfile, copyfileobj
from typing import IO

from rnn_cli import system
from rnn_cli.batch.chunk_writer import writer
from rnn_cli.batch.columns import Added
from rnn_cli.batch.job import Counts, Job, ScoringListener
from rnn_cli.batch.stores import RECORD, Local, refusals_named
from rnn_cli.batch.to_folder import MADE, REJECTED, Folder, open_job_folder, score_to_folder, windows_of_all
from rnn_cli.batch.unfinished import REJECTS, check_output, unfinished
from rnn_cli.batch.windows import columns_of_window, no_rows, texts_of
from rnn_cli.outputs import check_file
from rnn_cli.scoring.pool import score_each
from rnn_cli.scoring.predictor import Predictor


def score_to_file(
    job: Job,
    predictor: Predictor,
    model: Mapping[str, str],
    output: Path,
    rejects: Path,
    listener: ScoringListener,
    *,
    resume: bool = False,
    force: bool = False,
) -> Counts:
    """Score a job's files and write the predictions to `output`, which appears when it is whole.

    `model` tells the model from others, as plain values. Rows that are passed over stand in `rejects`, if there are
    any. With `resume` the parts of the same job that stand are kept; with `force` an earlier output, or unfinished job,
    is replaced. Raises DataError, UsageError or RunFailed; then an earlier output stands as it was.
    """
    replaced = check_output(output, rejects, resume=resume, force=force)
    place = unfinished(output)
    of_job, how = {**model, "rejects": str(rejects)}, {"resume": resume, "force": force}
    with open_job_folder(job, of_job, Local(place, output), **how, joined=True, replaced=replaced) as folder:
        counts = Counts(**folder.record.get("made", {}))
        if "made" not in folder.record:
            counts = score_to_folder(job, predictor, folder, listener)
            if not counts.rows:
                raise no_rows(job)
            with refusals_named(output):
                _put_together(job, place, folder)
            folder.save(made=counts.to_dict())
        with refusals_named(output):
            _give_names(place, output, rejects, counts, replaced)
    return counts


def _put_together(job: Job, place: Path, folder: Folder) -> None:
    """Make one file of the parts, and one of the rejected rows, both in the job's folder."""
    parts = [place / name for name in folder.parts()]
    if job.format == "parquet":
        from rnn_cli.batch.parquet_writer import put_together

        put_together(parts, place / MADE)
        system.fsync(place / MADE)
    else:
        _joined(parts, place / MADE)
    _joined([place / name for name in folder.parts(REJECTED)], place / f"{MADE}.rejected")


def _joined(parts: Iterable[Path], out: Path) -> None:
    with out.open("wb") as file:
        for part in parts:
            with part.open("rb") as content:
                copyfileobj(content, file)
    system.fsync(out)


def _give_names(place: Path, output: Path, rejects: Path, counts: Counts, replaced: Iterable[str]) -> None:
    """Move what was made to its place, however far that came before, and delete the job's folder."""
    rejected = place / f"{MADE}.rejected"
    if counts.rejected and rejected.exists():
        with refusals_named(rejects):
            _move(rejected, rejects)
    elif not counts.rejected and REJECTS in replaced:
        rejects.unlink(missing_ok=True)
    if (made := place / MADE).exists():
        made.replace(output)
    system.fsync(output.parent)
    for file in [*place.rglob("*")]:  # before the record, which says that there is something to go on with
        if file.name != RECORD:
            with suppress(OSError):
                file.unlink()
    system.remove(place)


def _move(file: Path, to: Path) -> None:
    try:
        file.replace(to)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with system.whole_file(to) as copy:  # on another disk
            copyfile(file, copy)


STREAM = "standard output"
"""What messages call a stream."""


def score_to_stream(
    job: Job,
    predictor: Predictor,
    stream: IO[bytes],
    rejects: Path | None,
    listener: ScoringListener,
    *,
    force: bool = False,
) -> Counts:
    """Score a job's files and write the predictions to a stream, a window at a time.

    Rows that are passed over stand in `rejects` when the stream has ended; with `force` it may replace a file. Raises
    DataError, UsageError and RunFailed.
    """
    if rejects is not None:
        check_file(rejects, force=force, name="rejects")
    added, counts = Added.by(predictor, job), Counts()
    place = tempfile.gettempdir()
    with refusals_named(place):
        passed_over = tempfile.TemporaryFile()
    with passed_over as rejected, ExitStack() as stack:
        write = None
        windows = windows_of_all(job, added, listener, joined=True)
        for window, scores in stack.enter_context(closing(score_each(predictor, windows, texts_of, columns_of_window))):
            with refusals_named(STREAM):
                if write is None:
                    write = stack.enter_context(writer(added, window.source, stream, _Named(rejected, place)))
                more = write(window, scores)
                stream.flush()
            counts += more
            listener.scored(more.rows)
        if write is None:
            raise no_rows(job)
        with refusals_named(STREAM):
            stack.close()
            stream.flush()
        if counts.rejected and rejects is not None:
            with refusals_named(place):
                rejected.seek(0)
            with refusals_named(rejects), system.whole_file(rejects) as file, file.open("wb") as out:
                copyfileobj(rejected, out)
    return counts


class _Named:
    """A file whose errors have a name."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file, self._name = file, name

    def write(self, data: bytes) -> int:
        with refusals_named(self._name):
            return self._file.write(data)
