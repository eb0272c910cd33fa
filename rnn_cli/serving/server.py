"""One process that serves, or several that another one starts and replaces."""

import os
import socket
from collections.abc import Callable
from contextlib import closing
from functools import partial
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from uvicorn import Server as UvicornServer
from uvicorn.supervisors import Multiprocess

from rnn_cli.errors import RunFailed, UsageError
from rnn_cli.serving.protocol import BoundedConfig, BoundedProtocol
from rnn_cli.serving.settings import ServerSettings
from rnn_cli.system import reason

if TYPE_CHECKING:
    from rnn_cli.serving.edge import Edge

KEEP_ALIVE_SECONDS = 75
"""Longer than the 60 s of usual proxies: one that still holds a connection must not find it closed."""

WORKER_SECONDS = 30
"""How long a worker may take to start, or not answer the process that started it, until it is replaced."""

BACKLOG = 1_024

PROMETHEUS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def serve_alone(settings: ServerSettings, app: "Edge", on_listening: Callable[[ServerSettings], None]) -> None:
    """Serve in this process until it is told to end. Raises `UsageError` if it cannot listen.

    `on_listening` gets the settings with the port that is listened on, which differs where port 0 was asked for.
    """
    with closing(_listening(settings)) as sock:
        on_listening(_with_port(settings, sock))
        UvicornServer(_config(settings, app=app)).run(sockets=[sock])


def serve_with_workers(settings: ServerSettings, on_listening: Callable[[ServerSettings], None]) -> None:
    """Start the workers, replace those that die, and wait until told to end. Raises `UsageError` and `RunFailed`."""
    from rnn_cli.serving.app import STARTUP_FAILED, create_worker

    with closing(_listening(settings)) as sock, TemporaryDirectory(prefix="rnn-serve-") as folder:
        os.environ.setdefault(PROMETHEUS_FOLDER, folder)  # before the workers load prometheus-client
        on_listening(_with_port(settings, sock))
        config = _config(settings, app=partial(create_worker, settings), factory=True, workers=settings.workers)
        supervisor = Multiprocess(config, sockets=[sock])
        supervisor.run()
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


def _listening(settings: ServerSettings) -> socket.socket:
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
        where = f"{settings.host}:{settings.port}"
        raise UsageError(f"cannot listen there ({reason(error)})", where=where, hint="choose another --port") from None
    return sock


def _with_port(settings: ServerSettings, sock: socket.socket) -> ServerSettings:
    from dataclasses import replace

    return replace(settings, port=sock.getsockname()[1])
