"""Worker processes: copies (forks) of this process, which answer what they are asked, one thing after the other.

A fork takes milliseconds and shares the memory of this process. It has none of its threads, so what a worker does must
need none that a library started before. Only Linux has reliable forks.
"""

import os
import pickle
import signal
import sys
import threading
import traceback
import warnings
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any, Generic, NoReturn, TypeVar

from rnn_cli.errors import RunFailed, Setting
from rnn_cli.system import reason

_Question = TypeVar("_Question")
_Answer = TypeVar("_Answer")

Tell = Callable[[Any], None]
"""Tells this process, from a worker, how far the worker is."""

CAN_FORK = sys.platform == "linux"

WORKER_SIGNALS = {signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])}
"""Signals to this process that may also reach the workers, which leave them to this process."""

STANDARD = 3
"""Standard input, output and error are files 0 to 2."""

MAX_FILES = 1 << 16
"""More files than this process has open."""


class WorkerLost(RunFailed):
    """A worker cannot be started, or it ended before it had answered."""


class Worker(Generic[_Question, _Answer]):
    """A worker as this process sees it; `owes` are the replies that it has still to give, in order.

    In the worker, `start` makes the function that answers; what that tells on the way, `on_told` hears here. `does`
    and `fewer` are for messages: what the worker does, and the setting that asks for fewer of them. It ends when this
    process does.
    """

    def __init__(
        self,
        start: Callable[[Tell], Callable[[_Question], _Answer]],
        does: str,
        fewer: str | None = None,
        on_told: Tell = lambda _: None,
    ) -> None:
        self.owes: deque[Future[_Answer]] = deque()
        self._does, self._fewer, self._on_told = does, fewer, on_told
        self._process: int | None
        try:
            self.connection, theirs = Pipe()
            with theirs:
                self._process = _fork(partial(_serve, theirs, start))
        except OSError as error:
            raise WorkerLost(
                f"cannot start another process ({reason(error)})", hint=self._hint("use fewer {}")
            ) from error

    def end(self) -> int:
        """Kill the worker unless it has ended; returns its exit code, negative for a signal, 0 if unknown."""
        self.connection.close()
        process, self._process = self._process, None
        with suppress(ProcessLookupError, ChildProcessError):  # where the system does not report ended children
            if process is not None:
                os.kill(process, signal.SIGKILL)  # harmless to one that has ended
                return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        return 0

    def begin(self, asked: _Question) -> Future[_Answer]:
        """Ask the worker; the future is done by `receive`. Raises `WorkerLost`."""
        future: Future[_Answer] = Future()
        self.owes.append(future)
        try:
            self.connection.send(asked)
        except OSError as error:
            raise self._lost() from error
        return future

    def receive(self) -> None:
        """Receive the next thing that is sent: a reply, what it raised, or what it tells. Raises `WorkerLost`."""
        try:
            kind, content = self.connection.recv()
        except (EOFError, OSError) as error:
            raise self._lost() from error
        if kind == "told":
            self._on_told(content)
        elif kind == "raised":
            self.owes.popleft().set_exception(content)
        else:
            self.owes.popleft().set_result(content)

    def _lost(self) -> WorkerLost:
        code = self.end()
        if code == -signal.SIGKILL:
            what = f"a process that {self._does} was killed, by the system for lack of memory or by hand"
            return WorkerLost(what, hint=self._hint("fewer {} need less memory"))
        return WorkerLost(f"a process that {self._does} ended with code {code}")

    def _hint(self, text: str) -> Setting | None:
        return None if self._fewer is None else Setting(self._fewer, text=text)


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


def _serve(connection: Connection, start: Callable[[Tell], Callable[[Any], Any]]) -> None:
    """Do a worker's work until its parent process closes the connection or ends."""
    # Files, locks and connections that only the parent process may keep open.
    os.closerange(STANDARD, connection.fileno())
    os.closerange(connection.fileno() + 1, MAX_FILES)
    asked: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_end_after, args=(partial(_read, connection, asked),), daemon=True).start()
    work = start(lambda content: _send(connection, "told", content))
    while True:
        try:
            found = work(asked.get())
        except Exception as error:
            _send(connection, "raised", _sendable(error))
        else:
            _send(connection, "done", found)


def _send(connection: Connection, kind: str, content: Any) -> None:
    with suppress(OSError):  # the parent has ended; the reading thread is about to notice
        connection.send((kind, content))


def _read(connection: Connection, asked: "SimpleQueue[Any]") -> None:
    """Receive what comes next while the worker works, so that the parent process does not wait."""
    with suppress(EOFError, OSError):  # the parent has closed it, or ended
        while True:
            asked.put(connection.recv())


def _sendable(error: Exception) -> Exception:
    """The error, or one with its message if it cannot be pickled, with its traceback as a note."""
    lines = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(lines)
    return error
