"""A server of `rnn serve` in a process of its own, and Chromium to look at its page with."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

import pytest

WAIT_SECONDS = 30
"""A busy machine answers, and ends, well within that."""

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def served(*models: Path | str, options: Sequence[str] = ()) -> Iterator[str]:
    """The address of a server of these models, on a port that is free."""
    command = [sys.executable, "-m", "rnn_cli", "serve", "--port", "0", *options]
    for model in models:
        command += ["--model", str(model)]
    with TemporaryFile() as log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as server:
        assert server.stdout is not None
        try:
            address = next((line.split()[1] for line in server.stdout if line.startswith("page")), None)
            if address is None:
                log.seek(0)
                pytest.fail(f"the server ended: {log.read()!r}")
            yield address
        finally:
            server.terminate()
            server.communicate(timeout=WAIT_SECONDS)
