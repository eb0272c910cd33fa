"""What `rnn` offers a shell when Tab is pressed, and the script by which the shell asks.

A shell asks at each press of Tab, so nothing here loads a library but Click: what config keys and built-in sets there
are is read off their modules' source.
"""

import ast
import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    ShellComplete,
    add_completion_class,
    get_completion_class,
)
from click.types import StringParamType

from rnn_cli.bundle.model_folder import LATEST, MANIFEST, RUNS, UNFINISHED
from rnn_cli.formats import DATA_FILE, FORMATS

PROGRAM, VARIABLE = "rnn", "_RNN_COMPLETE"
"""The command that the scripts complete, and what they ask it by, in the environment."""

PACKAGE = Path(__file__).parents[1]


@add_completion_class
class Bash(BashComplete):
    """Bash's completion, with no space after what goes on, and for words with an =, at which bash cuts them."""

    source_template = BashComplete.source_template.replace(
        "COMPREPLY+=($value)", 'COMPREPLY+=("$value")\n            [[ $value == *[=/] ]] && compopt -o nospace'
    )

    def source(self) -> str:
        """The script; of which bash is here nothing is asked, as it may be read elsewhere."""
        return ShellComplete.source(self)

    def complete(self) -> str:
        """The answer to the shell: what is to replace the part behind the last = where it has cut there."""
        args, incomplete = self.get_completion_args()
        words = [*args, incomplete]
        whole = _uncut(words)
        found = self.get_completions(whole[:-1], whole[-1])
        if len(whole) < len(words):
            before = whole[-1].rpartition("=")[0] + "="
            before = before.partition("=")[2] if before.startswith("-") else before
            for each in found:
                each.value = each.value.removeprefix(before)
        return "\n".join(map(self.format_completion, found))


def _uncut(words: list[str]) -> list[str]:
    """Words as they were typed, of which bash makes three where there is an =."""
    whole: list[str] = []
    goes_on = False
    for word in words:
        if word == "=" and whole:
            whole[-1] += word
        elif goes_on:
            whole[-1] += word
        else:
            whole.append(word)
        goes_on = word == "="
    return whole


def script(shell: str, cli: click.Command) -> str:
    """What the shell is to load."""
    kind = get_completion_class(shell)
    assert kind is not None
    return kind(cli, {}, PROGRAM, VARIABLE).source()


class Completed(StringParamType):
    """Text, of which a function knows what it may be: given the command and the beginning."""

    def __init__(self, completer: "Completer") -> None:
        self.completer = completer

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """What begins so, without what a shell would take for more than a word."""
        found = self.completer(ctx.command, incomplete)
        return [CompletionItem(word) for word in found if word.startswith(incomplete) and PLAIN.fullmatch(word)]


Completer = Callable[[click.Command, str], list[str]]

NOTHING = r"(?!)"
"""A pattern that no name holds."""

PLAIN = re.compile(r"[\w./=:@%+,\[\]-]+")
"""Words that no shell needs quotes for."""


def answer_shell(cli: click.Group) -> None:
    """Answer the question in the environment and end."""
    for command in _below(cli):
        for param in command.params:
            if param.name in COMPLETERS and isinstance(param.type, StringParamType):
                param.type = Completed(COMPLETERS[param.name])
    cli.main(prog_name=PROGRAM, complete_var=VARIABLE)


def _below(group: click.Group) -> Iterator[click.Command]:
    for command in group.commands.values():
        yield command
        if isinstance(command, click.Group):
            yield from _below(command)


def files(_: click.Command | None, incomplete: str, wanted: str = r"") -> list[str]:
    """Files whose names hold the pattern `wanted`, and folders, each with a / behind it; hidden ones if asked for."""
    folder, slash, beginning = incomplete.rpartition("/")
    try:
        found = sorted(os.scandir(folder + slash or "."), key=lambda each: each.name)
    except OSError:
        return []
    shown = [each for each in found if each.name.startswith(beginning) and (beginning or each.name[0] != ".")]
    return [
        f"{folder}{slash}{each.name}{'/' * each.is_dir()}"
        for each in shown
        if each.is_dir() or re.search(wanted, each.name)
    ]


def configs(command: click.Command, incomplete: str) -> list[str]:
    """Recipes and YAML files; for training also files of rows."""
    rows_too = f"|{DATA_FILE.pattern}" if command.name == "train" else ""
    return [*complete_recipes(), *files(command, incomplete, rf"\.ya?ml${rows_too}")]


def cases(command: click.Command, incomplete: str) -> list[str]:
    """YAML files, as those of behaviour tests are."""
    return files(command, incomplete, r"\.ya?ml$")


def complete_recipes() -> list[str]:
    """The recipes that come with rnn, as `config.load` finds them."""
    for folder in (PACKAGE / "configs", PACKAGE.parent / "configs"):
        if folder.is_dir():
            return [file.relative_to(folder).with_suffix("").as_posix() for file in sorted(folder.rglob("*.yaml"))]
    return []


def rows(command: click.Command, incomplete: str) -> list[str]:
    """Built-in sets and files; of `rnn data check` recipes, too."""
    return [*builtin_sets(), *(complete_recipes() if command.name == "check" else []), *files(command, incomplete)]


def builtin_sets() -> list[str]:
    """The names of the built-in sets."""
    calls = [node for node in ast.walk(_source("data/builtin.py")) if isinstance(node, ast.Call)]
    sets = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "BuiltinSet"]
    return [word.value.value for call in sets for word in call.keywords if word.arg == "name"]  # type: ignore[attr-defined]


def complete_runs(command: click.Command, incomplete: str) -> list[str]:
    """Trained models in runs/, else folders."""
    latest = [str(LATEST)] if LATEST.exists() else []
    return _paths([*latest, *(str(RUNS / name) for name in _runs() if not name.endswith(UNFINISHED))], incomplete)


def origins(command: click.Command, incomplete: str) -> list[str]:
    """Trained models and unfinished runs in runs/, else folders."""
    return _paths([str(RUNS / name) for name in _runs()], incomplete)


def unfinished_runs(command: click.Command, incomplete: str) -> list[str]:
    """Unfinished runs in runs/, else folders."""
    return _paths([str(RUNS / name) for name in _runs() if name.endswith(UNFINISHED)], incomplete)


def _paths(of_runs: list[str], incomplete: str) -> list[str]:
    return [each for each in of_runs if each.startswith(incomplete)] or files(None, incomplete, wanted=NOTHING)


def run_names(command: click.Command, incomplete: str) -> list[str]:
    """All runs in runs/, by their names, or by their paths where one is begun."""
    before = f"{RUNS}/" if incomplete.startswith(f"{RUNS}/") else ""
    return [before + name for name in _runs()]


def _runs() -> list[str]:
    try:
        found = [each.name for each in os.scandir(RUNS) if each.is_dir() and not each.is_symlink()]
    except OSError:
        return []
    return sorted(name for name in found if name.endswith(UNFINISHED) or (RUNS / name / MANIFEST).exists())


SECTIONS = {"evaluate": ("data.",), "compare": ("data.",), "init": ("data.",), "check": ("data.", "tokenizer.")}
"""Of a command that takes not all keys, the beginnings of those it takes."""

FILES = {"data.validation", "data.test", "model.embeddings"}
"""Keys whose values may be files."""


def settings(command: click.Command, incomplete: str) -> list[str]:
    """Keys with an = behind them, or a key's values."""
    name, equals, value = incomplete.partition("=")
    if not equals:
        return [f"{key.name}=" for key in complete_keys() if key.name.startswith(SECTIONS.get(command.name or "", ""))]
    if name in ("data.source", "data.unlabelled"):
        return [f"{name}={each}" for each in rows(command, value)]
    if name in FILES:
        few = ["own"] if name == "model.embeddings" else []
        return [f"{name}={each}" for each in [*few, *files(command, value)]]
    return [f"{name}={value}" for key in complete_keys() if key.name == name for value in key.values]


class KeyValues(NamedTuple):
    """A key of the config, and its values where they are few."""

    name: str
    values: tuple[str, ...]


def complete_keys() -> list[KeyValues]:
    """Every key of the config, as `config.describe` has them."""
    classes = {node.name: node for node in _source("config/schema.py").body if isinstance(node, ast.ClassDef)}
    return list(_keys(classes, "Config", ""))


def _keys(classes: dict[str, ast.ClassDef], section: str, prefix: str) -> Iterator[KeyValues]:
    for node in _fields(classes, section).values():
        if isinstance(node.target, ast.Name):
            parts = [part for each in _named(node.annotation) for part in ast.walk(each)]
            names = [part.id for part in parts if isinstance(part, ast.Name)]
            lists = [part for part in parts if isinstance(part, ast.Subscript) and ast.unparse(part.value) == "list"]
            within = {part.id for each in lists for part in ast.walk(each.slice) if isinstance(part, ast.Name)}
            nested = [name for name in names if _is_section(classes, name) and name not in within]
            if prefix or not nested:
                few = [
                    part for part in parts if isinstance(part, ast.Subscript) and ast.unparse(part.value) == "Literal"
                ]
                values = [part.value for each in few for part in ast.walk(each.slice) if isinstance(part, ast.Constant)]
                values += FORMATS if "Format" in names else []
                values += ["true", "false"] if "bool" in names else []
                yield KeyValues(prefix + node.target.id, tuple(map(str, values)))
            for name in nested:
                yield from _keys(classes, name, f"{prefix}{node.target.id}.")


def _named(annotation: ast.expr) -> Iterator[ast.expr]:
    """The annotation, and what the kinds of labels in it are a name for."""
    yield annotation
    names = {part.id for part in ast.walk(annotation) if isinstance(part, ast.Name)}
    for node in _source("kinds.py").body:
        if isinstance(node, ast.Assign) and names & {each.id for each in node.targets if isinstance(each, ast.Name)}:
            yield node.value


def _fields(classes: dict[str, ast.ClassDef], section: str) -> dict[str, ast.AnnAssign]:
    """The fields of a section by name, those of the sections it is derived from first."""
    found: dict[str, ast.AnnAssign] = {}
    for base in classes[section].bases:
        if isinstance(base, ast.Name) and base.id in classes:
            found |= _fields(classes, base.id)
    for node in classes[section].body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = node
    return found


def _is_section(classes: dict[str, ast.ClassDef], name: str) -> bool:
    if name not in classes:
        return False
    bases = [base.id for base in classes[name].bases if isinstance(base, ast.Name)]
    return "Section" in bases or any(_is_section(classes, base) for base in bases)


@cache
def _source(file: str) -> ast.Module:
    return ast.parse((PACKAGE / file).read_text(encoding="utf-8"))


COMPLETERS: dict[str, Completer] = {
    "config": configs,
    "cases": cases,
    "settings": settings,
    "model": complete_runs,
    "models": complete_runs,
    "runs": complete_runs,
    "origin": origins,
    "resume": unfinished_runs,
    "names": run_names,
    "source": rows,
    "file": rows,
    "inputs": files,
    "output": files,
    "rejects": files,
}
"""What may stand for an argument or option that is text, by its name in the command's function."""
