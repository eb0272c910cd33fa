"""Runs command lines in processes of their own without loading libraries for each: it forks before their first use.

Its arguments are the modules to be loaded before. Reads a JSON object a line: `words`, `home`, `settings` (values of
modules, by their full names) and what is to befall the process (see `Fate`); answers a line with its exit code
(negative for a signal), the seconds it took and the calls that reached the run's folder.
"""

import importlib
import json
import os
import resource
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

from rnn_cli.cli.main import main

CALLS = {"open", "os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.symlink"}


class Fate:
    """Sends `signals` to its own process at call number `call`, or before the first one on a path holding `path`."""

    def __init__(self, told: Any, call: int | None = None, path: str | None = None, signals: Any = ()) -> None:
        self.calls, self.told, self.call, self.path, self.signals = 0, told, call, path, signals

    def __call__(self, event: str, arguments: Any) -> None:
        if event not in CALLS:
            return
        words = [str(each) for each in arguments if isinstance(each, str | bytes | Path)]
        if event in ("open", "os.mkdir") and not any("unfinished" in word for word in words):
            return
        self.calls += 1
        os.pwrite(self.told, b"%8d" % self.calls, 0)
        if self.calls == self.call or (self.path and any(self.path in word for word in words)):
            self.path = None
            for number in self.signals:
                os.kill(os.getpid(), number)


def child(words: list[str], home: str, fate: Fate, bytes_a_file: int | None = None, settings: Any = None) -> None:
    os.chdir(home)
    for number, name in ((1, "out.txt"), (2, "err.txt")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    if bytes_a_file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_a_file, bytes_a_file))
    for name, value in (settings or {}).items():
        module, _, attribute = name.rpartition(".")
        setattr(sys.modules[module], attribute, value)
    sys.argv = ["rnn", *words]
    sys.addaudithook(fate)
    try:
        main()
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(end.code or 0))


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    seconds = asked.pop("seconds", None)
    told = os.open(os.path.join(asked["home"], "calls"), os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    fate = Fate(told, *(asked.pop(name, None) for name in ("call", "path")), asked.pop("signals", ()))
    started = time.monotonic()
    if not (pid := os.fork()):
        try:
            child(asked["words"], asked["home"], fate, asked.get("bytes_a_file"), asked.get("settings"))
        finally:
            os._exit(99)
    ended = os.pidfd_open(pid)
    if not select.select([ended], [], [], 100 if seconds is None else seconds)[0]:
        os.kill(pid, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    calls = int(os.pread(told, 8, 0) or 0)
    os.close(told)
    os.close(ended)
    return {"code": status, "seconds": time.monotonic() - started, "calls": calls}


if __name__ == "__main__":
    for name in sys.argv[1:]:
        importlib.import_module(name)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()
