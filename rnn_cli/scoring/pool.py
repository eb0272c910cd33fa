"""A stream of texts, scored in order while more are read.

Python runs one thread at a time. So `Workers` do all the scoring, and this process is free to read and write. They are
copies (forks) of this process, one a core. A fork takes milliseconds and shares the model's memory. It uses no thread
of any library, so it does not need those that a fork loses. Only Linux has reliable forks. Elsewhere this thread
encodes the next texts while other threads run the graph, which needs no Python, on the texts before.
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
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from typing import TYPE_CHECKING, NoReturn, TypeVar

from rnn_cli.errors import RunFailed, Setting
from rnn_cli.scoring.predictor import Predictor, Scores, Work
from rnn_cli.system import cores, reason

if TYPE_CHECKING:
    from rnn_cli.columns import ExtraValues

_Asked = tuple[Sequence[str], "ExtraValues | None"]
"""Texts to score, and the values of other columns."""

CAN_FORK = sys.platform == "linux"

WORKER_SIGNALS = {signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])}
"""Signals to this process that may also reach the workers, which leave them to this process."""

STANDARD = 3
"""Standard input, output and error are files 0 to 2."""

MAX_FILES = 1 << 16
"""More files than this process has open."""

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
        self._workers: list[_Worker] = []

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
            self._workers.append(_Worker(self._predictor))
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


class _Worker:
    """A worker as this process sees it; `owes` are the scores it has still to return, in order."""

    def __init__(self, predictor: Predictor) -> None:
        self.owes: deque[Future[Scores]] = deque()
        self._process: int | None
        try:
            self.connection, theirs = Pipe()
            with theirs:
                self._process = _fork(partial(_serve, theirs, predictor))
        except OSError as error:
            what = f"cannot start another process ({reason(error)})"
            raise RunFailed(what, hint=Setting("threads", text="use fewer {}")) from error

    def end(self) -> int:
        """Kill the worker unless it has ended; returns its exit code, negative for a signal, 0 if unknown."""
        self.connection.close()
        process, self._process = self._process, None
        with suppress(ProcessLookupError, ChildProcessError):  # where the system does not report ended children
            if process is not None:
                os.kill(process, signal.SIGKILL)  # harmless to one that has ended
                return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        return 0

    def begin(self, asked: "_Asked") -> Future[Scores]:
        future: Future[Scores] = Future()
        self.owes.append(future)
        try:
            self.connection.send(asked)
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
            what = "a process that scores texts was killed, by the system for lack of memory or by hand"
            return RunFailed(what, hint=Setting("threads", text="fewer {} need less memory"))
        return RunFailed(f"a process that scores texts ended with code {code}")


def _fork(work: Callable[[], object]) -> int:
    """Start a copy of this process that does the work and ends; returns its id. Raises `OSError` if it cannot start."""
    masked = signal.pthread_sigmask(signal.SIG_BLOCK, WORKER_SIGNALS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12, about threads that a fork loses
            process = os.fork()
        if not process:
            _end_after(work)
        return process
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, masked)


def _end_after(work: Callable[[], object]) -> NoReturn:
    """Do the work, then end this process at once, whatever it has open."""
    try:
        work()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(1)


def _serve(connection: Connection, predictor: Predictor) -> None:
    """Do a worker's work until its parent process closes the connection or ends."""
    # Files, locks and connections that only the parent process may keep open.
    os.closerange(STANDARD, connection.fileno())
    os.closerange(connection.fileno() + 1, MAX_FILES)
    keep_memory()
    predictor.threads = 1  # of this process's copy
    to_score: SimpleQueue[_Asked] = SimpleQueue()
    threading.Thread(target=_end_after, args=(partial(_read, connection, to_score),), daemon=True).start()
    while True:
        try:
            reply: Scores | Exception = predictor.score(*to_score.get())
        except Exception as error:
            reply = _sendable(error)
        with suppress(OSError):  # the parent has ended; the reading thread is about to notice
            connection.send(reply)


def keep_memory() -> None:
    """Make the C library keep a batch's freed memory for the next one, for the rest of this process."""
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):  # only glibc has it
        for setting, value in MALLOPT.items():
            mallopt(setting, value)


def _read(connection: Connection, to_score: "SimpleQueue[_Asked]") -> None:
    """Receive texts while others are scored, so that the parent process does not wait."""
    with suppress(EOFError, OSError):  # the parent has closed it, or ended
        while True:
            to_score.put(connection.recv())


def _sendable(error: Exception) -> Exception:
    """The error, or one with its message if it cannot be pickled, with its traceback as a note."""
    lines = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(lines)
    return error


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
