"""Workers: what becomes of them, and of what they do, when one of the processes ends before its time."""

import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from rnn_cli.errors import RunFailed
from rnn_cli.forks import CAN_FORK
from rnn_cli.scoring.pool import Workers, score_each
from rnn_cli.scoring.predictor import Predictor, Scores
from tests.children import children, has_ended

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="workers are forks")

TEXTS = ["warm film", "a dull film " * 4]

ENDLESS = """
import itertools, pathlib, sys
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.scoring.pool import score_each
predictor = Predictor.open(pathlib.Path(sys.argv[1]), threads=2)
scoring = score_each(predictor, itertools.repeat(["a dull film"] * 500), lambda texts: texts)
next(scoring)
print("begun", flush=True)
"""


@pytest.fixture
def workers(trained: Path) -> Iterator[Workers]:
    before = children()
    with closing(Workers(Predictor.open(trained, threads=2))) as workers:
        yield workers
    assert children() == before


@pytest.fixture
def both(workers: Workers) -> list[int]:
    """The numbers of the two workers, which have nothing to do."""
    before = children()
    for answer in [workers.begin(TEXTS * 2000) for _ in range(2)]:  # so many that the first is at it for long
        answer()
    started = sorted(set(children()) - set(before))
    assert len(started) == 2
    return started


def send(number: int, processes: list[int]) -> None:
    for process in processes:
        os.kill(process, number)


def ends_soon(process: int) -> bool:
    deadline = time.monotonic() + 20
    while not has_ended(process) and time.monotonic() < deadline:
        time.sleep(0.01)
    return has_ended(process)


def test_they_are_gone_when_nobody_asks_for_more(trained: Path) -> None:
    before = children()
    scoring = score_each(Predictor.open(trained, threads=3), repeat(TEXTS * 2000), lambda texts: texts)
    next(scoring)
    assert len(children()) == len(before) + 3
    scoring.close()  # type: ignore[attr-defined]
    assert children() == before


def test_there_are_no_more_than_there_is_work_for(workers: Workers) -> None:
    before = children()
    for _ in range(3):
        workers.begin(TEXTS)()
        assert len(children()) == len(before) + 1


def test_without_items_there_is_none(trained: Path) -> None:
    assert list(score_each(Predictor.open(trained, threads=2), [], lambda texts: texts)) == []


def test_answers_may_be_taken_in_any_order(workers: Workers, trained: Path) -> None:
    predictor = Predictor.open(trained)
    lists = [["film"] * size for size in range(1, 12)]
    predicted = [workers.begin(texts) for texts in lists]
    for texts, answer in reversed(list(zip(lists, predicted, strict=True))):
        assert answer().probabilities.tolist() == predictor.score(texts).probabilities.tolist()


def test_what_a_worker_raises_is_raised_here_with_its_place_and_it_goes_on(workers: Workers) -> None:
    broken: Any = [None]
    predicted = [workers.begin(broken), workers.begin(broken), *(workers.begin(TEXTS) for _ in range(4))]
    for answer in predicted[:2]:
        with pytest.raises(AttributeError, match="NoneType") as raised:
            answer()
        assert "tokenizer.py" in "".join(traceback.format_exception(raised.value))
    assert [len(answer().known) for answer in predicted[2:]] == [2, 2, 2, 2]


class Local(Exception):
    """It cannot be made again of what is left of it: of its message."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} {second}")


def test_an_error_that_cannot_be_sent_is_told_in_its_words(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(self: Predictor, texts: Any, columns: Any = None) -> Scores:
        raise Local("too", "late")

    monkeypatch.setattr(Predictor, "score", failing)
    with closing(Workers(Predictor.open(trained, threads=2))) as workers, pytest.raises(RuntimeError, match="too late"):
        workers.begin(TEXTS)()


class Unreadable:
    """A text that cannot be read by those it is sent to."""

    def __reduce__(self) -> tuple[Callable[[], object], tuple[()]]:
        return _no_memory, ()


def _no_memory() -> None:
    raise MemoryError


def test_a_worker_that_cannot_read_ends(workers: Workers) -> None:
    unreadable: Any = [Unreadable()]
    with pytest.raises(RunFailed, match="a process that scores texts ended with code 1$"):
        workers.begin(unreadable)()


def test_a_killed_worker_is_told_of(both: list[int], workers: Workers) -> None:
    send(signal.SIGKILL, both)
    with pytest.raises(RunFailed, match="was killed, by the system for lack of memory or by hand; fewer threads"):
        workers.begin(TEXTS)()


def test_a_killed_worker_is_told_of_while_its_answer_is_waited_for(both: list[int], workers: Workers) -> None:
    send(signal.SIGSTOP, both)
    predicted = [workers.begin(TEXTS) for _ in both]
    send(signal.SIGKILL, both)
    with pytest.raises(RunFailed, match="was killed"):
        predicted[0]()


def test_no_room_for_a_worker(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refused)
    told = r"cannot start another process \(resource temporarily unavailable\); use fewer threads"
    with pytest.raises(RunFailed, match=f"^{told}$"):
        workers.begin(TEXTS)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_they_leave_signals_to_the_first_process(number: int, both: list[int], workers: Workers) -> None:
    send(number, both)
    predicted = [workers.begin(TEXTS) for _ in range(4)]
    assert [len(answer().known) for answer in predicted] == [2, 2, 2, 2]


def test_they_hold_no_file_open(trained: Path) -> None:
    ours, theirs = os.pipe()
    with closing(Workers(Predictor.open(trained, threads=2))) as workers:
        predicted = [workers.begin(TEXTS * 2000) for _ in range(2)]
        for answer in predicted:
            answer()
        os.close(theirs)
        assert os.read(ours, 1) == b""  # the end: nobody can write any more
    os.close(ours)


def test_they_are_closed_at_once_whoever_else_holds_their_files(both: list[int], workers: Workers) -> None:
    other = os.fork()
    if not other:
        signal.pause()
        os._exit(0)
    workers.close()
    assert os.waitpid(other, os.WNOHANG) == (0, 0)  # it was not waited for
    assert not set(both) & set(children())
    os.kill(other, signal.SIGKILL)
    os.waitpid(other, 0)


@pytest.mark.parametrize("end", ["", "raise SystemExit(3)", "import os; os.kill(os.getpid(), 9)"])
def test_they_end_with_the_first_process_however_it_ends(end: str, trained: Path) -> None:
    script = [sys.executable, "-c", f"{ENDLESS}sys.stdin.read()\n{end}", str(trained)]
    with subprocess.Popen(script, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdin and first.stdout and first.stdout.readline() == "begun\n"
        started = children(first.pid)
        assert len(started) == 2
        first.stdin.close()
        assert ends_soon(first.pid) and all(map(ends_soon, started))
        first.kill()


POOL = """
import multiprocessing, pathlib, sys
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.scoring.pool import score_each
def scored(model):
    predictor = Predictor.open(pathlib.Path(model), threads=2)
    return [len(scores.known) for _, scores in score_each(predictor, [["a film"] * 3] * 5, lambda texts: texts)]
with multiprocessing.get_context("fork").Pool(1) as pool:
    print(pool.apply(scored, sys.argv[1:]))
"""


def test_a_process_of_a_pool_has_workers_too(trained: Path) -> None:
    script = [sys.executable, "-c", POOL, str(trained)]
    assert subprocess.run(script, capture_output=True, text=True, timeout=60).stdout == "[3, 3, 3, 3, 3]\n"
