"""A job whose answers become a folder of files, a chunk each: what is there is done, whoever has done it.

The files' names tell which rows they hold: `logs/monday-00002.csv` those of the third chunk of `logs/monday.csv`. So
any number of workers may write them, and one that is written twice is the same. `_job.json` tells whose they are.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from rnn_cli.bulk.answer_folder import Folder, part_name, rejected_name
from rnn_cli.bulk.answers import Added
from rnn_cli.bulk.chunks import Chunks
from rnn_cli.bulk.encoding import encoder
from rnn_cli.bulk.job import Counts, Job, Listener
from rnn_cli.bulk.stores import Store
from rnn_cli.bulk.windows import WINDOWS, Window, texts_of, windows_of
from rnn_cli.scoring.predictor import Predictor, Scores
from rnn_cli.scoring.stream import score_each

Scored = tuple[Window, Scores]


def score_to_folder(job: Job, predictor: Predictor, folder: Folder, listener: Listener) -> Counts:
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
