"""A job whose answers become a folder of files, a chunk each: what is there is done, whoever has done it.

The files' names tell which rows they hold: `logs/monday-00002.csv` those of the third chunk of `logs/monday.csv`. So
any number of workers may write them, and one that is written twice is the same. `_job.json` tells whose they are.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any

from rnn_cli.bulk.answers import Added
from rnn_cli.bulk.chunks import Chunks
from rnn_cli.bulk.encoding import encoder
from rnn_cli.bulk.job import Counts, Job, Listener, differing
from rnn_cli.bulk.places import Place
from rnn_cli.bulk.windows import WINDOWS, Window, no_rows, texts_of, windows_of
from rnn_cli.bundle.signed import sign, unsign
from rnn_cli.errors import DataError, UsageError
from rnn_cli.scoring.predictor import Predictor, Scores
from rnn_cli.scoring.stream import score_each

VERSION = 1
RECORD = "_job.json"
REJECTED = "_rejected"
_PART = re.compile(r".*-\d{5,}\.(csv|tsv|jsonl|parquet)(\.gz|\.zst)?")

Scored = tuple[Window, Scores]


def score_to_folder(job: Job, predictor: Predictor, place: Place, listener: Listener) -> Counts:
    """Score a job's files, but for the chunks that stand in the folder. Raises DataError and RunFailed."""
    counts = Counts()
    added = Added.by(predictor, job)

    def to_score() -> Iterator[Window]:
        nonlocal counts
        for file in range(len(job.inputs)):
            for chunk, windows in chunks_of(job, file, listener):
                if place.has(part_name(job, file, chunk)):
                    counts += _counted(windows)
                else:
                    yield from windows

    for (file, chunk), scored in groupby(score_each(predictor, to_score(), texts_of), key=_chunk_of):
        written = write_part(job, added, place, file, chunk, scored)
        counts += written
        listener.scored(written.rows)
    return counts


def chunks_of(job: Job, file: int, listener: Listener) -> Iterator[tuple[int, Iterator[Window]]]:
    """The chunks of a file, by number, with their windows, that are read one by one."""
    return groupby(windows_of(job, file, listener.read), key=lambda window: window.number // WINDOWS)


def write_part(job: Job, added: Added, place: Place, file: int, chunk: int, scored: Iterator[Scored]) -> Counts:
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
        place.write(f"{REJECTED}/{_stem(job, file)}-{chunk:05}.jsonl", rejected.getvalue())
    place.write(part_name(job, file, chunk), rows.getvalue())
    return counts


def part_name(job: Job, file: int, chunk: int) -> str:
    """The name, below the folder, of the file that holds a chunk's answers."""
    compression = f".{job.compression}" if job.compression else ""
    return f"{_stem(job, file)}-{chunk:05}.{job.format}{compression}"


def _stem(job: Job, file: int) -> str:
    name = PurePosixPath(job.inputs[file].name.replace("\\", "/"))
    name = name.with_suffix("") if name.suffix.lower() in (".gz", ".zst") else name
    return str(name.with_suffix(""))


def _chunk_of(scored: Scored) -> tuple[int, int]:
    file, number = scored[0].place
    return file, number // WINDOWS


def _counted(windows: Iterator[Window]) -> Counts:
    counts = Counts()
    for window in windows:
        counts += Counts(len(window.rows.lines), len(window.rows.faults))
    return counts


def begin(job: Job, model: Mapping[str, Any], place: Place, *, resume: bool, force: bool) -> None:
    """Take a folder for a job: a new one, one that the same job began (`resume`), or an earlier job's (`force`).

    Raises UsageError, and DataError where two files would have the same answers' names.
    """
    stems = [_stem(job, file) for file in range(len(job.inputs))]
    if twice := _first_twice(stems):
        raise DataError(f"two files would be answered in {twice}-00000", mend="score them apart")
    signature = job.signature() | {"model": dict(model)}
    record = place.read(RECORD)
    if record is not None and resume:
        text, mend = record.decode("utf-8", "replace"), "begin anew with --force"
        content = unsign(text, where=place.shown(RECORD), newest=VERSION, mend=mend)
        if name := differing(content["signature"], signature):
            raise UsageError(
                f"was begun with another {name}",
                where=str(place),
                mend="call it as it was begun, or begin anew with --force",
            )
    elif record is not None and not force:
        mend = "go on with --resume, or begin anew with --force"
        raise UsageError("holds the answers of a job", where=str(place), mend=mend)
    elif names := place.names():
        if record is None or not all(name == RECORD or _PART.fullmatch(name) for name in names):
            raise UsageError("holds other files", where=str(place), mend="name a new folder")
        place.clear([*(name for name in names if name != RECORD), RECORD])  # as long as it stands, it tells of the rest
    _write_record(place, {"signature": signature, "finished": False})


def finish(job: Job, model: Mapping[str, Any], place: Place, counts: Counts) -> None:
    """Note that a folder is whole, and what stands in it. Raises DataError if there are no rows at all."""
    if not counts.rows:
        raise no_rows(job)
    place.names()  # and so nothing half-written is left
    signature = job.signature() | {"model": dict(model)}
    _write_record(place, {"signature": signature, "finished": True, "counts": asdict(counts)})


def _write_record(place: Place, content: Mapping[str, Any]) -> None:
    place.write(RECORD, sign({"format_version": VERSION, **content}).encode())


def _first_twice(names: Sequence[str]) -> str | None:
    seen: set[str] = set()
    return next((name for name in names if name in seen or seen.add(name)), None)  # type: ignore[func-returns-value]
