"""Commands run in this process, where that is the same, or in one of their own."""

import fcntl
import io
import math
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NamedTuple

import pytest

from rnn_cli import progress
from rnn_cli.cli.main import run
from tests import warm

COMMAND = [sys.executable, "-c", "from rnn_cli.cli.main import main; main()"]
STREAMS = ("stdin", "stdout", "stderr")


class Ended(NamedTuple):
    code: int
    out: str
    err: str


Rnn = Callable[..., Ended]


def on_a_terminal(
    *words: str, columns: int = 80, streams: Sequence[str] = STREAMS, raw: bool = False, fresh: bool = False
) -> tuple[str, Ended]:
    """Runs a command line of which these streams are a terminal: what it shows, and the rest.

    It is without control codes, unless it shall be `raw`. A `fresh` process has to load the libraries itself.
    """
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    with open(os.devnull, "rb") as nothing, TemporaryFile() as out, TemporaryFile() as err:
        usual = {"stdin": nothing.fileno(), "stdout": out.fileno(), "stderr": err.fileno()}
        given = usual | dict.fromkeys(streams, its)
        # Python's own idea of the environment: readline, where it is loaded, puts another terminal's width into C's.
        if fresh:
            child: Any = subprocess.Popen([*COMMAND, *words], env=os.environ, **given)
        else:
            child = warm.Child(warm.begin(), words, *given.values())
        os.close(its)
        shown = b""
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:  # the terminal's end
            os.close(ours)
        code = child.wait(60)
        printed = []
        for each in (out, err):
            each.seek(0)
            printed.append(each.read().decode())
    plain = shown.decode() if raw else re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    return plain, Ended(code, *printed)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in. No step of this process is ever long, however busy the machine is."""
    monkeypatch.setattr(progress, "SILENCE", math.inf)
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
