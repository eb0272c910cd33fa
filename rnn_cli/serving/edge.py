"""What happens to every request before and after its endpoint: whether it may come in, its id, its line in the log.

Whoever is let in is decided here alone. In this order: the Host header, against DNS rebinding; the Origin header, so
that no page of another site uses a server that a browser happens to reach; the key.
"""

import json
import logging
import re
import time
from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Any

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rnn_cli.serving.metrics import Metered
from rnn_cli.serving.problems import Problem, problem_response
from rnn_cli.serving.settings import ServerSettings, is_key, is_served_host

_access_log = logging.getLogger("rnn.serve.access")
_log = logging.getLogger("rnn.serve")

OPEN_PREFIXES = ("/health/", "/v2/health/", "/page/")
"""What needs no key, as probes and a browser's first request bring none: it tells nothing of models or texts."""

TEXTS = "rnn.texts"
"""In a scope: the texts of a request, for the log where that is asked for."""

ENDPOINT = "rnn.endpoint"
"""In a scope: the path of an endpoint, as its route has it."""

SERVE_HINTS = {
    "host": "rnn serve --allowed-host NAME allows one",
    "origin": "rnn serve --cors-origin ORIGIN allows one",
}

_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
_SAFE = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))


class Edge:
    """The application in its outer skin."""

    def __init__(
        self,
        app: ASGIApp,
        settings: ServerSettings,
        keys: Sequence[bytes],
        metered: Metered,
        hints: Mapping[str, str] = SERVE_HINTS,
    ) -> None:
        """`hints` say how a refused header is let in."""
        self._hints = hints
        self._app, self._settings, self.keys, self._metered = app, settings, keys, metered
        self.is_draining = False
        self._with_cors: ASGIApp = self._with_key
        if settings.cors_origins:  # outside of the key: a page must be able to read that it needs one
            self._with_cors = CORSMiddleware(
                self._with_key,
                allow_origins=settings.cors_origins,
                allow_methods=["GET", "POST"],
                allow_headers=["Authorization", "Content-Type", "X-API-Key", "X-Request-ID"],
                expose_headers=["X-Request-ID", "X-Row-Count", "Retry-After"],
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        headers = {name: value for name, value in reversed(scope["headers"])}  # the first of each
        given = headers.get(b"x-request-id", b"")
        scope["rnn.id"] = request_id = given if _ID.fullmatch(given) else token_hex(16).encode()
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                last = [(b"connection", b"close")] if self.is_draining else []
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id), *_SAFE, *last]
            await send(message)

        try:
            self._refuse_stranger(scope, headers)
            await self._with_cors(scope, receive, answer)
        except Problem as problem:
            await problem_response(problem)(scope, receive, answer)
        except ClientDisconnect:
            status = status or 499  # as nginx has it: nobody is there to be answered
        except Exception:
            _log.exception("request %s failed", request_id.decode())
            if not status:
                failed = Problem(503, "the server failed; its log says how")
                await problem_response(failed)(scope, receive, answer)
        finally:
            seconds = time.perf_counter() - began
            self._metered.answered(_endpoint(scope), status, seconds)
            if _access_log.isEnabledFor(logging.INFO):
                _access_log.info("", extra={"request": self._line(scope, status, seconds, request_id)})

    async def _with_key(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that brings a key where it needs one."""
        if self._has_key(scope):
            await self._app(scope, receive, send)
        else:
            problem = Problem(401, "a key is needed: Authorization: Bearer KEY", WWW_Authenticate="Bearer")
            await problem_response(problem)(scope, receive, send)

    def _has_key(self, scope: Scope) -> bool:
        path = scope["path"]
        if not self.keys or path == "/" or path.startswith(OPEN_PREFIXES):
            return True
        headers = Headers(scope=scope)
        scheme, _, key = headers.get("authorization", "").partition(" ")
        return is_key(key.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", ""), self.keys)

    def _refuse_stranger(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        """Raise `Problem` for a request to another host, or from a page of another site."""
        host = headers.get(b"host", b"").decode("latin-1")
        if sum(name == b"host" for name, _ in scope["headers"]) != 1:
            raise Problem(400, "a request needs one Host header")
        if not is_served_host(host, self._settings):
            raise Problem(421, f"this Host is not served here; {self._hints['host']}")
        origin = headers.get(b"origin", b"").decode("latin-1")
        if origin and origin not in self._settings.cors_origins and origin.partition("://")[2] != host:
            raise Problem(403, f"pages of this Origin may not ask; {self._hints['origin']}")

    def _line(self, scope: Scope, status: int, seconds: float, request_id: bytes) -> dict[str, Any]:
        client = scope.get("client")
        line = {
            "id": request_id.decode(),
            "client": client[0] if client else None,
            "method": scope["method"],
            "path": scope["path"],
            "status": status,
            "milliseconds": round(seconds * 1_000, 1),
        }
        if self._settings.log_texts and TEXTS in scope:
            line["texts"] = scope[TEXTS]
        return line


def _endpoint(scope: Scope) -> str:
    """The path without what a client has chosen in it, so that strangers make no new counters."""
    found = scope.get(ENDPOINT)
    return found if isinstance(found, str) else "other"


class LogLines(logging.Formatter):
    """Lines of a log, as text or as JSON; a client can put no line of its own into either."""

    def __init__(self, form: str) -> None:
        super().__init__(datefmt="%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime
        self._is_json = form == "json"

    def format(self, record: logging.LogRecord) -> str:
        """One line, with a traceback below it in text."""
        moment = f"{self.formatTime(record, self.datefmt)}.{int(record.msecs):03}Z"
        request: dict[str, Any] | None = getattr(record, "request", None)
        trace = self.formatException(record.exc_info) if record.exc_info else None
        if self._is_json:
            said = request if request is not None else {"message": record.getMessage()}
            line = {"time": moment, "level": record.levelname.lower(), **said}
            return json.dumps(line | ({"traceback": trace} if trace else {}), ensure_ascii=True, default=str)
        if request is None:
            text = f"{record.levelname.lower()}: {record.getMessage()}"
        else:
            text = "{client} {method} {path} {status} {milliseconds}ms {id}".format_map(request)
            if "texts" in request:
                text += f" {json.dumps(request['texts'])}"
        text = "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)
        return f"{moment} {text}" + (f"\n{trace}" if trace else "")


def log_to_stderr(settings: ServerSettings) -> None:
    """Send this server's log, and what uvicorn warns of, to stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(LogLines(settings.log_format))
    for name, level in (
        ("rnn.serve", logging.WARNING if settings.is_quiet else logging.INFO),
        ("rnn.serve.access", logging.WARNING if settings.is_quiet else logging.INFO),
        ("uvicorn", logging.CRITICAL),  # what it warns of are requests that are no HTTP
    ):
        log = logging.getLogger(name)
        log.setLevel(level)
        log.propagate = False
        log.handlers = [handler]
