"""Texts without end, scored in order while more are read. Knows nothing of where they come from or go.

Python runs one thread at a time, ONNX Runtime as many as there are cores: so this thread encodes the next texts, and
its caller reads and writes, while the pool runs the graph on those before.
"""

import gc
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from rnn_cli.scoring.predictor import Predictor, Scores, Work, cores

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
"""Items whose texts are scored while the one before them is waited for."""


def score_each(
    predictor: Predictor, items: Iterable[Item], texts: Callable[[Item], Sequence[str]]
) -> Iterator[tuple[Item, Scores]]:
    """Each item with the scores of its texts, in order; what is answered depends on the item alone.

    No more than a few items are held at once. An item should hold some hundred texts or more.
    """
    pool = ThreadPoolExecutor(predictor.threads + (SPARE if predictor.threads == cores() > 1 else 0))
    under_way: deque[tuple[Item, Work, list[Future[None]]]] = deque()
    with _tuned():
        try:
            for item in items:
                work = predictor.begin(predictor.tokenizer.encode_all(texts(item)))
                under_way.append((item, work, [pool.submit(work.run, batch) for batch in work.batches]))
                if len(under_way) > AHEAD:
                    yield _done(*under_way.popleft())
            while under_way:
                yield _done(*under_way.popleft())
        finally:
            pool.shutdown(cancel_futures=True)


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


def _done(item: Item, work: Work, batches: Iterable[Future[None]]) -> tuple[Item, Scores]:
    for batch in batches:
        batch.result()
    return item, work.scores()
