"""One process that serves, or several that another one starts and replaces."""

import errno
import os
import signal
import socket
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from uvicorn import Server as UvicornServer
from uvicorn.supervisors import Multiprocess

from rnn_cli.errors import RunFailed, UsageError
from rnn_cli.serving.protocol import BoundedConfig, BoundedProtocol
from rnn_cli.serving.settings import PROMETHEUS_FOLDER, ServerSettings
from rnn_cli.system import reason

if TYPE_CHECKING:
    from rnn_cli.serving.edge import Edge

KEEP_ALIVE_SECONDS = 75
"""Longer than the 60 s of usual proxies: one that still holds a connection must not find it closed."""

WORKER_SECONDS = 15
"""How long a worker may take to start, or not answer the process that started it, until it is replaced."""

BACKLOG = 1_024


class Supervisor(Multiprocess):
    """uvicorn's, which starts workers, replaces the dead and reloads one after the other; knows what ended it."""

    ended_by: signal.Signals | None = None

    def handle_int(self) -> None:
        """Ctrl-C."""
        self._end_by(signal.SIGINT)

    def handle_term(self) -> None:
        """SIGTERM."""
        self._end_by(signal.SIGTERM)

    def _end_by(self, number: signal.Signals) -> None:
        self.ended_by = number
        self.should_exit.set()
        for sock in self.sockets:  # else the system would let clients in while the workers end, and nobody answer them
            sock.close()


def serve_alone(
    settings: ServerSettings,
    app: "Edge",
    on_listening: Callable[[ServerSettings], None],
    *,
    is_over: Callable[[], bool] = lambda: False,
    any_port: bool = False,
) -> None:
    """Serve in this process until it is told to end, or `is_over`. Raises `UsageError` if it cannot listen.

    `on_listening` gets the settings with the port that is listened on, which differs where port 0 was asked for, or
    where another program has the port and `any_port` will do.
    """
    with closing(_listening(settings, any_port=any_port)) as sock:
        on_listening(_with_port(settings, sock))
        server = UvicornServer(_config(settings, app=app))

        async def look() -> None:
            server.should_exit = server.should_exit or is_over()

        server.config.callback_notify, server.config.timeout_notify = look, 0
        server.run(sockets=[sock])


def serve_with_workers(settings: ServerSettings, on_listening: Callable[[ServerSettings], None]) -> None:
    """Start the workers, replace those that die, and wait until told to end. Raises `UsageError` and `RunFailed`."""
    from rnn_cli.serving.app import STARTUP_FAILED, create_worker

    with closing(_listening(settings)) as sock, TemporaryDirectory(prefix="rnn-serve-") as folder:
        os.environ.setdefault(PROMETHEUS_FOLDER, folder)  # before the workers load prometheus-client
        on_listening(_with_port(settings, sock))
        config = _config(
            settings, app=partial(create_worker, settings, os.getpid()), factory=True, workers=settings.workers
        )
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        supervisor = Supervisor(config, sockets=[sock])
        supervisor.run()
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if supervisor.ended_by is not None:
        signal.raise_signal(supervisor.ended_by)  # as a single process ends
    if any(process.exitcode == STARTUP_FAILED for process in supervisor.processes):
        raise RunFailed("a worker could not start", hint="its message stands above")


def _config(settings: ServerSettings, **more: Any) -> BoundedConfig:
    config = BoundedConfig(
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # nobody's word is taken for another's address
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.drain_seconds,
        timeout_worker_healthcheck=WORKER_SECONDS,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        **more,
    )
    config.limits = settings.limits
    return config


def _listening(settings: ServerSettings, *, any_port: bool = False) -> socket.socket:
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, proto, _, address = found[0]
        sock = socket.socket(family, kind, proto)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address)
            sock.listen(BACKLOG)
            sock.set_inheritable(True)
        except OSError:
            sock.close()
            raise
    except OSError as error:
        if any_port and error.errno in (errno.EADDRINUSE, errno.EACCES):
            return _listening(replace(settings, port=0))
        where = f"{settings.host}:{settings.port}"
        is_elsewhere = isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL
        hint = f"choose another {'--host' if is_elsewhere else '--port'}"
        raise UsageError(f"cannot listen there ({reason(error)})", where=where, hint=hint) from None
    return sock


def _with_port(settings: ServerSettings, sock: socket.socket) -> ServerSettings:
    return replace(settings, port=sock.getsockname()[1])
