"""Trials of a search run at once, each in a process of its own on some of the cores of this machine.

Each process has what the search has, and learns of trials that have ended before it begins the next: what it decides
follows from these alone, whatever the others do meanwhile. It ends with the process that started it, however that ends.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from rnn_cli.errors import RunFailed
from rnn_cli.system import cores
from rnn_cli.training.listener import SilentListener
from rnn_cli.tuning.budget import Budget
from rnn_cli.tuning.journal import Journal, TrialRecord
from rnn_cli.tuning.place import Place
from rnn_cli.tuning.search import Plan, Search, SearchedRows, TrialJob, TrialResult

HEARD_EVERY = 0.2
"""Seconds between two looks at whether a process still lives."""


class _Unheard(SilentListener):
    """Shows nothing of a trial that runs beside others."""

    def searching(self, *_: Any) -> None:
        """Nothing."""

    def trial_known(self, *_: Any, **__: Any) -> None:
        """Nothing."""

    def trial_starts(self, *_: Any) -> None:
        """Nothing."""

    def trial_done(self, *_: Any, **__: Any) -> None:
        """Nothing."""


@dataclass(frozen=True)
class SearchCopy:
    """What another process needs to run trials of a search: its plan, place, log and rows."""

    plan: Plan
    place: Place
    head: dict[str, Any]
    rows: SearchedRows

    def opened(self) -> Search:
        """The search there, of which no trial has ended."""
        journal = Journal(self.place.folder, self.head)  # it is never written there
        search = Search(self.plan, self.place, journal, self.rows, _Unheard(), Budget(None))
        search.told_rows = True
        return search


def run_in_copy(search: Search, job: TrialJob, ended: Sequence[TrialRecord], left: float | None) -> TrialResult:
    """Run a trial in a copy of the search, after the trials that have `ended`, in at most `left` seconds."""
    for record in ended[len(search.journal.ended) :]:
        search.learn_of(record)
    search.budget = Budget(left)
    record = search.run_trial(job, search.asked_again(job))
    return TrialResult(record, search.keeping)


class TrialProcesses:
    """Processes that run a trial each."""

    def __init__(self, copy: SearchCopy, jobs: int) -> None:
        self._copy = copy
        self._context = multiprocessing.get_context("spawn")
        self._cores = _shares(jobs)
        self._running: list[tuple[BaseProcess, Connection]] = []
        with _interrupts_ignored():
            self._running = [self._started(each) for each in self._cores]

    @property
    def width(self) -> int:
        """How many trials are run at once."""
        return len(self._running)

    def run(self, jobs: Sequence[TrialJob], ended: Sequence[TrialRecord], left: float | None) -> list[TrialResult]:
        """Run up to `width` trials, and wait for all; one whose process is killed has failed."""
        for job, (_, connection) in zip(jobs, self._running, strict=False):
            connection.send((job, list(ended), left))
        return [self._result_of(place, job) for place, job in enumerate(jobs)]

    def _result_of(self, place: int, job: TrialJob) -> TrialResult:
        process, connection = self._running[place]
        try:
            while not connection.poll(HEARD_EVERY):
                if not process.is_alive() and not connection.poll():
                    raise EOFError
            found = connection.recv()
        except (EOFError, OSError):
            process.kill()
            with _interrupts_ignored():
                self._running[place] = self._started(self._cores[place])
            reason = "its process was killed, perhaps for want of memory"
            return TrialResult(TrialRecord(job.number, "failed", job.name, job.settings, job.params, reason=reason))
        if isinstance(found, BaseException):
            raise RunFailed(f"trial {job.number}: {type(found).__name__}: {found}") from found
        result: TrialResult = found
        return result

    def close(self) -> None:
        """End the processes, whatever they do."""
        for process, connection in self._running:
            process.kill()
            process.join()
            connection.close()

    def _started(self, own_cores: set[int]) -> tuple[BaseProcess, Connection]:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs, self._copy, own_cores), daemon=True)
        process.start()
        theirs.close()
        return process, ours


def _shares(jobs: int) -> list[set[int]]:
    """The cores of each process: an equal part, or one of them for several processes."""
    own = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(cores()))
    return [
        {core for at, core in enumerate(own) if at % jobs == place} or {own[place % len(own)]} for place in range(jobs)
    ]


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """What is started in the block ignores Ctrl-C, which reaches all processes of a terminal at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _serve(connection: Connection, copy: SearchCopy, own_cores: set[int]) -> None:
    """Run trials as they come, until the process that sends them ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, own_cores)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    search: Search | None = None
    while True:
        try:
            job, ended, left = connection.recv()
        except EOFError:
            return
        try:
            search = search or copy.opened()
            found: object = run_in_copy(search, job, ended, left)
        except Exception as error:
            found = error
        connection.send(found)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
