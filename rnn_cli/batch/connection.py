"""A Ray cluster to work on: one that runs already, or one that is started here and has this machine to itself.

Loads Ray, as it is to be loaded. Knows nothing of jobs.
"""

import logging
import os
import secrets
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from typing import Any

from rnn_cli.errors import Setting, UsageError, missing
from rnn_cli.system import stderr_closed

# Before Ray is loaded: its own log does not run through ours.
os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")

try:
    import ray
    from ray.data import DataContext
except ModuleNotFoundError as error:
    raise missing(error.name or "") or error from error

BLOCK_BYTES = 1 << 20
"""A block of Ray's is given on once it is so large: a chunk or, of short rows, a few."""


@contextmanager
def connected(address: str | None, workers: int | None) -> Iterator[None]:
    """A running cluster at this address, or else one that is started here. Raises UsageError."""
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)
    how: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    with nullcontext({"address": address}) if address else _started(workers) as where:
        try:
            _knock(address or "")
            with stderr_closed(), _sigterm_kept():  # Ray's C++ says that it says nothing
                ray.init(**how, **where)
        except (OSError, ValueError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or str(error).strip().partition("\n")[0]
            raise UsageError(
                f"no Ray cluster there ({reason})", where=address, hint=Setting("ray_address", text="check {}")
            ) from None
        context = DataContext.get_current()
        context.enable_progress_bars = False
        context.target_max_block_size = BLOCK_BYTES
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):  # there Ray tells of workers that died
            try:
                yield
            finally:
                ray.shutdown()


@contextmanager
def _started(workers: int | None) -> Iterator[dict[str, Any]]:
    """How a cluster is started here so that it asks nobody anything, and leaves no files when it has ended."""
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))  # else Ray writes one to the user's home
    with (
        tempfile.TemporaryDirectory(prefix="rnn-", dir=_for_sockets(), ignore_cleanup_errors=True) as folder,
        # Without a dashboard Ray still starts its process, only to ask the clouds' own addresses which of them this is;
        # it goes on without, and says nothing, where the port is taken.
        socket.create_server(("127.0.0.1", 0)) as taken,
    ):
        port: int = taken.getsockname()[1]
        yield {
            "address": "local",
            "num_cpus": workers,
            "include_dashboard": False,
            "dashboard_host": "127.0.0.1",
            "dashboard_port": port,
            "_temp_dir": folder,
        }


def _for_sockets() -> str:
    """The folder for temporary files, or /tmp: with what is added, a socket's name in it must fit in 100 bytes."""
    usual = tempfile.gettempdir()
    return os.environ.get("RAY_TMPDIR") or (usual if len(os.fsencode(usual)) <= 20 else "/tmp")


def _knock(address: str) -> None:
    """Raise OSError where nobody listens at host:port, for which Ray would wait for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()


@contextmanager
def _sigterm_kept() -> Iterator[None]:
    """Ray's own handler, set in the block, would end the process with 15; the caller's is put back."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)
