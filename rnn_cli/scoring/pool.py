"""A stream of texts, scored in order while more are read.

Python runs one thread at a time. So `Workers` do all the scoring, and this process is free to read and write. They are
copies of this process, one a core, which share the model's memory. Where there are no reliable forks this thread
encodes the next texts while other threads run the graph, which needs no Python, on the texts before.
"""

import ctypes
import gc
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, TypeVar

from rnn_cli.forks import CAN_FORK, Tell, Worker
from rnn_cli.scoring.predictor import Predictor, Scores, Work
from rnn_cli.system import cores

if TYPE_CHECKING:
    from rnn_cli.columns import ExtraValues

_Asked = tuple[Sequence[str], "ExtraValues | None"]
"""Texts to score, and the values of other columns."""

MALLOPT = {-1: 1 << 28, -3: 1 << 25}
"""Settings of glibc's malloc, M_TRIM_THRESHOLD and M_MMAP_THRESHOLD (32 MiB, the most that old ones take), in bytes.

With the defaults, memory that a batch frees returns to the system and is zeroed page by page for the next batch, which
takes a third of the time of an int8 graph. Source: mallopt(3).
"""


class Workers:
    """Up to as many workers as the predictor has threads; each scores one list of texts while the next one waits.

    They run until they are closed or this process ends.
    """

    def __init__(self, predictor: Predictor) -> None:
        self.ahead = 2 * predictor.threads
        self._predictor = predictor
        self._workers: list[Worker[_Asked, Scores]] = []

    def close(self) -> None:
        """End the workers at once; lists that they have begun stay unscored."""
        for worker in self._workers:
            worker.end()

    def begin(self, texts: Sequence[str], columns: "ExtraValues | None" = None) -> Callable[[], Scores]:
        """Give texts to the least busy worker; returns a function that waits for the scores.

        `columns` are the values of other columns that the model reads, as `Predictor.score` takes them.

        Both raise `RunFailed` if a worker is lost; the function also raises what the worker raised.
        """
        self._receive(seconds=0)
        if len(self._workers) < self._predictor.threads and all(worker.owes for worker in self._workers):
            self._workers.append(Worker(partial(_start, self._predictor), "scores texts", fewer="threads"))
        worker = min(self._workers, key=lambda each: len(each.owes))
        return partial(self._scores, worker.begin((texts, columns)))

    def _scores(self, future: Future[Scores]) -> Scores:
        while not future.done():
            self._receive(seconds=None)
        return future.result()

    def _receive(self, seconds: float | None) -> None:
        """Receive finished scores; waits up to `seconds` for the first ones (None: without limit)."""
        there = wait([worker.connection for worker in self._workers if worker.owes], seconds)
        for worker in self._workers:
            if worker.connection in there:
                worker.receive()


def _start(predictor: Predictor, _: Tell) -> Callable[[_Asked], Scores]:
    """In a worker: what scores the texts it is given."""
    keep_memory()
    predictor.threads = 1  # of this process's copy
    return lambda asked: predictor.score(*asked)


def keep_memory() -> None:
    """Make the C library keep a batch's freed memory for the next one, for the rest of this process."""
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):  # only glibc has it
        for setting, value in MALLOPT.items():
            mallopt(setting, value)


StreamItem = TypeVar("StreamItem")

SWITCH_SECONDS = 0.0001
"""How long this thread may make another one wait; with Python's 5 ms a core would wait longer than a batch takes."""

SPARE = 1
"""Extra threads if all cores are used: no core is idle while its thread waits for Python's lock."""

CONTAINERS = 50_000
"""After this many new containers Python looks for cycles. Each row makes several, none in a cycle: with the 700 of
Python 3.11 the search takes an eighth of this thread's time."""

AHEAD = 3
"""How many items threads score ahead of the one that is awaited."""


def score_each(
    predictor: Predictor,
    items: Iterable[StreamItem],
    texts: Callable[[StreamItem], Sequence[str]],
    columns: "Callable[[StreamItem], ExtraValues] | None" = None,
) -> Generator[tuple[StreamItem, Scores]]:
    """Each item with the scores of its texts, in order; the scores depend on the item alone.

    `columns` gives the values of other columns of an item, for a model that reads any.
    Holds at most two items for each thread, and two more. An item should hold some hundred texts or more. Raises
    `RunFailed` if a process that scores is lost. Close it where it may not be read to its end: only then its threads or
    processes end, and Python's settings are put back.
    """
    scoring = Workers(predictor) if CAN_FORK else _Threads(predictor)
    under_way: deque[tuple[StreamItem, Callable[[], Scores]]] = deque()
    with _tuned(), closing(scoring):
        for item in items:
            under_way.append((item, scoring.begin(texts(item), columns(item) if columns else None)))
            if len(under_way) > scoring.ahead:
                done, scores = under_way.popleft()
                yield done, scores()
        while under_way:
            done, scores = under_way.popleft()
            yield done, scores()


class _Threads:
    """The same as `Workers` with threads of this process: they run the graph, the caller does the rest."""

    def __init__(self, predictor: Predictor) -> None:
        self.ahead = AHEAD
        self._predictor = predictor
        self._pool = ThreadPoolExecutor(predictor.threads + (SPARE if predictor.threads == cores() > 1 else 0))

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def begin(self, texts: Sequence[str], columns: "ExtraValues | None" = None) -> Callable[[], Scores]:
        work = self._predictor.begin_texts(texts, columns)
        return partial(_scores, work, [self._pool.submit(work.run, batch) for batch in work.batches])


def _scores(work: Work, batches: Iterable[Future[None]]) -> Scores:
    for batch in batches:
        batch.result()
    return work.scores()


@contextmanager
def _tuned() -> Iterator[None]:
    """Settings of Python for this kind of work, as long as the block runs."""
    switch, containers = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(min(switch, SWITCH_SECONDS))
    gc.set_threshold(max(containers[0], CONTAINERS) if containers[0] else 0, *containers[1:])
    try:
        yield
    finally:
        sys.setswitchinterval(switch)
        gc.set_threshold(*containers)
