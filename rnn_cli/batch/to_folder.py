"""A job's predictions as files below a folder, one a chunk of rows: a part that stands is done, whoever wrote it.

The parts' names say which rows they hold: `logs/monday-00002.csv` those of the third chunk of `logs/monday.csv`. So
any number of workers may write them, and a part that is written twice is the same. `_job.json` says whose they are,
and below `_rejected` and `_marks` stand a chunk's rejected rows and its count of unsure ones, written before its part.
"""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import filterfalse, groupby
from pathlib import PurePosixPath
from typing import Any

from rnn_cli.batch.chunk_writer import writer
from rnn_cli.batch.columns import Added
from rnn_cli.batch.job import Counts, Job, ScoringListener, refuse_another
from rnn_cli.batch.stores import RECORD, Store, read_record, write_record
from rnn_cli.batch.unfinished import GO_ON_OR_REPLACE
from rnn_cli.batch.windows import (
    WINDOWS,
    Window,
    columns_of_window,
    division,
    no_rows,
    refuse_other_columns,
    texts_of,
    windows_of,
)
from rnn_cli.errors import BundleError, DataError, Note, Setting, UsageError
from rnn_cli.scoring.pool import score_each
from rnn_cli.scoring.predictor import Predictor, Scores

REJECTED, MARKS = "_rejected", "_marks"
MADE = "_made"
"""What a job of one file puts together, and the rejected rows in the file of that name and `.rejected`."""

_PART = re.compile(rf"(?:(?P<beside>{REJECTED}|{MARKS})/)?(?P<stem>.+)-(?P<number>\d{{5,}})\.(?P<format>\w+)")
_HALF = re.compile(r"(?P<folder>.*/)?\.(?P<name>.+)\.\w+\.part")  # a file's name while it is written


@dataclass(frozen=True)
class Folder:
    """The folder of a job.

    `standing` are the parts that need not be written again, with the predictions that are unsure or know no word in
    each. If `joined`, the parts are those of one file: only the first has a header, and all have the same columns.
    """

    store: Store
    standing: Mapping[str, Counts]
    record: dict[str, Any]
    joined: bool = False

    def save(self, **more: Any) -> None:
        """Keep these with the record of the job."""
        self.record.update(more)
        write_record(self.store, RECORD, self.record)

    def finish(self, job: Job, counts: Counts) -> None:
        """Note that all parts stand, and what they hold. Raises DataError if there are no rows at all."""
        if not counts.rows:
            raise no_rows(job)
        own = self._own()
        marks = {name: each.to_dict() for name, each in _marks(self.store, self.record, own).items()}
        self.save(finished=True, counts=counts.to_dict(), marks=marks)
        self.store.clear([name for name in own if name != _whole(name) or name.startswith(f"{MARKS}/")])

    def parts(self, beside: str | None = None) -> list[str]:
        """The parts that stand, or what is `beside` them, in the order of their rows."""
        found = [each for name in self._own() if (each := _PART.fullmatch(name)) and each["beside"] == beside]
        return [each[0] for each in sorted(found, key=lambda each: (each["stem"], int(each["number"])))]

    def clear(self) -> None:
        """Delete all that is the job's."""
        self.store.clear(self._own())

    def name(self, job: Job, file: int, chunk: int, beside: str = "") -> str:
        """The name, below the folder, of a chunk's part, or of what is `beside` it."""
        stem = self.record["parts"]["stems"][file]
        return f"{beside}/{stem}-{chunk:05}.jsonl" if beside else f"{stem}-{chunk:05}.{job.format}"

    def _own(self) -> list[str]:
        """The files below it that are the job's, or half of one."""
        return list(filter(_of(self.record), self.store.names()))


@contextmanager
def open_job_folder(
    job: Job,
    model: Mapping[str, str],
    store: Store,
    *,
    resume: bool,
    force: bool,
    joined: bool = False,
    **more: Any,
) -> Iterator[Folder]:
    """A folder for a job: a new one, one that the same job began (`resume`), or an earlier job's (`force`).

    `more` is kept with its record. If the block ends early, the parts are kept; without any, the folder is as it was.
    Raises UsageError, and DataError where two files would have parts of the same name, or one that leads out of the
    folder.
    """
    record = {
        "signature": job.signature(**model, division=division()),
        "parts": {"stems": _stems(job, joined), "format": job.format},
        "finished": False,
    }
    with store.held():
        earlier = _taken_over(store, record, resume=resume, force=force)
        own = list(filter(_of(record), store.names())) if earlier else []
        marks = _marks(store, earlier, own)
        parts = [name for name in own if (part := _PART.fullmatch(name)) and not part["beside"]]
        standing = {name: marks.get(name, Counts()) for name in parts}
        folder = Folder(store, standing, {**earlier, **record, **more}, joined)
        folder.save()
        try:
            yield folder
        except BaseException as error:
            if folder.parts():
                error.add_note(Note(Setting("resume", "True", "saved; the same again with {} goes on")))
            else:
                folder.clear()
            raise


def _taken_over(store: Store, record: Mapping[str, Any], *, resume: bool, force: bool) -> Mapping[str, Any]:
    """The record of the same job, begun earlier; empty where there is none, or where another one was replaced."""
    if store.read(RECORD) is None:
        if any(_whole(name) != RECORD for name in store.names()):
            raise UsageError("holds other files", where=str(store), hint="name a new folder")
        return {}
    if not (resume or force):
        raise UsageError("holds the predictions of a job", where=str(store), hint=GO_ON_OR_REPLACE)
    earlier: Mapping[str, Any]
    try:
        earlier = read_record(store, RECORD)
    except BundleError:
        if resume:
            raise
        earlier = record  # of a damaged one, the names that this job would have
    if resume:
        refuse_another(earlier["signature"], record["signature"], str(store))
        return earlier
    names = store.names()
    if foreign := list(filterfalse(_of(earlier), names)):
        what = f"holds {foreign[0]}, which the job did not write"
        raise UsageError(what, where=str(store), hint="move it, or name a new folder")
    store.clear([*(name for name in names if name != RECORD), RECORD])  # as long as it stands, the rest is known
    return {}


def _marks(store: Store, record: Mapping[str, Any], own: Iterable[str]) -> dict[str, Counts]:
    """The unsure and unknown rows of each part that has any, by the part's name."""
    marks = {name: Counts(**each) for name, each in record.get("marks", {}).items()}
    for name in own:
        if name == _whole(name) and name.startswith(f"{MARKS}/"):
            part = f"{name.removeprefix(f'{MARKS}/').removesuffix('jsonl')}{record['parts']['format']}"
            marks[part] = Counts(**read_record(store, name)["counts"])
    return marks


def _of(record: Mapping[str, Any]) -> Callable[[str], bool]:
    """Says of a file below a folder whether it is one of those that a record's job writes, or half of one."""
    stems, form = frozenset(record["parts"]["stems"]), record["parts"]["format"]

    def is_of(name: str) -> bool:
        found = _PART.fullmatch(name := _whole(name))
        return name in (RECORD, MADE, f"{MADE}.rejected") or bool(
            found and found["stem"] in stems and found["format"] == ("jsonl" if found["beside"] else form)
        )

    return is_of


def _whole(name: str) -> str:
    """The name of a file, without what stands around it while it is written."""
    found = _HALF.fullmatch(name)
    return (found["folder"] or "") + found["name"] if found else name


def _stems(job: Job, joined: bool) -> list[str]:
    """What the names of each file's parts begin with."""
    if joined:
        return [f"{file:05}" for file in range(len(job.inputs))]
    stems = [_stem(each.name) for each in job.inputs]
    if leading_out := next((stem for stem in stems if ".." in stem.split("/") or stem.startswith("/")), None):
        raise DataError(
            "its predictions would lie outside the folder", where=leading_out, hint="name its folder instead"
        )
    if len(set(stems)) < len(stems):
        twice = next(stem for stem in stems if stems.count(stem) > 1)
        raise DataError(f"two files would have their predictions in {twice}-00000", hint="score them apart")
    return stems


def _stem(name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    path = path.with_suffix("") if path.suffix.lower() in (".gz", ".zst") else path
    return str(path.with_suffix(""))


Scored = tuple[Window, Scores]
Chunk = tuple[int, int]
"""The place of a file among the inputs, and of a chunk in it, both from 0."""


def score_to_folder(job: Job, predictor: Predictor, folder: Folder, listener: ScoringListener) -> Counts:
    """Score a job's files, except for the parts that stand in the folder. Raises DataError and RunFailed."""
    counts, first = Counts(), None
    added = Added.by(predictor, job)

    def to_score() -> Iterator[Window]:
        nonlocal counts, first
        for (file, chunk), windows in groupby(windows_of_all(job, added, listener, joined=folder.joined), key=chunk_of):
            first = first or (file, chunk)
            if (name := folder.name(job, file, chunk)) in folder.standing:
                counts += row_counts(windows) + folder.standing[name]
            else:
                yield from windows

    def heard(scored: Iterable[Scored]) -> Iterator[Scored]:
        for window, scores in scored:
            yield window, scores
            listener.scored(len(window.rows.lines))

    with closing(score_each(predictor, to_score(), texts_of, columns_of_window)) as scored:
        for place, windows in groupby(heard(scored), key=lambda each: chunk_of(each[0])):
            header = not folder.joined or place == first
            written = write_part(job, added, folder, place, windows, header=header)
            counts += written  # which `to_score` has added to meanwhile
    return counts


def windows_of_all(job: Job, added: Added, listener: ScoringListener, *, joined: bool) -> Iterator[Window]:
    """The windows of all files of a job. Raises DataError where one cannot have the added columns.

    If their rows are `joined` in one file, each must have the columns of the first.
    """
    first = None
    for file in range(len(job.inputs)):
        for window in windows_of(job, file, listener.read, listener.warn):
            if window.number == 0:
                for note in window.source.notes:
                    listener.note(note)
                added.refuse_columns(window.source.columns, window.source.name)
                first = first or window.source
                if joined:
                    refuse_other_columns(job, window.source, first)
            yield window


def chunk_of(window: Window) -> Chunk:
    """The chunk that a window belongs to."""
    file, number = window.position
    return file, number // WINDOWS


def write_part(
    job: Job, added: Added, folder: Folder, place: Chunk, scored: Iterator[Scored], *, header: bool = True
) -> Counts:
    """Write the part of a chunk, of which these are all windows, and what is beside it."""
    rows, rejected, counts = io.BytesIO(), io.BytesIO(), Counts()
    window, scores = next(scored)
    with writer(added, window.source, rows, rejected, header=header) as write:
        counts += write(window, scores)
        for window, scores in scored:
            counts += write(window, scores)
    if counts.rejected:
        folder.store.write(folder.name(job, *place, beside=REJECTED), rejected.getvalue())
    if counts.unknown or counts.unsure or counts.seen:
        marks = replace(counts, rows=0, rejected=0).to_dict()
        write_record(folder.store, folder.name(job, *place, beside=MARKS), {"counts": marks})
    folder.store.write(folder.name(job, *place), rows.getvalue())
    return counts


def row_counts(windows: Iterable[Window]) -> Counts:
    """The rows of windows that are not scored here."""
    counts = Counts()
    for window in windows:
        counts += Counts(len(window.rows.lines), len(window.rows.faults))
    return counts
