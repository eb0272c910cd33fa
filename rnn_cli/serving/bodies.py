"""Bodies of requests: read within bounds as they arrive, and checked before anything is scored."""

import asyncio
import json
from collections.abc import Callable, Collection
from typing import Any

from starlette.requests import Request

from rnn_cli.serving.problems import Problem
from rnn_cli.serving.settings import Limits

MIB = 1 << 20


async def receive_body(request: Request, most: int, limits: Limits, write: Callable[[bytes], object]) -> None:
    """Give the body to `write` as it arrives.

    Raises `Problem` 413 if it is larger than `most` bytes, 408 if it is slow, 415 if it is compressed. What the header
    Content-Length says is believed only where it is too much.
    """
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(415, "compressed bodies are not read; send it as it is")
    too_large = Problem(413, f"the body is larger than {most:,} bytes")
    told = request.headers.get("content-length", "")
    if told.isdecimal() and len(told) < 20 and int(told) > most:
        raise too_large
    size = allowed = 0
    try:
        async with asyncio.timeout(limits.read_seconds) as deadline:
            async for chunk in request.stream():
                size += len(chunk)
                if size > most:
                    raise too_large
                write(chunk)
                if size >= allowed + MIB:
                    allowed = size
                    deadline.reschedule(asyncio.get_running_loop().time() + limits.read_seconds)
    except TimeoutError:
        what = f"the body did not arrive within {limits.read_seconds:g} seconds a MiB"
        raise Problem(408, what, Connection="close") from None


async def receive_json(request: Request, limits: Limits) -> dict[str, Any]:
    """The body as a JSON object. Raises `Problem`."""
    content = bytearray()
    await receive_body(request, limits.body_bytes, limits, content.extend)
    try:
        found = json.loads(
            bytes(content).decode("utf-8-sig"), parse_constant=_refuse_constant, object_pairs_hook=_refuse_twice
        )
    except UnicodeDecodeError as error:
        raise Problem(422, f"the body is not UTF-8 (byte {error.start})", "") from None
    except RecursionError:
        raise Problem(422, "the body is nested too deeply", "") from None
    except json.JSONDecodeError as error:
        raise Problem(
            422, f"the body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})", ""
        ) from None
    except ValueError as error:
        raise Problem(422, f"the body is not JSON: {str(error).partition(';')[0]}", "") from None
    if not isinstance(found, dict):
        raise Problem(422, "expected an object", "")
    return found


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these keys and values; two of a name may be read differently elsewhere."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Problem(422, "a key stands twice in one object", "")
    return found


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def refuse_unknown(body: dict[str, Any], known: Collection[str], at: str = "") -> None:
    """Raise `Problem` for a key that is none."""
    for key in body:
        if key not in known:
            raise Problem(422, f"no such key; it may have {', '.join(known)}", f"{at}/{escaped(key)}")


def escaped(key: str) -> str:
    """A key as a part of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def checked_flag(body: dict[str, Any], name: str) -> bool:
    """Whether a key is true; false where it is not given. Raises `Problem` for other values."""
    found = body.get(name, False)
    if not isinstance(found, bool):
        raise Problem(422, "expected true or false", f"/{name}")
    return found


def checked_texts(texts: object, limits: Limits, pointer: str, *, most: int | None = None) -> list[str]:
    """A list of texts to score. Raises `Problem` that points to what is none, or too many or too long."""
    most = most or limits.texts
    if not isinstance(texts, list):
        raise Problem(422, "expected a list of texts", pointer)
    if not 1 <= len(texts) <= most:
        raise Problem(422, f"expected 1 to {most:,} texts, got {len(texts):,}", pointer)
    for index, text in enumerate(texts):
        check_text(text, limits, f"{pointer}/{index}")
    return texts


def check_text(text: object, limits: Limits, pointer: str) -> None:
    """Raise `Problem` for what is no text that can be scored."""
    if not isinstance(text, str):
        raise Problem(422, "expected a text", pointer)
    if len(text) > limits.characters:
        raise Problem(422, f"expected at most {limits.characters:,} characters, got {len(text):,}", pointer)
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise Problem(422, "half of a surrogate pair, which is not a character", pointer) from None
