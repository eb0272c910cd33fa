"""A job that ends early: what is left of it, and that it goes on to the very bytes of one that did not."""

import fcntl
import gc
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rnn_cli.batch import to_file, windows
from rnn_cli.batch.stores import Local
from rnn_cli.errors import BundleError, DataError, RunFailed, UsageError
from rnn_cli.forks import CAN_FORK
from rnn_cli.scoring import pool
from tests.children import children
from tests.conftest import every_step

from .conftest import read_table, write_table

pytestmark = pytest.mark.usefixtures("small_windows")

ROWS = [[str(n), f"warm film {n}" if n % 3 else "dull, noisy"] for n in range(100)]
OUTPUTS = ["out.csv", "out.csv.gz", "out.jsonl.zst", "out.parquet"]
BAD = 60


class Killed(BaseException):
    """The process is gone: from here on nothing reaches the disk, whatever a `finally` tries."""


@pytest.fixture
def files() -> list[str]:
    """Two files of which the windows of one end amid a chunk."""
    write_table("a.csv", ["id", "text"], ROWS[:29])
    write_table("b.csv", ["id", "text"], ROWS[29:])
    return ["a.csv", "b.csv"]


@pytest.fixture
def with_bad_rows(files: list[str]) -> list[str]:
    """The same, with two bad rows in the second."""
    lines = Path("b.csv").read_text().splitlines()
    lines[BAD // 2] = lines[BAD] = "bad"
    Path("b.csv").write_text("\n".join(lines))
    return files


def names() -> set[str]:
    return {path.name for path in Path().iterdir()} - {"a.csv", "b.csv"}


def bytes_of(output: str) -> bytes:
    return Path(output).read_bytes()


@pytest.mark.parametrize("output", OUTPUTS)
def test_killed_after_any_saving_it_goes_on_to_the_same_bytes(
    output: str, with_bad_rows: list[str], score: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = score(with_bad_rows, "whole." + output.partition(".")[2], on_bad_row="skip")
    write, at, told = Local.write, 0, Path(f"{output}.rejected.jsonl")
    saves = 0

    def killed(store: Local, name: str, content: bytes) -> None:
        nonlocal saves
        write(store, name, content)
        saves += 1
        if saves == at:
            Path(f"{output}.unfinished/.{name.rpartition('/')[2]}.abc.part").write_bytes(b"half of a part")
            raise Killed

    monkeypatch.setattr(Local, "write", killed)
    for at in range(1, 100):
        saves = 0
        try:
            score(with_bad_rows, output, on_bad_row="skip")
            break
        except Killed:
            assert not Path(output).exists() and not told.exists()
        at, saves = 0, 0
        resumed = score(with_bad_rows, output, on_bad_row="skip", resume=True)
        assert resumed.counts == whole.counts
        assert resumed.rejected == whole.rejected
        assert bytes_of(output) == bytes_of("whole." + output.partition(".")[2])
        Path(output).unlink()
        told.unlink()
    assert at >= 5


@pytest.mark.skipif(not CAN_FORK, reason="without forks nothing but the whole job can be killed")
def test_a_worker_that_is_killed_ends_the_job_and_no_row_is_lost(
    files: list[str], score: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    score(files, "whole.csv")
    Path("out.csv").write_text("old")
    write, before = Local.write, children()

    def killing(store: Local, name: str, content: bytes) -> None:
        write(store, name, content)
        for worker in set(children()) - set(before):
            os.kill(worker, signal.SIGKILL)

    with monkeypatch.context() as patch:
        patch.setattr(Local, "write", killing)
        with pytest.raises(RunFailed, match="a process that scores texts was killed"):
            score(files, "out.csv", force=True)
    assert Path("out.csv").read_text() == "old" and children() == before
    score(files, "out.csv", resume=True)
    assert bytes_of("out.csv") == bytes_of("whole.csv")


def test_killed_again_and_again_it_comes_to_an_end(
    files: list[str], score: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    score(files, "whole.csv.gz")
    write = Local.write

    def killed(store: Local, name: str, content: bytes) -> None:
        write(store, name, content)
        if name != "_job.json":
            raise Killed

    monkeypatch.setattr(Local, "write", killed)
    kills = 0
    while not Path("out.csv.gz").exists():
        try:
            score(files, "out.csv.gz", resume=True)
        except Killed:
            kills += 1
    assert kills >= 5
    assert bytes_of("out.csv.gz") == bytes_of("whole.csv.gz")
    assert names() == {"whole.csv.gz", "out.csv.gz"}


# Faults at every call

CALLS: list[tuple[Any, str]] = [
    *((os, name) for name in ("fsync", "open", "mkdir", "rmdir", "unlink", "rename", "replace", "ftruncate")),
    (fcntl, "flock"),
    (Path, "write_bytes"),
    (to_file, "copyfileobj"),
]
FULL, INTERRUPTED, KILLED = OSError(28, "No space left on device"), KeyboardInterrupt(), Killed()
CASES: dict[str, tuple[BaseException, bytes | None, str]] = {
    "full, anew": (FULL, None, "out.parquet"),
    "full, to replace": (FULL, b"old", "out.csv.gz"),
    "interrupted": (INTERRUPTED, None, "out.csv.gz"),
    "killed, anew": (KILLED, None, "out.csv.gz"),
    "killed, to replace": (KILLED, b"old", "out.parquet"),
}


class Faults:
    """Counts the calls that change the disk and makes the one of number `at` fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fault: BaseException, at: int) -> None:
        self.calls, self.fault, self.at = 0, fault, at
        for module, name in CALLS:
            monkeypatch.setattr(module, name, self._counted(getattr(module, name)))

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            self.calls += 1
            if self.calls == self.at or (isinstance(self.fault, Killed) and self.calls > self.at):
                raise self.fault
            return real(*arguments, **keywords)

        return call


@contextmanager
def faulty(fault: BaseException, at: int) -> Iterator[Faults]:
    """Lets the fault of that number come; an OSError is told in one line or passed over, any other goes through."""
    with pytest.MonkeyPatch.context() as patch:
        faults = Faults(patch, fault, at)
        try:
            yield faults
        except (RunFailed, BundleError) as error:
            assert isinstance(fault, OSError)
            assert "no space left on device" in str(error) and "\n" not in str(error)
        except type(fault) as error:
            assert error is fault and not isinstance(fault, OSError), "an OSError must be told"


@every_step
@pytest.mark.parametrize(("fault", "old", "output"), CASES.values(), ids=CASES)
def test_a_fault_at_any_call_leaves_the_old_or_the_new_and_can_be_gone_on_from(
    fault: BaseException,
    old: bytes | None,
    output: str,
    stride: int,
    with_bad_rows: list[str],
    score: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "CAN_FORK", False)  # a thousand times two workers take a minute to start
    lines = Path("b.csv").read_text().splitlines()
    Path("b.csv").write_text("\n".join(lines[: BAD // 2 + 10]))  # two savings are enough
    whole = score(with_bad_rows, "whole." + output.partition(".")[2], on_bad_row="skip")
    new, told = bytes_of("whole." + output.partition(".")[2]), Path(f"{output}.rejected.jsonl")
    resumed = 0
    for at in range(1, 1000, stride):
        if old is not None:
            Path(output).write_bytes(old)
            told.write_bytes(b'"old"\n' * whole.counts.rejected)
        with faulty(fault, at) as faults:
            score(with_bad_rows, output, on_bad_row="skip", force=old is not None)
        if faults.calls < at:
            break
        stands = Path(output).read_bytes() if Path(output).exists() else None
        assert stands in (old, new)
        if Path(f"{output}.unfinished/_job.json").exists():
            assert score(with_bad_rows, output, on_bad_row="skip", resume=True).rejected == whole.rejected
            resumed += 1
        elif stands != new:
            score(with_bad_rows, output, on_bad_row="skip", force=old is not None)
        assert bytes_of(output) == new
        # What is left where a folder could not be deleted is next to nothing.
        assert {path.name for path in Path(f"{output}.unfinished").rglob("*") if path.is_file()} <= {".lock"}
        shutil.rmtree(f"{output}.unfinished", ignore_errors=True)
        Path(output).unlink()
        told.unlink(missing_ok=True)
        for hidden in Path().glob(".*.part"):
            hidden.unlink()
    assert at > 30 and resumed > 15 // stride


# Who may go on, and from what


@pytest.fixture
def stopped(files: list[str], score: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files of a job that was killed after its second part."""
    stop(files, score)
    return files


def stop(files: list[str], score: Any, saves: int = 2, output: str = "out.csv", **more: Any) -> None:
    write, left = Local.write, saves

    def killed(store: Local, name: str, content: bytes) -> None:
        nonlocal left
        write(store, name, content)
        left -= name[0] != "_"
        if not left:
            raise Killed

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Local, "write", killed)
        score(files, output, **more)


def test_an_unfinished_job_is_not_begun_anew_by_mistake(stopped: list[str], score: Any) -> None:
    with pytest.raises(
        UsageError, match=r"^out.csv.unfinished: an unfinished job; go on with resume=True, or start again .*"
    ):
        score(stopped, "out.csv")
    assert bytes_of("out.csv.unfinished/00000-00000.csv")
    assert score(stopped, "out.csv", force=True).heard.rows == 100
    assert names() == {"out.csv"}


def test_resumed_it_does_only_what_is_left(stopped: list[str], score: Any) -> None:
    assert score(stopped, "out.csv", resume=True).heard.rows == 100 - 29  # the first file's two parts stood
    assert [row[0] for row in read_table("out.csv")[1]] == [row[0] for row in ROWS]


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "proba": ({"proba": True}, "proba"),
    "prefix": ({"prefix": "p_"}, "prefix"),
    "format": ({"format": "tsv"}, "format"),
    "how": ({"how": {"text_column": "text"}}, "way to read the input"),
    "quoting": ({"how": {"quoting": "none"}}, "way to read the input"),
    "header": ({"how": {"header": True}}, "way to read the input"),
    "mark": ({"on_bad_row": "mark"}, "on_bad_row"),
}


@pytest.mark.parametrize(("change", "told"), CHANGES.values(), ids=CHANGES)
def test_with_another_option_it_is_refused(change: dict[str, Any], told: str, stopped: list[str], score: Any) -> None:
    before = bytes_of("out.csv.unfinished/_job.json")
    with pytest.raises(
        UsageError, match=f"^out.csv.unfinished: was begun with another {told}; call it as it was begun"
    ):
        score(stopped, "out.csv", resume=True, **change)
    assert bytes_of("out.csv.unfinished/_job.json") == before
    score(stopped, "out.csv", resume=True)


def test_with_other_input_it_is_refused(stopped: list[str], score: Any) -> None:
    with pytest.raises(UsageError, match="was begun with another input, or it has changed"):
        score(stopped[:1], "out.csv", resume=True)
    os.utime("b.csv", (1, 1))
    with pytest.raises(UsageError, match="was begun with another input, or it has changed"):
        score(stopped, "out.csv", resume=True)


def test_with_windows_of_another_size_it_is_refused(
    stopped: list[str], score: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "BLOCK_CHARACTERS", windows.BLOCK_CHARACTERS // 2)
    with pytest.raises(
        UsageError, match="was begun with another release of rnn; call it as it was begun, or start again"
    ):
        score(stopped, "out.csv", resume=True)


def test_with_another_model_it_is_refused(stopped: list[str], score: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from . import conftest

    monkeypatch.setattr(conftest, "MODEL", {"model": "another's"})
    with pytest.raises(UsageError, match="was begun with another model"):
        score(stopped, "out.csv", resume=True)


@pytest.mark.parametrize("output", OUTPUTS)
def test_stopped_by_a_bad_row_it_goes_on_past_it(output: str, with_bad_rows: list[str], score: Any) -> None:
    score(with_bad_rows, f"whole.{output.partition('.')[2]}", on_bad_row="skip")
    with pytest.raises(DataError, match="^b.csv:31: 1 field, expected 2"):
        score(with_bad_rows, output)
    done = score(with_bad_rows, output, on_bad_row="skip", resume=True)
    assert (done.counts.rejected, done.counts.rows) == (2, 100) and done.heard.rows < 100
    assert bytes_of(output) == bytes_of(f"whole.{output.partition('.')[2]}")


def test_a_job_that_fails_leaves_python_as_it_was(with_bad_rows: list[str], score: Any) -> None:
    before = sys.getswitchinterval(), gc.get_threshold(), children()
    with pytest.raises(DataError) as held:
        score(with_bad_rows, "out.csv")
    assert (sys.getswitchinterval(), gc.get_threshold(), children()) == before
    assert held.value


def test_a_finished_job_has_nothing_to_go_on_with(files: list[str], score: Any) -> None:
    score(files, "out.csv")
    with pytest.raises(UsageError, match="^out.csv: stands, and no unfinished job for it; it may be finished"):
        score(files, "out.csv", resume=True)
    with pytest.raises(
        UsageError, match="^out.csv: exists; use force=True to replace it, or choose another (output|rejects)"
    ):
        score(files, "out.csv")


def test_an_output_that_came_meanwhile_is_not_replaced(stopped: list[str], score: Any) -> None:
    Path("out.csv").write_text("mine")
    with pytest.raises(UsageError, match="^out.csv: has come meanwhile; replace it with force=True, or move it"):
        score(stopped, "out.csv", resume=True)
    assert bytes_of("out.csv") == b"mine"
    score(stopped, "out.csv", resume=True, force=True)
    assert len(read_table("out.csv")[1]) == 100


@pytest.mark.parametrize("damage", ["", "{}", "[1]", "\0\1", "flip"])
def test_a_damaged_journal_is_told(damage: str, stopped: list[str], score: Any) -> None:
    file = Path("out.csv.unfinished/_job.json")
    file.write_text(file.read_text().replace('"finished": false', '"finished": true') if damage == "flip" else damage)
    with pytest.raises(BundleError, match="^out.csv.unfinished/_job.json: damaged, .*; start again with force=True"):
        score(stopped, "out.csv", resume=True)
    score(stopped, "out.csv", force=True)


HOLDER = """
import sys
from pathlib import Path
from rnn_cli.batch.stores import Local
with Local(Path("out.csv.unfinished")).held():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_refused_and_a_killed_one_lets_go(files: list[str], score: Any) -> None:
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", HOLDER], **pipes) as holder:
        assert holder.stdout and holder.stdout.readline() == "held\n"
        for how in ({}, {"resume": True}, {"force": True}):
            with pytest.raises(UsageError, match="^out.csv.unfinished: another process is working on it"):
                score(files, "out.csv", **how)
        holder.kill()
        holder.wait()
    assert score(files, "out.csv").counts.rows == 100
    assert names() == {"out.csv"}


def test_a_folder_of_that_name_that_is_not_ours_is_left_alone(files: list[str], score: Any) -> None:
    Path("out.csv.unfinished").mkdir()
    Path("out.csv.unfinished/thesis.txt").write_text("years of work")
    for force in (False, True):
        with pytest.raises(UsageError, match="^out.csv.unfinished: exists and is not an unfinished job; move it"):
            score(files, "out.csv", force=force)
    assert bytes_of("out.csv.unfinished/thesis.txt") == b"years of work"


def test_a_file_of_rejected_rows_that_came_meanwhile_is_not_replaced(stopped: list[str], score: Any) -> None:
    Path("out.csv.rejected.jsonl").write_text("mine")
    with pytest.raises(UsageError, match="^out.csv.rejected.jsonl: has come meanwhile; replace it with force=True"):
        score(stopped, "out.csv", resume=True)
    assert Path("out.csv.rejected.jsonl").read_text() == "mine"
    assert names() == {"out.csv.unfinished", "out.csv.rejected.jsonl"}
