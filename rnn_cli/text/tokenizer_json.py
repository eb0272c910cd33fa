"""Writes a tokenizer as JSON, and reads it with a check of every type and value.

The file may come from anyone, so everything is checked; `rnn predict` reads it at every start, so no library is used.
Knows nothing of splitting or of files.
"""

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from rnn_cli.errors import BundleError

PADDING = 0
UNKNOWN = 1
TOKEN_LEVELS = ("word", "char", "sentence", "subword")
TRUNCATIONS = ("head", "tail", "both")
PUNCTUATION = ("drop", "keep")
SPLITTINGS = ("ascii", "unicode", "posts")

LARGEST_LENGTH = 2**31 - 1
MOST_FILTERS = 10_000
"""More than anyone needs; each is searched for 256 times."""

_TYPES: dict[str, type] = {
    "level": str,
    "oov_token": str,
    "lowercase": bool,
    "filters": str,
    "punctuation": str,
    "splitting": str,
    "max_length": int,
    "truncate": str,
    "vocabulary": list,
}
"""The keys of every level; subword adds "merges", a list of pairs."""


def write_fields(fields: Mapping[str, Any]) -> str:
    """The fields as JSON text in ASCII, the vocabulary with one entry per line."""
    lines = []
    for key, value in fields.items():
        if isinstance(value, tuple | list):
            entries = ",\n  ".join(json.dumps(entry) for entry in value)
            lines.append(f" {json.dumps(key)}: [\n  {entries}\n ]")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def read_fields(text: str) -> dict[str, Any]:
    """The checked fields of a JSON text.

    Raises `BundleError` ("tokenizer.json: ...") for anything that `write_fields` does not write.
    """
    try:
        fields = json.loads(text, object_pairs_hook=_OneObject())
    except RecursionError:
        raise _refused("nested too deeply") from None
    except ValueError as error:  # not JSON, or an integer of thousands of digits
        raise _refused(f"not readable as JSON ({error})") from None
    if not isinstance(fields, dict):
        raise _refused("expected an object")
    fields.setdefault("punctuation", "drop")  # older files do not have these keys
    fields.setdefault("splitting", "ascii")
    _check_keys(fields)
    _check_values(fields)
    _check_vocabulary(fields["vocabulary"], fields["oov_token"])
    if "merges" in fields:
        _check_merges(fields["merges"], set(fields["vocabulary"]))
    return fields


def _refused(what: str) -> BundleError:
    return BundleError(what, where="tokenizer.json")


class _OneObject:
    """Converts one JSON object to a dict; refuses a second object, and repeated keys."""

    def __init__(self) -> None:
        self.made = False

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) < len(pairs):
            raise _refused("a key appears twice")
        if self.made:
            raise _refused("holds a nested object")
        self.made = True
        return fields


def _check_keys(fields: dict[str, Any]) -> None:
    wanted = dict(_TYPES)
    if fields.get("level") == "subword":
        wanted["merges"] = list
    if missing := [key for key in wanted if key not in fields]:
        raise _refused(f"{missing[0]} is missing")
    if unknown := [key for key in fields if key not in wanted]:
        raise _refused(f"unknown key {unknown[0]!r}")
    for key, kind in wanted.items():
        if type(fields[key]) is not kind:  # isinstance would take true for an integer
            raise _refused(f"{key}: expected {kind.__name__}, got {type(fields[key]).__name__}")


def _check_values(fields: dict[str, Any]) -> None:
    choices = {"level": TOKEN_LEVELS, "truncate": TRUNCATIONS, "punctuation": PUNCTUATION, "splitting": SPLITTINGS}
    for key, allowed in choices.items():
        if fields[key] not in allowed:
            raise _refused(f"{key}: expected one of {', '.join(allowed)}, got {fields[key]!r}")
    if fields["punctuation"] == "keep" and fields["level"] != "word":
        raise _refused(f"punctuation: keep needs level word, got {fields['level']}")
    if not 1 <= fields["max_length"] <= LARGEST_LENGTH:
        raise _refused(f"max_length: expected from 1 to {LARGEST_LENGTH}, got {fields['max_length']}")
    if not fields["oov_token"]:
        raise _refused("oov_token: expected at least one character")
    if len(fields["filters"]) > MOST_FILTERS:
        raise _refused(f"filters: expected at most {MOST_FILTERS} characters, got {len(fields['filters'])}")
    _check_encodable("filters", fields["filters"])


def _check_vocabulary(vocabulary: list[Any], oov_token: str) -> None:
    for index, token in enumerate(vocabulary):
        if type(token) is not str:
            raise _refused(f"vocabulary.{index}: expected str, got {type(token).__name__}")
    _check_encodable("vocabulary", "".join(vocabulary))
    if vocabulary[:2] != ["", oov_token]:
        raise _refused("vocabulary: expected the padding token (empty) and oov_token first")
    if len(set(vocabulary)) < len(vocabulary):
        twice = next(left for left, right in pairwise(sorted(vocabulary)) if left == right)
        raise _refused(f"vocabulary: {twice!r} appears twice")


def _check_encodable(key: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _refused(f"{key}: holds half of a surrogate pair") from None


def _check_merges(merges: list[Any], pieces: set[str]) -> None:
    found = set()
    for index, merge in enumerate(merges):
        if type(merge) is not list or len(merge) != 2 or any(type(part) is not str for part in merge):
            raise _refused(f"merges.{index}: expected two pieces")
        left, right = merge
        if not (left and right and {left, right, left + right} <= pieces):
            raise _refused(f"merges.{index}: {left!r} and {right!r} do not make a piece of the vocabulary")
        if (left, right) in found:
            raise _refused(f"merges.{index}: {left!r} and {right!r} appear twice")
        found.add((left, right))
