"""Copies of this process that score lists of texts, a core each: Python runs in all of them at once.

A copy (a fork) is made in milliseconds and shares the model's memory with this process. It does nothing but Python,
numpy and an ONNX Runtime session without threads of its own, so it misses none of the threads that a fork leaves
behind. Only Linux has forks to rely upon.
"""

import ctypes
import os
import signal
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from queue import SimpleQueue

from rnn_cli.errors import RunFailed
from rnn_cli.scoring.predictor import Predictor, Scores

CAN_FORK = sys.platform == "linux"

STANDARD = 3
"""Standard input, output and error: the files 0 to 2."""

MALLOPT = {-1: 1 << 28, -3: 1 << 25}
"""Settings of glibc's malloc, M_TRIM_THRESHOLD and M_MMAP_THRESHOLD (32 MiB, the most that old ones take), in bytes.

With its own, what a batch has freed goes back to the system, and comes again, page by page and zeroed, for the next: a
third of the time of an int8 graph. Source: mallopt(3).
"""


class Workers:
    """As many workers as the predictor has threads, each of which has a list of texts to score and the next one.

    They run until they are closed, or this process ends.
    """

    def __init__(self, predictor: Predictor) -> None:
        self.ahead = 2 * predictor.threads
        self._workers = [_Worker(predictor) for _ in range(predictor.threads)]

    def close(self) -> None:
        """End the workers, whatever they are at; what has been begun will not be answered."""
        for worker in self._workers:
            worker.connection.close()
        for worker in self._workers:
            worker.process.join()

    def begin(self, texts: Sequence[str]) -> Callable[[], Scores]:
        """Have the worker with the least to do score texts; what this answers waits for the scores.

        Both raise RunFailed if a worker is lost; the answer also raises what a worker has raised.
        """
        self._receive(seconds=0)
        worker = min(self._workers, key=lambda each: len(each.owes))
        return partial(self._scores, worker.begin(texts))

    def _scores(self, future: Future[Scores]) -> Scores:
        while not future.done():
            self._receive(seconds=None)
        return future.result()

    def _receive(self, seconds: float | None) -> None:
        """Take the answers that are there, having waited so long for the first (None: as long as it takes)."""
        there = wait([worker.connection for worker in self._workers if worker.owes], seconds)
        for worker in self._workers:
            if worker.connection in there:
                worker.receive()


class _Worker:
    """A worker as this process sees it; `owes` are the scores it has yet to answer, in order."""

    def __init__(self, predictor: Predictor) -> None:
        context = get_context("fork")
        self.owes: deque[Future[Scores]] = deque()
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=_serve, args=(theirs, predictor), daemon=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12's, of threads left behind
            self.process.start()
        theirs.close()

    def begin(self, texts: Sequence[str]) -> Future[Scores]:
        future: Future[Scores] = Future()
        self.owes.append(future)
        try:
            self.connection.send(texts)
        except OSError as error:
            raise self._lost() from error
        return future

    def receive(self) -> None:
        try:
            answer: Scores | Exception = self.connection.recv()
        except (EOFError, OSError) as error:
            raise self._lost() from error
        if isinstance(answer, Exception):
            self.owes.popleft().set_exception(answer)
        else:
            self.owes.popleft().set_result(answer)

    def _lost(self) -> RunFailed:
        self.process.join()
        if self.process.exitcode == -signal.SIGKILL:
            what, mend = "was killed, by the system for want of memory or by hand", "fewer --threads need less memory"
            return RunFailed(f"a process that scores texts {what}", mend=mend)
        return RunFailed(f"a process that scores texts ended with code {self.process.exitcode}")


def _serve(connection: Connection, predictor: Predictor) -> None:
    """What a worker does, until the process that made it closes the connection or ends, in whatever way."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # they may reach all processes; the first one decides
        signal.signal(each, signal.SIG_IGN)
    # Files, locks and connections that the first process alone may keep open.
    os.closerange(STANDARD, connection.fileno())
    os.closerange(connection.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):  # other C libraries have none
        for setting, value in MALLOPT.items():
            mallopt(setting, value)
    predictor.threads = 1  # of this process's copy
    to_score: SimpleQueue[Sequence[str]] = SimpleQueue()
    threading.Thread(target=_read, args=(connection, to_score), daemon=True).start()
    while True:
        try:
            answer: Scores | Exception = predictor.score(to_score.get())
        except Exception as error:
            answer = error
        try:
            connection.send(answer)
        except OSError:
            os._exit(0)


def _read(connection: Connection, to_score: "SimpleQueue[Sequence[str]]") -> None:
    """Take in what comes while something else is scored, so that the first process need not wait."""
    try:
        while True:
            to_score.put(connection.recv())
    except (EOFError, OSError):
        os._exit(0)  # the first process, too, has ended, or wants no more
