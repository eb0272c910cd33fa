"""The page at `/`: its files as they are sent. Loads no model and answers no prediction.

The page is HTML, CSS and ES modules without a build step. It asks no other host, and its policy lets no script and no
style run that is not a file of this folder.
"""

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""No text can become markup, either: without a trusted type, Chromium's `innerHTML` raises."""

_HEADERS = {
    "Cache-Control": "no-cache",  # kept, and asked for again: a newer rnn shows at once
    "Content-Security-Policy": PAGE_POLICY,  # an SVG is a document, too
    "Cross-Origin-Resource-Policy": "same-origin",
}


def page_endpoints() -> dict[str, Callable[[Request], Awaitable[Response]]]:
    """The endpoint of each path of the page; reads its files once."""
    files = {file.name: file for file in Path(__file__).parent.iterdir() if file.suffix in _TYPES}
    index = files.pop("index.html")
    return {"/": _sends(index), **{f"/page/{name}": _sends(file) for name, file in sorted(files.items())}}


def _sends(file: Path) -> Callable[[Request], Awaitable[Response]]:
    content = file.read_bytes()
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {**_HEADERS, "ETag": tag}

    async def send(request: Request) -> Response:
        if tag in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
        return Response(content, 200, headers, _TYPES[file.suffix])

    return send
