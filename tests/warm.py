"""Commands in processes that need not load the libraries: forked from one that has loaded them, before their first use.

    python -S -E tests/warm.py OWNER WORDS...    is as `rnn WORDS...`
    python tests/warm.py --serve OWNER           answers such calls while the process OWNER lives

What the command gets is the caller's: folder, environment, standard streams, and what is to befall it (see `Fate`).
It dies with its caller.
"""

import array
import errno
import fcntl
import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
import termios
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from subprocess import DEVNULL, run
from typing import Any, NamedTuple

LOADED = (
    "rnn_cli.training.quiet",  # before anything else that loads TensorFlow
    "rnn_cli.training.run",
    "rnn_cli.scoring.predictor",
    "rnn_cli.linear.tfidf",
    "rnn_cli.reporting.html",
    "rnn_cli.batch.to_file",
    "rnn_cli.batch.to_folder",
    "rnn_cli.batch.parquet_writer",
    "rnn_cli.batch.stores",
    "rnn_cli.labelling.session",
    "rnn_cli.cli.main",
)
"""What commands load most of: TensorFlow, scikit-learn, pandas, ONNX Runtime, matplotlib, pyarrow."""

CALLS = {"open", "os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.symlink"}
"""Audit events of a run's folder that a `Fate` counts."""


class Run(NamedTuple):
    """A process that ended: code, stdout, stderr, how long it took and how many of its calls reached the folder."""

    code: int
    out: str
    err: str
    seconds: float
    calls: int


Forked = Callable[..., Run]


def forked(
    *words: str,
    home: Path,
    seconds: float = 100,
    room: int | None = None,
    settings: Mapping[str, Any] | None = None,
    **fate: Any,
) -> Run:
    """Run a command line in a folder until it ends, or for so long: then it is killed.

    `room` and `settings` are those of `Child`, and `fate` is what a `Fate` takes besides its file. What the command
    prints stays in the folder, in out.txt and err.txt.
    """
    names = ("out.txt", "err.txt", "calls")
    for name in names:
        (home / name).write_bytes(b"")
    how = {"home": str(home), "room": room, "settings": settings or {}, "fate": fate}
    with open(os.devnull) as nothing, open(home / names[0], "wb") as out, open(home / names[1], "wb") as err:
        child = Child(begin(), words, *(each.fileno() for each in (nothing, out, err)), **how)
        started = time.monotonic()  # now it runs, whenever the libraries were loaded
        try:
            code = child.wait(seconds)
        except TimeoutError:
            child.kill()
            code = child.wait()
    took, (out_text, err_text, calls) = time.monotonic() - started, ((home / name).read_text() for name in names)
    return Run(code, out_text, err_text, took, int(calls or 0))


@cache
def begin() -> str:
    """Start the process that answers, unless there is one, for pytest's processes together; whom it is to be named."""
    owner = str(os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid())
    line = [sys.executable, __file__, "--serve", owner]
    run(line, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True, check=True)
    return owner


class Child:
    """A command that runs, as far as `subprocess.Popen` tells of one."""

    def __init__(self, owner: str, words: Sequence[str], *streams: int, **how: Any) -> None:
        """`how`: with `home`, `environment`; `leads`, whether it leads a session of which stdin is the terminal.

        And with `room`, how many bytes a file may have; `settings`, values of modules by their full names; `fate`, what
        a `Fate` takes besides its file.
        """
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._line.connect(f"\0rnn-warm-{owner}")
        asked = json.dumps({"words": words, "home": os.getcwd(), "environment": dict(os.environ), **how}).encode()
        kept = array.array("i", streams)
        self._line.sendmsg([len(asked).to_bytes(8, "little")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, kept)])
        self._line.sendall(asked)
        self._code: int | None = None
        self.pid = int(self._line.recv(16, socket.MSG_WAITALL))

    def wait(self, seconds: float | None = None) -> int:
        """Its exit code, negative for a signal."""
        if self._code is None:
            self._line.settimeout(seconds)
            self._code = int(self._line.recv(16, socket.MSG_WAITALL))
            self._line.close()
        return self._code

    def send_signal(self, number: int) -> None:
        if self._code is None:
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Fate:
    """Sends `signals` to its own process at call number `call`, or before the first one on a path holding `path`.

    Writes how many calls reached a run's folder into the open file `counted`.
    """

    def __init__(self, counted: int, call: int | None = None, path: str | None = None, signals: Sequence[int] = ()):
        self.calls, self.counted, self.call, self.path, self.signals = 0, counted, call, path, signals

    def __call__(self, event: str, arguments: Any) -> None:
        if event not in CALLS:
            return
        words = [str(each) for each in arguments if isinstance(each, str | bytes | Path)]
        if event in ("open", "os.mkdir") and not any("unfinished" in word for word in words):
            return
        self.calls += 1
        os.pwrite(self.counted, b"%8d" % self.calls, 0)
        if self.calls == self.call or (self.path and any(self.path in word for word in words)):
            self.path = None
            for number in self.signals:
                os.kill(os.getpid(), number)


def _serve(owner: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        try:
            door.bind(f"\0rnn-warm-{owner}")
        except OSError as problem:
            if problem.errno != errno.EADDRINUSE:  # another process of the same owner has started one
                raise
            return
        door.listen(64)
        if os.fork():
            os._exit(0)
        for name in LOADED:  # calls wait meanwhile
            importlib.import_module(name)
        from rnn_cli.checks import languages
        from rnn_cli.reporting import drawing

        languages._identifier()
        for kind, template in ((drawing._HTML, "report.html"), (drawing._MARKDOWN, "card.md")):
            kind.get_template(template)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks for the end of those that answer
        while os.path.exists(f"/proc/{owner}"):
            if select.select([door], [], [], 1.0)[0]:
                line, _ = door.accept()
                if not os.fork():
                    door.close()
                    _answer(line)
                line.close()


def _answer(line: socket.socket) -> None:
    """Run one command, and tell its exit code; does not return."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    head, streams, _, _ = socket.recv_fds(line, 8, 3)
    length, text = int.from_bytes(head, "little"), b""
    while len(text) < length:
        text += line.recv(length - len(text))
    if not (command := os.fork()):
        try:
            line.close()
            _be(json.loads(text), streams)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(99)
    for stream in streams:
        os.close(stream)
    ended = os.pidfd_open(command)
    line.sendall(b"%16d" % command)
    if line in select.select([line, ended], [], [])[0]:  # its caller is gone
        os.kill(command, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
    try:
        line.sendall(b"%16d" % status)
    finally:
        os._exit(0)


def _be(asked: dict[str, Any], streams: list[int]) -> None:
    """Be the command; does not return."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    if asked.get("leads"):
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.chdir(asked["home"])
    counted = os.open("calls", os.O_WRONLY) if "fate" in asked else None
    if room := asked.get("room"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    os.environ.clear()
    os.environ.update(asked["environment"])
    for name, value in asked.get("settings", {}).items():
        module, _, attribute = name.rpartition(".")
        setattr(importlib.import_module(module), attribute, value)
    sys.argv = ["rnn", *asked["words"]]
    for number, (name, mode) in enumerate({"stdin": "r", "stdout": "w", "stderr": "w"}.items()):
        lines = 1 if name == "stderr" or os.isatty(number) else -1  # as Python itself opens them
        setattr(sys, name, open(number, mode, buffering=lines, encoding="utf-8", closefd=False))
    from rnn_cli.__main__ import main

    if counted is not None:
        sys.addaudithook(Fate(counted, **asked["fate"]))
    try:
        main()
    except SystemExit as end:
        sys.stdout.flush()
        os._exit(int(end.code or 0))


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        _serve(sys.argv[2])
    elif (ended := Child(sys.argv[1], sys.argv[2:], 0, 1, 2).wait()) < 0:
        os.kill(os.getpid(), -ended)
    else:
        sys.exit(ended)
