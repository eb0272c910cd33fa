"""What a check finds: how severe it is, what it is, in which rows, and a hint."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rnn_cli import system
from rnn_cli.errors import Setting


class Severity(StrEnum):
    """How severe a finding is; declared worst first."""

    ERROR = "error"
    """The data contradicts itself, or metrics measured on it would be wrong."""
    WARNING = "warning"
    """It probably costs accuracy."""
    NOTE = "note"
    """Worth knowing; it may be intended."""


@dataclass(frozen=True)
class Hit:
    """A row that a finding is about, by its index among the checked rows, and a note on this row."""

    row: int
    note: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or may be, and its rows, the clearest cases first.

    `name` is short and never changes ("near duplicates"), so that a program can look for it; `what` and `hint` are
    sentences, the hint in the words of the caller. `hits` is empty where the finding is about the labels or the texts
    as a whole.
    """

    name: str
    severity: Severity
    what: str
    hint: str | Setting
    hits: tuple[Hit, ...] = ()


LEAKS = ("leaked texts", "nearly leaked texts")
"""The names of the findings about texts on two sides of a split."""


def finding_if(
    hits: Iterable[Hit], name: str, severity: Severity, nouns: tuple[str, str], what: str, hint: str | Setting
) -> list[Finding]:
    """The finding about these rows, or none if there are no rows; `nouns` for one row and for many begin its `what`."""
    rows = tuple(hits)
    return [Finding(name, severity, f"{counted(len(rows), *nouns)} {what}", hint, rows)] if rows else []


def worst_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """By severity, then by the number of rows."""
    order = list(Severity)
    return tuple(sorted(findings, key=lambda each: (order.index(each.severity), -len(each.hits))))


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 row", "2,000 rows"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def write_csv(table: Iterable[Sequence[str]], file: Path) -> None:
    """Write a table as CSV, whole or not at all, replacing an earlier file; raises `WriteError`."""
    content = io.StringIO(newline="")
    csv.writer(content).writerows(table)
    write_text(content.getvalue(), file)


def write_text(content: str, file: Path) -> None:
    """Write a text as UTF-8, whole or not at all, replacing an earlier file; raises `WriteError`."""
    with system.as_write_error(file), system.whole_file(file) as hidden:
        system.write(hidden, content)
