"""Who may see the page: whoever opens its address first, by a cookie from then on.

The address holds a key that opens once. Knows nothing of sittings.
"""

import secrets
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rnn_cli.serving.page import PAGE_POLICY
from rnn_cli.serving.problems import Problem, problem_response

OPEN_FOLDERS = ("/page/", "/label/")
"""Files that tell nothing of texts."""

CLOSED = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Closed</title><link rel="icon" href="/page/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/page/page.css"></head><body><main>
<h1>This page opens once</h1>
<p>Each address that <code>rnn label</code> prints opens in one browser only, so that nobody else on this machine reads
your texts. Go on in that browser, or end the command and start it again: it prints a new address, and nothing that you
have labelled is lost.</p></main></body></html>
"""


class Door:
    """The application behind a key that opens once; `key` is part of the address."""

    def __init__(self, app: ASGIApp, make_secret: Callable[[], str] = lambda: secrets.token_urlsafe(24)) -> None:
        self._app, self.key, self._ticket = app, make_secret(), make_secret()
        self._is_used = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of one who may come in."""
        if scope["type"] != "http" or scope["path"].startswith(OPEN_FOLDERS) or self._has_ticket(scope):
            await self._app(scope, receive, send)
        elif scope["path"] == "/" and self._opens(Request(scope)):
            await self._app(scope, receive, self._giving_ticket(scope, send))
        elif scope["path"] == "/":
            await HTMLResponse(CLOSED, 401, {"Content-Security-Policy": PAGE_POLICY})(scope, receive, send)
        else:
            problem = Problem(401, "this page is closed; the address that rnn label printed opens it")
            await problem_response(problem)(scope, receive, send)

    def _opens(self, request: Request) -> bool:
        """Whether the key is right; it is dead then."""
        given = request.query_params.get("key", "").encode("utf-8", "surrogateescape")
        is_right = secrets.compare_digest(given, self.key.encode()) and request.method == "GET" and not self._is_used
        self._is_used = self._is_used or is_right
        return is_right

    def _has_ticket(self, scope: Scope) -> bool:
        given = Request(scope).cookies.get(_cookie_name(scope), "")
        return secrets.compare_digest(given.encode("utf-8", "surrogateescape"), self._ticket.encode())

    def _giving_ticket(self, scope: Scope, send: Send) -> Send:
        async def give(message: Message) -> None:
            if message["type"] == "http.response.start":
                cookie = f"{_cookie_name(scope)}={self._ticket}; Path=/; HttpOnly; SameSite=Strict"
                MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        return give


def _cookie_name(scope: Scope) -> str:
    """Its name has the port: a browser sends the cookies of a machine to all of its ports."""
    server = scope.get("server")
    return f"rnn-label-{server[1] if server else 0}"
