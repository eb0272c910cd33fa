"""JSON that carries its own checksum, so that one changed bit in it is noticed."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnn_cli.errors import BundleError

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
"""A file's name, as rnn gives them: no path, and nothing that a terminal or a file system takes for more."""

DEEPEST = 32
"""How deep signed content is nested, at most; some of it is copied, a call a level."""


def sign(content: Mapping[str, Any]) -> str:
    """The content as JSON text, with the checksum of all of it."""
    text = json.dumps({**content, "checksum": checksum(content)}, indent=2, ensure_ascii=False) + "\n"
    # Of a path's bytes that are no text; UTF-8 has no place for them, JSON has escapes.
    return re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)


def unsign(text: str, *, where: str, newest: int, mend: str = "train again or restore a copy") -> dict[str, Any]:
    """The content of signed text of a `format_version` up to `newest`.

    Raises `BundleError` if it is damaged, with this `mend`, or from a newer release.
    """
    damaged = BundleError("damaged, its checksum differs", where=where, mend=mend)
    try:
        content: dict[str, Any] = json.loads(text, parse_constant=_no_number)
        found = content.pop("checksum")
        version = content["format_version"]
        is_whole = found == checksum(content) and not _is_deep(content, DEEPEST)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise damaged from None
    if isinstance(version, int) and version > newest:
        raise BundleError(
            f"written by a newer rnn (format {version}, this one reads up to {newest})",
            where=where,
            mend="upgrade rnn-cli",
        )
    if not is_whole:
        raise damaged
    return content


def _is_deep(value: object, left: int) -> bool:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return left == 0 or any(_is_deep(child, left - 1) for child in children)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def checksum(content: Mapping[str, Any]) -> str:
    """The sha256 of JSON content, whatever the order of its keys."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def proof(file: Path) -> dict[str, Any]:
    """A file's size in bytes and its sha256 in hex."""
    with file.open("rb") as stream:
        return {"size": file.stat().st_size, "sha256": hashlib.file_digest(stream, "sha256").hexdigest()}


def check_proof(name: str, proof: Mapping[str, Any]) -> None:
    """Raises `ValueError` or `TypeError` unless this is the name of a file in a folder, and a proof of it."""
    if not NAME.fullmatch(name):
        raise ValueError("not a name of rnn's")
    if type(proof["size"]) is not int or proof["size"] < 0 or type(proof["sha256"]) is not str:
        raise TypeError("no proof")


def number(value: object, least: float, most: float) -> float:
    """A number of signed content; raises `TypeError` or `ValueError` unless it is one within these bounds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("no number")
    if not least <= value <= most:  # nor is anything that is not a number
        raise ValueError("out of range")
    return float(value)


def texts(values: object) -> list[str]:
    """A list of texts of signed content; raises `TypeError` if it is anything else."""
    if not (isinstance(values, list) and all(isinstance(each, str) for each in values)):
        raise TypeError("no list of texts")
    return values


def is_proven(content: bytes, by: Mapping[str, Any]) -> bool:
    """Whether these are the bytes the proof was made of."""
    return bool(len(content) == by["size"] and hashlib.sha256(content).hexdigest() == by["sha256"])
