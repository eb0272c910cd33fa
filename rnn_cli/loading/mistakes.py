"""What pydantic found wrong, in plain sentences: where, what was expected, what was given, what may be meant.

Knows nothing of files or overrides: a mistake is a path of keys and a sentence.
"""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from pydantic import ValidationError

from rnn_cli.config.values import PLAIN_NUMBER
from rnn_cli.loading.keys import in_words, key_table, schema_at
from rnn_cli.loading.strict_yaml import shown

Path = tuple[object, ...]


class Mistake(NamedTuple):
    """What is wrong with the value at a path of keys and list indices; () is the whole config."""

    path: Path
    what: str


def explain(error: ValidationError, given: Mapping[str, Any]) -> list[Mistake]:
    """The mistakes of a config, one a path, in declared order."""
    found: dict[Path, list[Any]] = {}
    for fault in error.errors(include_url=False):
        found.setdefault(_path(fault["loc"], given), []).append(fault)
    return [
        Mistake(path, _sentence(path, faults))
        for path, faults in found.items()
        if not _is_told_below(path, faults, found)
    ]


def dotted(path: Sequence[object]) -> str:
    """The path as it is written: model.units.1."""
    return ".".join(str(part) if str(part).isprintable() else shown(part) for part in path)


def _path(location: Sequence[object], given: Any) -> Path:
    # Between the keys, pydantic names the branches of a union; they lead nowhere in what was given.
    path: list[object] = []
    for part in location:
        if isinstance(given, dict):
            members = {str(key): value for key, value in given.items()}
        elif isinstance(given, list):
            members = {str(index): value for index, value in enumerate(given)}
        else:
            break
        if str(part) in members:
            given = members[str(part)]
            path.append(part)
    return tuple(path)


def _is_told_below(path: Path, faults: list[Any], found: Mapping[Path, object]) -> bool:
    # `class_weight: {a: -1}` fails as "balanced" too, which nobody meant.
    deeper = any(len(other) > len(path) and other[: len(path)] == path for other in found)
    return deeper and all(fault["type"] != "value_error" for fault in faults)


def _sentence(path: Path, faults: list[Any]) -> str:
    for fault in faults:
        if fault["type"] == "value_error":
            return str(fault["ctx"]["error"])
        if fault["type"] == "extra_forbidden":
            return _unknown_key(path)
    value = faults[0]["input"]
    wanted = in_words(schema_at(path))
    return f"expected {wanted}, got {shown(value)}{_hint(wanted, value)}"


def _hint(wanted: str, value: object) -> str:
    if wanted.startswith(("text", "one char")):
        return "; quote it" if isinstance(value, int | float) else ""
    written = getattr(value, "written", value)
    if not isinstance(written, str):
        return ""
    plain = re.sub(r"^([-+]?)0+(?=[0-9])|_", r"\1", written)  # 010 and 1_000 are other numbers for other readers
    return f"; write {plain}" if plain != written and PLAIN_NUMBER.fullmatch(plain) else ""


def _unknown_key(path: Path) -> str:
    """Looks for the key where it stands, then by its last name anywhere."""
    names = [key.name for key in key_table()]
    siblings = {name.rpartition(".")[2]: name for name in names if name.rpartition(".")[0] == dotted(path[:-1])}
    anywhere = {name.rpartition(".")[2]: name for name in names}
    if len(path) == 1:
        siblings = {name.partition(".")[0]: name.partition(".")[0] for name in names}
    written = str(path[-1])
    if written in names:
        section, _, name = written.partition(".")
        return f"no such key; write {section}: {{{name.replace('.', ': {')}: ...{'}' * written.count('.')}"
    if written in anywhere:
        return f"no such key; did you mean {anywhere[written]}?"
    for known in (siblings, anywhere):
        if near := get_close_matches(written, known, 1):
            return f"no such key; did you mean {known[near[0]]}?"
    return f"no such key; here are {', '.join(siblings)}" if siblings else "no such key"
