"""A config as YAML with comments: the keys that differ from their defaults or have a reason, and the reason."""

import math
from collections.abc import Mapping

from rnn_cli.config.load import to_yaml
from rnn_cli.config.schema import Config


def with_comments(
    config: Config, head: list[str], reasons: Mapping[str, str], instead: Mapping[str, str] | None = None
) -> str:
    """The config under the lines of `head`; `instead` has lines that stand in place of a key's."""
    lines = [f"# {line}".rstrip() for line in head]
    ours, defaults = lines_by_key(config), lines_by_key(Config())
    section = ""
    for name, (line, *below) in ours.items():
        reason = reasons.get(name)
        if instead is not None and name in instead:
            line = instead[name]
        elif [line, *below] == defaults.get(name) and reason is None:
            continue
        elif reason is not None:
            line = f"{line:<26} # {reason}"
        if section != (section := name.partition(".")[0]):
            lines += ["", f"{section}:"]
        lines += [line, *below]
    return "\n".join(lines) + "\n"


def lines_by_key(config: Config) -> dict[str, list[str]]:
    """The lines of YAML of each key, by its name; those of a nested section belong to its key."""
    found: dict[str, list[str]] = {}
    section = name = ""
    for line in to_yaml(config, math.inf).splitlines():
        if not line.startswith(" "):
            section = line.rstrip(":")
            continue
        if not line.startswith("    "):
            name = f"{section}.{line.strip().partition(':')[0]}"
        found.setdefault(name, []).append(line)
    return found
