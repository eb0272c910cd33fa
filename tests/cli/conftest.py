"""Commands run in this process, where that is the same, or in one of their own."""

import fcntl
import io
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rnn_cli.cli.main import run

COMMAND = [sys.executable, "-c", "from rnn_cli.cli.main import main; main()"]
STREAMS = ("stdin", "stdout", "stderr")


class Ended(NamedTuple):
    code: int
    out: str
    err: str


Rnn = Callable[..., Ended]


class Run(NamedTuple):
    """A process that ended: code, stdout, stderr, how long it took and how many of its calls reached the folder."""

    code: int
    out: str
    err: str
    seconds: float
    calls: int


Forked = Callable[..., Run]


@contextmanager
def forking(*modules: str) -> Iterator[Forked]:
    """Runs command lines in processes of their own that have loaded these modules: words, folder, what befalls it."""
    line = [sys.executable, str(Path(__file__).with_name("forking.py")), *modules]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin and server.stdout
        requests, predicted = server.stdin, server.stdout

        def run(*words: str, home: Path, **fate: Any) -> Run:
            requests.write(json.dumps({"words": words, "home": str(home), **fate}) + "\n")
            requests.flush()
            told = json.loads(predicted.readline())
            texts = [(home / name).read_text() for name in ("out.txt", "err.txt")]
            return Run(told["code"], *texts, told["seconds"], told["calls"])

        yield run
        requests.close()


def on_a_terminal(
    *words: str, columns: int = 80, streams: Sequence[str] = STREAMS, raw: bool = False
) -> tuple[str, Ended]:
    """Runs a command line of which these streams are a terminal: what it shows, and the rest.

    It is without control codes, unless it shall be `raw`.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    # Python's own idea of the environment: readline, where it is loaded, puts another terminal's width into C's.
    with subprocess.Popen([*COMMAND, *words], env=os.environ, **pipes | dict.fromkeys(streams, theirs)) as child:
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:  # the terminal's end
            os.close(ours)
        out, err = child.communicate(timeout=60)
    plain = shown.decode() if raw else re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    return plain, Ended(child.returncode, (out or b"").decode(), (err or b"").decode())


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RNN_MODEL", raising=False)
    return tmp_path


@pytest.fixture
def rnn(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Rnn:
    """Runs a command line in this process: words, the standard input → code, stdout, stderr."""

    def call(*words: str, stdin: bytes = b"") -> Ended:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(stdin))))
        capsys.readouterr()
        code = run(words)
        return Ended(code, *capsys.readouterr())

    return call


@pytest.fixture
def process() -> Rnn:
    """Runs a command line in a process of its own."""

    def call(*words: str, stdin: bytes = b"", **environment: str) -> Ended:
        ended = subprocess.run(
            [*COMMAND, *words], input=stdin, capture_output=True, timeout=60, env=os.environ | environment
        )
        return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode())

    return call


@pytest.fixture
def newest(home: Path, trained: Path) -> Path:
    """The trained bundle as the newest run of the folder."""
    (home / "runs").mkdir()
    shutil.copytree(trained, home / "runs" / "quick-1")
    (home / "runs" / "latest").symlink_to("quick-1")
    return home / "runs" / "quick-1"


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file's content, by its path in the folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def tiny_overrides(tiny: dict[str, dict[str, object]], **more: object) -> list[str]:
    """The words that make any config the tiny one."""
    settings = {f"{section}.{key}": value for section, keys in tiny.items() for key, value in keys.items()}
    settings |= {"data.validation": 0.2, "data.test": 0.2}
    settings |= {name.replace("__", "."): value for name, value in more.items()}
    shown = {name: "null" if value is None else value for name, value in settings.items()}
    return [word for name, value in shown.items() for word in ("--set", f"{name}={value}")]
