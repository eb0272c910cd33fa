"""What a check finds: how bad, what, in which rows, and the mend. Knows nothing of how it is found or shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is; declared worst first."""

    ERROR = "error"
    """The data contradicts itself, or figures measured on it would be wrong."""
    WARNING = "warning"
    """It probably costs accuracy."""
    NOTE = "note"
    """Worth knowing; it may be meant."""


@dataclass(frozen=True)
class Hit:
    """A row that a finding is about: its place among the `Rows` checked, and what is to be said of this one."""

    row: int
    note: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or may be, with the rows it concerns: the most telling ones first.

    `name` is short and never changes ("near duplicates"), so that a program may look for it; `what` and `mend` are
    sentences. `hits` is empty where the finding is about the labels as a whole.
    """

    name: str
    severity: Severity
    what: str
    mend: str
    hits: tuple[Hit, ...] = ()


LEAKS = ("leaked texts", "nearly leaked texts")
"""The names of the findings that tell of texts on two sides of a split."""


def worst_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """By severity, then by the number of rows."""
    order = list(Severity)
    return tuple(sorted(findings, key=lambda each: (order.index(each.severity), -len(each.hits))))


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 row", "2,000 rows"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
