"""YAML without its traps: plain values only, no key twice, no aliases, no tags, mistakes by line and column.

Of YAML 1.1's guesses only null, booleans and numbers are left: dates, `=` and `<<` are text. Knows nothing of
configs.
"""

import json
from typing import Any

import yaml

from rnn_cli.errors import ConfigError


def parse_yaml(text: str, where: str, *, is_file: bool = True) -> Any:
    """The value a YAML text stands for, made of dicts, lists and plain values; None for an empty one.

    Raises `ConfigError` with one mistake, placed as `where:line:column` in a file, else as `where`.
    """
    try:
        return yaml.load(text, _StrictLoader)  # a SafeLoader: it makes no objects
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{where}:{mark.line + 1}:{mark.column + 1}" if mark and is_file else where
        what = str(error.problem)
        raise ConfigError(
            [f"{place}: {error.context}, {what}" if what.startswith("but ") else f"{place}: {what}"]
        ) from None
    except yaml.reader.ReaderError as error:
        lines = text[: error.position].split("\n")
        place = f"{where}:{len(lines)}:{len(lines[-1]) + 1}" if is_file else where
        raise ConfigError([f"{place}: the character {text[error.position]!a} is not allowed in YAML"]) from None
    except RecursionError:
        raise ConfigError([f"{where}: nested too deeply"]) from None


def shown(value: object) -> str:
    """A value on one line as YAML and JSON both write it, shortened when long."""
    written = json.dumps(value, ensure_ascii=False, default=str)
    return written if len(written) <= 60 else written[:57] + "..."


_GUESSES = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float")}


class _StrictLoader(yaml.SafeLoader):
    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag in _GUESSES]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

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
        except ValueError:  # 0x_, or thousands of digits
            raise _refused("not a number that can be read; quote it if it is text", node) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        lines: dict[Any, int] = {}
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _refused("a key must be a plain word", key_node)
            key = self.construct_object(key_node)
            if key in lines:
                raise _refused(f"the key {shown(key)} is given twice, first in line {lines[key]}", key_node)
            lines[key] = key_node.start_mark.line + 1
        return super().construct_mapping(node, deep=deep)


def _refused(what: str, place: yaml.Event | yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(problem=what, problem_mark=place.start_mark)  # type: ignore[arg-type]
