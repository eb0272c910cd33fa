"""What the documents promise exists: commands, options, config keys, files."""

import re
import shlex
from pathlib import Path

import pytest

from rnn_cli.cli.main import cli
from rnn_cli.config.load import load_config, parse_config, parse_override, recipes

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "data" / "README.md", ROOT / "docs" / "inspect.md"]


def commands() -> list[str]:
    """Each `rnn ...` of the documents' code blocks and in-line code, without pipes and comments."""
    found = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        blocks = re.findall(r"```(?:sh|console)\n(.*?)```", text, re.S)
        # A command shown with the error it earns is wrong on purpose, and of a session only what is typed is one.
        right = [re.sub(r".*\n(?=Error: )", "", block) for block in blocks]
        typed = [re.findall(r"^\$ (.*)", block, re.M) or block.splitlines() for block in right]
        lines = [line for block in typed for line in block]
        lines += [code for code in re.findall(r"`(rnn [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.S))]
        for line in lines:
            # The shell's own signs, unless they stand in quotes.
            for part in re.split(r"""(?:&&|\||>| # )(?=(?:[^"]*"[^"]*")*[^"]*$)""", line):
                if part.strip().startswith("rnn ") and "…" not in part:
                    found.append(part.strip())
    return sorted(set(found))


def test_there_are_commands() -> None:
    assert len(commands()) > 8


@pytest.mark.parametrize("command", commands())
def test_a_documented_command_is_one(command: str) -> None:
    words = shlex.split(command)[1:]
    context = cli.make_context("rnn", words[:0] if not words else list(words), resilient_parsing=False)
    group, rest = cli, [*context._protected_args, *context.args]
    while rest:
        name, found, rest = group.resolve_command(context, rest)
        assert found is not None, f"no command {name}"
        if not hasattr(found, "resolve_command"):
            made = found.make_context(name, rest)
            check_config(made.params)
            return
        context = found.make_context(name, rest)
        group, rest = found, [*context._protected_args, *context.args]  # type: ignore[assignment]


def check_config(parameters: dict[str, object]) -> None:
    """What a documented command names in a config must be there."""
    if "config" in parameters and parameters["config"] in {None, *recipes()}:
        load_config(parameters["config"], [*map(parse_override, parameters.get("settings", ()))])  # type: ignore[arg-type]
    elif "settings" in parameters:
        parse_config("", "(documents)", [*map(parse_override, parameters["settings"])])  # type: ignore[arg-type]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.parent.name)
def test_linked_files_are_there(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)]+)\)", document.read_text(encoding="utf-8"))
    assert all((document.parent / link).exists() for link in links), links
