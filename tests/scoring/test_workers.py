"""Workers: what becomes of them, and of what they do, when one of the processes ends before its time."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import repeat
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pytest

from rnn_cli.errors import RunFailed
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.scoring.stream import score_each
from rnn_cli.scoring.workers import CAN_FORK, Workers

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="workers are forks")

TEXTS = ["warm film", "a dull film " * 4]


@pytest.fixture
def workers(trained: Path) -> Iterator[Workers]:
    with closing(Workers(Predictor.open(trained, threads=2))) as workers:
        yield workers
    assert not active_children()


def test_they_are_gone_when_nobody_asks_for_more(trained: Path) -> None:
    scoring = score_each(Predictor.open(trained, threads=3), repeat(TEXTS), lambda texts: texts)
    next(scoring)
    assert len(active_children()) == 3
    scoring.close()  # type: ignore[attr-defined]
    assert not active_children()


def test_answers_may_be_taken_in_any_order(workers: Workers, trained: Path) -> None:
    predictor = Predictor.open(trained)
    lists = [["film"] * size for size in range(1, 12)]
    answers = [workers.begin(texts) for texts in lists]
    for texts, answer in reversed(list(zip(lists, answers, strict=True))):
        assert answer().probabilities.tolist() == predictor.score(texts).probabilities.tolist()


def test_what_a_worker_raises_is_raised_here_and_it_goes_on(workers: Workers) -> None:
    broken: Any = [None]
    answers = [workers.begin(broken), workers.begin(broken), *(workers.begin(TEXTS) for _ in range(4))]
    for answer in answers[:2]:
        with pytest.raises(AttributeError, match="NoneType"):
            answer()
    assert [len(answer().known) for answer in answers[2:]] == [2, 2, 2, 2]


def test_a_killed_worker_is_told_of(workers: Workers) -> None:
    for child in active_children():
        os.kill(child.pid or 0, signal.SIGKILL)
    with pytest.raises(RunFailed, match="was killed, by the system for want of memory or by hand; fewer --threads"):
        workers.begin(TEXTS)()


def test_a_killed_worker_is_told_of_while_its_answer_is_waited_for(workers: Workers) -> None:
    stopped = active_children()
    for child in stopped:
        os.kill(child.pid or 0, signal.SIGSTOP)
    answers = [workers.begin(TEXTS) for _ in stopped]
    for child in stopped:
        os.kill(child.pid or 0, signal.SIGKILL)
    with pytest.raises(RunFailed, match="was killed"):
        answers[0]()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_they_leave_signals_to_the_first_process(number: int, workers: Workers) -> None:
    for answer in [workers.begin(TEXTS) for _ in active_children()]:
        answer()  # so all are well under way
    for child in active_children():
        os.kill(child.pid or 0, number)
    assert [len(workers.begin(TEXTS)().known) for _ in range(4)] == [2, 2, 2, 2]


def test_they_hold_no_file_open(trained: Path) -> None:
    ours, theirs = os.pipe()
    with closing(Workers(Predictor.open(trained, threads=2))) as workers:
        answers = [workers.begin(TEXTS) for _ in range(2)]
        for answer in answers:
            answer()
        os.close(theirs)
        assert os.read(ours, 1) == b""  # the end: nobody can write any more
    os.close(ours)


def test_they_end_with_the_first_process_however_it_ends(trained: Path) -> None:
    script = (
        "import itertools, multiprocessing, pathlib, sys\n"
        "from rnn_cli.scoring.predictor import Predictor\n"
        "from rnn_cli.scoring.stream import score_each\n"
        "predictor = Predictor.open(pathlib.Path(sys.argv[1]), threads=2)\n"
        "for _ in score_each(predictor, itertools.repeat(['a dull film'] * 500), lambda texts: texts):\n"
        "    print(*(child.pid for child in multiprocessing.active_children()), flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(trained)], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout
        pids = [int(word) for word in first.stdout.readline().split()]
        assert len(pids) == 2
        first.kill()
    deadline = time.monotonic() + 10
    while any(map(is_running, pids)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
