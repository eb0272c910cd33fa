"""The pages that the program writes itself: docs/cli.md from Click, docs/config-keys.md from the config's schema.

python tests/docs/generate.py      writes both anew
"""

import inspect
import re
from collections.abc import Iterator
from copy import copy
from pathlib import Path

import click

from rnn_cli.cli.main import cli
from rnn_cli.cli.options import RARE
from rnn_cli.config.describe import key_table, sections

DOCS = Path(__file__).parents[2] / "docs"

NOTE = "<!-- Written by python tests/docs/generate.py; change the program instead. -->"


def cli_page() -> str:
    """Every command: its usage, what it does, its options and examples."""
    commands = list(walked(click.Context(cli, info_name="rnn")))
    lines = ["# Commands", "", NOTE, "", "`--help`, or `-h`, behind a command shows the same.", ""]
    lines += ["| command | does |", "|---|---|"]
    for context in commands:
        path = context.command_path
        lines.append(f"| [`{path}`](#{path.replace(' ', '-')}) | {cell(context.command.get_short_help_str(200))} |")
    for context in commands:
        lines += ["", *command_section(context)]
    return "\n".join(lines) + "\n"


def walked(context: click.Context) -> Iterator[click.Context]:
    """A command and those below it, in the order of the help; hidden ones are left out."""
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            if command is not None and not command.hidden:
                yield from walked(click.Context(command, info_name=name, parent=context))


def _shown(option: click.Option, command: click.Command) -> click.Option:
    """The option, with its help also where a command's own help only names it."""
    shown = copy(option)
    shown.hidden = option.hidden and (option.name not in RARE or command.name == "predict")
    return shown


def command_section(context: click.Context) -> list[str]:
    """A command's heading, usage, help, options and examples."""
    command = context.command
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    lines = [f"## {context.command_path}", "", f"`{usage}`", "", *prose(inspect.cleandoc(command.help or ""))]
    options = [_shown(each, command) for each in command.params if isinstance(each, click.Option)]
    if records := [record for option in options if (record := option.get_help_record(context))]:
        lines += ["", "| option | |", "|---|---|"]
        lines += [f"| {code(names)} | {cell(does)} |" for names, does in records]
    if examples := re.findall(r"^  (.*)", command.epilog or "", re.M):
        lines += ["", "```text", *examples, "```"]
    return lines


def prose(text: str) -> list[str]:
    """Help as Markdown: a paragraph a line, with nothing in it that Markdown would take for its own."""
    paragraphs = re.split(r"\n\s*\n", text.replace("\f", ""))
    lines = [line for each in paragraphs for line in (" ".join(each.split()).replace("<", "&lt;"), "")]
    return lines[:-1]


def keys_page() -> str:
    """Every key of a config by section."""
    told = "`rnn config keys` shows the same, `rnn config schema` as a JSON schema. A dash stands for `null`."
    lines = ["# Keys of a config", "", NOTE, "", told]
    keys = key_table()
    for section, schema in sections().items():
        lines += ["", f"## {section}", "", *prose(schema.get("description", "")), ""]
        lines += ["| key | default | type | meaning |", "|---|---|---|---|"]
        for key in keys:
            if key.name.partition(".")[0] == section:
                default = "–" if key.default == "null" else code(key.default)
                name = key.name.removeprefix(f"{section}.")
                lines.append(f"| `{name}` | {default} | {cell(key.type)} | {cell(key.description)} |")
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """A text in a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def code(text: str) -> str:
    """The same, as it is typed."""
    return f"`{' '.join(text.split())}`".replace("|", "\\|")


PAGES = {DOCS / "cli.md": cli_page, DOCS / "config-keys.md": keys_page}

if __name__ == "__main__":
    for page, made in PAGES.items():
        page.write_text(made(), encoding="utf-8")
