"""A job whose answers become one file, or one stream: every row once, in order, whatever interrupts it."""

import errno
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from pathlib import Path
from shutil import copyfile, copyfileobj
from typing import IO, Any

from rnn_cli import system
from rnn_cli.batch.chunk_writer import Chunks, Encoder, encoder
from rnn_cli.batch.columns import Added
from rnn_cli.batch.job import Counts, Job, ScoringListener, refuse_another
from rnn_cli.batch.windows import (
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
from rnn_cli.bundle.model_folder import sign, unsign
from rnn_cli.errors import BundleError, RunFailed, UsageError, quoted
from rnn_cli.scoring.pool import score_each
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.system import read_plain, reason

UNFINISHED = ".unfinished"
VERSION, MOST_BYTES = 1, 16 << 20
OUTPUT, REJECTS = "output", "rejects"
JOURNAL, LOCK, ROWS, REJECTED, MADE = "journal.json", "lock", "rows", "rejected", "made"


@dataclass(frozen=True)
class State:
    """How far a job is: the next window to be scored, and what stands in the files up to there.

    `file` and `window` are that window's place, `windows` how many came before it in all files; `bytes` and
    `rejected_bytes` the valid lengths of the two files. When no window is left, `made` names the file of the folder
    that holds all answers.
    """

    file: int = 0
    window: int = 0
    windows: int = 0
    bytes: int = 0
    rejected_bytes: int = 0
    counts: Counts = field(default_factory=Counts)
    made: str = ""


@dataclass(frozen=True)
class Journal:
    """A job's folder, held by this process alone.

    `begun` is where the job stood when it was opened. `replaces` are the files among `output` and `rejects`, by these
    words, that stood before and were to be replaced.
    """

    output: Path
    rejects: Path
    folder: Path
    signature: Mapping[str, Any]
    begun: State
    replaces: tuple[str, ...]

    @property
    def rows(self) -> Path:
        """The answers so far."""
        return self.folder / ROWS

    @property
    def is_saved(self) -> bool:
        """Whether there is anything to go on from."""
        return (self.folder / JOURNAL).exists()

    @property
    def rejected(self) -> Path:
        """The rejected rows so far."""
        return self.folder / REJECTED

    def save(self, state: State) -> None:
        """Note how far the job is; everything up to there must be on the disk."""
        content = {"format_version": VERSION, "signature": self.signature, "replaces": self.replaces}
        content["state"] = asdict(state)
        with system.whole_file(self.folder / JOURNAL) as file:
            system.write(file, sign(content))
        system.fsync(self.folder)

    def finish(self, state: State, made: Path) -> None:
        """Give the files their names, now that `made`, in the folder, holds all answers; and let go of the folder."""
        state = replace(state, made=made.name)
        self.save(state)
        self.give_names(state)

    def give_names(self, state: State) -> None:
        """Do what `finish` does last, however far that has come before."""
        if state.counts.rejected and self.rejected.exists():
            with told(self.rejects):
                _moved(self.rejected, self.rejects)
        elif not state.counts.rejected and REJECTS in self.replaces:
            self.rejects.unlink(missing_ok=True)
        if (made := self.folder / state.made).exists():
            made.replace(self.output)
        system.fsync(self.output.parent)
        for file in (self.rows, self.rejected, self.folder / MADE):  # before the journal, that tells to go on
            with suppress(OSError):
                file.unlink(missing_ok=True)
        system.remove(self.folder)


def check_output(output: Path, rejects: Path, *, resume: bool, force: bool) -> None:
    """Refuse, before any work is done, what may not be begun or replaced. Raises UsageError."""
    folder = _folder(output)
    has_begun = (folder / JOURNAL).exists()
    if output.is_dir():
        raise UsageError("is a folder", where=str(output), hint=f"a folder of answers is --output {quoted(output)}/")
    if resume and not has_begun and output.exists():
        raise UsageError("stands, and no unfinished job for it", where=str(output), hint="it may be finished")
    if has_begun and not (resume or force):
        hint = "go on with --resume, or begin anew with --force"
        raise UsageError("an unfinished job", where=str(folder), hint=hint)
    for file in (output, rejects):
        check_replaced(file, force=force or has_begun)  # what has come since it began is looked at when it is opened
    if folder.exists() and not _is_ours(folder):
        raise UsageError("exists and is not an unfinished job", where=str(folder), hint="move it")


def check_replaced(file: Path, *, force: bool) -> None:
    """Refuse a file that may not be written. Raises UsageError."""
    if not file.parent.is_dir():
        raise UsageError("no such folder", where=str(file.parent), hint="make it first")
    if file.exists() and not file.is_file():  # a device or a pipe would be replaced by a file
        raise UsageError("is no file", where=str(file), hint="name one, or - for the standard output")
    if file.exists() and not force:
        raise UsageError("exists", where=str(file), hint="replace it with --force, or name another")


@contextmanager
def opened(
    output: Path, rejects: Path, signature: Mapping[str, str], *, resume: bool, force: bool
) -> Iterator[Journal]:
    """A job's folder, begun anew or with what is there of the same job.

    It stays when the block ends early, if anything has been saved. Raises UsageError where another process holds it
    or another job began it.
    """
    folder = _folder(output)
    lock = system.locked(folder / LOCK, UsageError("another process is working on it", where=str(output)))
    with ExitStack() as held:
        with told(output):
            folder.mkdir(exist_ok=True)
            is_held = held.enter_context(lock)
        try:
            with told(output):
                if not resume:
                    (folder / JOURNAL).unlink(missing_ok=True)
                journal = _opened(output, rejects, folder, signature, force)
            yield journal
        finally:
            if is_held() and not (folder / JOURNAL).exists() and _is_ours(folder):
                system.remove(folder)


def _opened(output: Path, rejects: Path, folder: Path, signature: Mapping[str, str], force: bool) -> Journal:
    file = folder / JOURNAL
    standing = {name: path for name, path in ((OUTPUT, output), (REJECTS, rejects)) if path.exists()}
    if not file.exists():
        return Journal(output, rejects, folder, signature, State(), tuple(standing))
    content = unsign(
        read_plain(file, MOST_BYTES).decode("utf-8", "replace"),
        where=str(file),
        newest=VERSION,
        hint="begin anew with --force",
    )
    refuse_another(content["signature"], signature, str(folder))
    saved = content["state"]
    state = State(**{**saved, "counts": Counts(**saved["counts"])})
    if not state.made:
        _check_lengths(folder, state)
        for name, path in standing.items():
            if name not in content["replaces"] and not force:
                raise UsageError("has come meanwhile", where=str(path), hint="replace it with --force, or move it")
    replaces = tuple({*content["replaces"], *(standing if force else ())})
    return Journal(output, rejects, folder, signature, state, replaces)


def _check_lengths(folder: Path, state: State) -> None:
    for name, length in ((ROWS, state.bytes), (REJECTED, state.rejected_bytes)):
        file = folder / name
        if length and (not file.exists() or file.stat().st_size < length):
            what = "is shorter than the journal beside it says"
            raise BundleError(what, where=str(file), hint="begin anew with --force")


@contextmanager
def told(output: Path | str) -> Iterator[None]:
    """What the disk refuses inside the block is told as a `RunFailed`."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        what = f"cannot be written ({reason(error)})"
        raise RunFailed(what, where=str(output), hint="make room or choose another place") from error


def _moved(file: Path, to: Path) -> None:
    try:
        file.replace(to)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with system.whole_file(to) as copy:  # on another disk
            copyfile(file, copy)


def _folder(output: Path) -> Path:
    return output.with_name(output.name + UNFINISHED)


def _is_ours(folder: Path) -> bool:
    names = {JOURNAL, LOCK, ROWS, REJECTED, MADE}
    with suppress(OSError):
        return all(file.name in names or file.name.startswith(f".{JOURNAL}.") for file in folder.iterdir())
    return False


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
    listener: ScoringListener,
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
                system.fsync(made)
                journal.finish(state, made)
        except BaseException:
            if journal.is_saved:
                listener.note("saved; the same command with --resume goes on")
            raise
    return state.counts


def _written(
    job: Job, added: Added, predictor: Predictor, journal: Journal, listener: ScoringListener
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
    job: Job,
    predictor: Predictor,
    stream: IO[bytes],
    rejects: Path | None,
    listener: ScoringListener,
    *,
    force: bool = False,
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
            with told(rejects), system.whole_file(rejects) as file, file.open("wb") as out:
                copyfileobj(rejected, out)
    return counts


class _Named:
    """A file whose refusals are told by a name."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file, self._name = file, name

    def write(self, data: bytes) -> int:
        with told(self._name):
            return self._file.write(data)


def _windows(job: Job, added: Added, begun: State, first: Source | None, listener: ScoringListener) -> Iterator[Window]:
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
