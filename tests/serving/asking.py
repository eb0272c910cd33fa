"""Ways to ask a server: its application in this process, and a whole server in another one."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from time import sleep
from typing import Any

from rnn_cli.serving.app import create_app
from rnn_cli.serving.edge import Edge
from rnn_cli.serving.settings import ServerSettings

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Answered:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def application(model: Path, **settings: Any) -> Edge:
    """A server's application, which serves `model` alone unless `settings` name others."""
    return create_app(ServerSettings(**{"models": (("default", str(model)),), "is_quiet": True, **settings}), print)


async def asked(
    app: Edge,
    method: str,
    path: str,
    body: bytes | Iterable[bytes] | object = b"",
    headers: Mapping[str, str] | None = None,
    *,
    ends: bool = True,
) -> Answered:
    """Send a request to an application: a body as bytes, in pieces, or an object for JSON.

    One that does not end leaves the server waiting for more.
    """
    path, _, query = path.partition("?")
    if not isinstance(body, bytes | list | tuple):
        body = json.dumps(body).encode()
    pieces = [body] if isinstance(body, bytes) else list(body)
    given = {"host": "127.0.0.1:8000", **(headers or {})}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "scheme": "http",
        "http_version": "1.1",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in given.items() if value],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }
    coming: Iterator[bytes] = iter(pieces)
    left, sent = len(pieces), list[Any]()

    async def receive() -> dict[str, Any]:
        nonlocal left
        if left == 0:
            await asyncio.Event().wait()
        left -= 1
        return {"type": "http.request", "body": next(coming), "more_body": left > 0 or not ends}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    told = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    return Answered(sent[0]["status"], told, b"".join(each.get("body", b"") for each in sent[1:]))


def ask(app: Edge, *words: Any, **more: Any) -> Answered:
    """The same, where nothing else is going on."""
    return asyncio.run(asked(app, *words, **more))


class Running:
    """A server in another process."""

    def __init__(self, process: "subprocess.Popen[str]", port: int, log: Path) -> None:
        self.process, self.port, self.log = process, port, log
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answered:
        """Ask on a connection of its own."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        try:
            connection.request(method, path, content, dict(headers or {}))
            response = connection.getresponse()
            return Answered(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def raw(self, *pieces: bytes, ends: bool = False) -> bytes:
        """Send bytes as they are, and read until the server closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            for piece in pieces:
                connection.sendall(piece)
            if ends:
                connection.shutdown(socket.SHUT_WR)
            found = b""
            try:
                while read := connection.recv(65_536):
                    found += read
            except ConnectionResetError:
                pass
            return found

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def await_refusal(self) -> None:
        """Wait until it, which has been told to end, lets no client in any more."""
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=30).close()
            except ConnectionRefusedError:
                return
            sleep(0.02)  # a full backlog would have the system try again after a second
        raise AssertionError("somebody lets clients in")

    def ended(self) -> int:
        """Wait for its end; the exit code."""
        return self.process.wait(timeout=60)


@contextmanager
def running(folder: Path, *words: str, before: str = "", **environment: str) -> Iterator[Running]:
    """`rnn serve` with these words, on a free port, until the block ends; its process runs the code `before` first."""
    log = folder / "serve.log"
    code = f"{before}\nfrom rnn_cli.__main__ import main; main()"
    command = [sys.executable, *(("-c", code) if before else ("-m", "rnn_cli")), "serve", "--port", "0", *words]
    known = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    with (
        log.open("w") as stream,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stream, text=True, cwd=folder, env=known) as process,
    ):
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("page"):
                    break
            else:
                raise AssertionError(log.read_text())
            yield Running(process, int(line.rpartition(":")[2]), log)
        finally:
            process.kill()
