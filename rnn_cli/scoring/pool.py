"""Texts without end, scored in order while more are read. Knows nothing of where they come from or go.

Python runs one thread at a time. So where there are `Workers`, they do all of it, and this process is left to the
caller, who reads and writes. They are copies of this process, a core each. A copy (a fork) is made in milliseconds and
shares the model's memory. It computes without a thread of any library, so it does not miss those that a fork leaves
behind. Only Linux has forks to rely upon; elsewhere this thread encodes the next texts while others run the graph,
which needs no Python, on those before.
"""

import ctypes
import gc
import os
import pickle
import signal
import sys
import threading
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from typing import NoReturn, TypeVar

from rnn_cli.errors import RunFailed
from rnn_cli.scoring.predictor import Predictor, Scores, Work, cores
from rnn_cli.system import reason

CAN_FORK = sys.platform == "linux"

SIGNALS = {signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])}
"""What may reach the workers, too, when it is sent to this process: they leave it to it."""

STANDARD = 3
"""Standard input, output and error are the files 0 to 2."""

FILES = 1 << 16
"""More than this process has open."""

MALLOPT = {-1: 1 << 28, -3: 1 << 25}
"""Settings of glibc's malloc, M_TRIM_THRESHOLD and M_MMAP_THRESHOLD (32 MiB, the most that old ones take), in bytes.

With its own, what a batch has freed goes back to the system, and comes again, page by page and zeroed, for the next: a
third of the time of an int8 graph. Source: mallopt(3).
"""


class Workers:
    """Up to as many workers as the predictor has threads, each with a list of texts to score and the next one.

    They run until they are closed, or this process ends.
    """

    def __init__(self, predictor: Predictor) -> None:
        self.ahead = 2 * predictor.threads
        self._predictor = predictor
        self._workers: list[_Worker] = []

    def close(self) -> None:
        """End the workers, whatever they are at; what has been begun will not be answered."""
        for worker in self._workers:
            worker.end()

    def begin(self, texts: Sequence[str]) -> Callable[[], Scores]:
        """Have the worker with the least to do score texts; what this answers waits for the scores.

        Both raise RunFailed if a worker is lost; the answer also raises what a worker has raised.
        """
        self._receive(seconds=0)
        if len(self._workers) < self._predictor.threads and all(worker.owes for worker in self._workers):
            self._workers.append(_Worker(self._predictor))
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
        self.owes: deque[Future[Scores]] = deque()
        self._process: int | None
        try:
            self.connection, theirs = Pipe()
            with theirs:
                self._process = _fork(partial(_serve, theirs, predictor))
        except OSError as error:
            what = f"no further process can be started ({reason(error)})"
            raise RunFailed(what, hint="use fewer --threads") from error

    def end(self) -> int:
        """Kill it, unless it has ended; its exit code, negative for a signal, if nobody else has asked for it."""
        self.connection.close()
        process, self._process = self._process, None
        with suppress(ProcessLookupError, ChildProcessError):  # where the system tells nobody of ended children
            if process is not None:
                os.kill(process, signal.SIGKILL)  # harmless to one that has ended
                return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        return 0

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
            reply: Scores | Exception = self.connection.recv()
        except (EOFError, OSError) as error:
            raise self._lost() from error
        if isinstance(reply, Exception):
            self.owes.popleft().set_exception(reply)
        else:
            self.owes.popleft().set_result(reply)

    def _lost(self) -> RunFailed:
        code = self.end()
        if code == -signal.SIGKILL:
            what, hint = "was killed, by the system for want of memory or by hand", "fewer --threads need less memory"
            return RunFailed(f"a process that scores texts {what}", hint=hint)
        return RunFailed(f"a process that scores texts ended with code {code}")


def _fork(work: Callable[[], object]) -> int:
    """A copy of this process that does the work and ends; its number. Raises OSError where there is no room for it."""
    masked = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12's, of threads left behind
            process = os.fork()
        if not process:
            _end_after(work)
        return process
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, masked)


def _end_after(work: Callable[[], object]) -> NoReturn:
    """Do the work and end this process there and then, whatever is still open in it."""
    try:
        work()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(1)


def _serve(connection: Connection, predictor: Predictor) -> None:
    """What a worker does, until the process that made it closes the connection or ends, in whatever way."""
    # Files, locks and connections that the first process alone may keep open.
    os.closerange(STANDARD, connection.fileno())
    os.closerange(connection.fileno() + 1, FILES)
    keep_memory()
    predictor.threads = 1  # of this process's copy
    to_score: SimpleQueue[Sequence[str]] = SimpleQueue()
    threading.Thread(target=_end_after, args=(partial(_read, connection, to_score),), daemon=True).start()
    while True:
        try:
            reply: Scores | Exception = predictor.score(to_score.get())
        except Exception as error:
            reply = _sendable(error)
        with suppress(OSError):  # nobody is there any more: about to be found by the thread that reads
            connection.send(reply)


def keep_memory() -> None:
    """Have the C library keep what a batch has freed for the next one, for as long as this process runs."""
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):  # others than glibc have none
        for setting, value in MALLOPT.items():
            mallopt(setting, value)


def _read(connection: Connection, to_score: "SimpleQueue[Sequence[str]]") -> None:
    """Take in what comes while something else is scored, so that the first process need not wait."""
    with suppress(EOFError, OSError):  # it wants no more, or has ended
        while True:
            to_score.put(connection.recv())


def _sendable(error: Exception) -> Exception:
    """The error, or one of its words if it could not be sent, and with it where it was raised."""
    told = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(told)
    return error


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
