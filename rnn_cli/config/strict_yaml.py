"""Reads strict YAML: plain values, no repeated keys, no aliases, no tags, mistakes by line and column.

Values mean what YAML 1.2's core schema says (https://yaml.org/spec/1.2.2/#103-core-schema): yes, 1:30, 1_000 and dates
are text, 010 is ten. Keys are the text as written. Knows nothing of configs.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

import yaml

from rnn_cli.config.schema import WrittenFloat, WrittenInt
from rnn_cli.errors import ConfigError, ConfigMistake


def parse_yaml(text: str, where: str, *, is_file: bool = True) -> Any:
    """Parse a YAML text to dicts, lists and plain values; None for an empty text.

    Raises `ConfigError` with one mistake, at `where:line:column` in a file, else at `where`.
    """
    try:
        return yaml.load(text, _StrictLoader)  # a SafeLoader, which creates no objects
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        at = f"{where}:{mark.line + 1}:{mark.column + 1}" if mark and is_file else where
        what = str(error.problem)
        raise ConfigError(
            [ConfigMistake(f"{error.context}, {what}" if what.startswith("but ") else what, where=at)]
        ) from None
    except yaml.reader.ReaderError as error:
        lines = text[: error.position].split("\n")
        at = f"{where}:{len(lines)}:{len(lines[-1]) + 1}" if is_file else where
        raise ConfigError(
            [ConfigMistake(f"the character {text[error.position]!a} is not allowed in YAML", where=at)]
        ) from None
    except RecursionError:
        raise ConfigError([ConfigMistake("nested too deeply", where=where)]) from None


def lines_at(text: str, paths: Sequence[Sequence[object]]) -> list[int]:
    """The line, from 1, of the value at each path of keys and indices in a text that `parse_yaml` reads.

    It is the key's line; of a path that is not there, that of the last part that is.
    """
    root = yaml.compose(text, _StrictLoader)
    return [_line(root, path) for path in paths]


def _line(node: yaml.Node | None, path: Sequence[object]) -> int:
    line = 1
    for part in path:
        if isinstance(node, yaml.MappingNode):
            key, node = next((pair for pair in node.value if pair[0].value == str(part)), (None, None))
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            key = node = node.value[part]
        else:
            break
        if key is None:
            break
        line = key.start_mark.line + 1
    return line


def shown_value(value: object) -> str:
    """A value on one line in YAML and JSON, a number with its spelling, shortened if long."""
    written = getattr(value, "written", None) or json.dumps(value, ensure_ascii=False, default=str)
    return written if len(written) <= 60 else written[:57] + "..."


def resolve_as_core(kind: type[yaml.SafeLoader] | type[yaml.SafeDumper]) -> None:
    """Let a loader or dumper recognize the plain values of the core schema."""
    for tag, pattern in _CORE:
        kind.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"(?:{pattern})$"), None)


_CORE = (
    ("null", "~|null|Null|NULL|"),
    ("bool", "true|True|TRUE|false|False|FALSE"),
    ("int", "[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"),
)


class _StrictLoader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # none of YAML 1.1's

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _refused("anchors and aliases (& and *) are not allowed; write the value out, or quote it", event)
        if getattr(event, "tag", None) not in (None, "!"):
            raise _refused("tags (!) are not allowed; quote the value if it is text", event)
        return super().compose_node(parent, index)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except ValueError:  # a number with thousands of digits
            raise _refused("a number that cannot be read; quote it if it is text", node) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        mapping: dict[Any, Any] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _refused("a key must be a plain word", key_node)
            key = key_node.value
            if key in lines:
                raise _refused(f"the key {shown_value(key)} appears twice, first in line {lines[key]}", key_node)
            lines[key] = key_node.start_mark.line + 1
            mapping[key] = self.construct_object(value_node, deep=deep)
        return mapping

    def construct_yaml_bool(self, node: yaml.ScalarNode) -> bool:
        return str(node.value).lower() == "true"

    def construct_yaml_int(self, node: yaml.ScalarNode) -> WrittenInt:
        number = WrittenInt(node.value, {"0o": 8, "0x": 16}.get(node.value[:2], 10))
        number.written = node.value
        return number

    def construct_yaml_float(self, node: yaml.ScalarNode) -> WrittenFloat:
        number = WrittenFloat(re.sub(r"\.(inf|nan)$", r"\1", node.value.lower()))
        number.written = node.value
        return number


resolve_as_core(_StrictLoader)
for _name in ("bool", "int", "float"):
    _StrictLoader.add_constructor(f"tag:yaml.org,2002:{_name}", getattr(_StrictLoader, f"construct_yaml_{_name}"))


def _refused(what: str, at: yaml.Event | yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(problem=what, problem_mark=at.start_mark)  # type: ignore[arg-type]
