"""The page at `/`: its files as they are sent, and the model's report. Loads no model and answers no prediction.

The page is HTML, CSS and ES modules without a build step. It asks no other host, and its policy lets no script and no
style run that is not a file of this folder.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    f"{_NOTHING}; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""No text can become markup, either: without a trusted type, Chromium's `innerHTML` raises."""

REPORT_POLICY = f"{_NOTHING}; style-src 'unsafe-inline'; sandbox"
"""The report carries its own style sheet and runs nothing."""

_HEADERS = {
    "Cache-Control": "no-cache",  # kept, and asked for again: another model or another rnn shows at once
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def page_routes() -> list[Route]:
    """The routes of the page and of each file that it loads; reads them once."""
    files = {file.name: file.read_bytes() for file in Path(__file__).parent.iterdir() if file.suffix in _TYPES}
    index = files.pop("index.html")
    return [
        _route("/", index, ".html", {"Content-Security-Policy": PAGE_POLICY}),
        *(_route(f"/page/{name}", content, Path(name).suffix) for name, content in sorted(files.items())),
    ]


def report_route(report: bytes) -> Route:
    """The route of a model's report, an HTML page."""
    return _route("/report", report, ".html", {"Content-Security-Policy": REPORT_POLICY})


def _route(path: str, content: bytes, suffix: str, headers: Mapping[str, str] | None = None) -> Route:
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    sent = {**_HEADERS, **(headers or {}), "ETag": tag}

    async def send(request: Request) -> Response:
        if tag in request.headers.get("if-none-match", ""):
            return Response(None, 304, sent)
        return Response(content, 200, sent, _TYPES[suffix])

    return Route(path, send)
