"""Errors as every endpoint answers them: application/problem+json, RFC 9457."""

import json
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"

_OF_ROUTES = {
    404: "no such path; /openapi.json describes those that there are",
    405: "this path does not take this method; the header Allow names those that it takes",
}
"""What Starlette, which finds the endpoint, has no words for."""

WAIT_SECONDS = 1
"""What Retry-After says where too much waits: a queue is empty again within it."""


class Problem(HTTPException):
    """An error for the client; `pointer` is the JSON pointer (RFC 6901) to its cause in the body."""

    def __init__(self, status: int, detail: str, pointer: str | None = None, **headers: str) -> None:
        """`headers` are named with _ for -."""
        super().__init__(status, detail, {name.replace("_", "-"): value for name, value in headers.items()})
        self.pointer = pointer


def too_busy(what: str) -> Problem:
    """The error for what cannot wait here any longer."""
    return Problem(429, what, Retry_After=str(WAIT_SECONDS))


def problem_fields(status: int, detail: str) -> dict[str, Any]:
    """What an error says. `error` repeats the detail, as the Open Inference Protocol has it."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "error": detail,
    }


def problem_json(status: int, detail: str, pointer: str | None = None) -> bytes:
    """The body of an error."""
    content = problem_fields(status, detail)
    if pointer is not None:
        content["pointer"] = pointer
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")


def problem_response(error: HTTPException) -> Response:
    """The answer for an error."""
    pointer = error.pointer if isinstance(error, Problem) else None
    detail = error.detail if isinstance(error, Problem) else _OF_ROUTES.get(error.status_code, error.detail)
    content = problem_json(error.status_code, detail, pointer)
    return Response(content, error.status_code, error.headers, MEDIA_TYPE)


async def answer_problem(_: Request, error: Exception) -> Response:
    """Starlette's handler of errors; of those that no client caused the log tells more, and nothing else does."""
    if not isinstance(error, HTTPException):
        error = Problem(503, "the server failed; its log says how")
    return problem_response(error)
