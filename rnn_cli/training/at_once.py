"""Several folds predicted at once, each by a process of its own; one by one on one core, or with little memory.

A fold of a small network keeps little more than one core busy: preparing rows, building graphs and fitting linear
models take most of its time. The processes are copies of this one, made before TensorFlow has computed anything: they
need not load it again, and no thread of it is lost. Each computes what it would compute alone, to the bit.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import wait
from typing import Any

from rnn_cli.data.folds import Dealt
from rnn_cli.forks import CAN_FORK, Tell, Worker
from rnn_cli.system import cores, free_memory, use_cores
from rnn_cli.training.folds import FoldPart, Keeps, Learn, deal_folds_of, is_kept, part_name, predict_fold
from rnn_cli.training.listener import Listener, SilentListener
from rnn_cli.training.prepare import Prepared

MEMORY_EACH = 1 << 30
"""Bytes of free memory that a fold must have for itself to be predicted beside others."""

FEWEST_AT_ONCE = 1_000
"""Folds of fewer rows take no less time at once (tests/bench/folds_at_once.py, two cores)."""

_Step = tuple[int, str, tuple[Any, ...]]
"""A fold, and what its listener hears: a method's name and arguments."""


def count_at_once(folds: int, rows: int) -> int:
    """How many of so many folds of `rows` rows in all are predicted at once: evenly, in as few rounds as possible.

    As many as cores and free memory allow; one where the rows are few.
    """
    if rows < FEWEST_AT_ONCE:
        return 1
    memory = free_memory()
    most = min(folds, cores(), *([] if memory is None else [memory // MEMORY_EACH]))
    if not CAN_FORK or most < 2:
        return 1
    rounds = -(-folds // most)
    return -(-folds // rounds)


@contextmanager
def folds_at_once(
    run: Prepared, learn: Learn, keep: Keeps | None, listener: Listener
) -> "Iterator[FoldWorkers | None]":
    """Workers that predict a run's folds as long as the block runs; None where they are to be predicted one by one.

    Folds that `keep` has are left out, and what is found is kept there.
    """
    if run.config.training.folds is None:
        yield None
        return
    dealt = deal_folds_of(run)
    left = [number for number, fold in enumerate(dealt.folds) if not is_kept(keep, number, fold, run)]
    if (count := count_at_once(len(left), len(run.splits.source or ()))) < 2:
        yield None
        return
    listener.note(f"{count} folds are learned at once, on {cores()} cores")
    workers = FoldWorkers(run, learn, keep, dealt, left, count)
    try:
        workers.begin()
        yield workers
    finally:
        workers.close()


class FoldWorkers:
    """Processes that predict the folds `left`, of those that were dealt, as soon as they are free for the next one."""

    def __init__(
        self, run: Prepared, learn: Learn, keep: Keeps | None, dealt: Dealt, left: Sequence[int], count: int
    ) -> None:
        self.dealt = dealt
        self._run, self._learn, self._keep = run, learn, keep
        self._todo, self._count = deque(left), count
        self._workers: list[Worker[int, FoldPart]] = []
        self._begun: dict[int, Future[FoldPart]] = {}
        self._kept = set[int]()
        self._last: dict[int, _Step] = {}
        self._awaited: tuple[int, Listener] | None = None

    def begin(self) -> None:
        """Start the processes. Raises `WorkerLost`."""
        for _ in range(self._count):
            self._workers.append(Worker(self._start, "learns a fold", on_told=self._hear))
        self._give()

    def close(self) -> None:
        """End the processes at once, whatever they are at."""
        for worker in self._workers:
            worker.end()

    def part(self, number: int, listener: Listener) -> FoldPart | None:
        """Wait for what was predicted of a fold; None of one that is not theirs.

        Raises `WorkerLost`, and what the fold raised. What other folds have found by then is kept.
        """
        if number not in self._begun and number not in self._todo:
            return None
        self._awaited = number, listener
        if number in self._last:
            self._hear(self._last[number])
        while number not in self._begun or not self._begun[number].done():
            busy = [worker for worker in self._workers if worker.owes]
            ready = wait([worker.connection for worker in busy])
            for worker in busy:
                if worker.connection in ready:
                    worker.receive()
            self._keep_found()
            self._give()
        self._awaited = None
        return self._begun[number].result()

    def _give(self) -> None:
        """Give each free worker its next fold, or end it."""
        for worker in self._workers:
            if self._todo and not worker.owes:
                number = self._todo.popleft()
                self._begun[number] = worker.begin(number)
            elif not worker.owes:
                worker.end()

    def _keep_found(self) -> None:
        for number, found in self._begun.items():
            if self._keep is not None and number not in self._kept and found.done() and found.exception() is None:
                self._keep.keep_part(part_name(number), found.result().to_bytes())
                self._kept.add(number)

    def _hear(self, step: _Step) -> None:
        """Pass on a step of the fold that is awaited; of the others remember the last."""
        number, name, told = step
        self._last[number] = step
        if self._awaited is not None and self._awaited[0] == number:
            getattr(self._awaited[1], name)(*told)

    def _start(self, tell: Tell) -> "partial[FoldPart]":
        """In a process of its own: what predicts a fold."""
        use_cores(max(cores() // self._count, 1))
        return partial(self._predict, tell)

    def _predict(self, tell: Tell, number: int) -> FoldPart:
        heard = _Telling(number, tell)
        heard.doing("reading")
        return predict_fold(self._run, self.dealt.folds[number], self._learn, heard, baseline=True)


class _Telling(SilentListener):
    """Tells another process how far a fold is."""

    def __init__(self, number: int, tell: Tell) -> None:
        self._number, self._tell = number, tell

    def doing(self, what: str) -> None:
        """Tell of a step."""
        self._tell((self._number, "doing", (what,)))

    def progress(self, what: str, done: int, total: int) -> None:
        """Tell of a step's progress."""
        self._tell((self._number, "progress", (what, done, total)))

    def epoch_starts(self, epoch: int, epochs: int, steps: int, done: int) -> None:
        """Tell of an epoch."""
        self._tell((self._number, "epoch_starts", (epoch, epochs, steps, done)))
