"""A job under way whose answers become one file: what is done of it is on the disk, in a folder beside that file.

`FILE.unfinished` holds the answers so far (`rows`), the rejected rows (`rejected`) and a journal that tells how far
both are valid. The journal is replaced in one step once they are on the disk, so whatever kills the process leaves a
state to go on from. Knows nothing of formats.
"""

import errno
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from shutil import copyfile
from typing import Any

from rnn_cli.bulk.job import Counts, refuse_another
from rnn_cli.bundle import disk
from rnn_cli.bundle.layout import reason
from rnn_cli.bundle.plain import read_plain
from rnn_cli.bundle.signed import sign, unsign
from rnn_cli.errors import BundleError, RunFailed, UsageError, quoted

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
        with disk.whole_file(self.folder / JOURNAL) as file:
            disk.write(file, sign(content))
        disk.fsync(self.folder)

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
        disk.fsync(self.output.parent)
        for file in (self.rows, self.rejected, self.folder / MADE):  # before the journal, that tells to go on
            with suppress(OSError):
                file.unlink(missing_ok=True)
        disk.remove(self.folder)


def check_output(output: Path, rejects: Path, *, resume: bool, force: bool) -> None:
    """Refuse, before any work is done, what may not be begun or replaced. Raises UsageError."""
    folder = _folder(output)
    has_begun = (folder / JOURNAL).exists()
    if output.is_dir():
        raise UsageError("is a folder", where=str(output), mend=f"a folder of answers is --output {quoted(output)}/")
    if resume and not has_begun and output.exists():
        raise UsageError("stands, and no unfinished job for it", where=str(output), mend="it may be finished")
    if has_begun and not (resume or force):
        mend = "go on with --resume, or begin anew with --force"
        raise UsageError("an unfinished job", where=str(folder), mend=mend)
    for file in (output, rejects):
        check_replaced(file, force=force or has_begun)  # what has come since it began is looked at when it is opened
    if folder.exists() and not _is_ours(folder):
        raise UsageError("exists and is not an unfinished job", where=str(folder), mend="move it")


def check_replaced(file: Path, *, force: bool) -> None:
    """Refuse a file that may not be written. Raises UsageError."""
    if not file.parent.is_dir():
        raise UsageError("no such folder", where=str(file.parent), mend="make it first")
    if file.exists() and not file.is_file():  # a device or a pipe would be replaced by a file
        raise UsageError("is no file", where=str(file), mend="name one, or - for the standard output")
    if file.exists() and not force:
        raise UsageError("exists", where=str(file), mend="replace it with --force, or name another")


@contextmanager
def opened(
    output: Path, rejects: Path, signature: Mapping[str, str], *, resume: bool, force: bool
) -> Iterator[Journal]:
    """A job's folder, begun anew or with what is there of the same job.

    It stays when the block ends early, if anything has been saved. Raises UsageError where another process holds it
    or another job began it.
    """
    folder = _folder(output)
    lock = disk.locked(folder / LOCK, UsageError("another process is working on it", where=str(output)))
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
                disk.remove(folder)


def _opened(output: Path, rejects: Path, folder: Path, signature: Mapping[str, str], force: bool) -> Journal:
    file = folder / JOURNAL
    standing = {name: path for name, path in ((OUTPUT, output), (REJECTS, rejects)) if path.exists()}
    if not file.exists():
        return Journal(output, rejects, folder, signature, State(), tuple(standing))
    content = unsign(
        read_plain(file, MOST_BYTES).decode("utf-8", "replace"),
        where=str(file),
        newest=VERSION,
        mend="begin anew with --force",
    )
    refuse_another(content["signature"], signature, str(folder))
    saved = content["state"]
    state = State(**{**saved, "counts": Counts(**saved["counts"])})
    if not state.made:
        _check_lengths(folder, state)
        for name, path in standing.items():
            if name not in content["replaces"] and not force:
                raise UsageError("has come meanwhile", where=str(path), mend="replace it with --force, or move it")
    replaces = tuple({*content["replaces"], *(standing if force else ())})
    return Journal(output, rejects, folder, signature, state, replaces)


def _check_lengths(folder: Path, state: State) -> None:
    for name, length in ((ROWS, state.bytes), (REJECTED, state.rejected_bytes)):
        file = folder / name
        if length and (not file.exists() or file.stat().st_size < length):
            what = "is shorter than the journal beside it says"
            raise BundleError(what, where=str(file), mend="begin anew with --force")


@contextmanager
def told(output: Path | str) -> Iterator[None]:
    """What the disk refuses inside the block is told as a `RunFailed`."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        what = f"cannot be written ({reason(error)})"
        raise RunFailed(what, where=str(output), mend="make room or choose another place") from error


def _moved(file: Path, to: Path) -> None:
    try:
        file.replace(to)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with disk.whole_file(to) as copy:  # on another disk
            copyfile(file, copy)


def _folder(output: Path) -> Path:
    return output.with_name(output.name + UNFINISHED)


def _is_ours(folder: Path) -> bool:
    names = {JOURNAL, LOCK, ROWS, REJECTED, MADE}
    with suppress(OSError):
        return all(file.name in names or file.name.startswith(f".{JOURNAL}.") for file in folder.iterdir())
    return False
