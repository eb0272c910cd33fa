"""A disk that refuses, at whatever call, is told in one line that names the file; what stood there before stands."""

import errno
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rnn_cli.batch import to_file
from rnn_cli.batch.stores import store_of
from rnn_cli.batch.to_folder import open_job_folder, score_to_folder
from rnn_cli.errors import Error
from rnn_cli.scoring.predictor import Predictor
from tests.conftest import every_step

from .conftest import MODEL, Heard, job_of

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Refusal:
    """Refuses the call number `at` that would change a file below a folder, from 1; counts them."""

    def __init__(self) -> None:
        self.at, self.calls, self.folder = 0, 0, ""

    def __call__(self, event: str, arguments: Any) -> None:
        if not self.folder or event not in ("open", "os.mkdir", "os.rename", "os.remove", "os.chmod", "os.truncate"):
            return
        path = str(arguments[0])
        is_handle = event == "os.truncate" and isinstance(arguments[0], int)
        if not (is_handle or path.startswith(self.folder) or not os.path.isabs(path)) or "in.csv" in path:
            return
        if event == "open" and not arguments[2] & WRITING:
            return
        self.strike()

    def strike(self, *_: Any) -> None:
        self.calls += 1
        if self.calls == self.at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


_REFUSAL = Refusal()
sys.addaudithook(_REFUSAL)


@pytest.fixture
def refusing(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Any]:
    """A block in which one call is refused; answers what counts them."""
    monkeypatch.setattr(os, "fsync", lambda handle: _REFUSAL.strike() if _REFUSAL.folder else None)

    @contextmanager
    def refuse(at: int) -> Iterator[Refusal]:
        _REFUSAL.at, _REFUSAL.calls, _REFUSAL.folder = at, 0, str(home)
        try:
            yield _REFUSAL
        finally:
            _REFUSAL.folder = ""

    return refuse


def rows(count: int = 30) -> None:
    lines = [f"{n},warm film {n}" if n % 10 else "bad,row,of,many" for n in range(count)]
    Path("in.csv").write_text("id,text\n" + "\n".join(lines) + "\n")


@every_step
@pytest.mark.parametrize("output", ["out.csv.gz", "out.parquet"])
def test_a_file(output: str, stride: int, refusing: Any, predictor: Predictor, small_windows: None) -> None:
    rows()
    rejects = Path("bad.jsonl")
    job = job_of("in.csv", output, on_bad_row="skip")

    def score(**how: bool) -> Any:
        return to_file.score_to_file(job, predictor, MODEL, Path(output), rejects, Heard(), **how)

    score()
    whole = Path(output).read_bytes(), rejects.read_bytes()
    with refusing(0) as refusal:
        score(force=True)
    calls = refusal.calls
    assert calls > 10
    for at in range(1, calls + 1, stride):
        for file in (Path(output), rejects):
            file.write_bytes(b"old")
        with refusing(at):
            try:
                score(force=True)
            except Error as error:
                assert re.fullmatch(
                    rf"({re.escape(output)}|bad.jsonl)\S*: cannot be written \(no space left on device\); .*",
                    str(error),
                ), (at, str(error))
        if Path(f"{output}.unfinished/_job.json").exists():
            score(resume=True)
        elif Path(output).read_bytes() == b"old":
            assert rejects.read_bytes() == b"old"
            score(force=True)
        assert (Path(output).read_bytes(), rejects.read_bytes()) == whole, at
        assert sorted(path.name for path in Path().iterdir()) == sorted([output, "bad.jsonl", "in.csv"]), at


@every_step
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_folder(form: str, stride: int, refusing: Any, predictor: Predictor, small_windows: None) -> None:
    rows()
    job = job_of("in.csv", "x", format=form, on_bad_row="skip")

    def score(**how: bool) -> None:
        with open_job_folder(job, MODEL, store_of("out/"), **{"resume": False, "force": False, **how}) as folder:
            folder.finish(job, score_to_folder(job, predictor, folder, Heard()))

    def content() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in Path("out").rglob("*") if path.is_file()}

    score()
    whole = content()
    with refusing(0) as refusal:
        score(force=True)
    for at in range(1, refusal.calls + 1, stride):
        with refusing(at):
            try:
                score(force=True)
            except Error as error:
                assert re.fullmatch(r"\S*out\S*: cannot be written \(no space left on device\); .*", str(error)), (
                    at,
                    str(error),
                )
        score(force=True)
        assert content() == whole, at
