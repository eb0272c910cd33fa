"""A config's keys: their names, types in words, defaults and meanings, read off the models' JSON schema.

Knows nothing of values that were given.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from rnn_cli.config import Config
from rnn_cli.loading.strict_yaml import shown

Schema = dict[str, Any]


class Key(NamedTuple):
    """A key of the config, all in words as `rnn config keys` prints them."""

    name: str
    """With its section: training.epochs."""
    type: str
    default: str
    """As YAML writes it."""
    description: str


def key_table() -> list[Key]:
    """Every key in declared order; a section within a section is a key, followed by its own."""
    return list(_keys(config_schema(), ""))


@cache
def config_schema() -> Schema:
    """The JSON schema of `Config`."""
    return Config.model_json_schema()


def schema_at(path: Sequence[object]) -> Schema:
    """The schema of the value at a path of keys and indices; an empty one where no value belongs."""
    schema = config_schema()
    for part in path:
        options = [_resolved(option) for option in _options(schema)]
        if isinstance(part, int) and any("items" in option for option in options):
            schema = next(option["items"] for option in options if "items" in option)
        else:
            schema = next(filter(None, (_member(option, str(part)) for option in options)), {})
        schema = _resolved(schema)
    return schema


def sections() -> dict[str, Schema]:
    """The config's sections by name."""
    return {name: _resolved(schema) for name, schema in config_schema()["properties"].items()}


def in_words(schema: Schema) -> str:
    """What a schema wants: "a whole number of at least 1"."""
    return _joined([_option_in_words(option) for option in _options(schema)])


def _keys(schema: Schema, prefix: str) -> Iterator[Key]:
    for name, declared in schema.get("properties", {}).items():
        nested = [option for option in map(_resolved, _options(declared)) if "properties" in option]
        if prefix or not nested:
            default = declared.get("default")
            written = default if isinstance(default, str) else shown(default)
            yield Key(prefix + name, in_words(declared), written, declared.get("description", ""))
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
            return f"a list, each {in_words(schema['items'])}" + (", not empty" if schema.get("minItems") else "")
        case "object" if "properties" in schema:
            return f"keys of its own ({', '.join(schema['properties'])})"
        case "object":
            return f"{{name: value}}, each {in_words(schema['additionalProperties'])}"
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
