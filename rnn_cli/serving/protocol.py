"""HTTP on one connection: uvicorn's protocol with bounds on heads, time and connections, and our errors.

The endpoints see whole heads only, so what is wrong before one is whole is answered here.
"""

import asyncio
from asyncio import TimerHandle
from typing import Any, cast

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from rnn_cli.serving.problems import MEDIA_TYPE, WAIT_SECONDS, problem_json
from rnn_cli.serving.settings import Limits

MOST_HEAD_BYTES = 1 << 15
"""The largest head of a request: its first line and its headers."""

LINGER_SECONDS = 1.0
"""How long a connection stays open after an answer to half a request, so that the client can read it."""


class BoundedConfig(uvicorn.Config):
    """uvicorn's settings, and the limits of its connections."""

    limits: Limits = Limits()


def _send_unchunked(cycle: RequestResponseCycle, message: Any) -> None:
    """Have the end of the connection end an answer of unknown length: HTTP/1.0 knows no chunks."""
    if message["type"] == "http.response.start":
        if not any(name.lower() == b"content-length" for name, _ in message.get("headers", ())):
            cycle.chunked_encoding = False
    elif cycle.expected_content_length == 0:
        cycle.expected_content_length = len(message.get("body", b""))


class BoundedProtocol(HttpToolsProtocol):
    """A connection.

    A head that does not arrive in time is a 408, one that is too large a 431, one that is no HTTP a 400, and one
    connection too many a 503. A body that the endpoint has not read, and a client that does not read its answer, are
    waited for so long, and no longer.
    """

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        super().connection_made(cast(asyncio.Transport, transport))
        self._limits = cast(BoundedConfig, self.config).limits
        self._timers: dict[str, TimerHandle] = {}
        self._is_over = self._is_last = self._in_message = self._in_body = False
        self._head_bytes = self._unread_bytes = 0
        self._answering: RequestResponseCycle | None = None
        if len(self.connections) > self._limits.connections:
            self._refuse(503, f"more than {self._limits.connections:,} connections", ("retry-after", str(WAIT_SECONDS)))
        else:
            self._after("read", self._limits.read_seconds, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        for timer in self._timers.values():
            timer.cancel()
        if self._answering is not None:  # which is not the last one where requests came in a row
            self._leave(self._answering)
        super().connection_lost(exc)

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """The client sends no more; what it has asked is answered, and then the connection closes."""
        if self.cycle is None or self.cycle.response_complete or self.cycle.more_body:
            return None
        self.cycle.keep_alive = False
        return True

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self._is_over:
            return
        if not self._in_body:
            if not self._in_message and self._head_bytes == 0:
                self._after("read", self._limits.read_seconds, self._give_up)
            self._head_bytes += len(data)
        self._unread_bytes += len(data)
        super().data_received(data)
        if self._in_body and self._unread_bytes > MOST_HEAD_BYTES:  # trailers, which count as little as a head
            if self._answering is self.cycle and not self.cycle.response_started:
                self._leave(self.cycle)
            self._refuse(431, f"the request's trailers are larger than {MOST_HEAD_BYTES:,} bytes")
        if not self._in_body and self._head_bytes > MOST_HEAD_BYTES:
            self._refuse(431, f"the request's head is larger than {MOST_HEAD_BYTES:,} bytes")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_message = True

    def on_headers_complete(self) -> None:
        """A request's head is whole."""
        if (
            self._head_bytes > MOST_HEAD_BYTES
            and sum(len(n) + len(v) for n, v in self.headers) + len(self.url) > MOST_HEAD_BYTES
        ):
            self._refuse(431, f"the request's head is larger than {MOST_HEAD_BYTES:,} bytes")
            raise httptools.HttpParserError  # nothing more is read
        self._in_body, self._head_bytes = True, 0
        self._cancel("read")  # the endpoint gives the body its time
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of a request's body came."""
        self._unread_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._in_message = self._in_body = False
        self._head_bytes = 0
        super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        if self._is_last:
            cycle.keep_alive = False

        async def answered(scope: Any, receive: Any, send: Any) -> None:
            async def send_before_closing(message: Any) -> None:
                if scope["http_version"] == "1.0":
                    _send_unchunked(cycle, message)
                if message["type"] == "http.response.body" and not message.get("more_body") and cycle.more_body:
                    cycle.keep_alive = True  # `on_response_complete` closes: not at once, as half a request is unread
                await send(message)

            await app(scope, receive, send_before_closing)

        super()._start_asgi_task(cycle, answered)

    def on_response_complete(self) -> None:
        """A request is answered."""
        super().on_response_complete()
        if self.cycle.response_complete and self.cycle.more_body and not self.transport.is_closing():
            self._end()  # before it was whole

    def shutdown(self) -> None:
        """The server ends: a request that is on its way already is answered, as the last of its connection."""
        if self._is_over or (self.cycle is not None and not self.cycle.response_complete):
            super().shutdown()
        else:
            self._is_last = True
            self._after("read", LINGER_SECONDS, self._give_up)

    def pause_writing(self) -> None:
        """The client does not read."""
        super().pause_writing()
        self._after("write", self._limits.write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client reads again."""
        self._cancel("write")
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        self._refuse(400, "this is not a valid HTTP request")

    def _give_up(self) -> None:
        if self._in_message or self._head_bytes:
            self._refuse(408, f"no whole request within {self._limits.read_seconds:g} seconds")
        else:
            self.transport.close()

    def _refuse(self, status: int, detail: str, *headers: tuple[str, str]) -> None:
        """Answer here and read no more; a request that is being answered is answered to its end."""
        if self._is_over:
            return
        if self.cycle is not None and not self.cycle.response_complete and not self.cycle.disconnected:
            self._is_over = True
            self.cycle.keep_alive = False
            return
        body = problem_json(status, detail)
        lines = [*headers, ("content-type", MEDIA_TYPE), ("content-length", str(len(body))), ("connection", "close")]
        head = b"".join(f"{name}: {value}\r\n".encode("ascii") for name, value in lines)
        self.transport.write(STATUS_LINE[status] + head + b"\r\n" + body)
        self._end()

    @staticmethod
    def _leave(cycle: RequestResponseCycle) -> None:
        """Tell an endpoint that nobody waits for its answer any more."""
        cycle.disconnected = True
        cycle.message_event.set()

    def _end(self) -> None:
        """Close the connection in a moment: at once, unread bytes would have the system drop the answer, too."""
        self._is_over = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._after("linger", LINGER_SECONDS, self.transport.close)

    def _after(self, name: str, seconds: float, do: Any) -> None:
        self._cancel(name)
        self._timers[name] = self.loop.call_later(seconds, do)

    def _cancel(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
