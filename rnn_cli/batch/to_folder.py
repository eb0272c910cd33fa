"""A job whose answers become a folder of files, a chunk each: what is there is done, whoever has done it.

The files' names tell which rows they hold: `logs/monday-00002.csv` those of the third chunk of `logs/monday.csv`. So
any number of workers may write them, and one that is written twice is the same. `_job.json` tells whose they are.
"""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import filterfalse, groupby
from pathlib import PurePosixPath
from typing import Any

from rnn_cli.batch.chunk_writer import Chunks, encoder
from rnn_cli.batch.columns import Added
from rnn_cli.batch.job import Counts, Job, ScoringListener, refuse_another
from rnn_cli.batch.stores import Store
from rnn_cli.batch.windows import WINDOWS, Window, division, no_rows, texts_of, windows_of
from rnn_cli.bundle.model_folder import sign, unsign
from rnn_cli.errors import BundleError, DataError, UsageError
from rnn_cli.scoring.pool import score_each
from rnn_cli.scoring.predictor import Predictor, Scores

VERSION = 1
RECORD = "_job.json"
REJECTED = "_rejected"
_PART = re.compile(r"(?P<rejected>_rejected/)?(?P<stem>.+)-\d{5,}\.(?P<format>\w+)")
_HALF = re.compile(r"(?P<folder>.*/)?\.(?P<name>.+)\.\w+\.part")  # a file's name while it is written


@dataclass(frozen=True)
class Folder:
    """A folder that is a job's; `standing` are the files of chunks that need not be scored."""

    store: Store
    standing: frozenset[str]
    record: Mapping[str, Any]

    def finish(self, job: Job, counts: Counts) -> None:
        """Note that it is whole, and what stands in it. Raises DataError if there are no rows at all."""
        if not counts.rows:
            raise no_rows(job)
        self.store.clear([name for name in self._own() if name != _whole(name)])
        rows = {"rows": counts.rows, "rejected": counts.rejected}
        _write(self.store, {**self.record, "finished": True, "counts": rows})

    def parts(self) -> list[str]:
        """The files of chunks that stand."""
        return [name for name in self._own() if name == _whole(name) != RECORD]

    def clear(self) -> None:
        """Delete all that is the job's."""
        self.store.clear(self._own())

    def _own(self) -> list[str]:
        """The files below it that are the job's, or half of one."""
        return list(filter(_of(self.record), self.store.names()))


@contextmanager
def taken(
    job: Job, model: Mapping[str, str], store: Store, listener: ScoringListener, *, resume: bool, force: bool
) -> Iterator[Folder]:
    """A folder for a job: a new one, one that the same job began (`resume`), or an earlier job's (`force`).

    If the block ends early, what stands is kept; where that is nothing, the folder is as it was. Raises UsageError,
    and DataError where two files would have the same answers' names, or one that leads out of the folder.
    """
    record = {
        "signature": job.signature(**model, division=division()),
        "parts": {"stems": _stems(job), "format": job.format},
        "finished": False,
    }
    with store.held():
        folder = Folder(store, _standing(store, record, resume=resume, force=force), record)
        _write(store, record)
        try:
            yield folder
        except BaseException:
            if folder.parts():
                listener.note("what is there is kept; the same command with --resume goes on")
            else:
                folder.clear()
            raise


def _standing(store: Store, record: Mapping[str, Any], *, resume: bool, force: bool) -> frozenset[str]:
    """The files of chunks to be kept; those of an earlier job that may not go before."""
    text = store.read(RECORD)
    if text is None:
        if store.names():
            raise UsageError("holds other files", where=str(store), hint="name a new folder")
        return frozenset()
    if not (resume or force):
        hint = "go on with --resume, or begin anew with --force"
        raise UsageError("holds the answers of a job", where=str(store), hint=hint)
    names, told = store.names(), {"where": store.shown(RECORD), "hint": "begin anew with --force"}
    earlier: Mapping[str, Any]
    try:
        earlier = unsign(text.decode("utf-8", "replace"), newest=VERSION, **told)
    except BundleError:
        if resume:
            raise
        earlier = record  # of a damaged one, what this job is called as goes
    if resume:
        refuse_another(earlier["signature"], record["signature"], str(store))
        return frozenset(name for name in names if name == _whole(name))
    if foreign := list(filterfalse(_of(earlier), names)):
        what = f"holds {foreign[0]}, which is none of its answers"
        raise UsageError(what, where=str(store), hint="move it, or name a new folder")
    store.clear([*(name for name in names if name != RECORD), RECORD])  # as long as it stands, it tells of the rest
    return frozenset()


def _of(record: Mapping[str, Any]) -> Callable[[str], bool]:
    """Tells of a file below a folder whether it is one of those that a record's job writes, or half of one."""
    stems, form = frozenset(record["parts"]["stems"]), record["parts"]["format"]

    def is_of(name: str) -> bool:
        found = _PART.fullmatch(name := _whole(name))
        return name == RECORD or bool(
            found and found["stem"] in stems and found["format"] == ("jsonl" if found["rejected"] else form)
        )

    return is_of


def _whole(name: str) -> str:
    """The name of a file, without what stands around it while it is written."""
    found = _HALF.fullmatch(name)
    return (found["folder"] or "") + found["name"] if found else name


def _stems(job: Job) -> list[str]:
    """What the names of the files' answers begin with."""
    stems = [_stem(job, file) for file in range(len(job.inputs))]
    if leading_out := next((stem for stem in stems if ".." in stem.split("/") or stem.startswith("/")), None):
        raise DataError("its answers would lie outside the folder", where=leading_out, hint="name its folder instead")
    if len(set(stems)) < len(stems):
        twice = next(stem for stem in stems if stems.count(stem) > 1)
        raise DataError(f"two files would be answered in {twice}-00000", hint="score them apart")
    return stems


def _write(store: Store, content: Mapping[str, Any]) -> None:
    store.write(RECORD, sign({"format_version": VERSION, **content}).encode())


def part_name(job: Job, file: int, chunk: int) -> str:
    """The name, below the folder, of the file that holds a chunk's answers."""
    return f"{_stem(job, file)}-{chunk:05}.{job.format}"


def rejected_name(job: Job, file: int, chunk: int) -> str:
    """The name, below the folder, of the file that holds a chunk's rejected rows."""
    return f"{REJECTED}/{_stem(job, file)}-{chunk:05}.jsonl"


def _stem(job: Job, file: int) -> str:
    """What the names of the files that hold a file's answers begin with."""
    name = PurePosixPath(job.inputs[file].name.replace("\\", "/"))
    name = name.with_suffix("") if name.suffix.lower() in (".gz", ".zst") else name
    return str(name.with_suffix(""))


Scored = tuple[Window, Scores]


def score_to_folder(job: Job, predictor: Predictor, folder: Folder, listener: ScoringListener) -> Counts:
    """Score a job's files, but for the chunks that stand in the folder. Raises DataError and RunFailed."""
    counts = Counts()
    added = Added.by(predictor, job)

    def to_score() -> Iterator[Window]:
        nonlocal counts
        for file in range(len(job.inputs)):
            for chunk, windows in chunks_of(job, file, listener.read):
                if part_name(job, file, chunk) in folder.standing:
                    counts += counted(windows)
                else:
                    yield from windows

    for (file, chunk), scored in groupby(score_each(predictor, to_score(), texts_of), key=_chunk_of):
        written = write_part(job, added, folder.store, file, chunk, scored)
        counts += written
        listener.scored(written.rows)
    return counts


def chunks_of(job: Job, file: int, on_read: Callable[[int], None]) -> Iterator[tuple[int, Iterator[Window]]]:
    """The chunks of a file, by number, with their windows, that are read one by one."""
    return groupby(windows_of(job, file, on_read), key=lambda window: window.number // WINDOWS)


def write_part(job: Job, added: Added, store: Store, file: int, chunk: int, scored: Iterator[Scored]) -> Counts:
    """Write the file of a chunk, of which these are all windows, and that of its rejected rows if there are any."""
    rows, rejected, counts = io.BytesIO(), io.BytesIO(), Counts()
    chunks = None
    for window, scores in scored:
        if chunks is None:
            added.refuse_columns(window.source.columns, window.source.name)
            chunks = Chunks(added, encoder(job, added, window.source), rows, rejected)
        counts += chunks.write(window, scores, first=True, last=True)
    if chunks is not None:
        chunks.close()
    if counts.rejected:
        store.write(rejected_name(job, file, chunk), rejected.getvalue())
    store.write(part_name(job, file, chunk), rows.getvalue())
    return counts


def _chunk_of(scored: Scored) -> tuple[int, int]:
    file, number = scored[0].position
    return file, number // WINDOWS


def counted(windows: Iterable[Window]) -> Counts:
    """The rows of windows that are not scored here, of which it is not known how many are unsure."""
    counts = Counts()
    for window in windows:
        counts += Counts(len(window.rows.lines), len(window.rows.faults))
    return counts
