"""The endpoints. Loopback only: there are no API keys yet."""

import asyncio
import json
from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rnn_cli.scoring.explain import explain_texts
from rnn_cli.scoring.predictor import MOST_PARTS, Predictor
from rnn_cli.serving.batcher import Batcher, QueueFull
from rnn_cli.serving.openapi import DOCUMENT
from rnn_cli.serving.page import page_routes

_BODY_BYTES, _MOST_TEXTS, _MOST_CHARACTERS = 1 << 20, 256, 20_000
HOSTS = {"127.0.0.1", "localhost", "[::1]"}


class Problem(HTTPException):
    """An error as application/problem+json; `pointer` is the JSON pointer to its cause."""

    def __init__(self, status: int, detail: str, pointer: str | None = None, **headers: str) -> None:
        super().__init__(status, detail, headers)
        self.pointer = pointer


async def _problem(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) else "internal error"
    content: dict[str, Any] = {"type": "about:blank", "status": status, "detail": detail}
    if isinstance(error, Problem) and error.pointer is not None:
        content["pointer"] = error.pointer
    headers = error.headers if isinstance(error, HTTPException) else None
    return JSONResponse(content, status, headers, "application/problem+json")


def _refuse_host(request: Request) -> None:
    host = request.headers.get("host", "")
    if (host if host.endswith("]") else host.rpartition(":")[0] or host) not in HOSTS:
        raise Problem(421, "this Host is not served")


async def _body(request: Request) -> dict[str, Any]:
    _refuse_host(request)
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > _BODY_BYTES:
            raise Problem(413, f"more than {_BODY_BYTES:,} bytes")
    try:
        found = json.loads(bytes(content))
    except (ValueError, RecursionError):
        raise Problem(422, "not JSON", "") from None
    if not isinstance(found, dict):
        raise Problem(422, "expected an object", "")
    return found


def _texts(body: dict[str, Any]) -> list[str]:
    if ("text" in body) == ("texts" in body):
        raise Problem(422, "give either text or texts", "")
    one = "text" in body
    texts = [body["text"]] if one else body["texts"]
    if not isinstance(texts, list) or not 1 <= len(texts) <= _MOST_TEXTS:
        raise Problem(422, f"expected 1 to {_MOST_TEXTS} texts", "/texts")
    for index, text in enumerate(texts):
        pointer = "/text" if one else f"/texts/{index}"
        if not isinstance(text, str) or len(text) > _MOST_CHARACTERS:
            raise Problem(422, f"expected a text of at most {_MOST_CHARACTERS:,} characters", pointer)
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise Problem(422, "holds a lone surrogate", pointer)
    return texts


async def _answer(batcher: Batcher, request: Request, always: bool) -> Response:
    predictor = batcher.predictor
    body = await _body(request)
    texts = _texts(body)
    for name in ("proba", "explain"):
        if not isinstance(body.get(name, False), bool):
            raise Problem(422, "expected true or false", f"/{name}")
    try:
        found = await batcher.predict(texts)
    except QueueFull:
        raise Problem(429, "too many texts wait", **{"Retry-After": "1"}) from None
    rows: list[dict[str, Any]] = []
    for text, each in zip(texts, found, strict=True):
        row = asdict(each) | {"text": text}
        probabilities = row.pop("probabilities")
        if body.get("proba"):
            row["probabilities"] = dict(zip(predictor.labels, probabilities, strict=True))
        rows.append(row)
    if always or body.get("explain"):
        work = asyncio.get_running_loop().run_in_executor(
            batcher.thread, lambda: explain_texts(predictor, texts, most_parts=MOST_PARTS)
        )
        for row, parts in zip(rows, await work, strict=True):
            row["explanation"] = [asdict(part) for part in parts]
    return JSONResponse({"predictions": rows})


def create_app(predictor: Predictor) -> Starlette:
    """The application around one model."""
    batcher = Batcher(predictor)

    async def predict(request: Request) -> Response:
        return await _answer(batcher, request, False)

    async def explain(request: Request) -> Response:
        return await _answer(batcher, request, True)

    async def model(request: Request) -> Response:
        _refuse_host(request)
        return JSONResponse({"labels": list(predictor.labels), "decision": asdict(predictor.decision)})

    async def healthy(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def openapi(request: Request) -> Response:
        _refuse_host(request)
        return JSONResponse(DOCUMENT)

    routes = [
        Route("/v1/predict", predict, methods=["POST"]),
        Route("/v1/explain", explain, methods=["POST"]),
        Route("/v1/model", model),
        Route("/health/live", healthy),
        Route("/health/ready", healthy),
        Route("/openapi.json", openapi),
        *page_routes(),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _problem, Exception: _problem})
