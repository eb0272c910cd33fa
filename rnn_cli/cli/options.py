"""Options that several commands share, and a config's keys in the command line's words."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rnn_cli.errors import ConfigError, ConfigMistake, Error, Setting, UsageError

if TYPE_CHECKING:
    from rnn_cli.config.load import Override

Command = TypeVar("Command", bound=Callable[..., Any])

COLUMNS = {
    "text_column": "The column of texts  [default: by its name]",
    "label_column": "The column of labels  [default: by its name]",
    "label_separator": "What separates several labels of a text.",
    "label_columns": "Columns of 0 and 1, one a label: toxic,insult.",
    "delimiter": "Field separator; docs/files.md: --quoting, --encoding, --sheet, --no-header",
    "sheet": "The sheet of a workbook, or its number  [default: the only one]",
    "quoting": "auto (default), csv, or none: quotes are characters.",
    "header": "Whether line 1 names the columns; else they are 1, 2, ....",
    "encoding": "The text encoding  [default: UTF-8, or its BOM's]",
}
"""Keys of a config's `data` that are also options of every command that reads labelled files."""

SPLITTING = {
    "group_column": "Keep each value's rows on one side of the split",
    "time_column": "Test on the newest rows by this column",
}
"""Keys of a config's `data` that are also options of the commands that split labelled files."""

METAVARS = {"delimiter": "CHAR", "label_separator": "TEXT", "label_columns": "NAME,NAME"}

CHOICES = {"quoting": ("auto", "csv", "none")}

LISTS = ("label_columns",)
"""Those that are several names."""

FLAGS = ("header",)
"""Those that are on, off or not given."""

RARE = ("label_separator", "label_columns", "sheet", "quoting", "header", "encoding")
"""Those that a command's help names in a line, as it must fit a screen; messages name them where they are needed."""


def option_of(key: str) -> str:
    """The option that a key's last name makes: text_column → --text-column."""
    return "--" + key.rpartition(".")[2].replace("_", "-")


def labelled_options(command: Command) -> Command:
    """Give a command the options of how to read labelled files."""
    rare = "--quoting, --no-header, --label-separator, --label-columns, --encoding, --sheet"
    others = {"delimiter": f"Field separator; docs/files.md: {rare}"}  # in two lines of a screen
    for name in reversed(COLUMNS):
        command = reading_option(name, others.get(name))(command)
    return command


def splitting_options(command: Command) -> Command:
    """Give a command the options of how labelled files are split."""
    for name in reversed(SPLITTING):
        command = reading_option(name)(command)
    return command


def reading_option(name: str, about: str | None = None) -> Callable[[Command], Command]:
    """The option for one of `COLUMNS` or `SPLITTING`, with its help or the one given."""
    option, about = option_of(name), about or (COLUMNS | SPLITTING)[name]
    if name in FLAGS:
        return click.option(f"{option}/--no-{option[2:]}", name, default=None, help=about, hidden=name in RARE)
    kind = click.Choice(CHOICES[name]) if name in CHOICES else None
    metavar = METAVARS.get(name, "NAME")
    split = _names if name in LISTS else None
    return click.option(option, name, type=kind, metavar=metavar, help=about, hidden=name in RARE, callback=split)


def unlabelled_option(command: Command) -> Command:
    """The option --unlabelled."""
    about = "More texts, without labels: a teacher labels them."
    return click.option("--unlabelled", metavar="FILE", help=about)(command)


def include_seen_option(command: Command) -> Command:
    """The option --include-seen."""
    about = "Measure also on rows the model learned from."
    return click.option("--include-seen", is_flag=True, help=about)(command)


def model_option(command: Command) -> Command:
    """The option --model."""
    about = "A model, or general  [default: $RNN_MODEL, last run]"
    return click.option("--model", metavar="DIR", help=about)(command)


def labels_option(command: Command) -> Command:
    """The option --labels, as a list, None where it is not given."""

    about = "Predict only these labels, as positive,negative."
    return click.option("--labels", callback=_names, metavar="NAMES", help=about)(command)


def coverage_option(command: Command) -> Command:
    """The option --coverage."""
    about = "Add a set of labels with the true one in P of texts: 0.9."
    return click.option("--coverage", type=float, metavar="P", help=about)(command)


def _names(_: click.Context, __: click.Parameter, value: str | None) -> list[str] | None:
    """Names between commas, as a list."""
    return None if value is None else [name for each in value.split(",") if (name := each.strip())]


def set_option(what: str) -> Callable[[Command], Command]:
    """The option `--set KEY=VALUE`, which may be repeated; `what` is its help."""
    return click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help=what)


def overrides_of(settings: Sequence[str], **columns: str | bool | None) -> "list[Override]":
    """The overrides of a config that --set and the options of `COLUMNS` ask for.

    Raises `ConfigError` with every mistake, also where both name a key.
    """
    if not settings and all(value is None for value in columns.values()):
        return []

    from rnn_cli.config.load import parse_override

    named = [*map(parse_override, settings)]
    given = as_overrides("data", columns)
    keys = {each.key: each for each in given}
    if twice := [each for each in named if each.key in keys]:
        what = "{} says it, too; leave one out"
        raise ConfigError([ConfigMistake(what.format(keys[each.key].option), where=each.place) for each in twice])
    return [*named, *given]


def refuse_without_data(
    overrides: "Sequence[Override]", source: str | None, *, include_seen: bool, labels: Sequence[str] | None
) -> None:
    """Raise `UsageError` for what is about --data where that is not given."""
    about = [*(["--include-seen"] if include_seen else []), *(["--labels"] if labels is not None else [])]
    if source is None and about:
        raise UsageError(f"{about[0]} is about --data, which is not given", hint="add --data FILE")
    if source is None and overrides:
        option = overrides[0].option or "--set"
        raise UsageError(f"{option} tells how to read --data, which is not given", hint="add --data FILE")


def as_overrides(section: str, options: Mapping[str, Any]) -> "list[Override]":
    """Options that are keys of a section, as far as they were given."""
    given = {name: value for name, value in options.items() if value is not None}
    if not given:
        return []

    from rnn_cli.config.load import Override

    return [Override(f"{section}.{name}", value, option=option_of(name)) for name, value in given.items()]


def as_value(text: str | None, option: str) -> Any:
    """What an option's text is as YAML, which may be more than text. Raises `ConfigError`."""
    if text is None:
        return None
    from rnn_cli.config.strict_yaml import parse_yaml

    return parse_yaml(text, f"{option} {text}", is_file=False)


@contextmanager
def named_as_options(overrides: "Sequence[Override]") -> Iterator[None]:
    """What is wrong with a config's key is said of the option that set it."""
    names = {each.key: each.option for each in overrides if each.option}
    try:
        yield
    except ConfigError as error:
        raise ConfigError([replace(each, key=names.get(each.key, each.key)) for each in error.mistakes]) from None
    except Error as error:
        error.where = names.get(error.where or "", error.where)
        raise


def in_shell_words(options: Mapping[str, str]) -> Callable[[str, str], str]:
    """How a hint names a setting on the command line.

    It is the key's option where there is one in `options`, else --set. A parameter of Python is the option of its name.
    """

    def say(key: str, value: str) -> str:
        option = options.get(key) or (None if "." in key else PARAMETERS.get(key, option_of(key)))
        if option is None:
            return f"--set {key}={value}" if value else key
        if not value:
            return option
        if value.lower() == "false":
            return f"--no-{option[2:]}"
        return option if value.lower() == "true" else f"{option} {value}"

    return say


LABELLED = {f"data.{name}": option_of(name) for name in (*COLUMNS, *SPLITTING)}
"""The keys that are options of the commands that read labelled files."""


PARAMETERS = {"origin": "--from", "progress": "--quiet"}
"""Parameters of Python's functions whose options have other names."""


def shell_hint(hint: str | Setting, options: Mapping[str, str] = LABELLED) -> str:
    """A hint in the words of a command, which names a config's keys as options."""
    return hint.worded(in_shell_words(options)) if isinstance(hint, Setting) else hint


def in_shell_terms(error: Error, options: Mapping[str, str]) -> Error:
    """The error in the words of a command, which names a config's keys as options."""
    if isinstance(error, ConfigError):
        return error
    where = options.get(error.where or "", error.where)
    return type(error)(error.what, where=where, hint=error.hint and shell_hint(error.hint, options))
