"""Trials at once: the same again, whoever runs them and whatever is killed on the way."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rnn_cli.errors import UsageError
from rnn_cli.tuning import several_at_once
from rnn_cli.tuning.journal import JOURNAL, Journal, TrialRecord
from rnn_cli.tuning.place import search_folder
from rnn_cli.tuning.search import TrialJob, TrialResult
from rnn_cli.tuning.several_at_once import SearchCopy, run_in_copy
from rnn_cli.tuning.tune import Wanted, resume_tuning
from tests.conftest import labelled_texts, write_csv
from tests.tuning.conftest import Hears, search
from tests.tuning.test_search import same


class OneAfterAnother:
    """Runs each trial of a batch in a copy of the search, in this process; the first one last, as none sees another."""

    stops_at: int | None = None

    def __init__(self, copy: SearchCopy, jobs: int) -> None:
        self.width = jobs
        self.copies = [copy.opened() for _ in range(jobs)]

    def run(self, jobs: Sequence[TrialJob], ended: Sequence[TrialRecord], left: float | None) -> list[TrialResult]:
        if any(job.number == self.stops_at for job in jobs):
            raise KeyboardInterrupt
        pairs = [*zip(self.copies, jobs, strict=False)]
        return [run_in_copy(copy, job, ended, left) for copy, job in reversed(pairs)][::-1]

    def close(self) -> None:
        pass


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    write_csv(tmp_path / "rows.csv", labelled_texts(["good", "bad"], 160))
    return tmp_path / "rows.csv"


def test_a_search_that_is_stopped_within_a_batch_goes_on_to_the_same_end(rows: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(several_at_once, "TrialProcesses", OneAfterAnother)
    whole = search(rows, rows.parent / "whole", trials=7, jobs=2)
    assert [each.asked_after for each in whole.trials if each.state != "skipped"].count(None) >= 4
    assert any(each.asked_after == each.number - 1 for each in whole.trials)
    monkeypatch.setattr(OneAfterAnother, "stops_at", 5)
    with pytest.raises(KeyboardInterrupt):
        search(rows, rows.parent / "stopped", trials=7, jobs=2)
    assert len(Journal.open(search_folder(rows.parent / "stopped")).ended) == 5
    monkeypatch.setattr(OneAfterAnother, "stops_at", None)
    same(resume_tuning(rows.parent / "stopped", None, Wanted(), shows=Hears()), whole)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"jobs": 0}, "expected 1 to 256, got 0"),
        ({"ray_address": "there:1"}, "is for the engine ray"),
        ({"engine": "spark"}, "expected local or ray, got 'spark'"),
    ],
)
def test_what_cannot_be(asked: dict[str, Any], told: str):
    with pytest.raises(UsageError, match=told):
        Wanted(**asked).check()


CONFIG = """
data: {source: rows.csv, validation: 0.2, test: 0.2}
tokenizer: {vocab_size: 60, max_length: 12}
model: {cell: rnn, bidirectional: false, embedding_dim: 8, units: [4], dense_units: [], ngrams: 1, ngram_buckets: 256}
training: {epochs: 2, batch_size: 16, learning_rate: 0.1}
tune:
  halving: epochs
  model.ngrams: [1, 2]
  model.units: [[4], [8]]
  training.learning_rate: {low: 0.01, high: 0.2, log: true}
"""
COMMAND = [sys.executable, "-m", "rnn_cli", "tune"]


def started(home: Path, *words: str) -> subprocess.Popen[bytes]:
    nowhere = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([*COMMAND, *words], cwd=home, start_new_session=True, **nowhere)  # type: ignore[call-overload,no-any-return]


def of_session(session: int) -> list[int]:
    """The processes of a session that live."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(folder.name))
    return found


def figures(folder: Path) -> list[tuple[Any, ...]]:
    return [(each.state, dict(each.settings), each.value) for each in Journal.open(folder).ended]


@pytest.fixture
def home(rows: Path) -> Path:
    (rows.parent / "a.yaml").write_text(CONFIG)
    return rows.parent


@pytest.mark.slow
def test_processes_and_ray_run_the_same_trials(home: Path):
    """A process for each trial, or tasks of a cluster; what is found is the same."""
    pytest.importorskip("ray")
    words = ["a.yaml", "--trials", "5", "--jobs", "2"]
    for out, more in (("local", []), ("ray", ["--engine", "ray"])):
        assert started(home, *words, "--out", out, *more).wait(timeout=600) == 0
    assert figures(home / "local.tune") == figures(home / "ray.tune")
    for name in ("model.onnx", "predictions.csv", "config.yaml"):
        assert (home / "local" / name).read_bytes() == (home / "ray" / name).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_a_search(home: Path, how: signal.Signals):
    running = started(home, "a.yaml", "--trials", "20", "--jobs", "2", "--out", "out")
    journal = home / "out.tune" / JOURNAL
    while not (journal.exists() and '"begin":{"number":1' in journal.read_text()):
        assert running.poll() is None
        time.sleep(0.2)
    time.sleep(2)
    assert len(of_session(running.pid)) >= 3
    os.kill(running.pid, how)
    running.wait(timeout=60)
    for _ in range(100):
        if not of_session(running.pid):
            break
        time.sleep(0.1)
    assert not of_session(running.pid)


THIRTY_KILLS = """
import os, signal, sys, time
from pathlib import Path
import rnn_cli.training.quiet, rnn_cli.training.run, rnn_cli.tuning.tune
from rnn_cli import api

journal, kills = Path("out.tune/journal.jsonl"), 0
while True:
    had = journal.stat().st_size if journal.exists() else 0
    child = os.fork()
    if not child:
        try:
            api.tune(resume="out") if had else api.tune("a.yaml", trials=12, out="out")
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    ended = 0
    while not ended and (kills >= 30 or not journal.exists() or journal.stat().st_size == had):
        ended, status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.01)
    if ended:
        print(kills, os.waitstatus_to_exitcode(status))
        sys.exit()
    time.sleep(0.05 * (kills % 15))  # within a trial, as it ends, as the winner is written
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    kills += 1
"""


@pytest.mark.slow
def test_thirty_kills_all_resume(home: Path):
    """Killed again and again, a search goes on each time, to the same end as one that was left alone."""
    assert started(home, "a.yaml", "--trials", "12", "--out", "whole").wait(timeout=900) == 0
    ended = subprocess.run(
        [sys.executable, "-c", THIRTY_KILLS], cwd=home, capture_output=True, text=True, timeout=1800, check=False
    )
    kills, code = map(int, ended.stdout.split())
    assert code == 0, ended.stderr
    assert kills >= 10
    assert figures(home / "out.tune") == figures(home / "whole.tune")
    assert (home / "out" / "model.onnx").read_bytes() == (home / "whole" / "model.onnx").read_bytes()
