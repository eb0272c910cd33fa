"""A server of `rnn serve` in a process of its own, and Chromium to look at its page with."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

WAIT_SECONDS = 60
"""A busy machine starts a server, or answers, well within that."""

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def served(model: Path | str, *options: str) -> Iterator[str]:
    """The address of a server of this model."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "rnn_cli", "serve", "--model", str(model), "--port", str(port), *options]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/health/ready", server)
        yield address
    finally:
        server.terminate()
        server.communicate(timeout=WAIT_SECONDS)


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    last = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < last:
        try:
            with urllib.request.urlopen(url, timeout=WAIT_SECONDS):
                return
        except OSError:
            if server.poll() is not None:
                pytest.fail(f"the server ended: {server.communicate()[0]!r}")
            time.sleep(0.05)
    pytest.fail(f"{url} does not answer")
