"""The page at `/`: its files as they are sent. Loads no model and answers no prediction.

The page is HTML, CSS and ES modules without a build step. It asks no other host, and its policy lets no script and no
style run that is not a file of this folder.
"""

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

PageEndpoint = Callable[[Request], Awaitable[Response]]

_FOLDER = Path(__file__).parent

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


def page_index(folder: Path = _FOLDER) -> PageEndpoint:
    """The endpoint of the page itself."""
    return _sends(folder / "index.html")


def page_files(folder: Path = _FOLDER, path: str = "/page") -> Mount:
    """The files that the page loads, below a path; nothing else of their folder is sent."""
    files = sorted(file for file in folder.iterdir() if file.suffix in _TYPES and file.name != "index.html")
    return Mount(path, routes=[Route(f"/{file.name}", _sends(file)) for file in files])


def _sends(file: Path) -> PageEndpoint:
    content = file.read_bytes()
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {**_HEADERS, "ETag": tag}

    async def send(request: Request) -> Response:
        if tag in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
        return Response(content, 200, headers, _TYPES[file.suffix])

    return send
