"""A file of gates: one a line in YAML, the golden set, and which behaviour tests are meant.

    golden: golden.csv            # texts with the labels that they must get
    within: 5                     # of numbers: how far these may be off
    behaviour: cases.yaml         # instead of the tests that come with rnn
    labels: {positive: good}      # which label of the model a test's label is
    gates:
      - accuracy >= 0.9 (lower bound)
      - name: refunds are found
        gate: recall[refund] >= 0.8

A list of gates alone will do. Paths are read from the folder in which `rnn` runs, as everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import inf
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from rnn_cli.config.load import read_yaml_file
from rnn_cli.config.strict_yaml import lines_at, parse_yaml, shown_value
from rnn_cli.errors import ConfigError, ConfigMistake
from rnn_cli.gates.grammar import Gate, GateMistake, parse_gate

KEYS_OF_FILE = ("gates", "golden", "within", "behaviour", "labels")
KEYS_OF_GATE = ("name", "gate")


@dataclass(frozen=True)
class NamedGate:
    """A gate, the line that says it, the name it is reported by, and where it is written (`file:line`)."""

    name: str
    line: str
    gate: Gate
    where: str = ""


@dataclass(frozen=True)
class Gates:
    """What a model must reach. `golden` is a file of texts with their labels; `behaviour` one of behaviour tests.

    Numbers of the golden set may be off by as much as `within` says.
    `labels` says which of the model's labels a label of the behaviour tests is.
    """

    gates: tuple[NamedGate, ...]
    golden: str | None = None
    behaviour: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    within: float | None = None


def load_gates(source: "str | PathLike[str] | Sequence[str]") -> Gates:
    """The gates of a file, or of lines from a program. Raises `ConfigError` with every mistake, each with its place."""
    if isinstance(source, str | PathLike):
        where = fspath(source)
        return parse_gates(read_yaml_file(Path(where), where), where)
    mistakes: list[ConfigMistake] = []
    found = [_gate(line, line, f"gate {number}", mistakes) for number, line in enumerate(source, start=1)]
    return _whole(Gates(tuple(each for each in found if each is not None)), "gates", mistakes)


def parse_gates(text: str, where: str) -> Gates:
    """The gates of a YAML text from the file `where`. Raises as `load_gates` does."""
    given = parse_yaml(text, where)
    content: dict[str, Any] = {"gates": given} if isinstance(given, list) else given if isinstance(given, dict) else {}
    if not isinstance(given, list | dict):
        what = f"expected a list of gates, or the keys {', '.join(KEYS_OF_FILE)}, got {shown_value(given)}"
        raise ConfigError([ConfigMistake(what, where=where)])
    inside: tuple[object, ...] = () if isinstance(given, list) else ("gates",)
    mistakes = [
        ConfigMistake(_no_such_key(key, KEYS_OF_FILE), key, _place(text, where, (key,)))
        for key in content
        if key not in KEYS_OF_FILE
    ]
    listed = content.get("gates")
    if listed is None:
        listed = []
    if not isinstance(listed, list):
        mistakes.append(
            ConfigMistake(f"expected a list, got {shown_value(listed)}", "gates", _place(text, where, inside))
        )
        listed = []
    gates = [_entry(each, text, where, (*inside, index), mistakes) for index, each in enumerate(listed)]
    files: dict[str, str | None] = {}
    for key in ("golden", "behaviour"):
        value = content.get(key)
        if value is not None and (not isinstance(value, str) or not value):
            what = f"expected a file's name, got {shown_value(value)}"
            mistakes.append(ConfigMistake(what, key, _place(text, where, (key,))))
        files[key] = value if isinstance(value, str) else None
    labels = content.get("labels")
    if labels is None:
        labels = {}
    if not isinstance(labels, dict) or not all(isinstance(each, str) for each in labels.values()):
        what = f"expected {{NAME: LABEL}}, texts both, got {shown_value(labels)}"
        mistakes.append(ConfigMistake(what, "labels", _place(text, where, ("labels",))))
        labels = {}
    within = content.get("within")
    is_number = isinstance(within, int | float) and not isinstance(within, bool)
    if within is not None and not (is_number and 0 <= within < inf):
        what = f"expected a number that is not negative, got {shown_value(within)}"
        mistakes.append(ConfigMistake(what, "within", _place(text, where, ("within",))))
    every = tuple(each for each in gates if each is not None)
    found = Gates(every, files["golden"], files["behaviour"], labels, within)
    return _whole(found, where, mistakes)


def _whole(found: Gates, where: str, mistakes: list[ConfigMistake]) -> Gates:
    """The gates, if there is no mistake and there is something to check."""
    if not mistakes and not found.gates and found.golden is None:
        mistakes.append(ConfigMistake("has no gate; write one, such as accuracy >= 0.9", where=where))
    seen: dict[str, NamedGate] = {}
    for each in found.gates:
        if first := seen.get(each.name):
            mistakes.append(ConfigMistake(f"the name {each.name!r} is that of {first.where}, too", where=each.where))
        seen.setdefault(each.name, each)
    if mistakes:
        raise ConfigError(mistakes)
    return found


def _entry(
    given: Any, text: str, where: str, path: tuple[object, ...], mistakes: list[ConfigMistake]
) -> NamedGate | None:
    """A gate of the list, with its name if it has one; adds what is wrong with it to `mistakes`."""
    if isinstance(given, str):
        return _gate(given, given, _place(text, where, path), mistakes, _line_of(text, path))
    if not isinstance(given, dict):
        what = f"expected a gate such as accuracy >= 0.9, got {shown_value(given)}"
        mistakes.append(ConfigMistake(what, where=_place(text, where, path)))
        return None
    for key in given:
        if key not in KEYS_OF_GATE:
            what = f"{_no_such_key(key, KEYS_OF_GATE)}; quote a gate that holds a colon"
            mistakes.append(ConfigMistake(what, key, _place(text, where, (*path, key))))
            return None
    for key in KEYS_OF_GATE:
        if not isinstance(given.get(key), str) or not given[key].strip():
            what = f"expected text, got {shown_value(given[key])}" if key in given else "this key is missing"
            mistakes.append(ConfigMistake(what, key, _place(text, where, path)))
            return None
    at = (*path, "gate")
    return _gate(given["gate"], given["name"], _place(text, where, at), mistakes, _line_of(text, at))


def _gate(line: str, name: str, place: str, mistakes: list[ConfigMistake], written: str = "") -> NamedGate | None:
    """The gate of a line; a mistake is told with its column where the line stands as such in the file's `written`."""
    if not isinstance(line, str):
        mistakes.append(ConfigMistake(f"expected text, got {type(line).__name__}", where=place))
        return None
    try:
        return NamedGate(" ".join(name.split()), " ".join(line.split()), parse_gate(line), place)
    except GateMistake as mistake:
        start = written.find(line)
        column = f":{start + mistake.at + 1}" if start >= 0 else ""
        mistakes.append(ConfigMistake(f"{line.strip() or shown_value(line)}: {mistake.what}", where=f"{place}{column}"))
        return None


def _no_such_key(key: object, keys: Sequence[str]) -> str:
    near = get_close_matches(str(key), keys, 1)
    return f"no such key; did you mean {near[0]}?" if near else f"no such key; the keys are {', '.join(keys)}"


def _place(text: str, where: str, path: Sequence[object]) -> str:
    return f"{where}:{lines_at(text, [path])[0]}"


def _line_of(text: str, path: Sequence[object]) -> str:
    """The line of the file that a value stands on."""
    return text.split("\n")[lines_at(text, [path])[0] - 1]
