"""JSON that carries its own checksum, so that one changed bit in it is noticed."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnn_cli.errors import BundleError


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
        content: dict[str, Any] = json.loads(text)
        found = content.pop("checksum")
        version = content["format_version"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise damaged from None
    if isinstance(version, int) and version > newest:
        raise BundleError(
            f"written by a newer rnn (format {version}, this one reads up to {newest})",
            where=where,
            mend="upgrade rnn-cli",
        )
    if found != checksum(content):
        raise damaged
    return content


def checksum(content: Mapping[str, Any]) -> str:
    """The sha256 of JSON content, whatever the order of its keys."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def proof(file: Path) -> dict[str, Any]:
    """A file's size in bytes and its sha256 in hex."""
    with file.open("rb") as stream:
        return {"size": file.stat().st_size, "sha256": hashlib.file_digest(stream, "sha256").hexdigest()}


def is_proven(content: bytes, by: Mapping[str, Any]) -> bool:
    """Whether these are the bytes the proof was made of."""
    return bool(len(content) == by["size"] and hashlib.sha256(content).hexdigest() == by["sha256"])
