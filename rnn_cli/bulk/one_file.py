"""A job whose answers become one file, or one stream: every row once, in order, whatever interrupts it."""

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from shutil import copyfileobj
from typing import IO

from rnn_cli.bulk.answers import Added
from rnn_cli.bulk.chunks import Chunks
from rnn_cli.bulk.encoding import Encoder, encoder
from rnn_cli.bulk.job import Counts, Job, Listener
from rnn_cli.bulk.journal import MADE, Journal, State, check_output, check_replaced, opened, told
from rnn_cli.bulk.windows import (
    WINDOWS,
    Source,
    Window,
    division,
    first_source,
    no_rows,
    refuse_other_columns,
    texts_of,
    windows_of,
)
from rnn_cli.bundle import disk
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.scoring.stream import score_each

STREAM = "standard output"
"""What messages call a stream."""

SECONDS = 1.0
"""Between two savings, at least."""


def score_to_file(
    job: Job,
    predictor: Predictor,
    model: Mapping[str, str],
    output: Path,
    rejects: Path,
    listener: Listener,
    *,
    resume: bool = False,
    force: bool = False,
) -> Counts:
    """Score a job's files and write the answers to `output`, which appears when it is whole.

    `model` tells the model from others, as plain values. Rows that are passed over stand in `rejects`, if there are
    any. With `resume` what an earlier call has done of the same job is kept; with `force` an earlier output, or
    unfinished job, is replaced. Raises DataError, UsageError or RunFailed; then an earlier output stands as it was.
    """
    check_output(output, rejects, resume=resume, force=force)
    signature = job.signature(**model, rejects=str(rejects), division=division())
    with opened(output, rejects, signature, resume=resume, force=force) as journal:
        if journal.begun.made:
            with told(output):
                journal.give_names(journal.begun)
            return journal.begun.counts
        try:
            state, encode = _written(job, Added.by(predictor, job), predictor, journal, listener)
            with told(output):
                made = encode.finish(journal.rows, journal.folder / MADE)
                disk.fsync(made)
                journal.finish(state, made)
        except BaseException:
            if journal.is_saved:
                listener.note("saved; the same command with --resume goes on")
            raise
    return state.counts


def _written(
    job: Job, added: Added, predictor: Predictor, journal: Journal, listener: Listener
) -> tuple[State, Encoder]:
    """Write all answers that are still to come into the journal's folder."""
    state = saved = journal.begun
    saved_at = time.monotonic()
    first = first_source(job) if state.windows else None
    windows = _windows(job, added, state, first, listener)
    ahead = next(windows, None)
    if first is None:
        if ahead is None:
            raise no_rows(job)
        first = ahead.source
    encode, left = encoder(job, added, first), chain([ahead] if ahead else [], windows)
    with (
        _cut(journal.rows, state.bytes, journal.output) as rows,
        _cut(journal.rejected, state.rejected_bytes, journal.output) as rejected,
        Chunks(added, encode, rows, rejected) as chunks,
    ):
        for window, scores in score_each(predictor, left, texts_of):
            with told(journal.output):
                counts = chunks.write(window, scores, first=state.windows == 0)
            listener.scored(counts.rows)
            state = _after(state, window, counts)
            if state.windows % WINDOWS == 0:
                with told(journal.output):
                    chunks.close()
                    if time.monotonic() - saved_at >= SECONDS:
                        state = saved = _on_disk(state, rows, rejected)
                        journal.save(saved)
                        saved_at = time.monotonic()
        with told(journal.output):
            chunks.close()
            state = _on_disk(state, rows, rejected)
            if state != saved:
                journal.save(state)
    return state, encode


def score_to_stream(
    job: Job, predictor: Predictor, stream: IO[bytes], rejects: Path | None, listener: Listener, *, force: bool = False
) -> Counts:
    """Score a job's files and write the answers to a stream, a window at a time, some of which are scored at once.

    Rows that are passed over stand in `rejects` when the stream has ended; with `force` it may replace a file. Raises
    DataError, UsageError and RunFailed.
    """
    if rejects is not None:
        check_replaced(rejects, force=force)
    added, counts, chunks = Added.by(predictor, job), Counts(), None
    place = tempfile.gettempdir()
    with told(place):
        passed_over = tempfile.TemporaryFile()
    with passed_over as rejected:
        for window, scores in score_each(predictor, _windows(job, added, State(), None, listener), texts_of):
            is_first = chunks is None
            chunks = chunks or Chunks(added, encoder(job, added, window.source), stream, _Named(rejected, place))
            with told(STREAM):
                more = chunks.write(window, scores, first=is_first)
                stream.flush()
            counts += more
            listener.scored(more.rows)
        if chunks is None:
            raise no_rows(job)
        with told(STREAM):
            chunks.close()
            stream.flush()
        if counts.rejected and rejects is not None:
            with told(place):
                rejected.seek(0)
            with told(rejects), disk.whole_file(rejects) as file, file.open("wb") as out:
                copyfileobj(rejected, out)
    return counts


class _Named:
    """A file whose refusals are told by a name."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file, self._name = file, name

    def write(self, data: bytes) -> int:
        with told(self._name):
            return self._file.write(data)


def _windows(job: Job, added: Added, begun: State, first: Source | None, listener: Listener) -> Iterator[Window]:
    """The windows that are still to be scored, of files that can stand in one file. Raises DataError."""
    for file, given in enumerate(job.inputs):
        if file < begun.file:
            listener.read(given.size or 0)
            continue
        for window in windows_of(job, file, listener.read):
            if window.number == 0:
                first = first or window.source
                added.refuse_columns(window.source.columns, window.source.name)
                refuse_other_columns(job, window.source, first)
            if window.position >= (begun.file, begun.window):
                yield window


def _after(state: State, window: Window, counts: Counts) -> State:
    file, number = window.position
    return replace(state, file=file, window=number + 1, windows=state.windows + 1, counts=state.counts + counts)


def _on_disk(state: State, rows: IO[bytes], rejected: IO[bytes]) -> State:
    """The state with the files' lengths, once they are on the disk."""
    for file in (rows, rejected):
        file.flush()
        os.fsync(file.fileno())
    return replace(state, bytes=rows.tell(), rejected_bytes=rejected.tell())


@contextmanager
def _cut(path: Path, length: int, output: Path) -> Iterator[IO[bytes]]:
    """A file to be gone on with after so many bytes; what stands behind them goes. Faults are told of the `output`."""
    with told(output):
        file = path.open("r+b" if path.exists() else "w+b")
        file.truncate(length)
        file.seek(length)
    try:
        yield file
    finally:
        with told(output):
            file.close()
