"""The same job on a cluster: Ray Data hands the chunks of files out to workers that hold a predictor each.

A task reads a file and gives its chunks; a worker scores a chunk and writes it as a file of the folder. What is
computed twice, because a machine was lost, is written twice under the same name with the same bytes. Loads Ray, which
`connection` does first. Source: https://docs.ray.io/en/latest/data/batch_inference.html.
"""

import os
import pickle
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Any

import ray
from ray.data import ActorPoolStrategy

from rnn_cli.batch.columns import Added
from rnn_cli.batch.job import Counts, Job, ScoringListener
from rnn_cli.batch.to_folder import Folder, chunk_of, row_counts, write_part
from rnn_cli.batch.unfinished import GO_ON
from rnn_cli.batch.windows import Window, columns_of_window, texts_of, windows_of
from rnn_cli.bundle.in_memory import BundleInMemory
from rnn_cli.bundle.model_folder import COLUMNS_FILE, LEARNED, MANIFEST, TOKENIZER, Bundle
from rnn_cli.errors import Error, RunFailed
from rnn_cli.scoring.pool import keep_memory
from rnn_cli.scoring.predictor import Precision, Predictor, graph_file

READER, SCORER = 0.1, 0.9
"""Cores that reading a file and scoring take; a machine of two cores has two scorers, and readers beside them."""


@dataclass(frozen=True)
class _Progress:
    """What is known of a chunk, with its pickled `windows` until they are scored, and how many bytes were read for it.

    `chunk` is None at the end of a file, which has `chunks` of them; `stood` says that the folder had it before.
    """

    file: int
    chunk: int | None
    counts: Counts = Counts()
    read: int = 0
    chunks: int = 0
    stood: bool = False
    windows: bytes = b""
    warnings: tuple[str, ...] = ()
    error: Error | None = None


def score_on_ray(
    job: Job, predictor: Predictor, folder: Folder, listener: ScoringListener, *, workers: int | None
) -> Counts:
    """Score a job's files on the Ray cluster that is `connected`, but for the chunks that stand in the folder.

    There are as many workers as the cluster has cores, or `workers`. Raises DataError and RunFailed.
    """
    precision = predictor.precision
    model = ray.put(_packed(predictor.bundle, precision))
    cores = workers or _cores()
    read = partial(_read, job=job, folder=folder, here=os.getcwd())
    files = ray.data.from_items(
        [{"file": file} for file in range(len(job.inputs))], override_num_blocks=len(job.inputs)
    )
    progress = files.map_batches(read, batch_size=1, num_cpus=READER).map_batches(
        _Scorer,
        batch_size=1,
        num_cpus=SCORER,
        compute=ActorPoolStrategy(min_size=1, max_size=cores),
        # In a list, Ray leaves it to us to fetch it, and can restart a worker as long as this process holds it.
        fn_constructor_kwargs={"job": job, "model": [model], "folder": folder, "precision": precision},
    )
    return _gathered(job, (pickle.loads(row["progress"]) for row in progress.iter_rows()), listener)


def _gathered(job: Job, progress: Iterator[_Progress], listener: ScoringListener) -> Counts:
    """The counts of all chunks, each of which must be reported once."""
    counts = Counts()
    seen: set[tuple[int, int]] = set()
    ends: dict[int, int] = {}
    try:
        for each in progress:
            if each.error is not None:
                raise each.error
            listener.read(each.read)
            if each.chunk is None:
                for warning in each.warnings:
                    listener.warn(warning)
                ends[each.file] = each.chunks
                continue
            if (each.file, each.chunk) in seen:
                continue
            seen.add((each.file, each.chunk))
            counts += each.counts
            if not each.stood:
                listener.scored(each.counts.rows)
    except ray.exceptions.RayError as error:
        raise RunFailed(f"Ray gave up ({str(error).strip().splitlines()[-1]})", hint=GO_ON) from error
    expected = {(file, chunk) for file, chunks in ends.items() for chunk in range(chunks)}
    if len(ends) < len(job.inputs) or seen != expected:
        raise RunFailed("some chunks were not scored", hint=GO_ON)
    return counts


def _read(batch: Mapping[str, Any], *, job: Job, folder: Folder, here: str) -> Iterator[dict[str, list[bytes]]]:
    """The chunks of a file, those that stand in the folder without their rows; paths begin `here`."""
    with suppress(OSError):
        os.chdir(here)  # a cluster that runs already has begun elsewhere
    (file,) = (int(each) for each in batch["file"])
    meter, warnings, chunk = _Meter(), list[str](), -1
    try:
        for (_, chunk), windows in groupby(windows_of(job, file, meter.read, warnings.append), key=chunk_of):
            rows = list(windows)
            stood = folder.standing.get(folder.name(job, file, chunk))
            counts = row_counts(rows) + (stood or Counts())
            pickled = pickle.dumps(rows, 5) if stood is None else b""
            yield _row(_Progress(file, chunk, counts, meter.taken(), stood=stood is not None, windows=pickled))
        yield _row(_Progress(file, None, read=meter.taken(), chunks=chunk + 1, warnings=tuple(warnings)))
    except Error as error:
        yield _row(_Progress(file, chunk, error=error))


class _Scorer:
    """A worker: holds a predictor, scores chunks and writes them."""

    def __init__(self, *, job: Job, model: list[Any], folder: Folder, precision: Precision) -> None:
        keep_memory()
        self._job, self._folder = job, folder
        self._predictor = _unpacked(ray.get(model[0]), precision)
        self._added = Added.by(self._predictor, job)

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[bytes]]:
        """Score the chunk that a row holds, if it holds one."""
        (progress,) = (pickle.loads(each) for each in batch["progress"])
        if not progress.windows:
            return _row(progress)
        windows: list[Window] = pickle.loads(progress.windows)
        scored = ((window, self._predictor.score(texts_of(window), columns_of_window(window))) for window in windows)
        source = windows[0].source
        try:
            self._added.refuse_columns(source.columns, source.name)
            counts = write_part(self._job, self._added, self._folder, (progress.file, progress.chunk), scored)
        except Error as error:
            return _row(replace(progress, windows=b"", error=error))
        return _row(replace(progress, windows=b"", counts=counts))


def _cores() -> int:
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return max(1, int(resources.get("CPU", 1)))


class _Meter:
    """Counts the bytes that were read since it was last asked."""

    def __init__(self) -> None:
        self._count = 0

    def read(self, count: int) -> None:
        self._count += count

    def taken(self) -> int:
        count, self._count = self._count, 0
        return count


def _row(progress: _Progress) -> dict[str, list[bytes]]:
    return {"progress": [pickle.dumps(progress, 5)]}


def _packed(opened: Bundle, precision: Precision) -> dict[str, bytes]:
    """What a predictor needs of a bundle, as a bundle of its own: its files' names and bytes."""
    needed = (TOKENIZER, graph_file(opened, precision), LEARNED, COLUMNS_FILE)
    files = {name: opened.manifest.files[name] for name in needed if name in opened.manifest.files}
    packed = {name: opened.read(name) for name in files}
    return packed | {MANIFEST: replace(opened.manifest, files=files).to_json().encode("utf-8")}


def _unpacked(files: Mapping[str, bytes], precision: Precision) -> Predictor:
    contents = {name: content for name, content in files.items() if name != MANIFEST}
    opened = BundleInMemory.from_bytes(files[MANIFEST].decode("utf-8"), contents)
    return Predictor(opened, threads=1, precision=precision)
