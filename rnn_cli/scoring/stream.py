"""Texts without end, scored in order while more are read. Knows nothing of where they come from or go.

Python runs one thread at a time. So where there are `Workers`, they do all of it, and this process is left to the
caller, who reads and writes. Elsewhere this thread encodes the next texts while others run the graph, which needs no
Python, on those before.
"""

import gc
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from typing import TypeVar

from rnn_cli.scoring.predictor import Predictor, Scores, Work, cores
from rnn_cli.scoring.workers import CAN_FORK, Workers

Item = TypeVar("Item")

SWITCH_SECONDS = 0.0001
"""How long this thread may keep another one waiting; with Python's own 5 ms, a core would wait for longer than it
takes to run a batch."""

SPARE = 1
"""Threads more than cores, if all of them may be used: so none is idle while its thread waits for Python's lock."""

CONTAINERS = 50_000
"""New containers after which Python looks for cycles among them. Each row makes several, and none of them is in a
cycle: with the 700 of Python 3.11, looking takes an eighth of this thread's time."""

AHEAD = 3
"""Items whose texts threads score while the one before them is waited for."""


def score_each(
    predictor: Predictor, items: Iterable[Item], texts: Callable[[Item], Sequence[str]]
) -> Iterator[tuple[Item, Scores]]:
    """Each item with the scores of its texts, in order; what is answered depends on the item alone.

    No more items are held at once than two for each thread, and two. An item should hold some hundred texts or more.
    Raises RunFailed if one of the processes that score is lost.
    """
    scoring = Workers(predictor) if CAN_FORK else _Threads(predictor)
    under_way: deque[tuple[Item, Callable[[], Scores]]] = deque()
    with _tuned(), closing(scoring):
        for item in items:
            under_way.append((item, scoring.begin(texts(item))))
            if len(under_way) > scoring.ahead:
                done, scores = under_way.popleft()
                yield done, scores()
        while under_way:
            done, scores = under_way.popleft()
            yield done, scores()


class _Threads:
    """What `Workers` are, by threads of this process: the graph runs in them, the rest where it is called."""

    def __init__(self, predictor: Predictor) -> None:
        self.ahead = AHEAD
        self._predictor = predictor
        self._pool = ThreadPoolExecutor(predictor.threads + (SPARE if predictor.threads == cores() > 1 else 0))

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def begin(self, texts: Sequence[str]) -> Callable[[], Scores]:
        work = self._predictor.begin(self._predictor.tokenizer.encode_all(texts))
        return partial(_scores, work, [self._pool.submit(work.run, batch) for batch in work.batches])


def _scores(work: Work, batches: Iterable[Future[None]]) -> Scores:
    for batch in batches:
        batch.result()
    return work.scores()


@contextmanager
def _tuned() -> Iterator[None]:
    """Python's own settings, the process's, made those of such work."""
    switch, containers = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(min(switch, SWITCH_SECONDS))
    gc.set_threshold(max(containers[0], CONTAINERS) if containers[0] else 0, *containers[1:])
    try:
        yield
    finally:
        sys.setswitchinterval(switch)
        gc.set_threshold(*containers)
