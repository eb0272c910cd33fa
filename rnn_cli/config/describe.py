"""The keys of a config: names, types in words, defaults and descriptions, and explanations of mistakes.

Reads them from the JSON schema of the models.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any, NamedTuple

from pydantic import ValidationError

from rnn_cli.config.schema import PLAIN_NUMBER, Config
from rnn_cli.config.strict_yaml import shown_value

Schema = dict[str, Any]


class ConfigKey(NamedTuple):
    """A key of the config, in words as `rnn config keys` prints them."""

    name: str
    """The name with its section: training.epochs."""
    type: str
    default: str
    """The default as written in YAML."""
    description: str


def key_table() -> list[ConfigKey]:
    """Every key in declared order; a section within a section is a key, followed by its keys."""
    return list(_keys(config_schema(), ""))


@cache
def config_schema() -> Schema:
    """The JSON schema of `Config`."""
    return Config.model_json_schema()


def schema_at(path: Sequence[object]) -> Schema:
    """The schema of the value at a path of keys and indices; empty for an unknown path."""
    schema = config_schema()
    for part in path:
        options = [_resolved(option) for option in _options(schema)]
        if isinstance(part, int) and any("items" in option for option in options):
            schema = next(option["items"] for option in options if "items" in option)
        else:
            schema = next(filter(None, (_member(option, str(part)) for option in options)), {})
        schema = _resolved(schema)
    return schema


def takes_text(path: Sequence[object]) -> bool:
    """Whether the value at a path is a text (or null), whatever it is."""
    options = _options(schema_at(path))
    kinds = {str(option.get("type")) for option in options}
    return "string" in kinds and kinds <= {"string", "null"} and not any("enum" in option for option in options)


def sections() -> dict[str, Schema]:
    """The config's sections by name."""
    return {name: _resolved(schema) for name, schema in config_schema()["properties"].items()}


def type_in_words(schema: Schema) -> str:
    """The type of a schema: "a whole number (at least 1)"."""
    return _joined([_option_in_words(option) for option in _options(schema)])


def _keys(schema: Schema, prefix: str) -> Iterator[ConfigKey]:
    for name, declared in schema.get("properties", {}).items():
        nested = [option for option in map(_resolved, _options(declared)) if "properties" in option]
        if prefix or not nested:
            default = declared.get("default")
            written = default if isinstance(default, str) else shown_value(default)
            yield ConfigKey(prefix + name, type_in_words(declared), written, declared.get("description", ""))
        for option in nested:
            yield from _keys(option, f"{prefix}{name}.")


def _resolved(schema: Schema) -> Schema:
    name = schema.get("$ref", "").rpartition("/")[2]
    return config_schema()["$defs"][name] if name else schema


def _options(schema: Schema) -> list[Schema]:
    options: list[Schema] = schema.get("anyOf", [schema])
    return options


def _member(schema: Schema, name: str) -> Schema | None:
    member = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
    return member if isinstance(member, dict) else None


def _option_in_words(schema: Schema) -> str:
    schema = _resolved(schema)
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}"
    if "const" in schema:
        return str(schema["const"])
    match schema.get("type"):
        case "integer":
            return "a whole number" + _bounds(schema)
        case "number":
            return "a number" + _bounds(schema)
        case "array":
            return f"a list, each {type_in_words(schema['items'])}" + (", not empty" if schema.get("minItems") else "")
        case "object" if "properties" in schema:
            return f"keys of its own ({', '.join(schema['properties'])})"
        case "object":
            return f"{{name: value}}, each {type_in_words(schema['additionalProperties'])}"
        case "string":
            return "one character" if schema.get("maxLength") == 1 else "text"
        case "boolean":
            return "true or false"
        case _:
            return "null"


_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}


def _bounds(schema: Schema) -> str:
    found = [f"{words} {schema[name]}" for name, words in _BOUNDS.items() if name in schema]
    return f" ({' and '.join(found)})" if found else ""


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


KeyPath = tuple[object, ...]


class KeyMistake(NamedTuple):
    """A mistake in the value at a path of keys and list indices; () is the whole config."""

    path: KeyPath
    what: str


def explain_mistakes(error: ValidationError, given: Mapping[str, Any]) -> list[KeyMistake]:
    """The mistakes of a config, one per path, in declared order."""
    found: dict[KeyPath, list[Any]] = {}
    for fault in error.errors(include_url=False):
        found.setdefault(_path(fault["loc"], given), []).append(fault)
    return [
        KeyMistake(path, _sentence(path, faults))
        for path, faults in found.items()
        if not _is_explained_below(path, faults, found)
    ]


def dotted(path: Sequence[object]) -> str:
    """A path in dotted form: model.units.1."""
    return ".".join(str(part) if str(part).isprintable() else shown_value(part) for part in path)


def _path(location: Sequence[object], given: Any) -> KeyPath:
    # Between the keys, pydantic names branches of unions, which are not in the given values.
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


def _is_explained_below(path: KeyPath, faults: list[Any], found: Mapping[KeyPath, object]) -> bool:
    # `class_weight: {a: -1}` also fails as "balanced", which is not meant.
    deeper = any(len(other) > len(path) and other[: len(path)] == path for other in found)
    return deeper and all(fault["type"] != "value_error" for fault in faults)


def _sentence(path: KeyPath, faults: list[Any]) -> str:
    for fault in faults:
        if fault["type"] == "value_error":
            return str(fault["ctx"]["error"])
        if fault["type"] == "extra_forbidden":
            return _unknown_key(path)
    value = faults[0]["input"]
    wanted = type_in_words(schema_at(path))
    return f"expected {wanted}, got {shown_value(value)}{_hint(wanted, value)}"


def _hint(wanted: str, value: object) -> str:
    if wanted.startswith(("text", "one char")):
        return "; quote it" if isinstance(value, int | float) else ""
    written = getattr(value, "written", value)
    if not isinstance(written, str):
        return ""
    plain = re.sub(r"^([-+]?)0+(?=[0-9])|_", r"\1", written)  # YAML readers disagree about 010 and 1_000
    return f"; write {plain}" if plain != written and PLAIN_NUMBER.fullmatch(plain) else ""


def _unknown_key(path: KeyPath) -> str:
    """Suggest a similar key of the same section, then one of any section."""
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
    return f"no such key; the keys here are {', '.join(siblings)}" if siblings else "no such key"
